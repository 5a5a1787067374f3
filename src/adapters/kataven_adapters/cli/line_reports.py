"""What takes reports over HTTP: of the lines that there are, the one that is called http:// has it."""

from collections.abc import Callable
from typing import Final

from kataven_adapters.wire.taking import Take, complaining
from kataven_core.ports import Clock, Line

OVER_HTTP: Final = ("http://", "https://")
"""How the URL of a line begins that hears over HTTP."""


def line_reports(line: Line, complain: Callable[[str], None], clock: Clock) -> dict[str, Take]:
    """Give what takes a line's reports, by its name in the report URL; nothing where it needs none.

    ``complain`` hears of reports that are not by the dialer.
    """
    try:
        from kataven_adapters.http_line import HttpLine  # noqa: PLC0415 - an extra of its own
    except ModuleNotFoundError:
        return {}
    return {"http": complaining(line.take, complain, clock.monotonic)} if isinstance(line, HttpLine) else {}
