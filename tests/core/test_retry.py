from datetime import UTC, datetime, timedelta

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.retry import RetryPolicy, next_attempt_at
from kataven_core.statuses import Outcome

ENDED = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
TWICE = RetryPolicy.fixed(retries=2, delay_s=300)
IS_RETRIED = {
    "answered": False,
    "machine": False,
    "no_answer": True,
    "busy": True,
    "declined": False,
    "invalid_number": False,
    "failed": True,
    "cancelled": True,
    "lost": True,
    "unsent": False,
}


def again_after(policy: RetryPolicy, outcome: Outcome, attempts: int, jitter_s: float = 0.0) -> float | None:
    """Say after how many seconds."""
    at = next_attempt_at(policy, outcome=outcome, attempts=attempts, ended_at=ENDED, jitter_s=jitter_s)
    return None if at is None else (at - ENDED).total_seconds()


def test_every_outcome_is_judged() -> None:
    assert set(IS_RETRIED) == set(Outcome)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize(("attempts", "has_retries_left"), [(1, True), (2, True), (3, False), (4, False)])
def test_what_is_retried(outcome: Outcome, attempts: int, has_retries_left: bool) -> None:  # noqa: FBT001 - a table
    expected = 300 if IS_RETRIED[outcome] and has_retries_left else None
    assert again_after(TWICE, outcome, attempts) == expected


@pytest.mark.parametrize("outcome", Outcome)
def test_nothing_is_retried_unless_asked_for(outcome: Outcome) -> None:
    assert again_after(RetryPolicy(), outcome, 1) is None
    assert again_after(RetryPolicy.fixed(retries=0, delay_s=300), outcome, 1) is None


def test_each_retry_of_a_ladder_has_its_own_delay() -> None:
    ladder = RetryPolicy(delays_s=(60, 3_600, 86_400))
    assert [again_after(ladder, Outcome.BUSY, attempts) for attempts in (1, 2, 3, 4)] == [60, 3_600, 86_400, None]


def test_a_fixed_policy_is_a_flat_ladder() -> None:
    assert RetryPolicy.fixed(retries=3, delay_s=90) == RetryPolicy(delays_s=(90, 90, 90))


def test_the_delay_runs_from_the_end() -> None:
    at = next_attempt_at(TWICE, outcome=Outcome.BUSY, attempts=1, ended_at=ENDED)
    assert at == datetime(2026, 3, 14, 9, 31, 53, tzinfo=UTC)


def test_jitter_is_added() -> None:
    assert again_after(TWICE, Outcome.BUSY, 1, jitter_s=7.5) == 307.5
    assert again_after(TWICE, Outcome.BUSY, 3, jitter_s=7.5) is None


def test_jitter_never_shortens_the_delay() -> None:
    assert again_after(TWICE, Outcome.BUSY, 1, jitter_s=-7.5) == 300


def test_a_policy_may_retry_other_outcomes() -> None:
    patient = RetryPolicy(delays_s=(60,), outcomes=frozenset({Outcome.MACHINE}))
    assert again_after(patient, Outcome.MACHINE, 1) == 60
    assert again_after(patient, Outcome.BUSY, 1) is None


def test_a_policy_is_hashable_and_never_changes() -> None:
    assert {TWICE: 1}[RetryPolicy(delays_s=(300, 300))] == 1
    with pytest.raises(FrozenInstanceError):
        TWICE.delays_s = ()  # type: ignore[misc] # that it can't be set is the point


@given(
    st.lists(st.integers(60, 30 * 86_400), max_size=5),
    st.lists(st.sampled_from(Outcome), min_size=10, max_size=10),
)
def test_never_more_dials_than_1_and_the_retries(delays_s: list[int], outcomes: list[Outcome]) -> None:
    policy = RetryPolicy(delays_s=tuple(delays_s))
    at, dials = ENDED, 0
    for outcome in outcomes:
        dials += 1
        again = next_attempt_at(policy, outcome=outcome, attempts=dials, ended_at=at)
        if again is None:
            break
        assert again - at == timedelta(seconds=delays_s[dials - 1])
        at = again
    assert dials <= 1 + len(delays_s)
