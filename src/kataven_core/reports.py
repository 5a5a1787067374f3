"""What a line, or whoever speaks for it, states about an attempt.

A report is a fact: it is never refused. Late, repeated or out of order it changes nothing (``attempt.receive`` has
the table). ``at`` is when it happened by the line's clock, in any zone; a naive time, or a duration that is none, is an
``InvalidValue`` where the report is made.
"""

from datetime import datetime
from math import inf

from attrs import field, frozen

from .errors import InvalidValue
from .statuses import CARRIER_OUTCOMES, Outcome
from .values import AttemptId, utc


@frozen(kw_only=True)
class Placed:
    """The line accepted the call and knows it as ``call_id``."""

    attempt_id: AttemptId
    at: datetime = field(converter=utc)
    call_id: str


@frozen(kw_only=True)
class Ringing:
    """The phone rings."""

    attempt_id: AttemptId
    at: datetime = field(converter=utc)


@frozen(kw_only=True)
class Answered:
    """Somebody, or a machine, picked up."""

    attempt_id: AttemptId
    at: datetime = field(converter=utc)


def _by_carrier(_: object, __: object, outcome: Outcome) -> None:
    if outcome not in CARRIER_OUTCOMES:
        raise InvalidValue("invalid_outcome", f"{outcome} is no outcome that a line can report")


def _in_seconds(_: object, __: object, duration_s: float | None) -> None:
    if duration_s is not None and not (0 <= duration_s < inf):
        raise InvalidValue("invalid_duration", f"{duration_s} is no duration: give seconds, 0 or more")


@frozen(kw_only=True)
class Ended:
    """The call is over, as the carrier says. ``duration_s`` is the talk in seconds, None where it is not known."""

    attempt_id: AttemptId
    at: datetime = field(converter=utc)
    outcome: Outcome = field(validator=_by_carrier)
    duration_s: float | None = field(default=None, validator=_in_seconds)


@frozen(kw_only=True)
class Unsent:
    """The call was surely not placed: the line refused it, or it never left.

    Only the process that made the claim may say so; after a crash nobody knows.
    """

    attempt_id: AttemptId
    at: datetime = field(converter=utc)


@frozen(kw_only=True)
class Doubtful:
    """The line's answer to the call was lost, or the process that sent it died: the phone may be ringing."""

    attempt_id: AttemptId
    at: datetime = field(converter=utc)


@frozen(kw_only=True)
class NeverPlaced:
    """A line whose look-up is authoritative has never heard of the call, and no request for it is under way."""

    attempt_id: AttemptId
    at: datetime = field(converter=utc)


@frozen(kw_only=True)
class Lost:
    """The line can't say any more what became of the call: its deadline passed, or the line's memory died."""

    attempt_id: AttemptId
    at: datetime = field(converter=utc)


ENDING = (Ended, Unsent, NeverPlaced, Lost)
"""Reports after which an attempt is not open any more."""

Report = Placed | Ringing | Answered | Ended | Unsent | Doubtful | NeverPlaced | Lost
