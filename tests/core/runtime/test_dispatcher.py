"""The one task that writes: nothing leaves before its commit, and what fails takes nothing else with it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from attrs import evolve
from tests.core.runtime.conftest import (
    LASTS,
    PASSES,
    PATIENT,
    SOON_S,
    World,
    contacts_csv,
    csv_of,
    turns_of_the_loop,
    until,
)

from kataven_adapters.memory import MemoryStore
from kataven_core import (
    AccountView,
    AdapterFault,
    AttemptClaimed,
    AttemptId,
    BudgetExhausted,
    CampaignEvent,
    CampaignStarted,
    Decision,
    Doubtful,
    Inputs,
    NotFound,
    Operate,
    Outcome,
    decide,
)
from kataven_core.ports import AccountTurn
from kataven_core.runtime import Hub
from kataven_core.testing.samples import ACME, GLOBEX

pytestmark = pytest.mark.usefixtures("restless")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(MemoryStore()) as world:
        await world.put()
        await world.put(GLOBEX)
        yield world


class Gate:
    """Holds the store up, so that what comes meanwhile is one batch."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __aenter__(self) -> None:
        world = self.world
        before = len(world.watch.turns)
        world.watch.gate.clear()
        self.held = asyncio.create_task(world.engine.pause("nobody", "nothing"))
        await until(lambda: len(world.watch.turns) > before)

    async def __aexit__(self, *_: object) -> None:
        await turns_of_the_loop()
        self.world.watch.gate.set()
        with pytest.raises(NotFound):
            await self.held


def ask(world: World, operation: str, name: str, account_id: str = ACME) -> "asyncio.Task[Any]":
    return asyncio.create_task(getattr(world.engine, operation)(account_id, name))


def reports(name: str) -> Any:
    """Fail whatever holds a report about this attempt."""
    return lambda turn: LASTS if name in {each.attempt_id for each in turn.inputs.reports} else None


# Write ahead.


async def test_i2_nothing_is_dialled_or_told_or_answered_before_its_commit(world: World) -> None:
    await world.create("a")
    async with world.engine.events(ACME) as events:
        before = len(world.watch.turns)
        world.watch.gate.clear()
        starting = ask(world, "start", "a")
        await until(lambda: len(world.watch.turns) > before)
        hearing = asyncio.ensure_future(anext(events))
        await turns_of_the_loop()
        assert (starting.done(), hearing.done()) == (False, False)
        world.watch.shut_after(1)
        world.watch.gate.set()
        assert (await starting).status == "running"
        assert isinstance(await hearing, CampaignStarted)
        await until(lambda: len(world.watch.turns) > before + 1)
        hearing = asyncio.ensure_future(anext(events))
        await turns_of_the_loop()
        assert (hearing.done(), world.phone.orders) == (False, [])
        world.watch.gate.set()
        assert isinstance(await hearing, AttemptClaimed)
        await world.until_dialled("a.0.1")


@pytest.mark.parametrize("times", [1, 2, 7])
async def test_a_store_that_can_not_write_now_dials_nobody_and_goes_on_when_it_can(world: World, times: int) -> None:
    await world.run("a", 2, max_concurrent_calls=1)
    await world.until_dialled("a.0.1")
    await world.quiet()
    async with world.engine.events(ACME) as events:
        world.watch.fail_next(PASSES, times=times)
        failed = len(world.watch.turns) + times
        durable = world.phone.end("a.0.1")
        await until(lambda: len(world.watch.turns) >= failed)
        assert world.phone.dialled == ["a.0.1"]
        await durable
        await world.until_dialled("a.0.1", "a.1.1")
        assert [(await anext(events)).sequence for _ in range(3)] == [5, 6, 7]
    assert (await world.contact("a", 0)).status == "completed"


async def test_i9_a_settle_that_failed_tells_nothing_and_answers_with_the_fault(world: World) -> None:
    await world.create("a")
    async with world.engine.events(ACME) as events:
        world.watch.fail_next(PASSES)
        with pytest.raises(AdapterFault) as raised:
            await world.engine.start(ACME, "a")
        assert raised.value is PASSES
        await world.quiet()
        assert await world.status("a") == "draft"
        await world.engine.start(ACME, "a")
        assert (await anext(events)).sequence == 2
    assert (await world.engine.campaign(ACME, "a")).campaign.status == "running"


