"""Timers: what is due rings, once, in order, whatever the clock on the wall does meanwhile."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from tests.core.runtime.conftest import NOON, HandClock, turns_of_the_loop, until

from kataven_core import AccountId, CampaignId
from kataven_core.runtime import SystemClock
from kataven_core.runtime.timers import Key, Timers


def key(name: str) -> Key:
    return AccountId("acme"), CampaignId(name)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Bell:
    """Keeps what rang; ``rings`` holds what rang at once."""

    def __init__(self) -> None:
        self.rings: list[list[str]] = []

    def __call__(self, keys: Iterable[Key]) -> None:
        self.rings.append([name for _, name in keys])

    @property
    def rang(self) -> list[str]:
        return [name for ring in self.rings for name in ring]


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.mark.usefixtures("restless")
async def test_what_is_due_rings_in_the_order_of_its_time(clock: HandClock, bell: Bell) -> None:
    timers = Timers(clock, bell)
    timers.set(key("third"), at(30))
    timers.set(key("first"), at(10))
    timers.set(key("second"), at(20))
    clock.wait(25)
    await until(lambda: bell.rang)
    assert bell.rings == [["first", "second"]]
    clock.wait(5)
    await until(lambda: len(bell.rang) == 3)
    assert bell.rang == ["first", "second", "third"]


async def test_a_time_that_is_past_rings_at_once(clock: HandClock, bell: Bell) -> None:
    timers = Timers(clock, bell)
    timers.set(key("a"), at(-10))
    assert bell.rings == []
    await until(lambda: bell.rings == [["a"]])


async def test_a_time_rings_on_the_machines_clock(bell: Bell) -> None:
    clock = SystemClock()
    due = clock.now() + timedelta(seconds=0.02)
    Timers(clock, bell).set(key("a"), due)
    await until(lambda: bell.rang == ["a"])
    assert clock.now() >= due


@pytest.mark.usefixtures("restless")
async def test_a_later_time_counts_in_place_of_an_earlier_one(clock: HandClock, bell: Bell) -> None:
    timers = Timers(clock, bell)
    timers.set(key("a"), at(10))
    timers.set(key("a"), at(30))
    timers.set(key("b"), at(20))
    clock.wait(20)
    await until(lambda: bell.rang == ["b"])
    clock.wait(10)
    await until(lambda: bell.rang == ["b", "a"])


@pytest.mark.usefixtures("restless")
async def test_an_earlier_time_counts_in_place_of_a_later_one_and_rings_once(clock: HandClock, bell: Bell) -> None:
    timers = Timers(clock, bell)
    timers.set(key("a"), at(30))
    timers.set(key("a"), at(10))
    timers.set(key("b"), at(40))
    clock.wait(10)
    await until(lambda: bell.rang == ["a"])
    clock.wait(30)
    await until(lambda: len(bell.rang) == 2)
    assert bell.rang == ["a", "b"]


@pytest.mark.usefixtures("restless")
async def test_what_was_taken_back_does_not_ring(clock: HandClock, bell: Bell) -> None:
    timers = Timers(clock, bell)
    timers.set(key("a"), at(10))
    timers.set(key("b"), at(20))
    timers.set(key("a"), None)
    timers.set(key("never set"), None)
    clock.wait(20)
    await until(lambda: bell.rang)
    assert bell.rings == [["b"]]


@pytest.mark.usefixtures("restless")
async def test_what_has_rung_can_be_set_again_for_the_same_time(clock: HandClock, bell: Bell) -> None:
    timers = Timers(clock, bell)
    timers.set(key("a"), at(10))
    clock.wait(10)
    await until(lambda: bell.rang == ["a"])
    timers.set(key("a"), at(10))
    await until(lambda: bell.rang == ["a", "a"])


@pytest.mark.usefixtures("restless")
async def test_a_clock_that_is_set_forward_makes_due_what_it_passes(clock: HandClock, bell: Bell) -> None:
    timers = Timers(clock, bell)
    timers.set(key("a"), at(3600))
    clock.jump(3600)
    await until(lambda: bell.rang == ["a"])


@pytest.mark.usefixtures("restless")
async def test_a_clock_that_is_set_back_lets_nothing_ring_before_its_time(clock: HandClock, bell: Bell) -> None:
    timers = Timers(clock, bell)
    timers.set(key("a"), at(10))
    timers.set(key("late"), at(-3000))
    clock.jump(-3600)
    clock.jump(700)
    await until(lambda: bell.rang)
    assert bell.rang == ["late"]
    clock.jump(2910)
    await until(lambda: bell.rang == ["late", "a"])


async def test_while_nothing_is_due_nobody_wakes_up(clock: HandClock, bell: Bell) -> None:
    timers = Timers(clock, bell)
    for index in range(1000):
        timers.set(key(f"{index}"), at(3600 + index))
    looks = clock.looks
    await turns_of_the_loop(200)
    assert (clock.looks, bell.rings) == (looks, [])
    assert looks == 1


async def test_the_same_time_again_changes_nothing(clock: HandClock, bell: Bell) -> None:
    timers = Timers(clock, bell)
    timers.set(key("a"), at(3600))
    timers.set(key("a"), at(3600))
    assert clock.looks == 1


async def test_an_outdated_sleep_ends_without_a_ring(clock: HandClock, bell: Bell) -> None:
    timers = Timers(clock, bell)
    timers.set(key("a"), at(0))
    timers.set(key("a"), None)
    await turns_of_the_loop()
    assert bell.rings == []
    timers.set(key("a"), at(0))
    await until(lambda: bell.rang == ["a"])


async def test_after_the_stop_nothing_rings(clock: HandClock, bell: Bell) -> None:
    Timers(clock, bell).stop()
    timers = Timers(clock, bell)
    timers.set(key("a"), at(0))
    timers.stop()
    await turns_of_the_loop()
    assert bell.rings == []


async def test_what_is_set_after_the_stop_does_not_ring(clock: HandClock, bell: Bell) -> None:
    timers = Timers(clock, bell)
    timers.stop()
    timers.set(key("a"), at(0))
    await turns_of_the_loop()
    assert bell.rings == []
