"""The lifecycle of a campaign through the engine, over each store: every operation in every status."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from attrs import asdict
from tests.core.runtime.conftest import NOON, World, csv_of, until
from tests.engine.conftest import StoreMaker

from kataven_core import BudgetExhausted, Campaign, CommandRefused, Contact, NotFound, Operation, Outcome
from kataven_core.testing.samples import ACME, GLOBEX, an_account

pytestmark = pytest.mark.usefixtures("restless")

REFUSED = "refused"
GONE = "gone"

# Each row: what start, resume, pause, stop and delete come to.
TABLE = {
    "draft": ("running", REFUSED, REFUSED, REFUSED, GONE),
    "scheduled": ("running", REFUSED, REFUSED, "completed", GONE),
    "running": (REFUSED, REFUSED, "paused", "completed", REFUSED),
    "paused": ("running", "running", REFUSED, "completed", GONE),
    "completed": (REFUSED, REFUSED, REFUSED, REFUSED, GONE),
    "failed": (REFUSED, REFUSED, REFUSED, REFUSED, GONE),
}
OPERATIONS = (Operation.START, Operation.RESUME, Operation.PAUSE, Operation.STOP, Operation.DELETE)


@pytest.fixture
async def world(new_store: StoreMaker) -> AsyncIterator[World]:
    async with World(new_store()) as world:
        await world.put()
        yield world


async def bring_to(world: World, status: str) -> None:
    """Have a campaign in this status, of three contacts, one of them in a call where it has ever run."""
    at = NOON + timedelta(hours=1) if status == "scheduled" else None
    await world.create("a", 3, max_concurrent_calls=1, scheduled_at=at)
    if status in {"running", "paused", "completed", "failed"}:
        await world.engine.start(ACME, "a")
        await world.until_dialled("a.0.1")
        await world.quiet()
    if status == "paused":
        await world.engine.pause(ACME, "a")
    if status == "completed":
        await world.engine.stop(ACME, "a")
    if status == "failed":
        await world.engine.put_account(an_account(paused=["agent"]))
        await world.engine.put_account(an_account())
    assert await world.status("a") == status


async def everything(world: World) -> tuple[dict[str, object], object, list[Contact]]:
    record = await world.engine.campaign(ACME, "a")
    return asdict(record.campaign), record.counters, await world.contacts("a")


def statuses(contacts: list[Contact]) -> list[str]:
    return [each.status.value for each in contacts]


# The table.


@pytest.mark.parametrize("status", TABLE)
@pytest.mark.parametrize("index", range(5), ids=[each.value for each in OPERATIONS])
async def test_every_operation_in_every_status_does_what_the_table_says(world: World, status: str, index: int) -> None:
    await bring_to(world, status)
    before = await everything(world)
    operation, to = OPERATIONS[index], TABLE[status][index]
    if to == REFUSED:
        with pytest.raises(CommandRefused) as raised:
            await world.engine.operate(ACME, "a", operation)
        assert raised.value.code == "not_allowed_now"
        assert raised.value.message.startswith(f"cannot {operation} a campaign that is {status}")
        assert await everything(world) == before
        return
    answer = await world.engine.operate(ACME, "a", operation)
    if to == GONE:
        await is_gone(world)
    else:
        assert answer.status == to
        assert await world.status("a") == to
        assert (answer.completed_at is not None) == (to == "completed")


async def is_gone(world: World) -> None:
    engine = world.engine
    for operation in OPERATIONS:
        with pytest.raises(NotFound):
            await engine.operate(ACME, "a", operation)
    for read in (engine.campaign, engine.contacts, engine.rejects, engine.snapshot):
        with pytest.raises(NotFound):
            await read(ACME, "a")
    assert await engine.campaigns(ACME) == []


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_what_is_not_there_is_not_found_whatever_is_asked_of_it(world: World, operation: Operation) -> None:
    with pytest.raises(NotFound):
        await world.engine.operate(ACME, "nothing", operation)


async def test_it_starts_once_and_every_other_start_goes_on(world: World) -> None:
    await world.create("a", 3, max_concurrent_calls=1)
    world.clock.wait(10)
    started = await world.engine.start(ACME, "a")
    assert started.started_at == NOON + timedelta(seconds=10)
    await world.engine.pause(ACME, "a")
    world.clock.wait(10)
    assert (await world.engine.start(ACME, "a")).started_at == started.started_at


# With calls in flight.


async def test_i4_after_a_pause_calls_go_on_and_their_outcomes_count_and_nobody_else_is_dialled(world: World) -> None:
    await world.run("a", 4, max_concurrent_calls=2, retries_per_contact=1)
    await until(lambda: len(world.phone.orders) == 2)
    assert (await world.engine.pause(ACME, "a")).status == "paused"
    dialled = world.phone.dialled
    await world.phone.end("a.0.1")
    await world.phone.end("a.1.1", Outcome.BUSY)
    world.clock.wait(3600)
    await world.quiet()
    assert world.phone.dialled == dialled
    contacts = await world.contacts("a")
    assert statuses(contacts) == ["completed", "pending", "pending", "pending"]
    assert [each.last_outcome for each in contacts] == ["answered", "busy", None, None]


async def test_a_resumed_campaign_dials_whom_it_still_has(world: World) -> None:
    await bring_to(world, "paused")
    await world.phone.end("a.0.1")
    assert (await world.engine.resume(ACME, "a")).status == "running"
    await world.until_dialled("a.0.1", "a.1.1")


async def test_a_start_of_a_paused_campaign_counts_its_calls_that_are_still_up(world: World) -> None:
    await bring_to(world, "paused")
    await world.engine.start(ACME, "a")
    await world.quiet()
    assert world.phone.dialled == ["a.0.1"]
    await world.phone.end("a.0.1")
    await world.until_dialled("a.0.1", "a.1.1")


async def test_a_stop_completes_at_once_cancels_whoever_is_pending_and_retries_none_of_the_calls(
    world: World,
) -> None:
    await world.run("a", 4, max_concurrent_calls=2, retries_per_contact=2)
    await until(lambda: len(world.phone.orders) == 2)
    await world.phone.end("a.0.1", Outcome.NO_ANSWER)
    await until(lambda: len(world.phone.orders) == 3)
    stopped = await world.engine.stop(ACME, "a")
    assert (stopped.status, stopped.completed_at) == ("completed", NOON)
    contacts = await world.contacts("a")
    assert statuses(contacts) == ["cancelled", "in_progress", "in_progress", "cancelled"]
    assert contacts[0].next_attempt_at is None
    await world.phone.end("a.1.1")
    await world.phone.end("a.2.1", Outcome.BUSY)
    world.clock.wait(3600)
    await world.quiet()
    contacts = await world.contacts("a")
    assert statuses(contacts) == ["cancelled", "completed", "failed", "cancelled"]
    assert contacts[2].last_outcome == "busy"
    assert len(world.phone.orders) == 3
    counters = await world.counters("a")
    assert (counters.attempts, counters.calls_in_flight, counters.total) == (3, 0, 4)


@pytest.mark.parametrize("status", ["paused", "completed"])
async def test_i7_a_deleted_campaign_is_gone_at_once_and_its_calls_hold_their_slots_until_they_end(
    world: World, status: str
) -> None:
    await world.put(concurrent_max=2)
    await world.run("a", 3, max_concurrent_calls=2)
    await until(lambda: len(world.phone.orders) == 2)
    await world.quiet()
    await (world.engine.pause if status == "paused" else world.engine.stop)(ACME, "a")
    await world.engine.delete(ACME, "a")
    await is_gone(world)
    await world.run("b", csv_of([50, 51]), max_concurrent_calls=2)
    await world.quiet()
    assert len(world.phone.orders) == 2
    await world.phone.end("a.0.1", Outcome.BUSY)
    await until(lambda: len(world.phone.orders) == 3)
    await world.phone.end("a.1.1")
    await until(lambda: len(world.phone.orders) == 4)
    assert world.phone.dialled[2:] == ["b.0.1", "b.1.1"]


async def test_a_paused_campaign_with_nothing_left_stays_paused_and_is_completed_by_its_resume(world: World) -> None:
    await world.run("a", 1)
    await world.until_dialled("a.0.1")
    await world.engine.pause(ACME, "a")
    await world.phone.end("a.0.1")
    await world.quiet()
    assert await world.status("a") == "paused"
    answer = await world.engine.resume(ACME, "a")
    assert (answer.status, answer.completed_at) == ("completed", NOON)


async def test_a_campaign_is_complete_when_its_last_contact_is(world: World) -> None:
    await world.run("a", 2, max_concurrent_calls=2)
    await until(lambda: len(world.phone.orders) == 2)
    await world.phone.end("a.0.1", Outcome.DECLINED)
    assert await world.status("a") == "running"
    world.clock.wait(5)
    await world.phone.end("a.1.1")
    campaign = (await world.engine.campaign(ACME, "a")).campaign
    assert (campaign.status, campaign.completed_at) == ("completed", NOON + timedelta(seconds=5))
    assert statuses(await world.contacts("a")) == ["failed", "completed"]


async def test_a_campaign_whose_agent_is_gone_fails_and_its_calls_still_count(world: World) -> None:
    await world.run("a", 3, max_concurrent_calls=1, retries_per_contact=1)
    await world.until_dialled("a.0.1")
    await world.engine.put_account(an_account(paused=["agent"]))
    campaign = (await world.engine.campaign(ACME, "a")).campaign
    assert (campaign.status, campaign.completed_at) == ("failed", NOON)
    await world.phone.end("a.0.1", Outcome.BUSY)
    assert statuses(await world.contacts("a")) == ["failed", "cancelled", "cancelled"]
    assert world.phone.dialled == ["a.0.1"]


async def test_a_campaign_whose_agent_is_gone_can_not_be_started(world: World) -> None:
    await world.create("a")
    await world.engine.put_account(an_account(paused=["agent"]))
    with pytest.raises(CommandRefused) as raised:
        await world.engine.start(ACME, "a")
    assert raised.value.code == "cannot_call"
    assert await world.status("a") == "draft"


# Schedules.

AN_HOUR = timedelta(hours=1)


async def schedule(world: World, name: str = "a", *, number: int = 0, max_concurrent_calls: int = 1) -> Campaign:
    return await world.create(
        name, csv_of([number]), scheduled_at=NOON + AN_HOUR, max_concurrent_calls=max_concurrent_calls
    )


async def test_i5_a_schedule_starts_when_its_time_comes_and_not_before(world: World) -> None:
    await schedule(world)
    world.clock.wait(3599)
    await world.quiet()
    assert (world.phone.orders, await world.status("a")) == ([], "scheduled")
    world.clock.wait(1)
    await world.until_dialled("a.0.1")
    campaign = (await world.engine.campaign(ACME, "a")).campaign
    assert (campaign.status, campaign.started_at, campaign.scheduled_at) == ("running", NOON + AN_HOUR, NOON + AN_HOUR)


async def test_an_early_start_keeps_the_schedule_as_it_was(world: World) -> None:
    await schedule(world)
    campaign = await world.engine.start(ACME, "a")
    assert (campaign.status, campaign.started_at, campaign.scheduled_at) == ("running", NOON, NOON + AN_HOUR)
    await world.until_dialled("a.0.1")


@pytest.mark.parametrize("operation", [Operation.STOP, Operation.DELETE])
async def test_i5_a_schedule_that_was_taken_back_never_starts(world: World, operation: Operation) -> None:
    await schedule(world)
    await world.engine.operate(ACME, "a", operation)
    world.clock.wait(7200)
    await world.quiet()
    assert world.phone.orders == []


async def test_i10_a_schedule_that_comes_due_without_budget_waits_and_starts_when_there_is_some(world: World) -> None:
    await world.put(concurrent_max=2)
    await world.run("b", csv_of([50, 51]), max_concurrent_calls=2)
    await until(lambda: len(world.phone.orders) == 2)
    await schedule(world, max_concurrent_calls=2)
    world.clock.wait(3600)
    await world.quiet()
    assert await world.status("a") == "scheduled"
    await world.phone.end("b.0.1")
    await world.quiet()
    assert await world.status("a") == "scheduled"
    await world.phone.end("b.1.1")
    assert await world.status("b") == "completed"
    await until(lambda: "a.0.1" in world.phone.dialled)
    assert await world.status("a") == "running"


async def test_i10_a_schedule_that_waits_for_budget_starts_when_a_campaign_is_paused_or_the_cap_raised(
    world: World,
) -> None:
    await world.put(concurrent_max=1)
    await world.run("b", csv_of([50, 51]), max_concurrent_calls=1)
    await schedule(world, "a", number=0)
    await schedule(world, "c", number=1)
    world.clock.wait(3600)
    await world.quiet()
    assert (await world.status("a"), await world.status("c")) == ("scheduled", "scheduled")
    await world.put(concurrent_max=2)
    await world.until_status("a", "running")
    assert await world.status("c") == "scheduled"
    await world.engine.pause(ACME, "b")
    await world.until_status("c", "running")


async def test_i10_a_schedule_that_waits_for_budget_starts_when_a_campaign_is_stopped_with_its_calls_up(
    world: World,
) -> None:
    await world.put(concurrent_max=1)
    await world.run("b", csv_of([50, 51]), max_concurrent_calls=1)
    await world.until_dialled("b.0.1")
    await schedule(world)
    world.clock.wait(3600)
    await world.quiet()
    await world.engine.stop(ACME, "b")
    await world.until_status("a", "running")
    await world.quiet()
    assert world.phone.dialled == ["b.0.1"]
    await world.phone.end("b.0.1")
    await world.until_dialled("b.0.1", "a.0.1")


async def test_a_schedule_that_came_while_nobody_was_there_starts_when_somebody_is(sqlite: StoreMaker) -> None:
    async with World(sqlite()) as world:
        await world.put()
        await schedule(world)
    world = World(sqlite())
    world.clock.wait(3 * 3600)
    async with world:
        await world.until_dialled("a.0.1")
        campaign = (await world.engine.campaign(ACME, "a")).campaign
        assert (campaign.started_at, campaign.scheduled_at) == (world.clock.now(), NOON + AN_HOUR)


# Budget.


@pytest.mark.parametrize("operation", [Operation.START, Operation.RESUME])
async def test_i10_what_does_not_fit_is_refused_in_numbers_and_what_fits_exactly_fits(
    world: World, operation: Operation
) -> None:
    await world.put(concurrent_max=8)
    await world.create("a", 1, max_concurrent_calls=4)
    if operation is Operation.RESUME:
        await world.engine.start(ACME, "a")
        await world.engine.pause(ACME, "a")
    await world.run("b", csv_of([50]), max_concurrent_calls=5)
    before = await everything(world)
    with pytest.raises(BudgetExhausted) as raised:
        await world.engine.operate(ACME, "a", operation)
    assert (raised.value.reserved, raised.value.wanted, raised.value.allowed) == (5, 4, 8)
    for number in ("5", "4", "8"):
        assert number in raised.value.message
    assert await everything(world) == before
    await world.put(concurrent_max=9)
    assert (await world.engine.operate(ACME, "a", operation)).status == "running"


async def test_i10_of_two_racing_starts_that_do_not_both_fit_exactly_one_wins(world: World) -> None:
    await world.put(concurrent_max=5)
    for index in range(50):
        names = [f"a{index}", f"b{index}"]
        for name in names:
            await world.create(name, csv_of([index]), max_concurrent_calls=3)
        starts = [asyncio.create_task(world.engine.start(ACME, name)) for name in names]
        outcomes = await asyncio.gather(*starts, return_exceptions=True)
        kinds = sorted(type(each).__name__ for each in outcomes)
        assert kinds == ["BudgetExhausted", "Campaign"]
        running = [each.id for each in await world.engine.campaigns(ACME) if each.status == "running"]
        assert len(running) == 1
        await world.engine.stop(ACME, running[0])


async def test_i11_another_accounts_campaigns_take_none_of_the_budget(world: World) -> None:
    await world.put(concurrent_max=5)
    await world.put(GLOBEX, concurrent_max=5)
    await world.run("a", max_concurrent_calls=5)
    assert (await world.run("g", account_id=GLOBEX, max_concurrent_calls=5)).status == "running"


# Retries.


async def test_i5_a_retry_comes_its_delay_after_the_end_and_not_before(world: World) -> None:
    await world.run("a", 1, retries_per_contact=2, retry_delay_seconds=300)
    await world.until_dialled("a.0.1")
    world.clock.wait(40)
    await world.phone.end("a.0.1", Outcome.NO_ANSWER)
    contact = await world.contact("a")
    assert (contact.status, contact.next_attempt_at) == ("pending", NOON + timedelta(seconds=340))
    world.clock.wait(299)
    await world.quiet()
    assert world.phone.dialled == ["a.0.1"]
    world.clock.wait(1)
    await world.until_dialled("a.0.1", "a.0.2")


async def test_i3_nobody_is_dialled_more_than_once_and_each_retry(world: World) -> None:
    await world.run("a", 1, retries_per_contact=2, retry_delay_seconds=60)
    for n in (1, 2, 3):
        await until(lambda n=n: len(world.phone.orders) == n)  # type: ignore[misc] # a lambda's default has no type
        await world.phone.end(f"a.0.{n}", Outcome.BUSY)
        world.clock.wait(60)
    await world.until_status("a", "completed")
    contact = await world.contact("a")
    assert (contact.status, contact.attempts, contact.last_outcome) == ("failed", 3, "busy")
    assert world.phone.dialled == ["a.0.1", "a.0.2", "a.0.3"]


RETRYABLE = {Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED, Outcome.CANCELLED}
REACHED = {Outcome.ANSWERED, Outcome.MACHINE}


@pytest.mark.parametrize("outcome", sorted(RETRYABLE | REACHED | {Outcome.DECLINED, Outcome.INVALID_NUMBER}))
async def test_what_is_retried_and_what_is_an_end(world: World, outcome: Outcome) -> None:
    await world.run("a", 1, retries_per_contact=1)
    await world.until_dialled("a.0.1")
    await world.phone.end("a.0.1", outcome)
    contact = await world.contact("a")
    if outcome in RETRYABLE:
        assert (contact.status, await world.status("a")) == ("pending", "running")
    else:
        end = "completed" if outcome in REACHED else "failed"
        assert (contact.status, await world.status("a")) == (end, "completed")


async def test_the_clock_of_a_retry_runs_on_while_paused(world: World) -> None:
    await world.run("a", 1, retries_per_contact=1, retry_delay_seconds=300)
    await world.until_dialled("a.0.1")
    await world.phone.end("a.0.1", Outcome.BUSY)
    await world.engine.pause(ACME, "a")
    world.clock.wait(400)
    await world.quiet()
    assert world.phone.dialled == ["a.0.1"]
    await world.engine.resume(ACME, "a")
    await world.until_dialled("a.0.1", "a.0.2")


async def test_a_retry_that_is_not_due_when_resumed_still_waits_for_its_time(world: World) -> None:
    await world.run("a", 1, retries_per_contact=1, retry_delay_seconds=300)
    await world.until_dialled("a.0.1")
    await world.phone.end("a.0.1", Outcome.BUSY)
    await world.engine.pause(ACME, "a")
    world.clock.wait(100)
    await world.engine.resume(ACME, "a")
    await world.quiet()
    assert world.phone.dialled == ["a.0.1"]
    world.clock.wait(200)
    await world.until_dialled("a.0.1", "a.0.2")


# One call per number.


async def test_i3_one_number_is_never_in_two_calls_of_an_account_and_holds_nobody_up(world: World) -> None:
    await world.run("a", csv_of([0, 1]), max_concurrent_calls=1)
    await world.until_dialled("a.0.1")
    await world.run("b", csv_of([0, 2]), max_concurrent_calls=2)
    await world.until_dialled("a.0.1", "b.1.1")
    waiting = await world.contact("b", 0)
    assert (waiting.status, waiting.attempts) == ("pending", 0)
    await world.phone.end("a.0.1")
    await until(lambda: len(world.phone.orders) == 4)
    assert {*world.phone.dialled[2:]} == {"a.1.1", "b.0.1"}
    assert (await world.contact("b", 0)).attempts == 1


async def test_one_number_may_be_in_calls_of_two_accounts(world: World) -> None:
    await world.put(GLOBEX)
    await world.run("a", csv_of([0]))
    await world.run("g", csv_of([0]), account_id=GLOBEX)
    await world.until_dialled("a.0.1", "g.0.1")
