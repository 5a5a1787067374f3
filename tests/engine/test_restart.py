"""What is in the file is enough: a next process goes on where the last one stood, whatever became of that."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from attrs import evolve
from tests.core.runtime.conftest import PATIENT, SOON_S, HandClock, Step, World, until, until_async
from tests.engine.conftest import StoreMaker

from kataven_adapters.simulated import SimulatedLine, SimulatedSettings
from kataven_adapters.sqlite import SqliteStore
from kataven_core import Attempt, CampaignId, Decision, Ended, Lost, NeverPlaced, Order, Outcome, Report
from kataven_core.ports import AccountTurn, Decide, Originated
from kataven_core.runtime import Engine
from kataven_core.testing.samples import ACME, an_account

pytestmark = pytest.mark.usefixtures("restless")

A_DAY_S = 86_400


async def test_i2_an_engine_that_was_left_goes_on_where_it_stood(sqlite: StoreMaker) -> None:
    async with World(sqlite()) as world:
        await world.put()
        await world.run("a", 9, max_concurrent_calls=3)
        await until(lambda: len(world.phone.orders) == 3)
        for name in ("a.0.1", "a.1.1"):
            await world.phone.end(name)
        await until(lambda: len(world.phone.orders) == 5)
        await world.quiet()
        first = world.phone
    async with World(sqlite()) as world:
        up = ("a.2.1", "a.3.1", "a.4.1")
        assert {*await world.open_attempts()} == {*up}
        for name in up:
            await world.phone.end(name)
        await until(lambda: len(world.phone.orders) == 3)
        world.phone.always = _end_at_once(world)
        for name in ("a.5.1", "a.6.1", "a.7.1"):
            await world.phone.end(name)
        await world.until_status("a", "completed")
        assert {*first.dialled} & {*world.phone.dialled} == set()
        assert {*first.dialled, *world.phone.dialled} == {f"a.{position}.1" for position in range(9)}
        counters = await world.counters("a")
        assert (counters.completed, counters.attempts) == (9, 9)


async def test_calls_of_an_earlier_process_on_the_simulated_line_are_lost_and_retried_as_the_policy_says(
    sqlite: StoreMaker,
) -> None:
    endless = SimulatedSettings(ring_s=A_DAY_S, talk_s=A_DAY_S)
    quick = SimulatedSettings(ring_s=0, talk_s=0, chances={Outcome.ANSWERED: 1.0})
    settings = evolve(PATIENT, drain_s=SOON_S)
    clock = HandClock()
    dialled: list[str] = []

    class Noting(SimulatedLine):
        async def originate(self, order: Order) -> Originated:
            dialled.append(order.attempt_id)
            return await super().originate(order)

    world = World(sqlite(), settings=settings, line=Noting(endless, clock))
    async with world:
        await world.put()
        await world.run("a", 5, max_concurrent_calls=2, retries_per_contact=1, retry_delay_seconds=60)
        await world.run("b", 1, max_concurrent_calls=1)
        await until(lambda: len(dialled) == 2)
        await world.quiet()
    assert {*dialled} == {"a.0.1", "a.1.1"}
    async with Engine(store=(store := sqlite()), line=Noting(quick, clock), clock=clock, settings=settings) as engine:
        await until(lambda: len(dialled) >= 5)

        async def stand(*contacts: tuple[str, int, str]) -> bool:
            page = await store.contacts(ACME, CampaignId("a"))
            return [(each.status, each.attempts, each.last_outcome) for each in page.contacts] == [*contacts]

        others = [("completed", 1, "answered")] * 3
        await until_async(lambda: stand(*[("pending", 1, "lost")] * 2, *others))
        clock.wait(60)
        await until(lambda: len(dialled) == 8)
        await until_async(lambda: stand(*[("completed", 2, "answered")] * 2, *others))
        assert (await engine.campaign(ACME, "a")).campaign.status == "completed"
    assert len(dialled) == len({*dialled})


def _end_at_once(world: World, outcomes: dict[str, Outcome] | None = None) -> Step:
    async def step(order: Order) -> Originated:
        outcome = (outcomes or {}).get(order.attempt_id, Outcome.ANSWERED)
        asyncio.get_running_loop().call_soon(world.phone.end, order.attempt_id, outcome)
        return await world.phone.place(order)

    return step


class Photo(NamedTuple):
    """The file as a process that is killed at this moment leaves it, and what its line was asked for by then."""

    path: Path
    dialled: list[str]
    now: datetime


class Photographer:
    """Takes one before and one after each settle: while nothing is being written."""

    def __init__(self, world: World, store: Path, folder: Path) -> None:
        self.photos: list[Photo] = []
        self._world = world
        self._store = store
        self._folder = folder
        self._settle = world.store.settle
        world.store.settle = self.settle  # type: ignore[method-assign] # a double stands in for it

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
        self._take()
        decisions = await self._settle(turns, decide, now)
        self._take()
        return decisions

    def _take(self) -> None:
        folder = self._folder / f"{len(self.photos)}"
        folder.mkdir()
        for end in ("", "-wal"):
            source = self._store.with_name(self._store.name + end)
            if source.exists():
                shutil.copy(source, folder / source.name)
        self.photos.append(Photo(folder / self._store.name, self._world.phone.dialled, self._world.clock.now()))


async def _finish(world: World) -> None:
    """Let time pass until the campaign is complete."""
    for _ in range(50):
        await world.quiet()
        if await world.status("a") == "completed":
            return
        world.clock.wait(60)
    raise AssertionError(await world.counters("a"))


@pytest.fixture
async def photos(tmp_path: Path) -> AsyncIterator[list[Photo]]:
    """Give what a process leaves that is killed at any moment of a campaign of five contacts, two of them retried."""
    path = tmp_path / "x.db"
    async with World(SqliteStore(path)) as world:
        await world.put()
        await world.create("a", 5, max_concurrent_calls=2, retries_per_contact=1, retry_delay_seconds=60)
        world.phone.always = _end_at_once(world, TRUTH)
        photographer = Photographer(world, path, tmp_path)
        await world.engine.start(ACME, "a")
        await _finish(world)
        yield photographer.photos


TRUTH = {"a.1.1": Outcome.BUSY, "a.4.1": Outcome.NO_ANSWER}


def forgetful(attempts: Sequence[Attempt], photo: Photo) -> list[Report]:
    """Say what a line says that died with its process."""
    return [Lost(attempt_id=each.id, at=photo.now) for each in attempts]


def authoritative(attempts: Sequence[Attempt], photo: Photo) -> list[Report]:
    """Say what a line says that lives elsewhere and knows every call."""
    return [
        Ended(attempt_id=each.id, at=photo.now, outcome=TRUTH.get(each.id, Outcome.ANSWERED))
        if each.id in photo.dialled
        else NeverPlaced(attempt_id=each.id, at=photo.now)
        for each in attempts
    ]


@pytest.mark.parametrize("knowledge", [forgetful, authoritative])
async def test_i2_a_process_that_is_killed_before_or_after_any_settle_loses_no_contact_and_dials_nobody_twice(
    photos: list[Photo], knowledge: Callable[[Sequence[Attempt], Photo], list[Report]]
) -> None:
    assert len(photos) > 20
    for photo in photos:
        world = World(SqliteStore(photo.path))
        world.clock.wall = photo.now
        world.phone.always = _end_at_once(world)
        async with SqliteStore(photo.path) as left:
            attempts = (await left.agenda()).open_attempts
        world.phone.known = knowledge(attempts, photo)
        async with world:
            assert await world.engine.account(ACME) == an_account()
            if await world.status("a") == "draft":
                await world.engine.start(ACME, "a")
            await _finish(world)
            dialled = [*photo.dialled, *world.phone.dialled]
            assert len(dialled) == len({*dialled}), dialled
            assert all(count <= 2 for count in Counter(name.split(".")[1] for name in dialled).values())
            contacts = await world.contacts("a")
            assert {each.status.value for each in contacts} <= {"completed", "failed"}
            assert all(each.last_outcome is not None for each in contacts)
            counters = await world.counters("a")
            assert (counters.total, counters.calls_in_flight) == (5, 0)
            assert await world.open_attempts() == {}
            assert counters.attempts == sum(each.attempts for each in contacts) == sum(counters.outcomes.values())