async def test_nobody_is_told_durable_before_it_is(world: World) -> None:
    await world.run("a")
    await world.until_dialled("a.0.1")
    await world.quiet()
    world.watch.fail_next(PASSES, times=3)
    durable = world.phone.end("a.0.1")
    seen: list[int] = []
    asyncio.ensure_future(durable).add_done_callback(lambda _: seen.append(world.watch.written))
    written = world.watch.written
    await durable
    await turns_of_the_loop()
    assert seen == [written + 1]


async def test_a_report_that_changes_nothing_is_durable_at_once(world: World) -> None:
    async with asyncio.timeout(5):
        await world.phone.end("nobody.0.1")


async def test_the_pauses_of_a_store_that_can_not_write_double_up_to_the_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    sleep = asyncio.sleep

    async def note(delay: float, result: None = None) -> None:
        if delay >= 0.25:
            slept.append(delay)
            delay = 0
        await sleep(delay, result)

    monkeypatch.setattr(asyncio, "sleep", note)
    settings = evolve(PATIENT, store_pause_s=0.25, store_pause_max_s=3.0)
    async with World(MemoryStore(), settings=settings) as world:
        await world.put()
        world.watch.fail_next(PASSES, times=6)
        with pytest.raises(AdapterFault):
            await world.engine.pause(ACME, "a")
        await until(lambda: len(slept) == 6)
        await world.quiet()
        world.watch.fail_next(PASSES)
        with pytest.raises(AdapterFault):
            await world.engine.pause(ACME, "a")
        await world.quiet()
    assert slept == [0.25, 0.5, 1.0, 2.0, 3.0, 3.0, 0.25]


async def test_i2_a_store_that_breaks_its_word_and_has_written_after_all_makes_no_phone_ring_twice(
    world: World,
) -> None:
    await world.create("a", 3, max_concurrent_calls=1)
    world.watch.fail_next(PASSES, after=1, is_written=True)
    await world.engine.start(ACME, "a")
    await world.quiet()
    assert len(world.phone.dialled) == len(set(world.phone.dialled))
    assert "a.0.1" not in world.phone.dialled


# What can't be settled.


