"""The thread that writes, when something goes wrong: nothing is half written, and it goes on when that passes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from tests.adapters.sqlite.conftest import Outsider, fill_up, make_room, on_writer, writer_of

from kataven_adapters.sqlite import SqliteStore
from kataven_adapters.sqlite.staging import discard_step
from kataven_core import (
    AccountView,
    AdapterFault,
    AttemptChange,
    AttemptState,
    CampaignId,
    ContactChange,
    ContactStatus,
    Decision,
    Inputs,
    decide,
)
from kataven_core.testing.host import Host, Onlooker, a_turn
from kataven_core.testing.samples import ACME, GLOBEX, NOON, a_reject, create, ended, operate, put, rows, rows_with

pytestmark = pytest.mark.usefixtures("_impatient")


class Whim(Exception):
    """What no store has ever heard of."""


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    async with SqliteStore(path) as store:
        yield store


@pytest.fixture
async def host(store: SqliteStore) -> Host:
    """Give a store with a running campaign of 300 that has two calls up."""
    host = Host(store)
    for account in (ACME, GLOBEX):
        await host.turn(put(account), account_id=account)
    await host.begin("a", 300, max_concurrent_calls=2)
    assert await host.dial("a") == ["a.0.1", "a.1.1"]
    return host


@pytest.fixture
def other(request: pytest.FixtureRequest, outsider: Callable[[], Outsider]) -> Outsider:
    """Give another program's look at the file in which the host's campaign is."""
    request.getfixturevalue("host")
    return outsider()


async def fails(host: Host, *inputs: Any, **more: Any) -> AdapterFault:
    with pytest.raises(AdapterFault) as raised:
        await host.turn(*inputs, **more)
    return raised.value


def a_large_put(kilobytes: int = 400) -> Any:
    """Give a command that takes so much room in the file."""
    command = put()
    agents = tuple(evolve(agent, name="x" * 1024 * kilobytes) for agent in command.account.agents)
    return evolve(command, account=evolve(command.account, agents=agents))


class TestALock:
    async def test_while_another_program_holds_it_nothing_is_written_and_it_may_pass(
        self, host: Host, path: Path, other: Outsider
    ) -> None:
        other.do("BEGIN IMMEDIATE")
        before = other.everything()
        for _ in range(2):
            fault = await fails(host, ended("a.0.1"), look_at=["a"])
            assert (fault.code, fault.is_retryable, str(path) in fault.message) == ("store_locked", True, True)
        assert other.everything() == before

    async def test_reads_go_on_meanwhile(self, host: Host, other: Outsider) -> None:
        other.do("BEGIN IMMEDIATE")
        assert (await host.counters("a")).calls_in_flight == 2

    @pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
    async def test_when_it_is_released_all_goes_on(self, host: Host, other: Outsider, end: str) -> None:
        other.do("BEGIN IMMEDIATE")
        await fails(host, ended("a.0.1"))
        other.do(end)
        await host.turn(ended("a.0.1"))
        assert (await host.counters("a")).completed == 1

    async def test_uploads_and_removals_tell_the_same_and_go_on_where_they_stood(
        self, host: Host, store: SqliteStore, other: Outsider
    ) -> None:
        await host.stage("b", rows(5), [a_reject(1)])
        other.do("BEGIN IMMEDIATE")
        for job in (store.stage(ACME, CampaignId("b"), rows(1, first=5)), store.discard(ACME, CampaignId("b"))):
            with pytest.raises(AdapterFault) as raised:
                await job
            assert (raised.value.code, raised.value.is_retryable) == ("store_locked", True)
        other.do("COMMIT")
        await store.stage(ACME, CampaignId("b"), rows(1, first=5))
        await host.turn(create("b", 6))
        assert [each.position for each in await host.contacts("b")] == [*range(6)]

    async def test_a_reader_that_looks_long_keeps_nobody_from_writing(self, host: Host, other: Outsider) -> None:
        other.do("BEGIN")
        before = other.everything()
        await host.turn(ended("a.0.1"))
        assert other.everything() == before
        other.do("COMMIT")
        assert other.everything() != before


class TestRemoval:
    async def test_one_that_was_cut_short_is_taken_up_again_until_no_row_is_left(
        self, store: SqliteStore, host: Host
    ) -> None:
        await host.stage("gone", rows(1_500), [a_reject(line) for line in range(2, 1_002)])
        await host.turn(create("gone", 1_500))
        await host.turn(operate("gone", "delete"))
        steps = 0
        while await writer_of(store).run(discard_step, ACME, CampaignId("gone")):
            steps += 1
            (left,) = await on_writer(
                store, "SELECT count(*) FROM contacts WHERE campaign_no = (SELECT no FROM campaigns WHERE id = 'gone')"
            )
            assert [*(await store.agenda()).deleted] == ([(ACME, "gone")] if left else [])
        assert steps == 3
        assert await on_writer(store, "SELECT count(*) FROM rejects") == [0]


class TestAFullDisk:
    async def test_nothing_is_written_and_it_may_pass(
        self, host: Host, store: SqliteStore, path: Path, other: Outsider
    ) -> None:
        await fill_up(store)
        before = other.everything()
        for _ in range(2):
            fault = await fails(host, a_large_put(), ended("a.0.1"), look_at=["a"])
            assert (fault.code, fault.is_retryable) == ("store_full", True)
            assert fault.message == f"the store {path} can't grow, as the disk is full: free some space"
        assert other.everything() == before

    async def test_with_room_again_all_goes_on(self, host: Host, store: SqliteStore) -> None:
        await fill_up(store)
        await fails(host, a_large_put(), ended("a.0.1"))
        await make_room(store)
        await host.turn(a_large_put(), ended("a.0.1"))
        assert (await host.counters("a")).completed == 1
        assert await store.account(ACME) == a_large_put().account

    async def test_no_transaction_is_left_open(self, host: Host, store: SqliteStore, other: Outsider) -> None:
        await fill_up(store)
        await fails(host, a_large_put())
        other.do("BEGIN IMMEDIATE", "COMMIT")
        await host.turn(ended("a.0.1"))
        assert (await host.counters("a")).completed == 1

    async def test_an_upload_that_does_not_fit_is_not_there_in_part(
        self, host: Host, store: SqliteStore, other: Outsider
    ) -> None:
        await fill_up(store)
        before = other.everything()
        with pytest.raises(AdapterFault) as raised:
            await store.stage(ACME, CampaignId("b"), rows(1_000), [a_reject(line) for line in range(1_000)])
        assert (raised.value.code, raised.value.is_retryable) == ("store_full", True)
        assert other.everything() == before
        await make_room(store)
        await host.create("b", 1_000)
        assert (await host.counters("b")).total == 1_000

    async def test_whoever_stops_a_campaign_meanwhile_is_told_or_obeyed(self, host: Host, store: SqliteStore) -> None:
        await fill_up(store)
        try:
            await host.turn(operate("a", "stop"))
        except AdapterFault as fault:
            assert fault.code == "store_full"  # noqa: PT017 - either is right, half of it is not
            expected = ("running", 298, 0)
        else:
            expected = ("completed", 0, 298)
        counters = await host.counters("a")
        assert ((await host.campaign("a")).status, counters.pending, counters.cancelled) == expected
        cancelled = [each for each in await host.contacts("a") if each.status == "cancelled"]
        assert len(cancelled) == expected[2]


def overwrite(path: Path, pages: slice = slice(1, None)) -> None:
    """Damage a file: these pages of it."""
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        for number in range(*pages.indices(size // 4096)):
            file.seek(number * 4096)
            file.write(b"\xa5" * 4096)


class TestADamagedFile:
    async def test_it_is_told_from_trouble_that_passes(self, path: Path, host: Host, store: SqliteStore) -> None:
        await self.damage(path, store)
        fault = await fails(host, ended("a.0.1"), look_at=["a"])
        assert (fault.code, fault.is_retryable, str(path) in fault.message) == ("store_corrupt", False, True)

    async def test_whoever_reads_is_told_too(self, path: Path, host: Host, store: SqliteStore) -> None:
        await self.damage(path, store)
        with pytest.raises(AdapterFault) as raised:
            await host.contacts("a")
        assert (raised.value.code, raised.value.is_retryable) == ("store_corrupt", False)

    async def test_no_transaction_is_left_open(self, path: Path, host: Host, store: SqliteStore) -> None:
        await self.damage(path, store)
        await fails(host, ended("a.0.1"), look_at=["a"])
        with Outsider(path) as other:
            other.do("BEGIN IMMEDIATE", "ROLLBACK")

    async def damage(self, path: Path, store: SqliteStore) -> None:
        """Write all into the file itself, damage it there, and let nobody remember what it was."""
        await self.outside(store, "PRAGMA wal_checkpoint(TRUNCATE)")
        overwrite(path)
        await self.outside(store, "PRAGMA shrink_memory")
        with Outsider(path) as other:  # a write by another makes all that is remembered void
            other.do("PRAGMA user_version = 1")

    async def outside(self, store: SqliteStore, statement: str) -> None:
        """Execute on the connection that writes, in no transaction."""
        writer = writer_of(store)

        def execute() -> None:
            writer._connection.execute(statement).fetchall()  # noqa: SLF001 - the same

        await writer._hop(execute)  # noqa: SLF001 - the same


class TestAJob:
    async def test_one_that_raises_has_changed_nothing(self, store: SqliteStore, other: Outsider) -> None:
        before = other.everything()

        def job(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM contacts")
            connection.execute("UPDATE campaigns SET name = 'other'")
            raise Whim

        with pytest.raises(Whim):
            await writer_of(store).run(job)
        assert other.everything() == before

    @pytest.mark.parametrize("error", [Whim("mine"), KeyError("a"), sqlite3.OperationalError("mine")])
    async def test_what_decide_raises_is_raised_as_it_is(
        self, host: Host, store: SqliteStore, other: Outsider, error: Exception
    ) -> None:
        def refuse(view: AccountView, inputs: Inputs, now: datetime) -> Decision:
            if view.account_id == GLOBEX:
                raise error
            return decide(view, inputs, now)

        before = other.everything()
        with pytest.raises(type(error)) as raised:
            await store.settle([a_turn(ended("a.0.1")), a_turn(account_id=GLOBEX)], refuse, NOON)
        assert raised.value is error
        assert other.everything() == before
        await host.turn(ended("a.0.1"))

    async def test_what_a_row_may_not_be_is_a_fault_and_nothing_is_written(
        self, store: SqliteStore, other: Outsider
    ) -> None:
        before = other.everything()
        with pytest.raises(AdapterFault) as raised:
            await store.stage(ACME, CampaignId("b"), [*rows(2), *rows(1)])
        assert (raised.value.code, raised.value.is_retryable) == ("store_failed", False)
        assert other.everything() == before

    async def test_jobs_are_done_one_after_the_other_in_their_order(self, store: SqliteStore) -> None:
        done: list[int] = []

        def job(_: sqlite3.Connection, number: int) -> None:
            done.append(number)

        await asyncio.gather(*(writer_of(store).run(job, number) for number in range(9)))
        assert done == [*range(9)]


class TestACommit:
    async def test_one_that_fails_leaves_no_transaction_open_and_the_next_cycle_works(
        self, failing_commits: list[int], path: Path
    ) -> None:
        codes = [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_FSYNC]
        names = ["store_locked", "store_full", "store_io"]
        async with SqliteStore(path) as store:
            host = Host(store)
            await host.turn(put())
            await host.begin("a", 3)
            failing_commits += codes
            faults = [await fails(host, look_at=["a"]) for _ in codes]
            assert [(each.code, each.is_retryable) for each in faults] == [(name, True) for name in names]
            with Outsider(path) as other:
                other.do("BEGIN IMMEDIATE", "COMMIT")
                assert other.read("SELECT * FROM attempts") == []
            assert await host.dial("a") == ["a.0.1", "a.1.1", "a.2.1"]

    async def test_one_that_is_durable_counts_though_its_answer_was_lost(
        self, lost_answers: list[str], path: Path
    ) -> None:
        async with SqliteStore(path) as store:
            host = await self.running(store)
            lost_answers += ["COMMIT"]
            assert await host.dial("a") == ["a.0.1", "a.1.1", "a.2.1"]
            assert lost_answers == []
            assert [*await host.open_attempts()] == ["a.0.1", "a.1.1", "a.2.1"]
            lost_answers += ["COMMIT"]
            await host.stage("b", rows_with([7]))
            await host.turn(create("b", 1))
            assert [each.position for each in await host.contacts("b")] == [0]

    async def test_one_that_was_rolled_back_by_the_file_itself_has_changed_nothing(
        self, lost_answers: list[str], path: Path
    ) -> None:
        async with SqliteStore(path) as store:
            host = await self.running(store)
            lost_answers += ["ROLLBACK"]
            fault = await fails(host, look_at=["a"])
            assert (fault.code, fault.is_retryable) == ("store_io", True)
            assert await host.open_attempts() == {}
            assert await host.dial("a") == ["a.0.1", "a.1.1", "a.2.1"]

    async def test_one_of_which_the_file_can_not_tell_is_no_fault_that_passes_by_itself(
        self, lost_answers: list[str], path: Path
    ) -> None:
        async with SqliteStore(path) as store:
            host = await self.running(store)
            lost_answers += ["COMMIT, and be deaf"]
            fault = await fails(host, look_at=["a"])
            assert (fault.code, fault.is_retryable) == ("store_in_doubt", False)
            assert "start the engine anew" in fault.message
            assert str(path) in fault.message

    async def running(self, store: SqliteStore) -> Host:
        host = Host(store)
        await host.turn(put())
        await host.begin("a", 3)
        return host


class TestWhatIsNoLongerThere:
    @pytest.mark.parametrize(
        "change",
        [{"claims": 9}, {"status": ContactStatus.COMPLETED}, {"position": 299_999}],
        ids=["claims", "status", "gone"],
    )
    async def test_a_contact_that_is_not_as_it_was_read_is_stale(
        self, host: Host, other: Outsider, change: dict[str, Any]
    ) -> None:
        first, second = (await host.contacts("a"))[2:4]
        wrong = evolve(second, **change)
        good = ContactChange(first, evolve(first, claims=1))
        await self.is_stale(host, other, contacts=(good, ContactChange(wrong, evolve(wrong, attempts=7))))

    async def test_a_contact_twice_in_a_decision_is_stale(self, host: Host, other: Outsider) -> None:
        contact = (await host.contacts("a"))[2]
        change = ContactChange(contact, evolve(contact, claims=1))
        await self.is_stale(host, other, contacts=(change, change))

    @pytest.mark.parametrize("state", [AttemptState.UNKNOWN, AttemptState.LIVE, AttemptState.DONE])
    async def test_an_attempt_that_is_not_as_it_was_read_is_stale(
        self, host: Host, other: Outsider, state: AttemptState
    ) -> None:
        held = (await host.open_attempts())["a.0.1"]
        wrong = AttemptChange(evolve(held, state=state), evolve(held, call_id="new"))
        good = AttemptChange(held, evolve(held, call_id="known"))
        await self.is_stale(host, other, attempts=(good, wrong))

    async def test_an_attempt_that_nobody_claimed_is_stale(self, host: Host, other: Outsider) -> None:
        held = (await host.open_attempts())["a.0.1"]
        await self.is_stale(host, other, attempts=(AttemptChange(held, evolve(held, n=2)),))

    async def is_stale(self, host: Host, other: Outsider, **changes: Any) -> None:
        onlooker, before = Onlooker(), other.everything()
        fault = await fails(
            host, look_at=["a"], decide=lambda view, inputs, now: evolve(onlooker(view, inputs, now), **changes)
        )
        assert (fault.code, fault.is_retryable) == ("stale", True)
        assert other.everything() == before

    async def test_a_second_open_call_to_a_number_or_a_contact_is_refused_by_the_file_itself(
        self, host: Host, other: Outsider
    ) -> None:
        onlooker, before = Onlooker(), other.everything()
        held = (await host.open_attempts())["a.0.1"]
        for after in (evolve(held, n=2), evolve(held, position=7)):
            new = AttemptChange(None, after)
            fault = await fails(
                host,
                look_at=["a"],
                decide=lambda view, inputs, now, new=new: evolve(onlooker(view, inputs, now), attempts=(new,)),
            )
            assert (fault.code, fault.is_retryable) == ("store_failed", False)
        assert other.everything() == before
