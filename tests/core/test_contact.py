from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.contact import Contact, apply, cancel, claim, conclude
from kataven_core.events import (
    AttemptAnswered,
    AttemptClaimed,
    AttemptDoubted,
    AttemptEnded,
    AttemptEvent,
    AttemptLive,
    CampaignCompleted,
    CampaignDeleted,
    CampaignEvent,
    CampaignFailed,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopped,
)
from kataven_core.phone_number import PhoneNumber
from kataven_core.retry import RetryPolicy
from kataven_core.statuses import ContactStatus, Outcome
from kataven_core.values import AccountId, AttemptId, CampaignId

CREATED = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return CREATED + timedelta(seconds=seconds)


FRESH = Contact(
    campaign_id=CampaignId("spring"),
    position=4,
    phone_number=PhoneNumber("+14155550123"),
    custom_fields={"name": "Ada"},
    updated_at=CREATED,
)
DIALLED = evolve(
    FRESH,
    status=ContactStatus.IN_PROGRESS,
    attempts=1,
    claims=1,
    last_attempt_at=after(10),
    updated_at=after(10),
)
WAITING = evolve(
    FRESH,
    attempts=1,
    claims=1,
    last_outcome=Outcome.BUSY,
    last_attempt_at=after(10),
    next_attempt_at=after(320),
    updated_at=after(20),
)
DIALLED_AGAIN = evolve(
    WAITING,
    status=ContactStatus.IN_PROGRESS,
    attempts=2,
    claims=2,
    last_attempt_at=after(330),
    next_attempt_at=None,
    updated_at=after(330),
)
ONCE_AGAIN = RetryPolicy.fixed(retries=1, delay_s=300)
ENDED = after(340)
NOW = after(342)


def test_an_id_is_derived_from_campaign_and_position() -> None:
    assert FRESH.id == "spring.4"


def test_a_contact_may_have_no_custom_fields() -> None:
    bare = Contact(campaign_id=FRESH.campaign_id, position=0, phone_number=FRESH.phone_number, updated_at=CREATED)
    assert bare.custom_fields == {}


def test_a_contact_never_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        FRESH.status = ContactStatus.FAILED  # type: ignore[misc] # that it can't be set is the point


@pytest.mark.parametrize("status", ContactStatus)
@pytest.mark.parametrize(
    ("next_attempt_at", "has_come"),
    [(None, True), (NOW - timedelta(seconds=1), True), (NOW, True), (NOW + timedelta(microseconds=1), False)],
)
def test_only_a_pending_contact_is_due_and_only_when_its_time_has_come(
    status: ContactStatus,
    next_attempt_at: datetime | None,
    has_come: bool,  # noqa: FBT001 - a column of the table
) -> None:
    contact = evolve(FRESH, status=status, next_attempt_at=next_attempt_at)
    assert contact.is_due(NOW) is (has_come and status == "pending")


@pytest.mark.parametrize(
    ("before", "at", "claimed"),
    [
        (FRESH, after(10), DIALLED),
        (WAITING, after(330), DIALLED_AGAIN),
        (
            evolve(FRESH, claims=2, updated_at=after(5)),
            after(10),
            evolve(DIALLED, claims=3),
        ),
    ],
    ids=["fresh", "waiting for a retry", "twice unsent"],
)
def test_a_claim(before: Contact, at: datetime, claimed: Contact) -> None:
    assert claim(before, at) == claimed


CONCLUSIONS = {
    # outcome: with retries left, with none left, with the campaign over
    "answered": ("completed", "completed", "completed"),
    "machine": ("completed", "completed", "completed"),
    "no_answer": ("pending", "failed", "failed"),
    "busy": ("pending", "failed", "failed"),
    "declined": ("failed", "failed", "failed"),
    "invalid_number": ("failed", "failed", "failed"),
    "failed": ("pending", "failed", "failed"),
    "cancelled": ("pending", "failed", "failed"),
    "lost": ("pending", "failed", "failed"),
}
SITUATIONS = [(DIALLED, ONCE_AGAIN), (DIALLED_AGAIN, ONCE_AGAIN), (DIALLED, None)]


def test_every_outcome_is_judged() -> None:
    assert set(Outcome) == {*CONCLUSIONS, "unsent"}