async def test_one_account_that_can_not_be_settled_holds_no_other_up(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.run("a")
    await world.run("g", csv_of([50]), account_id=GLOBEX)
    await until(lambda: len(world.phone.orders) == 2)
    await world.quiet()
    world.watch.poison = reports("a.0.1")
    async with Gate(world):
        world.phone.end("a.0.1")
        world.phone.end("g.0.1")
    await world.until_status("g", "completed", GLOBEX)
    await world.quiet()
    assert await world.status("a") == "running"
    assert "set aside, as it can't be settled: Ended of a.0.1 in account acme" in caplog.text
    assert "+1415" not in caplog.text


async def test_one_input_that_can_not_be_settled_holds_no_other_of_its_account_up(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.run("a", 3)
    await world.create("b", csv_of([50]))
    await until(lambda: len(world.phone.orders) == 3)
    await world.quiet()
    world.watch.poison = reports("a.1.1")
    async with Gate(world):
        for name in ("a.0.1", "a.1.1", "a.2.1"):
            world.phone.end(name)
        starting = ask(world, "start", "b")
    assert (await starting).status == "running"
    await until(lambda: "b.0.1" in world.phone.dialled)
    assert [each.status.value for each in await world.contacts("a")] == ["completed", "in_progress", "completed"]
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in records] == [
        "set aside, as it can't be settled: Ended of a.1.1 in account acme"
    ]
    assert records[0].exc_info


async def test_a_command_that_can_not_be_decided_answers_its_caller_and_nobody_else() -> None:
    class Oops(ValueError):
        pass

    def faulty(view: AccountView, inputs: Inputs, now: datetime) -> Decision:
        if any(isinstance(each, Operate) and each.campaign_id == "bad" for each in inputs.commands):
            raise Oops("a bug")
        return decide(view, inputs, now)

    async with World(MemoryStore(), decide=faulty) as world:
        await world.put()
        await world.create("a")
        async with Gate(world):
            bad, good = ask(world, "start", "bad"), ask(world, "start", "a")
        with pytest.raises(Oops):
            await bad
        assert (await good).status == "running"


async def test_a_campaign_that_can_not_be_looked_at_is_set_aside(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.run("a", 1, retries_per_contact=1)
    await world.run("b", csv_of([50]), retries_per_contact=1)
    await until(lambda: len(world.phone.orders) == 2)
    for name in ("a.0.1", "b.0.1"):
        await world.phone.end(name, Outcome.BUSY)
    world.watch.poison = lambda turn: LASTS if "a" in turn.campaigns else None
    world.clock.wait(300)
    await until(lambda: "b.0.2" in world.phone.dialled)
    await world.quiet()
    assert "a.0.2" not in world.phone.dialled
    assert "can't be settled: a in account acme" in caplog.text


async def test_what_was_settled_before_a_passing_fault_is_not_settled_again(world: World) -> None:
    await world.run("a")
    await world.run("g", csv_of([50]), account_id=GLOBEX)
    await until(lambda: len(world.phone.orders) == 2)
    await world.quiet()
    async with Gate(world):
        world.phone.end("a.0.1")
        started = ask(world, "start", "nothing", GLOBEX)
        world.phone.end("g.0.1")
        world.watch.fail_next(LASTS, after=0)
        world.watch.fail_next(PASSES, after=1)
    with pytest.raises(AdapterFault):
        await started
    await world.until_status("g", "completed", GLOBEX)
    await world.until_status("a", "completed")
    for name, account_id in (("a", ACME), ("g", GLOBEX)):
        counters = await world.counters(name, account_id)
        assert (counters.attempts, dict(counters.outcomes)) == (1, {Outcome.ANSWERED: 1})


async def test_what_of_one_account_is_not_settled_when_a_passing_fault_comes_is_settled_later(world: World) -> None:
    await world.run("a", 3)
    await until(lambda: len(world.phone.orders) == 3)
    await world.quiet()
    async with Gate(world):
        for name in ("a.0.1", "a.1.1", "a.2.1"):
            world.phone.end(name)
        before = len(world.watch.turns)
        world.watch.fail_next(LASTS)
        world.watch.fail_next(PASSES, after=1)
    await world.until_status("a", "completed")
    named = [
        [each.attempt_id for turn in turns for each in turn.inputs.reports] for turns in world.watch.turns[before:]
    ]
    assert named[:4] == [["a.0.1", "a.1.1", "a.2.1"], ["a.0.1"], ["a.1.1"], ["a.1.1", "a.2.1"]]
    assert dict((await world.counters("a")).outcomes) == {Outcome.ANSWERED: 3}


async def test_a_pause_that_was_settled_is_answered_as_such_whatever_fails_after_it(world: World) -> None:
    step, release = world.phone.hold()
    world.phone.then(step)
    await world.run("a")
    await world.until_dialled("a.0.1")
    await world.quiet()
    async with Gate(world):
        pausing = ask(world, "pause", "a")
        await turns_of_the_loop()
        other = ask(world, "pause", "nothing", GLOBEX)
        world.watch.fail_next(LASTS)
        world.watch.fail_next(PASSES, after=1)
    with pytest.raises(AdapterFault):
        await other
    assert await world.status("a") == "paused"
    release.set()
    assert (await pausing).status == "paused"


# Sends.


async def test_i2_the_send_deadline_runs_from_the_claim_so_a_slow_commit_leaves_the_call_unsent() -> None:
    async with World(MemoryStore(), settings=evolve(PATIENT, send_deadline_s=5.0)) as world:
        await world.put()
        await world.create("a", 3, max_concurrent_calls=1)
        before = len(world.watch.turns)
        world.watch.shut_after(1)
        await world.engine.start(ACME, "a")
        await until(lambda: len(world.watch.turns) == before + 2)
        world.clock.wait(5.1)
        world.watch.gate.set()
        await until(lambda: world.phone.orders)
        assert "a.0.1" not in world.phone.dialled
        assert (await world.counters("a")).attempts == 1


async def test_i12_a_call_that_came_too_late_to_be_sent_is_tried_again_though_it_is_the_last() -> None:
    async with World(MemoryStore(), settings=evolve(PATIENT, send_deadline_s=5.0)) as world:
        await world.put()
        await world.create("a", 1)
        before = len(world.watch.turns)
        world.watch.shut_after(1)
        await world.engine.start(ACME, "a")
        await until(lambda: len(world.watch.turns) == before + 2)
        world.clock.wait(5.1)
        world.watch.gate.set()
        await world.until_dialled("a.0.2")


async def test_an_originate_that_hangs_is_doubted_after_the_limit_and_keeps_its_slot() -> None:
    async with World(MemoryStore(), settings=evolve(PATIENT, originate_limit_s=SOON_S)) as world:
        await world.put()
        world.phone.then(world.phone.hang)
        async with world.engine.events(ACME) as events:
            await world.run("a", 2, max_concurrent_calls=1)
            kinds: list[str] = []
            while "AttemptDoubted" not in kinds:
                kinds.append(type(await anext(events)).__name__)
        await world.quiet()
        assert world.phone.dialled == ["a.0.1"]
        assert (await world.open_attempts())["a.0.1"].state == "unknown"


async def test_an_originate_that_raises_is_doubted_and_its_outcome_still_counts(world: World) -> None:
    world.phone.then(world.phone.fail(RuntimeError("reset")))
    await world.run("a")
    await until(lambda: world.phone.orders)
    await world.phone.end("a.0.1")
    await world.until_status("a", "completed")
    assert world.phone.dialled == ["a.0.1"]


async def test_a_refusal_holds_its_account_back_until_the_pause_is_over_and_no_other(world: World) -> None:
    world.phone.then(world.phone.refuse(retry_after_s=60))
    await world.run("a", 4, max_concurrent_calls=2)
    await until(lambda: world.phone.orders)
    await world.quiet()
    assert world.phone.dialled == ["a.0.1"]
    await world.run("g", csv_of([50]), account_id=GLOBEX)
    await world.until_dialled("a.0.1", "g.0.1")
    world.clock.wait(59)
    await world.quiet()
    await world.until_dialled("a.0.1", "g.0.1")
    world.clock.wait(1)
    await until(lambda: len(world.phone.orders) == 4)
    assert sorted(world.phone.dialled[2:]) == ["a.0.2", "a.1.2"]
    assert [each.attempts for each in await world.contacts("a")] == [1, 1, 0, 0]


async def test_i12_a_refused_call_is_tried_again_though_it_is_the_last(world: World) -> None:
    world.phone.then(world.phone.refuse())
    await world.run("a", 1)
    await world.until_dialled("a.0.1")
    await world.quiet()
    world.clock.wait(60)
    await world.until_dialled("a.0.1", "a.0.2")


async def test_i12_a_campaign_started_while_the_line_is_left_alone_dials_when_it_is_open_again(world: World) -> None:
    world.phone.then(world.phone.refuse())
    await world.run("a", 3, max_concurrent_calls=1)
    await world.until_dialled("a.0.1")
    await world.quiet()
    await world.run("b", csv_of([50]))
    await world.quiet()
    world.clock.wait(60)
    await until(lambda: "b.0.1" in world.phone.dialled)


async def test_i12_a_campaign_started_while_all_slots_are_held_dials_when_one_is_free(world: World) -> None:
    await world.put(concurrent_max=2)
    await world.run("a", 4, max_concurrent_calls=2)
    await until(lambda: len(world.phone.orders) == 2)
    await world.engine.pause(ACME, "a")
    await world.run("b", csv_of([50]), max_concurrent_calls=2)
    await world.quiet()
    assert len(world.phone.orders) == 2
    world.phone.end("a.0.1")
    await until(lambda: "b.0.1" in world.phone.dialled)


async def test_i12_a_campaign_started_when_the_minutes_dials_are_used_up_dials_in_the_next(world: World) -> None:
    await world.put(calls_per_minute=1)
    await world.run("a", 1)
    await world.until_dialled("a.0.1")
    await world.run("b", csv_of([50]))
    await world.quiet()
    assert world.phone.dialled == ["a.0.1"]
    world.clock.wait(60)
    await until(lambda: "b.0.1" in world.phone.dialled)


# Answers.


@pytest.mark.parametrize(
    ("operation", "status"),
    [("pause", "paused"), ("stop", "completed"), ("delete", None)],
    ids=["pause", "stop", "delete"],
)
async def test_i4_what_quiets_a_campaign_is_answered_when_no_send_is_under_way(
    world: World, operation: str, status: str | None
) -> None:
    step, release = world.phone.hold()
    world.phone.then(step)
    await world.run("a", 2, max_concurrent_calls=1)
    await world.until_dialled("a.0.1")
    earlier = [ask(world, "pause", "a")] if operation == "delete" else []
    if earlier:
        await world.until_status("a", "paused")
    asked = ask(world, operation, "a")
    await world.quiet()
    assert not asked.done()
    release.set()
    answer = await asked
    assert (answer and answer.status) == status
    assert all([(await each).status == "paused" for each in earlier])
    assert world.phone.dialled == ["a.0.1"]


@pytest.mark.parametrize(("operation", "status"), [("pause", "paused"), ("stop", "completed")])
async def test_what_quiets_a_campaign_is_answered_no_later_than_the_limit(operation: str, status: str) -> None:
    async with World(MemoryStore(), settings=evolve(PATIENT, settle_limit_s=SOON_S)) as world:
        await world.put()
        world.phone.then(world.phone.hang)
        await world.run("a")
        await world.until_dialled("a.0.1")
        assert (await ask(world, operation, "a")).status == status


async def test_a_pause_is_answered_as_it_left_the_campaign_though_it_runs_again_meanwhile(world: World) -> None:
    step, release = world.phone.hold()
    world.phone.then(step)
    await world.run("a")
    await world.until_dialled("a.0.1")
    pausing = ask(world, "pause", "a")
    await world.until_status("a", "paused")
    assert (await world.engine.resume(ACME, "a")).status == "running"
    release.set()
    assert (await pausing).status == "paused"


async def test_what_is_refused_is_answered_at_once_though_sends_are_under_way(world: World) -> None:
    await world.put(concurrent_max=5)
    await world.create("b", csv_of([50]))
    world.phone.then(world.phone.hang)
    await world.run("a")
    await world.until_dialled("a.0.1")
    with pytest.raises(BudgetExhausted):
        await world.engine.start(ACME, "b")
    with pytest.raises(Exception, match="cannot delete a campaign that is running"):
        await world.engine.delete(ACME, "a")
    world.phone.end("a.0.1")


async def test_i4_a_pause_beats_the_claim_that_waits_with_it(world: World) -> None:
    await world.run("a", 3, max_concurrent_calls=1)
    await world.until_dialled("a.0.1")
    await world.quiet()
    async with Gate(world):
        world.phone.end("a.0.1")
        pausing = ask(world, "pause", "a")
    assert (await pausing).status == "paused"
    await world.quiet()
    assert world.phone.dialled == ["a.0.1"]


async def test_i4_a_pause_that_comes_between_commit_and_send_leaves_the_calls_unsent(world: World) -> None:
    """Both are settled before the loop turns again, as on a store that answers late."""
    release = asyncio.Event()
    settle = world.watch.settle

    async def settle_late(turns: Sequence[AccountTurn], *more: Any) -> Sequence[Decision]:
        decisions = await settle(turns, *more)
        if any(made.orders for made in decisions):
            await release.wait()
        return decisions

    world.store.settle = settle_late  # type: ignore[method-assign, assignment] # a double stands in for it
    await world.create("a", contacts_csv(2), max_concurrent_calls=2)
    await world.engine.start(ACME, "a")
    await until(lambda: len(world.watch.turns[-1]) == 1)
    pausing = ask(world, "pause", "a")
    await turns_of_the_loop()
    release.set()
    assert (await pausing).status == "paused"
    dialled = world.phone.dialled
    await world.quiet()
    assert world.phone.dialled == dialled


async def test_a_caller_who_has_gone_holds_nothing_up(world: World) -> None:
    await world.create("a")
    async with Gate(world):
        starting = ask(world, "start", "a")
        await turns_of_the_loop()
        starting.cancel()
    await world.until_dialled("a.0.1")


async def test_a_report_of_doubt_is_asked_about_and_the_answer_counts() -> None:
    async with World(MemoryStore(), settings=evolve(PATIENT, reconcile_every_s=0.001)) as world:
        await world.put()
        await world.run("a")
        await world.until_dialled("a.0.1")
        world.phone.then(world.phone.fail(RuntimeError("reset")))
        await world.run("b", csv_of([50]))
        await until(lambda: world.phone.asked)
        world.phone.known = [world.phone.ended("b.0.1")]
        await world.until_status("b", "completed")
        assert {*map(tuple, world.phone.asked)} == {(AttemptId("b.0.1"),)}
        await world.phone.tell(Doubtful(attempt_id=AttemptId("a.0.1"), at=world.clock.now()))
        assert (await world.open_attempts())["a.0.1"].state == "live"


# What no adapter may do.


class Broken(Hub):
    """A publisher that raises."""

    def publish(self, events: Sequence[CampaignEvent]) -> None:
        if events:
            raise RuntimeError("a bug")


async def test_a_publisher_that_raises_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with World(MemoryStore(), publisher=Broken()) as world:
        await world.put()
        await world.run("a")
        await world.until_dialled("a.0.1")
        world.phone.end("a.0.1")
        await world.until_status("a", "completed")
    assert "a bug" in caplog.text


async def test_a_failure_of_the_dispatcher_answers_everybody_who_waits_and_who_comes_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(MemoryStore())
    await world.engine.__aenter__()
    await world.put()
    await world.create("a")
    before = len(world.watch.turns)
    world.watch.gate.clear()
    first = ask(world, "start", "a")
    await until(lambda: len(world.watch.turns) > before)
    second = ask(world, "pause", "a")
    await turns_of_the_loop()
    world.watch.gives_nothing = True
    world.watch.gate.set()
    answered, _ = await asyncio.wait([first, second, ask(world, "stop", "a")], timeout=2)
    assert len(answered) == 3
    for each in answered:
        with pytest.raises(AdapterFault, match="the engine has failed"):
            await each
    assert "the engine has failed" in caplog.text
    with pytest.raises(AdapterFault) as raised:
        await world.engine.pause(ACME, "a")
    assert raised.value.code == "engine_failed"
    with suppress(ValueError):
        await world.engine.__aexit__(None, None, None)
    assert not world.phone.is_open


# What lasts.


async def test_a_store_that_can_do_nothing_any_more_ends_the_engine_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with World(MemoryStore()) as world:
        await world.put()
        await world.create("a", 3)
        well = world.engine.failure
        world.watch.poison = lambda _: LASTS
        for _ in range(2):
            with pytest.raises(AdapterFault) as raised:
                await world.engine.start(ACME, "a")
            assert raised.value is LASTS
        assert (well, world.engine.failure) == (None, LASTS)
        assert "the engine has stopped: the store is damaged" in caplog.text


async def test_facts_that_a_dead_store_can_not_take_are_never_called_durable(world: World) -> None:
    await world.run("a", 1)
    await world.until_dialled("a.0.1")
    await world.quiet()
    world.watch.poison = lambda _: LASTS
    with pytest.raises(AdapterFault):
        await world.phone.end("a.0.1")


async def test_whoever_gives_up_waiting_for_a_report_to_be_durable_disturbs_nobody(world: World) -> None:
    await world.run("a", 2, max_concurrent_calls=1)
    await world.until_dialled("a.0.1")
    await world.quiet()
    world.watch.gate.clear()
    waiting = asyncio.ensure_future(world.phone.end("a.0.1"))
    await turns_of_the_loop()
    waiting.cancel()
    await turns_of_the_loop()
    world.watch.gate.set()
    await world.until_dialled("a.0.1", "a.1.1")


async def test_i12_a_campaign_that_a_store_has_once_failed_to_look_at_goes_on_when_the_store_does(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.create("a", 3)
    world.watch.fail_next(LASTS, after=1)  # it is started, and then looked at
    await world.engine.start(ACME, "a")
    await world.until_dialled("a.0.1", "a.1.1", "a.2.1")
    assert "set aside" not in caplog.text


async def test_a_store_that_fails_for_a_while_over_what_it_has_failed_for_good_keeps_all_of_it(world: World) -> None:
    await world.run("a", 1)
    await world.until_dialled("a.0.1")
    await world.quiet()
    failures = iter([LASTS, None, PASSES])  # with the report; without anything; with the report once more
    world.watch.poison = lambda _: next(failures, None)
    world.phone.end("a.0.1")
    await world.until_status("a", "completed")
    assert (await world.counters("a")).completed == 1
