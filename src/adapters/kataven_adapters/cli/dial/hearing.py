"""The line that dials a file, and where it is told what became of its calls, if that comes over HTTP."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING

from attrs import evolve

from kataven_adapters.cli.failure import USAGE, CommandFailure
from kataven_adapters.cli.line_reports import OVER_HTTP, line_reports
from kataven_adapters.cli.output import note
from kataven_adapters.registry import line_from_url
from kataven_core.ports import Clock, Line

from .plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from socket import socket

Hearing = AbstractAsyncContextManager[None]


@contextmanager
def placing(plan: Plan, clock: Clock) -> Iterator[tuple[Line, Hearing]]:
    """Give the line, unopened, and what hears its reports while it is entered.

    A dialer of one's own reports to the address that is configured for the server. ``CommandFailure`` where that can't
    be listened at, or no secret says whose reports are believed.
    """
    if not plan.line_url.startswith(OVER_HTTP):
        yield line_from_url(plan.line_url, clock, evolve(plan.line.options(""), report_url=None)), nullcontext()
        return
    if plan.line.secret is None:
        raise CommandFailure(
            'a dialer signs what it reports: write secret = "env:LINE_SECRET" under [line] of a file, and name that '
            "with --config",
            USAGE,
        )
    with _bound(plan) as sockets:
        from kataven_adapters.cli.listening import listening, url_from_elsewhere  # noqa: PLC0415 - as in _bound

        from .reports_app import reports_app  # noqa: PLC0415 - the same

        server = plan.server
        url = server.public_url or url_from_elsewhere(server.host, sockets[0].getsockname()[1])
        line = line_from_url(plan.line_url, clock, plan.line.options(url))
        yield line, listening(reports_app(line_reports(line, note, clock)), sockets)


@contextmanager
def _bound(plan: Plan) -> "Iterator[Sequence[socket]]":
    """Hold the port; what can't be had is named as the configuration names it."""
    try:
        from kataven_adapters.cli.listening import bound  # noqa: PLC0415 - an extra that other lines do without
    except ModuleNotFoundError as error:
        if str(error.name).startswith("kataven_"):
            raise  # ours is missing: no extra would bring it
        scheme = plan.line_url.partition(":")[0]
        raise CommandFailure(f"{scheme}:// needs {error.name}: pip install 'kataven-core[http-line]'") from None
    with ExitStack() as held:
        try:
            sockets = held.enter_context(bound(plan.server.host, plan.server.port))
        except CommandFailure as failure:
            raise CommandFailure(_as_configured(failure.sentence), failure.exit_code) from None
        yield sockets


def _as_configured(sentence: str) -> str:
    """Name what is a server's option by where it stands for this command."""
    for name in ("port", "host"):
        sentence = sentence.replace(f"with --{name}", f"as {name} under [server]")
    return f"reports can't be heard: {sentence}"
