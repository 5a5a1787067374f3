"""Where an earlier process stood is taken up; leaving claims nothing more, and loses nothing that is known."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import pytest
from attrs import evolve
from tests.core.runtime.conftest import NOON, PASSES, PATIENT, SOON_S, World, csv_of, turns_of_the_loop, until

from kataven_adapters.memory import MemoryStore
from kataven_core import AdapterFault, Campaign, Lost, NeverPlaced, Outcome, Report
from kataven_core.ports import Originated
from kataven_core.runtime import EngineSettings
from kataven_core.testing.samples import ACME, GLOBEX, an_account

pytestmark = pytest.mark.usefixtures("restless")

HASTY = evolve(PATIENT, settle_limit_s=SOON_S)


class Lasting(MemoryStore):
    """Still holds everything when it is opened again."""

    is_open = False

    async def __aenter__(self) -> Self:
        self.is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.is_open = False


@pytest.fixture
def store() -> Lasting:
    return Lasting()


async def again(store: Lasting, known: list[Report] | Exception, settings: EngineSettings = PATIENT) -> World:
    """Give the world of the next process, not open yet, whose line says this about the calls of the first."""
    world = World(store, settings=settings)
    world.phone.known = known
    return world


async def leave(world: World) -> None:
    """Leave the engine, with nothing about the phone changed for it."""
    await world.engine.__aexit__(None, None, None)


async def leave_a_claim(store: Lasting, contacts: int = 1) -> World:
    """Have a process that ends while the line has not answered its first call."""
    world = World(store, settings=HASTY)
    await world.engine.__aenter__()
    await world.put()
    world.phone.then(world.phone.hang)
    await world.run("a", contacts, max_concurrent_calls=1, retries_per_contact=1)
    await world.until_dialled("a.0.1")
    await leave(world)
    assert (await world.open_attempts())["a.0.1"].state == "claimed"
    return world


async def leave_a_live_call(store: Lasting, contacts: int = 1) -> World:
    world = World(store)
    await world.engine.__aenter__()
    await world.put()
    await world.run("a", contacts, max_concurrent_calls=1, retries_per_contact=1)
    await world.until_dialled("a.0.1")
    await world.quiet()
    await leave(world)
    assert (await world.open_attempts())["a.0.1"].state == "live"
    return world


@pytest.fixture
async def claimed(store: Lasting) -> AsyncIterator[World]:
    world = await leave_a_claim(store)
    yield world
    world.phone.over.set()


# Taking up.


async def test_a_call_of_an_earlier_process_that_is_up_is_adopted(store: Lasting, claimed: World) -> None:
    async with await again(store, [claimed.phone.placed("a.0.1")]) as world:
        await world.quiet()
        assert (await world.open_attempts())["a.0.1"].state == "live"
        assert world.phone.orders == []
        world.phone.end("a.0.1")
        await world.until_status("a", "completed")
    assert world.phone.orders == []


async def test_a_call_of_an_earlier_process_that_has_ended_is_taken(store: Lasting, claimed: World) -> None:
    async with await again(store, [claimed.phone.ended("a.0.1")]) as world:
        await world.until_status("a", "completed")
        assert (await world.contact("a")).last_outcome == "answered"
    assert world.phone.orders == []


async def test_i3_a_claim_that_was_never_placed_uses_up_no_attempt(store: Lasting) -> None:
    earlier = await leave_a_claim(store, contacts=3)
    never = NeverPlaced(attempt_id=earlier.phone.orders[0].attempt_id, at=NOON)
    async with await again(store, [never]) as world:
        await world.until_closed("a.0.1")
        contact = await world.contact("a")
        assert (contact.attempts, contact.last_outcome) == (0, None)
    earlier.phone.over.set()


async def test_i12_a_claim_that_was_never_placed_is_dialled_again_though_it_is_the_last(
    store: Lasting, claimed: World
) -> None:
    never = NeverPlaced(attempt_id=claimed.phone.orders[0].attempt_id, at=NOON)
    async with await again(store, [never]) as world:
        await world.until_dialled("a.0.2")


async def test_i2_a_claim_of_which_nothing_is_known_is_doubted_asked_about_and_given_up_as_lost(
    store: Lasting, claimed: World
) -> None:
    settings = evolve(PATIENT, reconcile_every_s=0.001, lost_after_s=120.0)
    async with await again(store, [], settings) as world:
        await until(lambda: len(world.phone.asked) > 2)
        assert (await world.open_attempts())["a.0.1"].state == "unknown"
        world.clock.wait(120)
        await world.until_closed("a.0.1")
        contact = await world.contact("a")
        assert (contact.status, contact.attempts, contact.last_outcome) == ("pending", 1, "lost")
        world.clock.wait(300)
        await world.until_dialled("a.0.2")
    assert claimed.phone.dialled == ["a.0.1"]


async def test_i7_a_call_that_was_up_and_of_which_the_line_has_never_heard_holds_its_slot_no_longer_than_a_lost_one(
    store: Lasting,
) -> None:
    earlier = await leave_a_live_call(store)
    settings = evolve(PATIENT, reconcile_every_s=0.001, lost_after_s=120.0)
    async with await again(
        store, [NeverPlaced(attempt_id=earlier.phone.orders[0].attempt_id, at=NOON)], settings
    ) as world:
        await world.quiet()
        world.clock.wait(120)
        await world.until_closed("a.0.1")


async def test_a_line_that_fails_when_it_is_asked_keeps_nobody_from_starting(store: Lasting, claimed: World) -> None:
    async with await again(store, RuntimeError("a driver's own error")) as world:
        await world.quiet()
        assert (await world.open_attempts())["a.0.1"].state == "unknown"
    assert claimed.phone.dialled == ["a.0.1"]


async def test_the_line_is_asked_about_its_calls_before_anything_is_dialled(store: Lasting) -> None:
    await leave_a_live_call(store, contacts=2)
    world = await again(store, [])
    dialled_when_asked: list[int] = []
    reconcile = world.phone.reconcile

    async def asked(attempts: Any) -> Any:
        dialled_when_asked.append(len(world.phone.orders))
        return await reconcile(attempts)

    world.phone.reconcile = asked  # type: ignore[method-assign] # a double stands in for it
    world.phone.known = [Lost(attempt_id=(await world.open_attempts()).popitem()[1].id, at=NOON)]
    async with world:
        await until(lambda: world.phone.orders)
    assert dialled_when_asked == [0]


async def test_running_campaigns_go_on_and_schedules_that_came_meanwhile_start(store: Lasting) -> None:
    async with World(store) as world:
        await world.put()
        world.phone.always = world.phone.refuse()
        await world.run("a", 2)
        await until(lambda: world.phone.orders)
        await world.create("b", csv_of([50]), scheduled_at=NOON + timedelta(hours=1))
    world = await again(store, [])
    world.clock.wait(3600)
    async with world:
        await until(lambda: len(world.phone.orders) == 3)
        assert {order.campaign_id for order in world.phone.orders} == {"a", "b"}
        assert await world.status("b") == "running"


async def test_what_was_deleted_with_its_calls_up_is_removed_after_the_last_of_them_in_whatever_process(
    store: Lasting,
) -> None:
    earlier = await leave_a_live_call(store)
    async with await again(store, [earlier.phone.placed("a.0.1")]) as world:
        await world.engine.pause(ACME, "a")
        await world.engine.delete(ACME, "a")
    async with await again(store, [earlier.phone.placed("a.0.1")]) as world:
        await world.quiet()
        assert (await store.agenda()).deleted == ((ACME, "a"),)
        await world.phone.end("a.0.1", Outcome.BUSY)
        await world.quiet()
        assert (await store.agenda()).deleted == ()


async def test_what_was_deleted_and_not_removed_in_time_is_removed_at_the_start(store: Lasting) -> None:
    async with World(store) as world:
        await world.put()
        await world.create("a")
        world.store.discard = _never  # type: ignore[method-assign, assignment] # a double stands in for it
        await world.engine.delete(ACME, "a")
        await world.quiet()
    del store.discard
    assert (await store.agenda()).deleted == ((ACME, "a"),)
    async with await again(store, []) as world:
        await world.quiet()
        assert (await store.agenda()).deleted == ()


async def _never(*_: object) -> None:
    raise AdapterFault("store_full", "the disk is full", is_retryable=True)


async def test_a_start_that_fails_closes_what_it_has_opened(store: Lasting) -> None:
    world = World(store)
    fault = AdapterFault("store_corrupt", "the store is damaged")

    async def agenda() -> Any:
        raise fault

    store.agenda = agenda  # type: ignore[method-assign] # a double stands in for it
    with pytest.raises(AdapterFault) as raised:
        await world.engine.__aenter__()
    assert raised.value is fault
    assert (store.is_open, world.phone.is_open) == (False, False)


# Leaving.


async def test_leaving_waits_for_the_lines_own_calls_and_stores_their_outcomes_and_claims_nothing_more(
    store: Lasting,
) -> None:
    world = World(store)
    await world.engine.__aenter__()
    await world.put()
    await world.run("a", 3, max_concurrent_calls=1)
    await world.until_dialled("a.0.1")
    await world.quiet()
    world.phone.idle.clear()
    leaving = asyncio.create_task(leave(world))
    await turns_of_the_loop()
    with pytest.raises(AdapterFault) as raised:
        await world.engine.resume(ACME, "a")
    assert (raised.value.code, raised.value.is_retryable) == ("engine_ended", True)
    world.phone.end("a.0.1")
    await turns_of_the_loop()
    assert not leaving.done()
    world.phone.idle.set()
    await leaving
    assert world.phone.dialled == ["a.0.1"]
    assert [each.last_outcome for each in (await store.contacts(ACME, world.phone.orders[0].campaign_id)).contacts] == [
        "answered",
        None,
        None,
    ]
    assert (store.is_open, world.phone.is_open) == (False, False)


async def test_leaving_lets_sends_settle(store: Lasting) -> None:
    world = World(store)
    await world.engine.__aenter__()
    await world.put()
    step, release = world.phone.hold()
    world.phone.then(step)
    await world.run("a")
    await world.until_dialled("a.0.1")
    leaving = asyncio.create_task(leave(world))
    await turns_of_the_loop()
    assert not leaving.done()
    release.set()
    await leaving
    assert (await world.open_attempts())["a.0.1"].state == "live"


async def test_i4_what_is_committed_while_leaving_begins_is_not_sent(store: Lasting) -> None:
    world = World(store)
    await world.engine.__aenter__()
    await world.put()
    await world.create("a")
    before = len(world.watch.turns)
    world.watch.shut_after(1)
    await world.engine.start(ACME, "a")
    await until(lambda: len(world.watch.turns) == before + 2)
    leaving = asyncio.create_task(leave(world))
    await turns_of_the_loop()
    world.watch.gate.set()
    await leaving
    assert (world.phone.orders, await world.open_attempts()) == ([], {})


async def test_leaving_waits_no_longer_than_the_limit_for_a_line_that_never_drains(store: Lasting) -> None:
    world = World(store, settings=evolve(PATIENT, drain_s=SOON_S))
    await world.engine.__aenter__()
    await world.put()
    await world.run("a")
    await world.until_dialled("a.0.1")
    world.phone.idle.clear()
    async with asyncio.timeout(5):
        await leave(world)
    assert [*await world.open_attempts()] == ["a.0.1"]
    assert (store.is_open, world.phone.is_open) == (False, False)


async def test_leaving_waits_no_longer_than_the_limit_for_a_store_that_hangs_and_answers_everybody(
    store: Lasting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kataven_core.runtime.works._LAST_CYCLE_S", SOON_S)
    world = World(store, settings=evolve(PATIENT, drain_s=SOON_S))
    await world.engine.__aenter__()
    await world.put()
    before = len(world.watch.turns)
    world.watch.gate.clear()
    first = asyncio.create_task(world.engine.start(ACME, "a"))
    await until(lambda: len(world.watch.turns) > before)
    second = asyncio.create_task(world.engine.pause(ACME, "a"))
    await turns_of_the_loop()
    async with asyncio.timeout(5):
        await leave(world)
    answered: set[asyncio.Task[Campaign]]
    answered, _ = await asyncio.wait([first, second], timeout=2)
    assert len(answered) == 2
    for each in answered:
        with pytest.raises(AdapterFault) as raised:
            await each
        assert raised.value.code == "engine_ended"


async def test_leaving_waits_no_longer_than_the_limit_for_a_store_that_can_not_write(
    store: Lasting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kataven_core.runtime.works._LAST_CYCLE_S", SOON_S)
    world = World(store, settings=evolve(PATIENT, drain_s=SOON_S))
    await world.engine.__aenter__()
    await world.put()
    world.watch.fail_next(AdapterFault("store_full", "the disk is full", is_retryable=True), times=100_000)
    with pytest.raises(AdapterFault):
        await world.engine.pause(ACME, "a")
    async with asyncio.timeout(5):
        await leave(world)
    assert not store.is_open


async def test_leaving_with_a_send_that_hangs_waits_no_longer_than_it_settles(store: Lasting) -> None:
    world = await leave_a_claim(store)
    assert not store.is_open
    world.phone.over.set()


async def test_leaving_waits_for_what_is_being_removed(store: Lasting) -> None:
    world = World(store)
    await world.engine.__aenter__()
    await world.put()
    await world.create("a")
    gate = asyncio.Event()
    discard = store.discard

    async def slowly(*of: Any) -> None:
        await gate.wait()
        await discard(*of)

    store.discard = slowly  # type: ignore[method-assign, assignment] # a double stands in for it
    await world.engine.delete(ACME, "a")
    leaving = asyncio.create_task(leave(world))
    await turns_of_the_loop()
    assert not leaving.done()
    gate.set()
    await leaving
    assert (await store.agenda()).deleted == ()


async def test_a_line_that_can_not_drain_leaves_nothing_open(store: Lasting) -> None:
    world = World(store)
    await world.engine.__aenter__()
    await world.put()

    async def drain() -> None:
        raise AdapterFault("line_down", "the line is down")

    world.phone.drain = drain  # type: ignore[method-assign] # a double stands in for it
    with pytest.raises(AdapterFault, match="the line is down"):
        await leave(world)
    assert (store.is_open, world.phone.is_open) == (False, False)


async def test_calls_that_end_at_once_are_stored_though_their_ends_come_before_the_lines_answer(
    store: Lasting,
) -> None:
    async with World(store) as world:
        await world.put()

        async def end_first(order: Any) -> Originated:
            world.phone.end(order.attempt_id)
            return await world.phone.place(order)

        world.phone.always = end_first
        await world.run("a", 20)
        await world.until_status("a", "completed")
        assert dict((await world.counters("a")).outcomes) == {Outcome.ANSWERED: 20}


# The accounts of the next process.


async def test_i1_nobody_is_dialled_under_the_caps_of_before(store: Lasting) -> None:
    earlier = World(store)
    await earlier.engine.__aenter__()
    await earlier.put(calls_per_minute=0)
    await earlier.run("a", 5, max_concurrent_calls=5)
    await leave(earlier)
    now = an_account(concurrent_max=2)
    async with World(store, accounts=[now]) as world:
        assert await world.engine.account(ACME) == now
        await world.until_dialled("a.0.1", "a.1.1")
        await world.quiet()
        assert len(world.phone.orders) == 2


async def test_i1_an_account_that_is_not_named_any_more_dials_nobody_and_loses_nothing(store: Lasting) -> None:
    earlier = World(store)
    await earlier.engine.__aenter__()
    await earlier.put(calls_per_minute=0)
    await earlier.run("a", 2)
    await leave(earlier)
    async with World(store, accounts=[an_account(GLOBEX)]) as world:
        await world.quiet()
        assert world.phone.orders == []
        assert await world.status("a") == "running"
        assert (await world.engine.account(ACME)).caps.concurrent_max == 0
        await world.put()
        await world.until_dialled("a.0.1", "a.1.1")


async def test_an_account_that_can_not_be_put_keeps_the_engine_from_opening(store: Lasting) -> None:
    world = World(store, accounts=[an_account()])
    world.watch.fail_next(PASSES)
    with pytest.raises(AdapterFault, match="the store is locked"):
        await world.engine.__aenter__()
    assert not store.is_open
