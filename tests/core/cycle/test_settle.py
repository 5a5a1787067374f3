"""Reports: each settled once, whatever their order, and what each outcome makes of contact, usage and campaign."""

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from kataven_core.cycle import AttemptChange, Inputs, decide
from kataven_core.events import AttemptAnswered, AttemptDoubted, AttemptEnded, AttemptLive
from kataven_core.reports import Answered, Doubtful, Ended, Lost, NeverPlaced, Placed, Report, Ringing, Unsent
from kataven_core.statuses import AttemptState, Outcome
from kataven_core.values import AttemptId

if TYPE_CHECKING:
    from tests.core.cycle.conftest import Desk

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
A1 = AttemptId("a.0.1")
RETRYABLE = ("no_answer", "busy", "failed", "cancelled")


def kinds(events: tuple[object, ...]) -> list[type]:
    return [type(event) for event in events]


# What comes of an outcome.


@pytest.mark.parametrize("outcome", RETRYABLE)
def test_what_may_be_retried_waits_its_delay_from_the_end_of_the_call(desk: "Desk", outcome: str) -> None:
    desk.begin("a", retries_per_contact=1, retry_delay_seconds=60)
    desk.turn()
    desk.wait(10)
    report = desk.ended(A1, Outcome(outcome))
    end = desk.now
    desk.wait(5)
    desk.turn(report)
    contact = desk.row("a")
    assert (contact.status, contact.attempts, contact.last_outcome) == ("pending", 1, outcome)
    assert contact.next_attempt_at == end + timedelta(seconds=60)
    assert desk.status("a") == "running"


@pytest.mark.parametrize("outcome", RETRYABLE)
def test_the_last_attempt_fails_its_contact(desk: "Desk", outcome: str) -> None:
    desk.begin("a", retries_per_contact=0)
    desk.turn()
    desk.turn(desk.ended(A1, Outcome(outcome)))
    assert desk.rows("a") == ["failed"]
    assert desk.row("a").next_attempt_at is None
    assert desk.status("a") == "completed"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("answered", "completed"), ("machine", "completed"), ("declined", "failed"), ("invalid_number", "failed")],
)
def test_a_contact_that_was_reached_or_refused_is_not_dialled_again(desk: "Desk", outcome: str, status: str) -> None:
    desk.begin("a", retries_per_contact=5)
    desk.turn()
    desk.turn(desk.ended(A1, Outcome(outcome)))
    assert desk.rows("a") == [status]
    assert desk.row("a").last_outcome == outcome


def test_i3_a_contact_has_one_attempt_and_its_retries(desk: "Desk") -> None:
    desk.begin("a", retries_per_contact=2, retry_delay_seconds=60)
    for n in (1, 2, 3):
        desk.turn()
        assert desk.dialled == [f"a.0.{n}"]
        desk.turn(desk.ended(f"a.0.{n}", Outcome.BUSY))
        desk.wait(60)
    desk.turn()
    assert desk.dialled == []
    assert (desk.rows("a"), desk.row("a").attempts) == (["failed"], 3)


def test_the_jitter_is_added_to_the_delay(desk: "Desk") -> None:
    desk.begin("a", retries_per_contact=1, retry_delay_seconds=60)
    desk.turn()
    desk.turn(desk.ended(A1, Outcome.BUSY), retry_jitter_s=2.5)
    assert desk.row("a").next_attempt_at == desk.now + timedelta(seconds=62.5)


def test_the_retry_clock_of_a_lost_call_runs_from_its_deadline(desk: "Desk") -> None:
    desk.begin("a", retries_per_contact=1, retry_delay_seconds=60)
    desk.turn()
    desk.wait(600)
    desk.turn(Lost(attempt_id=A1, at=desk.now))
    assert desk.row("a").next_attempt_at == desk.now + timedelta(seconds=60)
    assert (desk.row("a").attempts, desk.row("a").last_outcome) == (1, "lost")


# Late, repeated, out of order, of nobody.