@pytest.mark.parametrize("outcome", CONCLUSIONS)
@pytest.mark.parametrize("situation", [0, 1, 2], ids=["retries left", "none left", "campaign over"])
def test_what_becomes_of_a_contact(outcome: str, situation: int) -> None:
    before, policy = SITUATIONS[situation]
    status = CONCLUSIONS[outcome][situation]
    assert conclude(before, outcome=Outcome(outcome), ended_at=ENDED, policy=policy, now=NOW) == evolve(
        before,
        status=ContactStatus(status),
        last_outcome=Outcome(outcome),
        next_attempt_at=after(340 + 300) if status == "pending" else None,
        updated_at=NOW,
    )


def test_the_jitter_is_added_to_the_delay() -> None:
    ended = conclude(DIALLED, outcome=Outcome.BUSY, ended_at=ENDED, policy=ONCE_AGAIN, now=NOW, jitter_s=9.5)
    assert ended.next_attempt_at == after(340 + 300 + 9.5)


def test_a_policy_may_retry_machines_and_the_last_one_still_completes() -> None:
    policy = RetryPolicy(delays_s=(300,), outcomes=frozenset({Outcome.MACHINE}))
    first = conclude(DIALLED, outcome=Outcome.MACHINE, ended_at=ENDED, policy=policy, now=NOW)
    last = conclude(DIALLED_AGAIN, outcome=Outcome.MACHINE, ended_at=ENDED, policy=policy, now=NOW)
    assert (first.status, last.status) == (ContactStatus.PENDING, ContactStatus.COMPLETED)


@pytest.mark.parametrize("policy", [ONCE_AGAIN, RetryPolicy()], ids=["retries left", "none left"])
def test_the_unsent_first_dial_leaves_a_fresh_contact(policy: RetryPolicy) -> None:
    back = conclude(DIALLED, outcome=Outcome.UNSENT, ended_at=ENDED, policy=policy, now=NOW)
    assert back == evolve(FRESH, claims=1, updated_at=NOW)
    assert back.is_due(NOW)


def test_the_unsent_retry_stays_due() -> None:
    back = conclude(DIALLED_AGAIN, outcome=Outcome.UNSENT, ended_at=ENDED, policy=ONCE_AGAIN, now=NOW)
    assert (back.status, back.attempts, back.claims) == (ContactStatus.PENDING, 1, 2)
    assert (back.last_outcome, back.updated_at) == (Outcome.BUSY, NOW)
    assert back.last_attempt_at == back.next_attempt_at == DIALLED_AGAIN.last_attempt_at is not None
    assert back.is_due(NOW)


@pytest.mark.parametrize("now", [after(300), after(331)], ids=["clock set back", "clock as it was"])
def test_the_unsent_retry_is_never_due_before_it_was(now: datetime) -> None:
    back = conclude(DIALLED_AGAIN, outcome=Outcome.UNSENT, ended_at=now, policy=ONCE_AGAIN, now=now)
    assert not back.is_due(after(319))
    assert back.is_due(after(330))


@pytest.mark.parametrize(
    ("before", "attempts", "claims", "last_outcome"), [(DIALLED, 0, 1, None), (DIALLED_AGAIN, 1, 2, Outcome.BUSY)]
)
def test_the_unsent_of_a_campaign_that_is_over_is_cancelled(
    before: Contact, attempts: int, claims: int, last_outcome: Outcome | None
) -> None:
    back = conclude(before, outcome=Outcome.UNSENT, ended_at=ENDED, policy=None, now=NOW)
    assert (back.status, back.attempts, back.claims) == (ContactStatus.CANCELLED, attempts, claims)
    assert (back.last_outcome, back.next_attempt_at, back.updated_at) == (last_outcome, None, NOW)


@pytest.mark.parametrize("before", [FRESH, WAITING], ids=["fresh", "waiting for a retry"])
def test_what_is_cancelled_is_never_due_and_keeps_its_past(before: Contact) -> None:
    assert cancel(before, NOW) == evolve(before, status=ContactStatus.CANCELLED, next_attempt_at=None, updated_at=NOW)


