"""The engine as its host sees it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from tests.core.runtime.conftest import LASTS, NOON, PASSES, World, contacts_csv, csv_of, turns_of_the_loop, until

from kataven_adapters.memory import MemoryStore
from kataven_adapters.simulated import SimulatedLine, SimulatedSettings
from kataven_core import (
    Account,
    AccountId,
    AdapterFault,
    BudgetExhausted,
    Campaign,
    CampaignId,
    CampaignSettings,
    CommandRefused,
    ContactsFileError,
    ContactStatus,
    CsvOptions,
    Decision,
    InvalidValue,
    NotFound,
    Operation,
    Outcome,
    RejectedRow,
)
from kataven_core.ports import StagedContact
from kataven_core.runtime import Engine, ImportProgress, SystemClock
from kataven_core.runtime.meters import Unmetered
from kataven_core.testing.samples import ACME, GLOBEX, a_number, an_account

SETTINGS = CampaignSettings(name="Spring", agent_id="agent", phone_number_id="line")


class Shelf(MemoryStore):
    """Can hold or fail an upload's step, and knows what was staged and never became a campaign."""

    def __init__(self) -> None:
        super().__init__()
        self.staged: set[str] = set()
        self.fault: Exception | None = None

    async def stage(
        self,
        account_id: AccountId,
        campaign_id: CampaignId,
        contacts: Sequence[StagedContact],
        rejects: Sequence[RejectedRow] = (),
    ) -> None:
        if self.fault:
            raise self.fault
        await super().stage(account_id, campaign_id, contacts, rejects)
        self.staged.add(campaign_id)

    async def discard(self, account_id: AccountId, campaign_id: CampaignId) -> None:
        await super().discard(account_id, campaign_id)
        self.staged.discard(campaign_id)


@pytest.fixture
def store() -> Shelf:
    return Shelf()


@pytest.fixture
async def world(store: Shelf) -> AsyncIterator[World]:
    async with World(store) as world:
        await world.put()
        yield world


async def test_a_campaign_is_dialled_to_its_end_on_the_simulated_line() -> None:
    """What a host writes, and nothing else."""
    line = SimulatedLine(SimulatedSettings(ring_s=0, talk_s=0, chances={Outcome.ANSWERED: 1.0}), SystemClock())
    async with Engine(store=MemoryStore(), line=line) as engine:
        await engine.put_account(an_account())
        campaign = await engine.create("acme", SETTINGS, contacts=BytesIO(contacts_csv(20)), created_by="key")
        assert (campaign.status, campaign.created_by, len(campaign.id)) == ("draft", "key", 36)
        async with engine.events("acme", campaign.id) as events:
            assert (await engine.start("acme", campaign.id)).status == "running"
            kinds: list[str] = []
            while "CampaignCompleted" not in kinds:
                kinds.append(type(await anext(events)).__name__)
        assert kinds.count("AttemptEnded") == 20
        _, counters = await engine.campaign("acme", campaign.id)
        assert (counters.completed, counters.attempts) == (20, 20)


async def test_an_engine_that_is_not_open_says_so(store: Shelf) -> None:
    world = World(store)
    for _ in range(2):
        with pytest.raises(AdapterFault) as raised:
            await world.engine.campaigns(ACME)
        assert raised.value.code == "engine_not_open"
        async with world:
            assert await world.engine.campaigns(ACME) == []


# Accounts.


async def test_an_account_is_given_as_it_was_put_last(world: World) -> None:
    account = an_account(concurrent_max=7)
    assert await world.engine.put_account(account) == account
    assert await world.engine.account(ACME) == account
    with pytest.raises(NotFound):
        await world.engine.account(GLOBEX)


# Creating.


async def test_a_file_becomes_a_campaign_whole(world: World) -> None:
    heard: list[ImportProgress] = []
    file = contacts_csv(2_500) + b"12,x\n"
    campaign = await world.engine.create(
        ACME, SETTINGS, contacts=BytesIO(file), campaign_id="a", on_progress=heard.append
    )
    assert (campaign.id, campaign.name, campaign.created_by, campaign.created_at) == ("a", "Spring", "", NOON)
    page = await world.engine.contacts(ACME, "a", page=24)
    assert (page.total, page.has_next, page.contacts[0].position) == (2_500, False, 2_400)
    assert page.contacts[-1].custom_fields == {"row": "2499"}
    assert [each.line for each in await world.engine.rejects(ACME, "a")] == [2_502]
    assert await world.engine.rejects(ACME, "a", page=1) == []
    assert heard[-1] == ImportProgress(2_500, 1)