def test_i8_a_repeated_report_changes_nothing(desk: "Desk") -> None:
    desk.begin("a", retries_per_contact=1)
    desk.turn()
    end = desk.ended(A1, Outcome.BUSY, 30.0)
    desk.turn(end, end)
    usage, contact = desk.usage, desk.row("a")
    late = (Placed(attempt_id=A1, at=desk.now, call_id="x"), Answered(attempt_id=A1, at=desk.now), desk.ended(A1))
    for report in (end, *late, Unsent(attempt_id=A1, at=desk.now), Lost(attempt_id=A1, at=desk.now)):
        decision = desk.turn(report)
        assert (decision.events, decision.attempts, decision.contacts, decision.counters) == ((), (), (), ())
    assert (desk.usage, desk.row("a")) == (usage, contact)


def test_a_report_that_says_what_is_known_changes_nothing(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    known = (
        Placed(attempt_id=A1, at=desk.now, call_id="x"),
        Ringing(attempt_id=A1, at=desk.now),
        Answered(attempt_id=A1, at=desk.now),
    )
    desk.turn(*known)
    decision = desk.turn(*known, Doubtful(attempt_id=A1, at=desk.now), NeverPlaced(attempt_id=A1, at=desk.now))
    assert (decision.events, decision.attempts) == ((), ())


def test_a_report_before_the_originate_answer_is_taken(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    answered_at = desk.now
    first = desk.turn(Answered(attempt_id=A1, at=answered_at))
    assert kinds(first.events) == [AttemptLive, AttemptAnswered]
    second = desk.turn(Placed(attempt_id=A1, at=desk.now, call_id="x"))
    assert kinds(second.events) == [AttemptLive]
    attempt = desk.attempts[A1]
    assert (attempt.state, attempt.call_id, attempt.answered_at) == (AttemptState.LIVE, "x", answered_at)


def test_several_reports_of_one_attempt_in_one_batch_are_one_change(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    before = desk.attempts[A1]
    start = desk.now
    desk.wait(20)
    decision = desk.turn(
        Placed(attempt_id=A1, at=start, call_id="x"),
        Ringing(attempt_id=A1, at=start),
        Answered(attempt_id=A1, at=start + timedelta(seconds=5)),
        desk.ended(A1, duration_s=None),
    )
    assert decision.attempts == (AttemptChange(before, desk.attempts[A1]),)
    assert kinds(decision.events)[:3] == [AttemptLive, AttemptAnswered, AttemptEnded]
    assert desk.attempts[A1].duration_s == 15


def test_an_end_before_the_rest_wins(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    desk.turn(
        desk.ended(A1, Outcome.DECLINED), Answered(attempt_id=A1, at=desk.now), Ringing(attempt_id=A1, at=desk.now)
    )
    assert desk.rows("a") == ["failed"]


def test_a_report_of_nobodys_attempt_is_set_aside_and_the_others_count(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    decision = desk.turn(desk.ended("a.9.1"), desk.ended(A1), desk.ended("b.0.1"))
    assert decision.unrecognized == ("a.9.1", "b.0.1")
    assert desk.rows("a") == ["completed"]


# Unsent, doubted, lost.


def test_an_unsent_dial_uses_up_nothing_and_is_never_sent_under_its_id_again(desk: "Desk") -> None:
    desk.begin("a", retries_per_contact=0)
    desk.turn()
    desk.turn(Unsent(attempt_id=A1, at=desk.now), line_is_up=False)
    contact = desk.row("a")
    assert (contact.status, contact.attempts, contact.last_outcome) == ("pending", 0, None)
    assert (contact.last_attempt_at, contact.next_attempt_at) == (None, None)
    desk.turn()
    assert desk.dialled == ["a.0.2"]
    assert [attempt.n for attempt in desk.attempts.values()] == [1, 2]
    desk.turn(desk.ended("a.0.2", Outcome.BUSY))
    assert (desk.rows("a"), desk.row("a").attempts) == (["failed"], 1)


def test_an_unsent_retry_is_due_at_once(desk: "Desk") -> None:
    desk.begin("a", retries_per_contact=1, retry_delay_seconds=60)
    desk.turn()
    desk.turn(desk.ended(A1, Outcome.BUSY))
    desk.wait(60)
    desk.turn()
    desk.turn(Unsent(attempt_id=AttemptId("a.0.2"), at=desk.now), line_is_up=False)
    assert (desk.rows("a"), desk.row("a").attempts, desk.row("a").last_outcome) == (["pending"], 1, "busy")
    desk.turn()
    assert desk.dialled == ["a.0.3"]


def test_i2_a_doubted_dial_holds_slot_and_contact_and_is_not_sent_again(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    decision = desk.turn(Doubtful(attempt_id=A1, at=desk.now))
    assert kinds(decision.events) == [AttemptDoubted]
    desk.wait(3600)
    desk.turn(Unsent(attempt_id=A1, at=desk.now))  # too late: only the process that made the claim knew
    assert (desk.dialled, desk.rows("a"), desk.usage.calls_in_flight) == ([], ["in_progress"], 1)


def test_a_doubted_dial_that_is_found_goes_on_as_a_call(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    desk.turn(Doubtful(attempt_id=A1, at=desk.now))
    decision = desk.turn(Placed(attempt_id=A1, at=desk.now, call_id="x"))
    assert kinds(decision.events) == [AttemptLive]
    desk.turn(desk.ended(A1))
    assert desk.rows("a") == ["completed"]


def test_a_doubted_dial_that_was_never_placed_uses_up_nothing(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    desk.turn(Doubtful(attempt_id=A1, at=desk.now))
    desk.turn(NeverPlaced(attempt_id=A1, at=desk.now), line_is_up=False)
    assert (desk.rows("a"), desk.row("a").attempts, desk.usage.calls_today) == (["pending"], 0, 0)


def test_only_what_is_in_doubt_can_be_called_never_placed(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    assert desk.turn(NeverPlaced(attempt_id=A1, at=desk.now)).events == ()
    assert desk.rows("a") == ["in_progress"]


def test_i5_an_unsent_retry_is_not_due_before_its_time_when_the_clock_is_set_back(desk: "Desk") -> None:
    desk.begin("a", retries_per_contact=1, retry_delay_seconds=60)
    desk.turn()
    desk.turn(desk.ended(A1, Outcome.BUSY))
    end = desk.now
    desk.wait(60)
    desk.turn()
    desk.wait(-2)
    desk.turn(Unsent(attempt_id=AttemptId("a.0.2"), at=desk.now))
    again_at = desk.row("a").next_attempt_at
    assert again_at is not None
    assert again_at >= end + timedelta(seconds=60)


# Campaigns that go no further.


@pytest.mark.parametrize("operation", ["stop", "fail", "delete"])
@pytest.mark.parametrize("outcome", RETRYABLE)
def test_i4_nothing_is_retried_once_its_campaign_is_over(desk: "Desk", operation: str, outcome: str) -> None:
    desk.begin("a", retries_per_contact=5)
    desk.turn()
    bring_to_its_end(desk, operation)
    desk.turn(desk.ended(A1, Outcome(outcome)))
    contact = desk.row("a")
    assert (contact.status, contact.last_outcome, contact.next_attempt_at) == ("failed", outcome, None)
    assert desk.usage.calls_in_flight == 0


@pytest.mark.parametrize("operation", ["stop", "fail", "delete"])
@pytest.mark.parametrize(
    ("report", "status"),
    [
        (Ended(attempt_id=A1, at=NOON, outcome=Outcome.ANSWERED), "completed"),
        (Ended(attempt_id=A1, at=NOON, outcome=Outcome.MACHINE), "completed"),
        (Ended(attempt_id=A1, at=NOON, outcome=Outcome.DECLINED), "failed"),
        (Lost(attempt_id=A1, at=NOON), "failed"),
        (Unsent(attempt_id=A1, at=NOON), "cancelled"),
    ],
)
def test_outcomes_still_count_once_their_campaign_is_over(
    desk: "Desk", operation: str, report: Report, status: str
) -> None:
    desk.begin("a", retries_per_contact=5)
    desk.turn()
    bring_to_its_end(desk, operation)
    desk.turn(report)
    assert desk.rows("a") == [status]
    assert desk.usage.calls_in_flight == 0


def bring_to_its_end(desk: "Desk", how: str) -> None:
    if how == "stop":
        desk.turn(desk.operate("a", "stop"))
    elif how == "fail":
        desk.turn(desk.put(paused="agent"))
    else:
        desk.turn(desk.operate("a", "pause"), desk.operate("a", "delete"))


def test_while_paused_outcomes_count_and_the_retry_clock_runs_on(desk: "Desk") -> None:
    desk.begin("a", 2, retries_per_contact=1, retry_delay_seconds=60)
    desk.turn()
    desk.turn(desk.operate("a", "pause"))
    desk.turn(desk.ended("a.0.1", Outcome.BUSY), desk.ended("a.1.1"))
    assert desk.rows("a") == ["pending", "completed"]
    desk.wait(60)
    desk.turn()
    assert desk.dialled == []
    desk.turn(desk.operate("a", "resume"))
    assert desk.dialled == ["a.0.2"]


# Usage.


def test_i7_an_end_frees_the_slot_and_counts_its_talk(desk: "Desk") -> None:
    desk.begin("a", 2)
    desk.turn()
    desk.turn(desk.ended("a.0.1", duration_s=12.5), Lost(attempt_id=AttemptId("a.1.1"), at=desk.now))
    usage = desk.usage
    assert (usage.calls_in_flight, usage.calls_this_minute, usage.calls_today, usage.seconds_today) == (0, 2, 2, 12.5)


def test_unsent_gives_back_what_it_took(desk: "Desk") -> None:
    desk.begin("a", 2)
    desk.turn()
    desk.turn(Unsent(attempt_id=A1, at=desk.now), line_is_up=False)
    usage = desk.usage
    assert (usage.calls_in_flight, usage.calls_this_minute, usage.calls_today, usage.seconds_today) == (1, 1, 1, 0)


def test_unsent_gives_nothing_back_to_a_later_minute(desk: "Desk") -> None:
    desk.begin("a", 2, max_concurrent_calls=1)
    desk.turn()
    desk.wait(60)
    desk.turn(Unsent(attempt_id=A1, at=desk.now))
    assert desk.dialled == ["a.1.1"]
    assert (desk.usage.calls_this_minute, desk.usage.calls_today) == (1, 1)


def test_talk_counts_on_the_day_on_which_the_call_ended(desk: "Desk") -> None:
    desk.begin("a", 2)
    desk.wait(12 * 3600 - 1)
    desk.turn()
    end = desk.ended("a.0.1", duration_s=1.0)
    desk.wait(2)
    desk.turn(end, desk.ended("a.1.1", duration_s=3.0))
    assert desk.usage.seconds_today == 3
    assert desk.usage.calls_today == 0


def test_calls_that_failed_together_need_not_ring_together(desk: "Desk") -> None:
    desk.begin("a", 2, retries_per_contact=1)
    desk.turn()
    reports = (desk.ended("a.0.1", Outcome.BUSY), desk.ended("a.1.1", Outcome.BUSY))
    inputs = Inputs(reports=reports, retry_jitter_s={AttemptId("a.1.1"): 7.0})
    first, second = (change.after.next_attempt_at for change in decide(desk.view(), inputs, desk.now).contacts)
    assert first is not None
    assert second == first + timedelta(seconds=7)


def test_talk_counts_on_the_utc_day_whatever_the_zone_of_the_report(desk: "Desk") -> None:
    desk.begin("a", 1)
    desk.turn()
    there = desk.now.astimezone(timezone(timedelta(hours=9)))
    desk.turn(Ended(attempt_id=AttemptId("a.0.1"), at=there, outcome=Outcome.ANSWERED, duration_s=100))
    assert desk.usage.seconds_today == 100
