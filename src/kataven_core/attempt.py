"""One dial, from its claim to its outcome.

===========  =========  ===========  =========
report       claimed    unknown      live
===========  =========  ===========  =========
Placed       live       live         its call id
Ringing      live       live         -
Answered     live       live         answered
Ended        done       done         done
Unsent       unsent     -            -
Doubtful     unknown    -            -
NeverPlaced  -          unsent       -
Lost         lost       lost         lost
===========  =========  ===========  =========

States only move right; whatever comes after ``done`` changes nothing. An attempt that may have been sent is never sent
again, and only the process that made a claim calls it unsent: to all others a claim is ``unknown``.
"""

from datetime import datetime
from typing import assert_never

from attrs import evolve, frozen

from .events import AttemptAnswered, AttemptClaimed, AttemptDoubted, AttemptEnded, AttemptEvent, AttemptLive
from .phone_number import PhoneNumber
from .reports import Answered, Doubtful, Ended, Lost, NeverPlaced, Placed, Report, Ringing, Unsent
from .statuses import AttemptState, Outcome
from .values import AccountId, AttemptId, CampaignId


@frozen(kw_only=True)
class Attempt:
    """One dial of one contact. ``n`` counts the contact's claims from 1; ``call_id`` is the line's own name for it.

    ``outcome`` is set when ``state`` is done; ``duration_s`` is then the talk in seconds.
    """

    id: AttemptId
    account_id: AccountId
    campaign_id: CampaignId
    position: int
    n: int
    phone_number: PhoneNumber
    claimed_at: datetime
    state: AttemptState = AttemptState.CLAIMED
    call_id: str | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    duration_s: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it holds a slot, its contact and its number."""
        return self.state is not AttemptState.DONE


def receive(attempt: Attempt, report: Report, now: datetime) -> Attempt:
    """Give the attempt after a report: the same object where the report changes nothing.

    The line's time is taken where it lies between the claim and ``now``. Else its clock is off, and ``now`` counts, so
    that nobody is dialled again too soon.
    """
    if not attempt.is_open:
        return attempt
    is_claimed, is_live = attempt.state is AttemptState.CLAIMED, attempt.state is AttemptState.LIVE
    latest = max(now, attempt.claimed_at)
    at = report.at if attempt.claimed_at <= report.at <= latest else latest
    match report:
        case Placed():
            known = is_live and attempt.call_id is not None
            return attempt if known else _live(attempt, report.call_id, attempt.answered_at)
        case Ringing():
            return attempt if is_live else _live(attempt, attempt.call_id, attempt.answered_at)
        case Answered():
            known = attempt.answered_at is not None
            return attempt if known else _live(attempt, attempt.call_id, at)
        case Ended():
            return _done(attempt, report.outcome, at, _talk_s(attempt, report, at))
        case Unsent():
            return _done(attempt, Outcome.UNSENT, at) if is_claimed else attempt
        case Doubtful():
            return evolve(attempt, state=AttemptState.UNKNOWN) if is_claimed else attempt
        case NeverPlaced():
            is_unknown = attempt.state is AttemptState.UNKNOWN
            return _done(attempt, Outcome.UNSENT, at) if is_unknown else attempt
        case Lost():
            return _done(attempt, Outcome.LOST, at)
        case _:
            assert_never(report)


def _live(attempt: Attempt, call_id: str | None, answered_at: datetime | None) -> Attempt:
    """Made anew, as ``_done`` is: of all that is done for each dial, ``evolve`` would take the most time."""
    return Attempt(
        id=attempt.id,
        account_id=attempt.account_id,
        campaign_id=attempt.campaign_id,
        position=attempt.position,
        n=attempt.n,
        phone_number=attempt.phone_number,
        claimed_at=attempt.claimed_at,
        state=AttemptState.LIVE,
        call_id=call_id,
        answered_at=answered_at,
    )


def _done(attempt: Attempt, outcome: Outcome, at: datetime, duration_s: float = 0.0) -> Attempt:
    return Attempt(
        id=attempt.id,
        account_id=attempt.account_id,
        campaign_id=attempt.campaign_id,
        position=attempt.position,
        n=attempt.n,
        phone_number=attempt.phone_number,
        claimed_at=attempt.claimed_at,
        state=AttemptState.DONE,
        call_id=attempt.call_id,
        answered_at=attempt.answered_at,
        ended_at=at,
        outcome=outcome,
        duration_s=duration_s,
    )


def _talk_s(attempt: Attempt, report: Ended, ended_at: datetime) -> float:
    if report.duration_s is not None:
        return report.duration_s
    return max((ended_at - attempt.answered_at).total_seconds(), 0.0) if attempt.answered_at else 0.0


def apply(attempt: Attempt | None, event: AttemptEvent) -> Attempt | None:
    """Fold the next event of an attempt in; the first is its claim."""
    match event:
        case AttemptClaimed():
            return Attempt(
                id=event.attempt_id,
                account_id=event.account_id,
                campaign_id=event.campaign_id,
                position=event.position,
                n=event.n,
                phone_number=event.phone_number,
                claimed_at=event.at,
            )
        case AttemptDoubted() if attempt:
            return evolve(attempt, state=AttemptState.UNKNOWN)
        case AttemptLive() if attempt:
            return _live(attempt, event.call_id, attempt.answered_at)
        case AttemptAnswered() if attempt:
            return _live(attempt, attempt.call_id, event.answered_at)
        case AttemptEnded() if attempt:
            return _done(attempt, event.outcome, event.ended_at, event.duration_s)
        case _:
            return attempt
