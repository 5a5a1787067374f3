"""A line that is down: nobody is dialled until it is up and has said what became of the calls that were."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from attrs import evolve
from tests.core.runtime.conftest import PATIENT, HandClock, Phone, World, turns_of_the_loop, until

from kataven_adapters.memory import MemoryStore
from kataven_core import AdapterFault, CampaignStatus
from kataven_core.runtime import EngineSettings
from kataven_core.runtime.line_watch import LineWatch

SOON = evolve(PATIENT, line_pause_s=0.001)


class Desk:
    """A watch, its line, and what it asks and tells."""

    def __init__(self, settings: EngineSettings = SOON) -> None:
        self.phone = Phone(HandClock())
        self.answers: list[bool] = []
        self.asked = 0
        self.ups = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.watch = LineWatch(self.phone, settings, ask=self.ask, is_up_again=self.up)
        self.phone.listen(lambda _: asyncio.sleep(0), self.watch.turned)

    async def ask(self) -> bool:
        self.asked += 1
        await self.may_answer.wait()
        return self.answers.pop(0) if self.answers else True

    def up(self) -> None:
        self.ups += 1


async def test_a_line_in_no_trouble_is_up_and_nothing_is_asked() -> None:
    desk = Desk()
    desk.watch.turned()
    await turns_of_the_loop()
    assert (desk.watch.is_up, desk.asked, desk.ups) == (True, 0, 0)


async def test_trouble_counts_at_once_even_before_it_is_told() -> None:
    desk = Desk()
    desk.phone.trouble = "it is away"
    assert not desk.watch.is_up


async def test_a_line_is_up_again_when_it_has_answered_and_not_before(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    desk.may_answer.clear()
    desk.phone.turn("it is away: plug it in")
    desk.phone.turn(None)
    await until(lambda: desk.asked)
    assert (desk.watch.is_up, desk.ups) == (False, 0)
    desk.may_answer.set()
    await until(lambda: desk.ups)
    assert desk.watch.is_up
    assert [record.getMessage() for record in caplog.records] == [
        "the line is down, nobody is dialled: it is away: plug it in",
        "the line is up again",
    ]


async def test_a_line_that_can_not_say_yet_is_asked_until_it_can() -> None:
    desk = Desk()
    desk.answers = [False, False, True]
    desk.phone.turn("it is away")
    desk.phone.turn(None)
    await until(lambda: desk.ups)
    assert (desk.asked, desk.watch.is_up) == (3, True)


async def test_a_line_that_can_never_say_of_some_calls_takes_new_ones_all_the_same() -> None:
    desk = Desk()
    desk.answers = [False] * 3
    desk.phone.turn("it is away")
    desk.phone.turn(None)
    await until(lambda: desk.ups)
    assert (desk.asked, desk.watch.is_up) == (3, True)


async def test_what_was_asked_before_it_was_away_again_does_not_count() -> None:
    desk = Desk()
    desk.may_answer.clear()
    desk.phone.turn("it is away")
    desk.phone.turn(None)
    await until(lambda: desk.asked == 1)
    desk.phone.turn("it is away again")
    desk.may_answer.set()
    await turns_of_the_loop()
    assert (desk.watch.is_up, desk.ups) == (False, 0)
    desk.phone.turn(None)
    await until(lambda: desk.ups)
    assert (desk.asked, desk.watch.is_up) == (2, True)


async def test_who_is_stopped_asks_no_more() -> None:
    desk = Desk()
    desk.may_answer.clear()
    desk.phone.turn("it is away")
    desk.phone.turn(None)
    await until(lambda: desk.asked)
    desk.watch.stop()
    desk.may_answer.set()
    await turns_of_the_loop()
    assert (len(asyncio.all_tasks()), desk.ups) == (1, 0)


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    async with World(MemoryStore(), settings=SOON) as world:
        await world.put()
        yield world


async def test_a_line_that_refuses_everybody_holds_all_back_and_touches_no_contact(world: World) -> None:
    world.phone.always = world.phone.refuse_all("it refuses our token: mend line.token")
    await world.run("a", 3, max_concurrent_calls=1)
    await world.until_dialled("a.0.1")
    await world.quiet()
    assert (world.phone.dialled, await world.status("a")) == (["a.0.1"], CampaignStatus.RUNNING)
    counters = await world.counters("a")
    assert (counters.pending, counters.attempts) == (3, 0)
    world.phone.always = world.phone.place
    world.phone.turn(None)
    await until(lambda: len(world.phone.dialled) == 2)
    assert world.phone.dialled[1] == "a.0.2"


async def test_orders_that_are_committed_when_the_line_goes_down_are_not_sent(world: World) -> None:
    first = world.phone.refuse_all("it is away")
    world.phone.then(first)
    await world.run("a", 5)
    await world.quiet()
    assert (world.phone.dialled, (await world.counters("a")).calls_in_flight) == (["a.0.1"], 0)


async def test_no_account_is_left_alone_for_what_the_line_is_to_blame_for(world: World) -> None:
    world.phone.then(world.phone.refuse_all("it is away"))
    await world.run("a", 1)
    await world.until_dialled("a.0.1")
    await world.quiet()
    world.phone.turn(None)  # the pause of an account would last a minute
    await until(lambda: world.phone.dialled == ["a.0.1", "a.0.2"])


async def test_calls_that_may_be_up_are_asked_about_before_the_next_dial(world: World) -> None:
    world.phone.then(world.phone.place, world.phone.fail(AdapterFault("reset", "the answer was lost")))
    await world.run("a", 4, max_concurrent_calls=2)
    await world.until_dialled("a.0.1", "a.1.1")
    await world.quiet()
    world.phone.turn("it is away")
    world.phone.known = [world.phone.ended("a.0.1"), world.phone.ended("a.1.1")]
    await world.quiet()
    assert world.phone.dialled == ["a.0.1", "a.1.1"]
    world.phone.turn(None)
    await until(lambda: len(world.phone.dialled) == 4)
    assert world.phone.asked == [["a.0.1", "a.1.1"]]
    assert (await world.counters("a")).completed == 2


async def test_a_line_that_comes_up_while_it_is_decided_that_nobody_is_dialled_keeps_nobody_waiting(
    world: World,
) -> None:
    await world.create("a", 1)
    world.phone.turn("it is away")
    await world.quiet()
    world.watch.gate.clear()
    turns = len(world.watch.turns)
    starting = asyncio.create_task(world.engine.start("acme", "a"))
    await until(lambda: len(world.watch.turns) > turns)
    world.phone.turn(None)
    await turns_of_the_loop()
    world.watch.gate.set()
    await starting
    await world.until_dialled("a.0.1")


async def test_a_line_that_is_down_at_the_start_is_waited_for() -> None:
    store = MemoryStore()
    world = World(store, settings=SOON)
    world.phone.trouble = "nobody is there yet"
    async with world:
        await world.put()
        await world.run("a", 1)
        await world.quiet()
        assert (world.phone.dialled, await world.engine.troubles()) == ([], [("line", "nobody is there yet")])
        world.phone.turn(None)
        await world.until_dialled("a.0.1")
        assert await world.engine.troubles() == []
