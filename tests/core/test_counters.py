from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.counters import Counters, Tally, fold
from kataven_core.events import (
    AttemptAnswered,
    AttemptClaimed,
    AttemptDoubted,
    AttemptEnded,
    AttemptLive,
    CampaignCompleted,
    CampaignCreated,
    CampaignDeleted,
    CampaignEvent,
    CampaignFailed,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopped,
)
from kataven_core.phone_number import PhoneNumber
from kataven_core.settings import CampaignSettings
from kataven_core.statuses import ContactStatus, Outcome
from kataven_core.values import AccountId, AttemptId, CampaignId

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
SPRING = CampaignId("spring")
NONE_YET = Counters(campaign_id=SPRING)
AFTER_A_DIAL = [ContactStatus.PENDING, ContactStatus.COMPLETED, ContactStatus.FAILED, ContactStatus.CANCELLED]


class History:
    """A campaign that writes its events down, and everything about its contacts and attempts one by one."""

    def __init__(self, total: int) -> None:
        self.contacts = [ContactStatus.PENDING] * total
        self.outcomes: list[Outcome] = []
        self.attempts = 0
        self.last_dial_at: datetime | None = None
        self.events: list[CampaignEvent] = []
        settings = CampaignSettings(name="Spring", agent_id="anna", phone_number_id="office")
        self.happen(CampaignCreated, settings=settings, total=total, created_by="key")

    def happen(self, kind: Any, **details: Any) -> datetime:
        sequence = len(self.events) + 1
        at = NOW + timedelta(seconds=sequence)
        self.events.append(kind(account_id=AccountId("acme"), campaign_id=SPRING, sequence=sequence, at=at, **details))
        return at

    def claim(self, position: int) -> None:
        if self.contacts[position] is ContactStatus.PENDING:
            self.contacts[position] = ContactStatus.IN_PROGRESS
            self.attempts += 1
            self.last_dial_at = self.dial(AttemptClaimed, position, n=1, phone_number=PhoneNumber("+14155550123"))

    def go_on(self, position: int) -> None:
        if self.contacts[position] is ContactStatus.IN_PROGRESS:
            self.dial(AttemptDoubted, position)
            self.dial(AttemptLive, position, call_id="line-7")
            self.dial(AttemptAnswered, position, answered_at=NOW)

    def end(self, position: int, outcome: Outcome, status: ContactStatus) -> None:
        if self.contacts[position] is ContactStatus.IN_PROGRESS:
            self.contacts[position] = status
            if outcome is Outcome.UNSENT:
                self.attempts -= 1
            else:
                self.outcomes.append(outcome)
            ended: dict[str, Any] = {"ended_at": NOW, "duration_s": 0.0, "next_attempt_at": None}
            self.dial(AttemptEnded, position, outcome=outcome, contact_status=status, **ended)

    def cancel(self, kind: Any, **details: Any) -> None:
        pending = self.contacts.count(ContactStatus.PENDING)
        kept = {ContactStatus.PENDING: ContactStatus.CANCELLED}
        self.contacts = [kept.get(status, status) for status in self.contacts]
        self.happen(kind, cancelled=pending, **details)

    def dial(self, kind: Any, position: int, **details: Any) -> datetime:
        return self.happen(kind, attempt_id=AttemptId(f"spring.{position}.1"), position=position, **details)

    def recount(self) -> Counters:
        by_status = Counter(self.contacts)
        return Counters(
            campaign_id=SPRING,
            pending=by_status[ContactStatus.PENDING],
            in_progress=by_status[ContactStatus.IN_PROGRESS],
            completed=by_status[ContactStatus.COMPLETED],
            failed=by_status[ContactStatus.FAILED],
            cancelled=by_status[ContactStatus.CANCELLED],
            suppressed=by_status[ContactStatus.SUPPRESSED],
            attempts=self.attempts,
            calls_in_flight=by_status[ContactStatus.IN_PROGRESS],
            outcomes=Counter(self.outcomes),
            last_dial_at=self.last_dial_at,
            sequence=len(self.events),
        )


