"""The meter of an engine that nobody measures, and what keeps any other from doing harm."""

import logging
from collections.abc import Callable, Sequence

from kataven_core.cycle import Decision
from kataven_core.ports import Meter

log = logging.getLogger("kataven_core.engine")


class Unmetered:
    """Counts nothing."""

    def settled(self, decisions: Sequence[Decision], took_s: float) -> None:
        """Let it pass."""

    def sent(self, took_s: float) -> None:
        """Let it pass."""

    def passed_over(self, reports: int) -> None:
        """Let it pass."""


class Harmless:
    """Passes everything on to a meter; whatever that raises is logged, and dialling goes on."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def settled(self, decisions: Sequence[Decision], took_s: float) -> None:
        """Count a commit."""
        _try("a commit", lambda: self._meter.settled(decisions, took_s))

    def sent(self, took_s: float) -> None:
        """Count a call."""
        _try("a call", lambda: self._meter.sent(took_s))

    def passed_over(self, reports: int) -> None:
        """Count reports that change nothing."""
        _try("a report", lambda: self._meter.passed_over(reports))


def _try(what: str, count: Callable[[], None]) -> None:
    try:
        count()
    except Exception:
        log.exception("%s was not counted; dialling goes on", what)