async def test_a_file_may_come_in_pieces_as_from_a_network(world: World) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        data = contacts_csv(100)
        for begin in range(0, len(data), 13):
            yield data[begin : begin + 13]

    await world.engine.create(ACME, SETTINGS, contacts=pieces(), campaign_id="a")
    assert (await world.engine.contacts(ACME, "a")).total == 100


async def test_a_schedule_makes_it_scheduled_and_options_say_how_the_file_is_read(world: World) -> None:
    at = NOON + timedelta(hours=1)
    settings = CampaignSettings(name="a", agent_id="agent", phone_number_id="line", scheduled_at=at)
    campaign = await world.engine.create(
        ACME,
        settings,
        contacts=BytesIO(f"tel\n{a_number(1)}\n".encode()),
        options=CsvOptions(phone_column="tel"),
        campaign_id="a",
    )
    assert (campaign.status, campaign.scheduled_at) == ("scheduled", at)


async def test_nothing_is_read_for_an_agent_that_may_not_call_or_an_account_that_is_not_there(world: World) -> None:
    class Unread(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise AssertionError(size)

    wrong = CampaignSettings(name="a", agent_id="nobody", phone_number_id="nothing")
    with pytest.raises(InvalidValue) as raised:
        await world.engine.create(ACME, wrong, contacts=Unread())
    assert [problem.field for problem in raised.value.problems] == ["agent_id", "phone_number_id"]
    with pytest.raises(NotFound):
        await world.engine.create(GLOBEX, SETTINGS, contacts=Unread())


@pytest.mark.parametrize("file", [b"", b"name\nAda\n", contacts_csv(1_500) + b'"unclosed\n', b"phone_number\n12\n"])
async def test_a_file_that_can_not_be_used_leaves_nothing(world: World, store: Shelf, file: bytes) -> None:
    with pytest.raises(ContactsFileError):
        await world.create("a", file)
    assert store.staged == set()
    assert await world.engine.campaigns(ACME) == []
    await world.create("a", 1)


async def test_an_id_that_is_taken_is_refused_and_its_campaign_left_as_it_is(world: World, store: Shelf) -> None:
    await world.create("a", 3)
    with pytest.raises(CommandRefused) as raised:
        await world.create("a", csv_of([7]))
    assert raised.value.code == "campaign_exists"
    assert (await world.engine.contacts(ACME, "a")).total == 3
    assert (await world.contact("a")).phone_number == a_number(0)
    assert store.staged == set()


async def test_an_id_that_is_being_uploaded_is_refused_and_its_upload_goes_on(world: World) -> None:
    rest = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield contacts_csv(1_500)
        await rest.wait()

    creating = asyncio.create_task(world.engine.create(ACME, SETTINGS, contacts=pieces(), campaign_id="a"))
    await turns_of_the_loop()
    with pytest.raises(CommandRefused) as raised:
        await world.create("a", csv_of([7]))
    assert raised.value.code == "campaign_exists"
    rest.set()
    assert (await creating).id == "a"
    assert (await world.engine.contacts(ACME, "a")).total == 1_500


async def test_i11_an_id_that_another_account_has_is_refused_as_attempts_are_named_by_it(world: World) -> None:
    await world.create("a", 3)
    await world.put(GLOBEX)
    with pytest.raises(CommandRefused) as raised:
        await world.create("a", csv_of([7]), account_id=GLOBEX)
    assert raised.value.code == "campaign_exists"
    assert (await world.engine.contacts(ACME, "a")).total == 3


@pytest.mark.parametrize("name", ["", "a.1", "a\0b", "\ud800", "a" * 65, "é"])
async def test_what_can_not_be_an_id_is_nobodys_and_can_not_be_given(world: World, name: str) -> None:
    with pytest.raises(InvalidValue, match="is no campaign id"):
        await world.create(name, 1)
    for read in (world.engine.campaign, world.engine.contacts, world.engine.snapshot, world.engine.pause):
        with pytest.raises(NotFound):
            await read(ACME, name)
        with pytest.raises(NotFound):
            await read(name, "a")
    with pytest.raises(NotFound):
        await world.engine.campaigns(name)
    with pytest.raises(InvalidValue, match="is no account id"):
        await world.engine.put_account(Account(id=AccountId(name)))


async def test_pages_are_counted_from_0(world: World) -> None:
    await world.create("a", 1)
    for read in (world.engine.contacts, world.engine.rejects):
        with pytest.raises(InvalidValue, match="page is -1"):
            await read(ACME, "a", page=-1)


async def test_a_store_that_can_not_take_the_rows_leaves_nothing(world: World, store: Shelf) -> None:
    store.fault = PASSES
    with pytest.raises(AdapterFault):
        await world.create("a", 3)
    assert store.staged == set()


async def test_rows_that_could_not_be_removed_hide_no_error_and_are_in_nobodys_way(world: World, store: Shelf) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield contacts_csv(1_500)
        store.discard = fail  # type: ignore[method-assign, assignment] # a double stands in for it
        yield b'"unclosed\n'

    async def fail(*_: object) -> None:
        raise PASSES

    with pytest.raises(ContactsFileError):
        await world.engine.create(ACME, SETTINGS, contacts=pieces(), campaign_id="a")
    assert store.staged == {"a"}
    del store.discard
    await world.create("a", 3)
    assert [each.position for each in await world.contacts("a")] == [0, 1, 2]


async def test_a_settle_that_fails_leaves_no_campaign(world: World, store: Shelf) -> None:
    world.watch.fail_next(PASSES)
    with pytest.raises(AdapterFault):
        await world.create("a", 3)
    assert store.staged == set()
    assert await world.engine.campaigns(ACME) == []


async def test_an_upload_that_is_cancelled_in_the_middle_leaves_nothing(world: World, store: Shelf) -> None:
    forever = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield contacts_csv(1_500)
        await forever.wait()

    creating = asyncio.create_task(world.engine.create(ACME, SETTINGS, contacts=pieces(), campaign_id="a"))
    await until(lambda: store.staged)
    with pytest.raises(NotFound):
        await world.engine.campaign(ACME, "a")
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert store.staged == set()
    assert await world.engine.campaigns(ACME) == []


@pytest.mark.parametrize("is_written", [True, False])
async def test_a_creation_that_is_cancelled_while_it_is_settled_leaves_nothing(
    world: World, store: Shelf, *, is_written: bool
) -> None:
    before = len(world.watch.turns)
    world.watch.gate.clear()
    if not is_written:
        world.watch.fail_next(PASSES)
    creating = asyncio.create_task(world.create("a", 1_500))
    await until(lambda: len(world.watch.turns) > before)
    creating.cancel()
    await turns_of_the_loop()
    assert not creating.done()
    world.watch.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert await world.engine.campaigns(ACME) == []
    assert store.staged == set()


# Operating and reading.


async def test_each_operation_has_a_name_of_its_own(world: World) -> None:
    await world.create("a")
    await world.create("b", csv_of([9]))
    statuses = [
        (await world.engine.start(ACME, "a")).status,
        (await world.engine.pause(ACME, "a")).status,
        (await world.engine.resume(ACME, "a")).status,
        (await world.engine.stop(ACME, "a")).status,
        (await world.engine.operate(ACME, "b", Operation.START)).status,
    ]
    assert statuses == ["running", "paused", "running", "completed", "running"]
    assert await world.engine.delete(ACME, "a") is None  # type: ignore[func-returns-value] # that it gives nothing is the point
    assert [each.id for each in await world.engine.campaigns(ACME)] == ["b"]


@pytest.mark.parametrize("operation", [*Operation])
async def test_i11_what_is_another_accounts_is_not_there(world: World, operation: Operation) -> None:
    await world.put(GLOBEX)
    await world.create("a")
    engine = world.engine
    with pytest.raises(NotFound):
        await engine.operate(GLOBEX, "a", operation)
    reads: list[Any] = [engine.campaign, engine.contacts, engine.rejects, engine.snapshot]
    for read in reads:
        with pytest.raises(NotFound):
            await read(GLOBEX, "a")
    assert await engine.campaigns(GLOBEX) == []
    assert await world.status("a") == "draft"


async def test_a_budget_that_is_used_up_is_said_in_numbers(world: World) -> None:
    await world.put(concurrent_max=7)
    await world.run("a", max_concurrent_calls=5)
    await world.create("b", max_concurrent_calls=3)
    with pytest.raises(BudgetExhausted) as raised:
        await world.engine.start(ACME, "b")
    assert (raised.value.reserved, raised.value.wanted, raised.value.allowed) == (5, 3, 7)


async def test_contacts_are_read_by_status(world: World) -> None:
    await world.run("a", 3, max_concurrent_calls=1)
    await world.until_dialled("a.0.1")
    page = await world.engine.contacts(ACME, "a", status=ContactStatus.PENDING)
    assert [each.position for each in page.contacts] == [1, 2]


async def test_a_snapshot_shows_progress_and_pace(world: World) -> None:
    await world.run("a", 4, max_concurrent_calls=2)
    await until(lambda: len(world.phone.orders) == 2)
    await world.phone.end("a.0.1")
    await until(lambda: len(world.phone.orders) == 3)
    snapshot = await world.engine.snapshot(ACME, "a")
    assert (snapshot.status, snapshot.total, snapshot.completed, snapshot.calls_in_flight) == ("running", 4, 1, 2)
    assert (snapshot.answer_rate, snapshot.calls_per_minute, snapshot.timestamp) == (1.0, 3, NOON)
    assert snapshot.eta == NOON + timedelta(seconds=1 / 3)  # 3 dials in the second that it counts at least
    world.clock.wait(61)
    assert (await world.engine.snapshot(ACME, "a")).calls_per_minute == 0


async def test_events_of_all_campaigns_or_of_one_are_heard(world: World) -> None:
    async with world.engine.events(ACME) as of_all, world.engine.events(ACME, "b") as of_b:
        await world.create("a")
        await world.create("b")
        assert [(await anext(of_all)).campaign_id for _ in range(2)] == ["a", "b"]
        assert (await anext(of_b)).campaign_id == "b"


# What it tells about itself.


class Heard(Unmetered):
    """Keeps what a meter is told."""

    def __init__(self) -> None:
        self.commits: list[tuple[int, float]] = []
        self.sends: list[float] = []
        self.strangers = 0

    def settled(self, decisions: Sequence[Decision], took_s: float) -> None:
        self.commits.append((sum(len(each.attempts) for each in decisions), took_s))

    def sent(self, took_s: float) -> None:
        self.sends.append(took_s)

    def passed_over(self, reports: int) -> None:
        self.strangers += reports


async def test_a_meter_hears_of_every_commit_and_every_send(store: Shelf) -> None:
    meter = Heard()
    async with World(store, meter=meter) as world:
        await world.put()
        await world.run("a", 3)
        await world.until_dialled("a.0.1", "a.1.1", "a.2.1")
        await world.quiet()
        assert len(meter.sends) == 3
        assert sum(count for count, _ in meter.commits) == 6  # claimed, then placed
        assert world.engine.calls_in_flight == 3
        world.phone.end("a.0.1")
        await world.until_closed("a.0.1")
        assert world.engine.calls_in_flight == 2
    assert world.engine.calls_in_flight == 0


async def test_a_meter_hears_of_reports_that_change_nothing(store: Shelf) -> None:
    meter = Heard()
    async with World(store, meter=meter) as world:
        await world.put()
        await world.run("a", 2)
        await world.until_dialled("a.0.1", "a.1.1")
        await world.phone.tell(world.phone.ended("a.0.1"), world.phone.ended("nobody.0.1"))
        assert meter.strangers == 1
        await world.phone.end("a.0.1")
        assert meter.strangers == 2


async def test_a_meter_that_fails_keeps_nobody_from_being_dialled(store: Shelf) -> None:
    class Broken(Unmetered):
        def settled(self, decisions: Sequence[Decision], took_s: float) -> None:
            raise ZeroDivisionError(len(decisions), took_s)

        def sent(self, took_s: float) -> None:
            raise ZeroDivisionError(took_s)

        def passed_over(self, reports: int) -> None:
            raise ZeroDivisionError(reports)

    async with World(store, meter=Broken()) as world:
        await world.put()
        await world.run("a", 2)
        await world.until_dialled("a.0.1", "a.1.1")
        world.phone.end("nobody.0.1")
        world.phone.end("a.0.1")
        world.phone.end("a.1.1")
        await world.until_status("a", "completed")
        assert world.engine.failure is None


async def test_all_is_well_while_nothing_is_in_the_way(world: World) -> None:
    assert await world.engine.troubles() == []


async def test_an_engine_that_is_not_open_dials_nobody(store: Shelf) -> None:
    assert [each.field for each in await World(store).engine.troubles()] == ["engine"]


async def test_a_line_that_can_place_no_call_is_told(world: World) -> None:
    world.phone.trouble = "the line refuses our token: mend line.token"
    assert await world.engine.troubles() == [("line", "the line refuses our token: mend line.token")]


async def test_a_store_that_can_not_be_written_is_told_until_it_can(world: World) -> None:
    world.watch.poison = lambda _: PASSES
    with pytest.raises(AdapterFault):
        await world.run("a")
    assert await world.engine.troubles() == [("store", "the store is locked")]
    world.watch.poison = lambda _: None
    await world.create("b", csv_of([7]))
    assert await world.engine.troubles() == []


async def test_a_store_that_can_not_be_read_is_told(world: World, store: Shelf) -> None:
    async def fail(_: AccountId) -> list[Campaign]:
        raise PASSES

    store.campaigns = fail  # type: ignore[method-assign, assignment] # a double stands in for it
    assert await world.engine.troubles() == [("store", "the store is locked")]


async def test_an_engine_that_has_failed_says_why(world: World) -> None:
    world.watch.fail_next(LASTS, times=10)
    with pytest.raises(AdapterFault):
        await world.put()
    await until(lambda: world.engine.failure)
    assert ("engine", "the store is damaged") in await world.engine.troubles()