@st.composite
def histories(draw: st.DrawFn) -> History:
    total = draw(st.integers(1, 5))
    history = History(total)
    positions = st.integers(0, total - 1)
    for step in draw(st.lists(st.sampled_from(["claim", "end", "end", "claim", "go on", "stop", "fail", "other"]))):
        match step:
            case "claim":
                history.claim(draw(positions))
            case "end":
                outcome, status = draw(st.sampled_from(Outcome)), draw(st.sampled_from(AFTER_A_DIAL))
                history.end(draw(positions), outcome, status)
            case "go on":
                history.go_on(draw(positions))
            case "stop":
                history.cancel(CampaignStopped)
            case "fail":
                history.cancel(CampaignFailed, reason="the agent is gone")
            case _:
                others = [CampaignStarted, CampaignPaused, CampaignResumed, CampaignCompleted, CampaignDeleted]
                history.happen(draw(st.sampled_from(others)))
    return history


@given(histories())
def test_the_fold_is_the_recount(history: History) -> None:
    assert fold(NONE_YET, history.events) == history.recount()


@given(histories(), st.data())
def test_a_fold_can_be_taken_up_anywhere(history: History, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(history.events)))
    assert fold(fold(NONE_YET, history.events[:cut]), history.events[cut:]) == fold(NONE_YET, history.events)


@given(histories())
def test_no_contact_is_ever_lost_or_made_up(history: History) -> None:
    tally = Tally(NONE_YET)
    for event in history.events:
        tally.add(event)
        assert tally.counters().total == len(history.contacts)


@given(histories())
def test_attempts_have_ended_or_are_in_flight(history: History) -> None:
    counters = fold(NONE_YET, history.events)
    assert counters.attempts == counters.ended_attempts + counters.calls_in_flight


@given(histories())
def test_finished_is_when_nothing_is_pending_or_in_progress(history: History) -> None:
    open_contacts = {ContactStatus.PENDING, ContactStatus.IN_PROGRESS} & set(history.contacts)
    counters = fold(NONE_YET, history.events)
    assert counters.is_finished is Tally(counters).is_finished is (not open_contacts)


@pytest.mark.parametrize(
    ("left", "is_finished"),
    [
        ({"pending": 1}, False),
        ({"in_progress": 1}, False),
        ({}, True),
        ({"completed": 1, "failed": 1, "cancelled": 1, "suppressed": 1}, True),
    ],
)
def test_what_is_finished(left: dict[str, int], is_finished: bool) -> None:  # noqa: FBT001 - a column of the table
    assert Counters(campaign_id=SPRING, **left).is_finished is is_finished  # type: ignore[arg-type] # they are given by their names


def test_the_total_is_the_sum_of_all_six() -> None:
    counters = Counters(
        campaign_id=SPRING, pending=1, in_progress=2, completed=4, failed=8, cancelled=16, suppressed=32
    )
    assert counters.total == 63


def test_the_unsent_are_no_attempts() -> None:
    history = History(1)
    history.claim(0)
    history.end(0, Outcome.UNSENT, ContactStatus.PENDING)
    counters = fold(NONE_YET, history.events)
    assert (counters.attempts, counters.calls_in_flight, counters.outcomes, counters.pending) == (0, 0, {}, 1)


def test_before_the_first_event_there_is_nothing() -> None:
    assert fold(NONE_YET, []) == NONE_YET
    assert (NONE_YET.total, NONE_YET.attempts, NONE_YET.calls_in_flight, NONE_YET.sequence) == (0, 0, 0, 0)
    assert (NONE_YET.outcomes, NONE_YET.last_dial_at) == ({}, None)


def test_counters_never_change() -> None:
    with pytest.raises(FrozenInstanceError):
        NONE_YET.pending = 1  # type: ignore[misc] # that it can't be set is the point


def test_folding_leaves_what_it_began_with() -> None:
    history = History(2)
    history.claim(0)
    history.end(0, Outcome.BUSY, ContactStatus.FAILED)
    before = fold(NONE_YET, history.events)
    history.claim(1)
    history.end(1, Outcome.BUSY, ContactStatus.FAILED)
    after = fold(before, history.events[-2:])
    assert (before.outcomes, after.outcomes) == ({Outcome.BUSY: 1}, {Outcome.BUSY: 2})
