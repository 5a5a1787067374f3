"""Where lines hear what became of their calls: no key opens it, as each line knows by a signature who speaks."""

from kataven_adapters.wire.taking import MAX_BYTES
from kataven_core import CommandRefused

from .calls import Call
from .messages import Response
from .problems import HttpProblem


async def take_reports(call: Call) -> Response:
    """Hand what a dialer reports to its line."""
    take = call.services.line_reports.get(call.ids["line"])
    if take is None:
        raise HttpProblem(404, "not_found", "no line of this server hears reports here: check the report URL")
    body = bytearray()
    async for chunk in call.body:
        body += chunk
        if len(body) > MAX_BYTES:
            raise HttpProblem(
                400, "body_too_large", f"the body has more than {MAX_BYTES:,} bytes: send fewer reports", is_last=True
            )
    try:
        await take(call.request.headers, bytes(body))
    except CommandRefused as refusal:
        raise HttpProblem(401, refusal.code, refusal.message) from None
    return Response(status=204)
