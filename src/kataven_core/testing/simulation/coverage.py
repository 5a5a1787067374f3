"""Which fault can meet which state at all: what a table over many seeds must show, so that no fault was only drawn.

A request or a report meets its attempt in a state; what befalls a process, the clock, the line or the store meets every
state that any attempt is in, or none that is open (``idle``); an operation meets its campaign's status.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from kataven_core import AttemptState, CampaignStatus, Operation

_REQUESTS: Final = ("lost", "late", "answer", "slow", "refused", "number")
_REPORTS: Final = ("report_lost", "report_repeated", "report_delayed")
_LOOK_UPS: Final = ("look_up_fails", "look_up_hangs", "look_up_partial")
_EVERYTHING: Final = (
    "broken",
    "crash",
    "crash_after",
    "crash_before",
    "cut",
    "jump",
    "read",
    "refused_all",
    "replaced",
    "restart",
    "sick",
    "stall",
    "roll_back",
    "stall_after",
    "write",
)
_OPEN: Final = (AttemptState.CLAIMED, AttemptState.UNKNOWN, AttemptState.LIVE)
_MET: Final = (
    CampaignStatus.DRAFT,
    CampaignStatus.SCHEDULED,
    CampaignStatus.RUNNING,
    CampaignStatus.PAUSED,
    CampaignStatus.COMPLETED,
)


def _pairs() -> Iterator[tuple[str, str]]:
    def all_of(faults: Iterable[str], states: Iterable[str]) -> Iterator[tuple[str, str]]:
        return ((fault, str(state)) for fault in faults for state in states)

    yield from all_of(_REQUESTS, [AttemptState.CLAIMED])
    yield from all_of(_REPORTS, _OPEN)
    yield from all_of(_LOOK_UPS, [*_OPEN, AttemptState.DONE])
    yield from all_of(_EVERYTHING, [*_OPEN, "idle"])
    yield from all_of((each.value for each in Operation), _MET)


MEETINGS: Final = frozenset(_pairs())
"""Every fault with every state that it can meet."""
