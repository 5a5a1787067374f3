"""Pauses of the line: an account's own, doubled while refusals follow one another, never longer than said."""

from datetime import timedelta

import pytest
from attrs import evolve
from tests.core.runtime.conftest import HandClock

from kataven_core import AccountId
from kataven_core.runtime import EngineSettings
from kataven_core.runtime.line_pauses import LinePauses

ACME, GLOBEX = AccountId("acme"), AccountId("globex")
SETTINGS = EngineSettings(line_pause_s=1.0, line_pause_max_s=30.0)


@pytest.fixture
def pauses(clock: HandClock) -> LinePauses:
    return LinePauses(clock, SETTINGS)


def refuse(pauses: LinePauses, clock: HandClock, retry_after_s: float | None = None) -> float:
    """Refuse once, wait until the pause is over, say how long it was."""
    pauses.begin(ACME, retry_after_s)
    until = pauses.until(ACME)
    assert until is not None
    lasts = (until - clock.now()).total_seconds()
    clock.wait(lasts)
    return lasts


def test_each_refusal_in_a_row_doubles_the_pause_up_to_the_longest(pauses: LinePauses, clock: HandClock) -> None:
    assert [refuse(pauses, clock) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_a_hundred_thousand_refusals_in_a_row_are_still_the_longest_pause(clock: HandClock) -> None:
    pauses = LinePauses(clock, evolve(SETTINGS, line_pause_s=0.25))
    assert {refuse(pauses, clock) for _ in range(2000)} == {0.25, 0.5, 1, 2, 4, 8, 16, 30}


def test_a_call_that_is_taken_ends_the_doubling(pauses: LinePauses, clock: HandClock) -> None:
    assert [refuse(pauses, clock), refuse(pauses, clock)] == [1, 2]
    pauses.end(ACME)
    assert refuse(pauses, clock) == 1


def test_the_lines_own_wish_counts_before_the_doubling(pauses: LinePauses, clock: HandClock) -> None:
    assert [refuse(pauses, clock, 90.0), refuse(pauses, clock), refuse(pauses, clock, 0.5)] == [90, 2, 0.5]


def test_the_refusals_of_one_burst_are_one_pause(pauses: LinePauses, clock: HandClock) -> None:
    pauses.begin(ACME, None)
    clock.wait(0.5)
    pauses.begin(ACME, None)
    assert pauses.until(ACME) == clock.now() + timedelta(seconds=0.5)
    clock.wait(0.5)
    assert refuse(pauses, clock) == 2


def test_a_longer_wish_within_a_burst_counts(pauses: LinePauses, clock: HandClock) -> None:
    pauses.begin(ACME, 5.0)
    pauses.begin(ACME, 60.0)
    pauses.begin(ACME, 2.0)
    assert pauses.until(ACME) == clock.now() + timedelta(seconds=60)


def test_a_pause_is_over_at_its_very_end(pauses: LinePauses, clock: HandClock) -> None:
    pauses.begin(ACME, 10.0)
    clock.wait(9.5)
    assert not pauses.is_open(ACME)
    clock.wait(0.5)
    assert pauses.is_open(ACME)
    assert pauses.until(ACME) is None


def test_another_account_is_not_paused(pauses: LinePauses) -> None:
    pauses.begin(ACME, None)
    assert (pauses.is_open(ACME), pauses.is_open(GLOBEX)) == (False, True)


def test_an_account_that_was_never_refused_has_nothing_to_forget(pauses: LinePauses) -> None:
    pauses.end(ACME)
    assert pauses.until(ACME) is None


def test_after_the_close_nothing_is_dialled_for_anybody(pauses: LinePauses) -> None:
    pauses.close()
    assert (pauses.is_open(ACME), pauses.until(ACME)) == (False, None)


def test_a_wall_clock_that_is_set_back_makes_no_pause_longer(pauses: LinePauses, clock: HandClock) -> None:
    pauses.begin(ACME, 10.0)
    clock.jump(-3600)
    assert pauses.until(ACME) == clock.now() + timedelta(seconds=10)
    clock.wait(10)
    assert pauses.is_open(ACME)


def test_chance_makes_our_own_pauses_up_to_a_fifth_shorter_and_never_the_lines(clock: HandClock) -> None:
    pauses = LinePauses(clock, SETTINGS, chance=lambda: 1.0)
    assert refuse(pauses, clock) == pytest.approx(0.8)
    assert refuse(pauses, clock, 90.0) == 90


@pytest.mark.parametrize(("wish", "pause"), [(1e12, 86_400), (float("inf"), 1), (float("nan"), 1), (-1, 1), (0, 1)])
def test_a_wish_that_is_none_is_not_followed(pauses: LinePauses, clock: HandClock, wish: float, pause: float) -> None:
    assert refuse(pauses, clock, wish) == pytest.approx(pause)
