"""What tells about the API and the process itself; no key is needed for it."""

import logging

from kataven_core import Problem

from .calls import Call
from .docs_page import page
from .json import encode
from .messages import TEXT, Response
from .openapi import document
from .problems import HttpProblem, wrong_field

log = logging.getLogger(__name__)

_NO_SCRIPT = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"}


async def openapi(call: Call) -> Response:
    """Give the description of the API."""
    return Response(body=encode(document(call.services.routes, call.request.mount)))


async def docs(call: Call) -> Response:
    """Give the description as a page to read."""
    html = page(document(call.services.routes, call.request.mount))
    return Response(body=html.encode(), content_type="text/html; charset=utf-8", headers=_NO_SCRIPT)


async def healthz(_: Call) -> Response:
    """Say that the process answers."""
    return Response(body=b"alive\n", content_type=TEXT)


async def readyz(call: Call) -> Response:
    """Say whether campaigns can be dialled, and what is in the way; the log alone says why, as this needs no key."""
    troubles = await call.engine.troubles()
    for each in troubles:
        log.warning("not ready: %s: %s", each.field, each.message)
    if troubles:
        problems = [Problem(each.field, f"{each.field} is not ready: the log says why") for each in troubles]
        sentence = "; ".join(each.message for each in problems)
        raise HttpProblem(503, "not_ready", sentence, errors=[wrong_field(each) for each in problems])
    return Response(body=b"ready\n", content_type=TEXT)


async def metrics(call: Call) -> Response:
    """Give the figures."""
    body, content_type = call.services.metrics.render()
    return Response(body=body, content_type=content_type)
