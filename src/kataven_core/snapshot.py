"""A campaign's progress at a glance, as the event stream shows it."""

from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from .counters import Counters
from .statuses import CampaignStatus, Outcome
from .values import CampaignId

_MINUTE: Final = timedelta(minutes=1)


@frozen(kw_only=True)
class Snapshot:
    """Progress at ``timestamp``. ``answer_rate`` is answered by ended attempts, None before the first has ended.

    ``calls_per_minute`` counts the dials of the last 60 s. ``eta`` is when the campaign will be through at that pace,
    None while it does not run, nothing tells its pace yet, or that is beyond the calendar.
    """

    campaign_id: CampaignId
    status: CampaignStatus
    total: int
    pending: int
    in_progress: int
    completed: int
    failed: int
    cancelled: int
    suppressed: int
    attempts: int
    calls_in_flight: int
    answer_rate: float | None
    calls_per_minute: int
    eta: datetime | None
    timestamp: datetime


def take_snapshot(
    status: CampaignStatus,
    counters: Counters,
    *,
    calls_per_minute: int,
    now: datetime,
    started_at: datetime | None = None,
) -> Snapshot:
    """Give the snapshot of a campaign in ``status``; ``started_at`` makes for a fair pace in its first minute."""
    ended = counters.ended_attempts
    return Snapshot(
        campaign_id=counters.campaign_id,
        status=status,
        total=counters.total,
        pending=counters.pending,
        in_progress=counters.in_progress,
        completed=counters.completed,
        failed=counters.failed,
        cancelled=counters.cancelled,
        suppressed=counters.suppressed,
        attempts=counters.attempts,
        calls_in_flight=counters.calls_in_flight,
        answer_rate=counters.outcomes.get(Outcome.ANSWERED, 0) / ended if ended else None,
        calls_per_minute=calls_per_minute,
        eta=_eta(status, counters, calls_per_minute * _MINUTE / _part_of_minute(started_at, now), now),
        timestamp=now,
    )


def _part_of_minute(started_at: datetime | None, now: datetime) -> timedelta:
    """Say how much of the last minute it has been running for; a second at least."""
    return min(max(now - started_at, timedelta(seconds=1)), _MINUTE) if started_at else _MINUTE


def _eta(status: CampaignStatus, counters: Counters, calls_per_minute: float, now: datetime) -> datetime | None:
    """Say when the rest will be dialled: contacts left, times the attempts that a finished one has taken, by the pace.

    Pauses for retries at the very end are not foreseen; the figure moves as the campaign does.
    """
    left = counters.pending + counters.in_progress
    finished = counters.completed + counters.failed
    if status is not CampaignStatus.RUNNING or not left or not finished or not calls_per_minute:
        return None
    dials_left = max(left * counters.ended_attempts / finished - counters.calls_in_flight, 0)
    try:
        return now + timedelta(minutes=dials_left / calls_per_minute)
    except OverflowError:
        return None
