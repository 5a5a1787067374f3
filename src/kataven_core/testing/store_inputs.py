"""What random stories are made of: numbers, caps, and what a line may report."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from kataven_core import (
    Answered,
    AttemptId,
    Doubtful,
    Ended,
    Lost,
    NeverPlaced,
    Outcome,
    Placed,
    Report,
    Ringing,
    Unsent,
)

from .samples import ACME, GLOBEX

NUMBERS: Final = st.lists(st.integers(0, 7), max_size=6)
"""So few numbers that campaigns and accounts share them."""
KEYS: Final = st.sampled_from([None, None, "j", "k"])
"""So few keys that they are used again; None for a command that has none."""
ACCOUNTS: Final = st.sampled_from([ACME, ACME, GLOBEX])
CAPS: Final = st.fixed_dictionaries(
    {},
    optional={
        "concurrent_max": st.sampled_from([9, 6, 4, 2, 0]),
        "calls_per_minute": st.sampled_from([6, 3, 1, 0]),
        "daily_calls_max": st.sampled_from([30, 10, 5]),
        "daily_minutes_max": st.sampled_from([5, 1]),
    },
)
ENDS: Final = st.sampled_from([Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED, Outcome.ANSWERED, Outcome.DECLINED])
KINDS: Final = st.one_of(ENDS, st.sampled_from([Placed, Ringing, Answered, Unsent, Doubtful, NeverPlaced, Lost]))
"""What a line may report: an end by its outcome, or something else by its class."""
SENSIBLE: Final[Mapping[str, tuple[str, ...]]] = {
    "draft": ("start", "start"),
    "scheduled": ("start", "stop", "delete"),
    "running": ("pause", "pause", "stop"),
    "paused": ("resume", "start", "delete"),
    "completed": ("delete",),
    "failed": ("delete",),
}
"""What makes sense to do in each status; now and then it is something else."""


def a_report(name: AttemptId, kind: Any, now: datetime, talk_s: int) -> Report:
    """Give a report of one of ``KINDS``."""
    if isinstance(kind, Outcome):
        at = now - timedelta(seconds=3) if talk_s else now
        return Ended(attempt_id=name, at=at, outcome=kind, duration_s=float(talk_s))
    if kind is Placed:
        return Placed(attempt_id=name, at=now, call_id=f"call {name}")
    report: Report = kind(attempt_id=name, at=now)
    return report
