"""Reports first: they free slots."""

from collections.abc import Mapping

from kataven_core.attempt import Attempt, receive
from kataven_core.contact import conclude
from kataven_core.events import AttemptAnswered, AttemptDoubted, AttemptEnded, AttemptLive
from kataven_core.reports import Report
from kataven_core.statuses import AttemptState, Outcome
from kataven_core.values import AttemptId, contact_id

from .turn import CampaignTurn, Turn
from .view import AccountView


def settle(turn: Turn, view: AccountView, reports: tuple[Report, ...], jitter_s: Mapping[AttemptId, float]) -> None:
    """Take each report in order; what nobody knows is set aside, what changes nothing is passed over."""
    for report in reports:
        known = turn.attempts.get(report.attempt_id)
        before = known.after if known else view.attempts.get(report.attempt_id)
        if before is None:
            turn.unrecognized.append(report.attempt_id)
            continue
        after = receive(before, report, turn.now)
        if after is before:
            continue
        turn.change_attempt(before, after)
        campaign = turn.campaigns[after.campaign_id]
        if after.is_open:
            _tell(turn, campaign, before, after)
        else:
            _close(turn, view, campaign, after, jitter_s.get(after.id, 0.0))
    turn.usage = turn.usage.after_ends(turn.talks)


def _tell(turn: Turn, campaign: CampaignTurn, before: Attempt, after: Attempt) -> None:
    """Say what has happened to an attempt that is still open."""
    if after.state is AttemptState.UNKNOWN:
        turn.attempt_happened(campaign, AttemptDoubted, after)
    elif before.state is not after.state or before.call_id != after.call_id:
        turn.attempt_happened(campaign, AttemptLive, after, call_id=after.call_id)
    if before.answered_at != after.answered_at:
        turn.attempt_happened(campaign, AttemptAnswered, after, answered_at=after.answered_at)


def _close(turn: Turn, view: AccountView, campaign: CampaignTurn, attempt: Attempt, jitter_s: float) -> None:
    """Let an attempt be over: its slot is free, its contact goes on or has come to its end."""
    outcome, ended_at, duration_s = attempt.outcome, attempt.ended_at, attempt.duration_s or 0.0
    assert outcome is not None  # noqa: S101 - `receive` sets both with the state
    assert ended_at is not None  # noqa: S101 - the same
    contact = view.contacts[contact_id(attempt.campaign_id, attempt.position)]
    concluded = conclude(
        contact,
        outcome=outcome,
        ended_at=ended_at,
        policy=campaign.campaign.retry_policy,
        now=turn.now,
        jitter_s=jitter_s,
    )
    turn.change_contact(contact, concluded)
    turn.busy_numbers.discard(attempt.phone_number)
    if outcome is Outcome.UNSENT:
        turn.usage = turn.usage.after_unsent(claimed_at=attempt.claimed_at)
    else:
        turn.talks.append((ended_at, duration_s))
    turn.attempt_happened(
        campaign,
        AttemptEnded,
        attempt,
        outcome=outcome,
        ended_at=ended_at,
        duration_s=duration_s,
        contact_status=concluded.status,
        next_attempt_at=concluded.next_attempt_at,
    )
