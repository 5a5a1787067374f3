from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import fields
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.counters import Counters
from kataven_core.snapshot import Snapshot, take_snapshot
from kataven_core.statuses import CampaignStatus, Outcome
from kataven_core.values import CampaignId

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
SPRING = CampaignId("spring")
STATUSES = ["pending", "in_progress", "completed", "failed", "cancelled", "suppressed"]
MOST_CONTACTS = 250_000
MOST_ATTEMPTS = 6 * MOST_CONTACTS


def counters(**counts: Any) -> Counters:
    return Counters(campaign_id=SPRING, **counts)


def snapshot(count: Counters, status: CampaignStatus = CampaignStatus.RUNNING, calls_per_minute: int = 10) -> Snapshot:
    return take_snapshot(status, count, calls_per_minute=calls_per_minute, now=NOW)


any_counters = st.builds(
    counters,
    **{status: st.integers(0, MOST_CONTACTS) for status in STATUSES},
    attempts=st.integers(0, MOST_ATTEMPTS),
    calls_in_flight=st.integers(0, 10_000),
    outcomes=st.dictionaries(st.sampled_from(Outcome), st.integers(0, MOST_ATTEMPTS)),
)
any_snapshot = st.builds(snapshot, any_counters, st.sampled_from(CampaignStatus), st.integers(0, 100_000))


def test_the_members() -> None:
    assert [member.name for member in fields(Snapshot)] == [
        "campaign_id",
        "status",
        "total",
        "pending",
        "in_progress",
        "completed",
        "failed",
        "cancelled",
        "suppressed",
        "attempts",
        "calls_in_flight",
        "answer_rate",
        "calls_per_minute",
        "eta",
        "timestamp",
    ]


def test_what_is_counted_is_shown() -> None:
    counts = {"pending": 10, "in_progress": 2, "completed": 3, "failed": 4, "cancelled": 5, "suppressed": 6}
    outcomes = {Outcome.ANSWERED: 2, Outcome.MACHINE: 1, Outcome.BUSY: 5}
    shown = snapshot(counters(**counts, attempts=10, calls_in_flight=2, outcomes=outcomes), calls_per_minute=12)
    assert shown == Snapshot(
        campaign_id=SPRING,
        status=CampaignStatus.RUNNING,
        total=30,
        pending=10,
        in_progress=2,
        completed=3,
        failed=4,
        cancelled=5,
        suppressed=6,
        attempts=10,
        calls_in_flight=2,
        answer_rate=2 / 8,
        calls_per_minute=12,
        eta=shown.eta,
        timestamp=NOW,
    )


def test_a_snapshot_never_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        snapshot(counters()).total = 1  # type: ignore[misc] # that it can't be set is the point


@given(any_snapshot)
def test_the_six_counts_sum_to_the_total(shown: Snapshot) -> None:
    assert shown.total == sum(getattr(shown, status) for status in STATUSES)


@pytest.mark.parametrize(
    ("outcomes", "answer_rate"),
    [
        ({}, None),
        ({Outcome.BUSY: 3}, 0.0),
        ({Outcome.ANSWERED: 3}, 1.0),
        ({Outcome.ANSWERED: 1, Outcome.MACHINE: 1, Outcome.LOST: 2}, 0.25),
    ],
)
def test_the_answer_rate_is_answered_by_ended(outcomes: dict[Outcome, int], answer_rate: float | None) -> None:
    assert snapshot(counters(attempts=9, calls_in_flight=2, outcomes=outcomes)).answer_rate == answer_rate


@given(any_snapshot)
def test_the_answer_rate_is_a_share(shown: Snapshot) -> None:
    assert shown.answer_rate is None or 0 <= shown.answer_rate <= 1


@given(any_snapshot)
def test_the_eta_is_never_past_and_only_of_a_running_campaign(shown: Snapshot) -> None:
    if shown.eta is not None:
        assert shown.eta >= shown.timestamp
        assert shown.status is CampaignStatus.RUNNING


HALF_WAY = counters(pending=50, completed=30, failed=20, attempts=50, outcomes={Outcome.ANSWERED: 50})


@pytest.mark.parametrize("status", [status for status in CampaignStatus if status != "running"])
def test_what_does_not_run_has_no_eta(status: CampaignStatus) -> None:
    assert snapshot(HALF_WAY, status).eta is None


def test_the_eta_is_the_rest_by_the_pace() -> None:
    assert snapshot(HALF_WAY).eta == NOW + timedelta(minutes=5)


def test_the_eta_reckons_with_as_many_retries_as_there_were() -> None:
    retried = counters(pending=50, failed=50, attempts=150, outcomes={Outcome.BUSY: 150})
    assert snapshot(retried).eta == NOW + timedelta(minutes=15)


def test_the_eta_leaves_out_calls_that_are_already_made() -> None:
    last_calls = counters(in_progress=2, completed=98, attempts=100, calls_in_flight=2, outcomes={Outcome.ANSWERED: 98})
    assert snapshot(last_calls).eta == NOW


def test_the_eta_is_now_where_more_calls_are_made_than_are_left_to_make() -> None:
    last_calls = counters(in_progress=2, completed=98, attempts=103, calls_in_flight=5, outcomes={Outcome.ANSWERED: 98})
    assert snapshot(last_calls).eta == NOW


@pytest.mark.parametrize(
    ("count", "calls_per_minute"),
    [
        (counters(pending=50), 10),
        (counters(pending=50, cancelled=50), 10),
        (HALF_WAY, 0),
        (counters(completed=50, outcomes={Outcome.ANSWERED: 50}), 10),
    ],
    ids=["nothing finished", "nothing dialled", "no pace", "nothing left"],
)
def test_where_nothing_tells_there_is_no_eta(count: Counters, calls_per_minute: int) -> None:
    assert snapshot(count, calls_per_minute=calls_per_minute).eta is None


def test_the_eta_counts_what_is_pending_and_what_is_in_progress() -> None:
    count = counters(
        pending=48, in_progress=2, completed=50, attempts=52, calls_in_flight=2, outcomes={Outcome.ANSWERED: 50}
    )
    assert snapshot(count).eta == NOW + timedelta(minutes=4.8)


@pytest.mark.parametrize(("seconds", "part"), [(0, 1 / 60), (1, 1 / 60), (30, 1 / 2), (60, 1), (3600, 1), (-5, 1 / 60)])
def test_in_its_first_minute_the_pace_is_that_of_the_time_it_has_run(seconds: int, part: float) -> None:
    started_at = NOW - timedelta(seconds=seconds)
    shown = take_snapshot(CampaignStatus.RUNNING, HALF_WAY, calls_per_minute=10, now=NOW, started_at=started_at)
    assert shown.calls_per_minute == 10
    assert shown.eta == NOW + timedelta(minutes=5 * part)


def test_an_eta_beyond_the_calendar_is_none() -> None:
    hopeless = counters(pending=249_999, completed=1, attempts=250_000, outcomes={Outcome.NO_ANSWER: 250_000})
    assert snapshot(hopeless, calls_per_minute=1).eta is None