HERE: dict[str, Any] = {
    "account_id": AccountId("acme"),
    "campaign_id": CampaignId("spring"),
    "sequence": 9,
    "at": NOW,
}
DIAL: dict[str, Any] = HERE | {"attempt_id": AttemptId("spring.4.1"), "position": 4}


def claimed_event(contact: Contact) -> AttemptClaimed:
    return AttemptClaimed(**DIAL, n=contact.claims + 1, phone_number=contact.phone_number)


def ended_event(concluded: Contact, outcome: Outcome) -> AttemptEnded:
    return AttemptEnded(
        **DIAL,
        outcome=outcome,
        ended_at=ENDED,
        duration_s=0.0,
        contact_status=concluded.status,
        next_attempt_at=concluded.next_attempt_at,
    )


any_policy = st.builds(
    RetryPolicy,
    delays_s=st.lists(st.integers(60, 86_400), max_size=5).map(tuple),
    outcomes=st.frozensets(st.sampled_from(sorted(set(Outcome) - {Outcome.UNSENT}))),
)


@given(st.integers(0, 5), st.integers(0, 3))
def test_folding_a_claim_in_is_claiming(attempts: int, unsent: int) -> None:
    contact = evolve(WAITING, attempts=attempts, claims=attempts + unsent)
    assert apply(contact, claimed_event(contact)) == claim(contact, NOW)


@given(st.sampled_from(Outcome), any_policy | st.none(), st.integers(1, 6), st.floats(0, 60))
def test_folding_an_end_in_is_concluding(
    outcome: Outcome, policy: RetryPolicy | None, attempts: int, jitter_s: float
) -> None:
    contact = evolve(DIALLED_AGAIN, attempts=attempts, claims=attempts + 1)
    concluded = conclude(contact, outcome=outcome, ended_at=ENDED, policy=policy, now=NOW, jitter_s=jitter_s)
    assert apply(contact, ended_event(concluded, outcome)) == concluded


@pytest.mark.parametrize("status", ContactStatus)
@pytest.mark.parametrize(
    "event",
    [CampaignStopped(**HERE, cancelled=1), CampaignFailed(**HERE, cancelled=1, reason="the agent is gone")],
    ids=["stopped", "failed"],
)
def test_the_end_of_its_campaign_cancels_a_contact_that_is_pending(status: ContactStatus, event: CampaignEvent) -> None:
    contact = evolve(WAITING, status=status)
    if status == "pending":
        assert apply(contact, event) == cancel(contact, NOW)
    else:
        assert apply(contact, event) is contact


@pytest.mark.parametrize(
    "event",
    [
        CampaignStarted(**HERE),
        CampaignPaused(**HERE),
        CampaignResumed(**HERE),
        CampaignCompleted(**HERE),
        CampaignDeleted(**HERE),
        AttemptDoubted(**DIAL),
        AttemptLive(**DIAL, call_id="line-7"),
        AttemptAnswered(**DIAL, answered_at=NOW),
    ],
    ids=lambda event: type(event).__name__,
)
def test_other_events_leave_it_alone(event: AttemptEvent | CampaignEvent) -> None:
    assert apply(DIALLED, event) is DIALLED
    assert apply(WAITING, event) is WAITING


@given(any_policy, st.lists(st.sampled_from(Outcome), max_size=20))
def test_the_life_of_a_contact(policy: RetryPolicy, outcomes: list[Outcome]) -> None:
    """Dialled while it is due, to its end: never more often than allowed, the unsent never counted, nothing lost."""
    contact, now, sent, claims = FRESH, CREATED, 0, 0
    for outcome in outcomes:
        now = max(now, contact.next_attempt_at or now)
        if not contact.is_due(now):
            break
        contact = claim(contact, now)
        claims += 1
        sent += outcome is not Outcome.UNSENT
        now += timedelta(seconds=30)
        contact = conclude(contact, outcome=outcome, ended_at=now, policy=policy, now=now)
        assert (contact.attempts, contact.claims) == (sent, claims)
        assert contact.status.is_terminal or contact.status is ContactStatus.PENDING
        assert contact.next_attempt_at is None or contact.status is ContactStatus.PENDING
    assert sent <= 1 + len(policy.delays_s)
    assert contact.status.is_terminal or claims == len(outcomes)
