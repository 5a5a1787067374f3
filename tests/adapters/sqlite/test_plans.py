"""How SQL finds its rows: by index, never by looking at all of them, in as many statements for much as for little."""

import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from tests.adapters.sqlite.conftest import Executed, writer_of

from kataven_adapters.sqlite import SqliteStore, queries, staging, statements, writing
from kataven_adapters.sqlite.schema import MIGRATIONS
from kataven_core import AccountId, CampaignId, ContactStatus, Outcome, decide
from kataven_core.ports import MAX_STAGED_ROWS
from kataven_core.testing.host import Host, a_turn
from kataven_core.testing.samples import ACME, GLOBEX, NOON, a_reject, create, ended, once, operate, put, rows

MODULES: Final = (statements, queries, staging, writing)
BEGINNING: Final = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
SCANNED_AS_A_WHOLE: Final[Mapping[str, tuple[str, str]]] = {
    "queries.OPEN_ATTEMPTS": ("a USING INDEX attempts_open_", "at the start: an index of open attempts only"),
    "queries.TO_GO_ON_WITH": ("campaigns USING INDEX campaigns_(running|scheduled)", "at the start: of these only"),
    "queries.PAGE_IN_STATUS": ("k", "the hundred contacts of a page"),
    "staging._STAGE_ONE": ("given", "the rows that come with it"),
    "staging._STAGE_MANY": ("given", "the rows that come with it"),
    "queries.DELETED": ("c USING INDEX campaigns_deleted", "at the start: an index of deleted campaigns only"),
    "statements.OPEN": ("a USING INDEX attempts_open_", "at the start, and after a failure: of open attempts only"),
    "uploads": ("uploads", "at the start: only what a process that died has left"),
    "owner": ("owner", "a table of one row"),
}
"""What may look at all rows of a table or an index: statement, what it looks at, and why it may."""
BY_INDEX: Final = {
    "statements.ACCOUNTS": {"o": "attempts_open_number", "c": "campaigns_running", "s": "campaigns_scheduled"},
    "statements.REPORTED": {"a": "PRIMARY KEY (campaign_no=? AND position=? AND n=?)"},
    "statements.CAMPAIGNS": {"n": "INTEGER PRIMARY KEY (rowid=?)"},
    "statements.RECEIPTS": {"r": "PRIMARY KEY (account_id=? AND scope=? AND key=?)"},
    "statements.RETRIES": {"k": "contacts_retry (campaign_no=? AND (next_attempt_at,position)>(?,?))"},
    "statements.FRESH": {"k": "contacts_fresh (campaign_no=? AND position>?)"},
    "statements.NEXT_RETRY": {"k": "contacts_retry (campaign_no=? AND next_attempt_at>?)"},
    "queries.NEWEST": {"c": "campaigns_newest"},
    "queries.PAGE": {"s": "PRIMARY KEY (campaign_no=? AND position>? AND position<?)"},
    "queries.DIALS": {"a": "attempts_claimed (campaign_no=? AND claimed_at>?)"},
    "queries.RECEIPT_OF": {"r": "PRIMARY KEY (account_id=? AND scope=? AND key=?)"},
    "writing.FORGET": {"receipts": "receipts_oldest (account_id=? AND at<?)"},
    "writing.CHANGE": {"contacts": "PRIMARY KEY (campaign_no=? AND position=?)"},
    "writing.REPORT": {"attempts": "PRIMARY KEY (campaign_no=? AND position=? AND n=?)"},
}
"""The index by which a statement must find the rows of a table, where another one would look at too many."""


def written_in(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield the statements of a module, by name; a frame into which others are set is none."""
    for name, value in vars(module).items():
        if isinstance(value, str) and BEGINNING.match(value) and "{}" not in value:
            yield f"{module.__name__.rpartition('.')[2]}.{name}", value


STATEMENTS: Final = dict(each for module in MODULES for each in written_in(module))


@pytest.fixture
def tables() -> Iterator[sqlite3.Connection]:
    """Give 2,000 contacts of eight campaigns, some of which were dialled; ANALYZE was never run."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript("".join(MIGRATIONS))
        for no in range(1, 9):
            status, is_deleted = ("running", "paused", "scheduled", "draft")[no % 4], int(no == 8)
            connection.execute(
                "INSERT INTO campaigns VALUES (?, ?, ?, 'n', 'a', 'p', ?, 5, 1, 60, 1, 1, NULL, ?, 'k', ?)",
                (no, f"account{no % 3}", f"c{no}", status, no, is_deleted),
            )
            connection.execute(
                "INSERT INTO counters VALUES (?, 250, 0, 0, 0, 0, 0, 0, 0, '{}', NULL, 1)",
                (no,),
            )
        connection.executemany(
            "INSERT INTO contacts VALUES (?, ?, ?, '{}', ?, 0, 0, NULL, NULL, ?, NULL)",
            [
                (1 + n % 8, n // 8, f"+1415{n:07}", ("pending", "completed")[n % 3 == 0], n if n % 5 == 0 else None)
                for n in range(2_000)
            ],
        )
        connection.executemany(
            "INSERT INTO attempts VALUES (?, ?, 1, ?, ?, ?, ?, NULL, NULL, NULL, NULL, NULL)",
            [
                (1 + n % 8, n // 8, f"account{(1 + n % 8) % 3}", f"+1415{n:07}", n, ("done", "live")[n % 7 == 0])
                for n in range(2_000)
            ],
        )
        connection.executemany(
            "INSERT INTO receipts VALUES (?, ?, ?, 'f', '', '{}', ?)",
            [(f"account{n % 3}", f"s{n % 5}", f"k{n}", n) for n in range(2_000)],
        )
        yield connection


def blanks(statement: str) -> Any:
    """Give as many inputs as a statement takes."""
    if names := re.findall(r":([a-z_]+)", statement):
        return dict.fromkeys(names)
    return [None] * statement.count("?")


def plan(connection: sqlite3.Connection, statement: str, inputs: Any = None) -> list[str]:
    given = blanks(statement) if inputs is None else inputs
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", given)]


def whole_looks(steps: list[str]) -> list[str]:
    """Give the steps that look at every row of a table or an index, or sort what they found."""
    return [
        step
        for step in steps
        if (step.startswith("SCAN ") and "VIRTUAL TABLE" not in step and "CONSTANT ROW" not in step)
        or "USE TEMP B-TREE" in step
        or "AUTOMATIC" in step
    ]


def way_to(steps: list[str], table: str) -> list[str]:
    """Give the steps that find rows of a table, by the name that it has in the statement."""
    return [step for step in steps if re.match(rf"(SEARCH|SCAN) {table}\b", step)]


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_input_has_a_number(name: str) -> None:
    """Python up to 3.12.3 warns of them, wrongly (gh-117995), and a host's tests may take warnings for errors."""
    assert not re.search(r"\?\d", STATEMENTS[name])


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_looks_at_all_rows(name: str, tables: sqlite3.Connection) -> None:
    allowed, _ = SCANNED_AS_A_WHOLE.get(name, ("nothing", ""))
    steps = whole_looks(plan(tables, STATEMENTS[name]))
    assert [step for step in steps if not re.match(f"SCAN {allowed}", step)] == []


@pytest.mark.parametrize("name", BY_INDEX)
def test_rows_are_found_by_the_index_that_was_made_for_them(name: str, tables: sqlite3.Connection) -> None:
    steps = plan(tables, STATEMENTS[name])
    for table, index in BY_INDEX[name].items():
        found = way_to(steps, table)
        assert found
        assert [step for step in found if index not in step] == []


def test_every_exception_is_of_a_statement_that_is_there_and_needs_it(tables: sqlite3.Connection) -> None:
    named = SCANNED_AS_A_WHOLE.keys() & STATEMENTS.keys()
    assert SCANNED_AS_A_WHOLE.keys() - named == {"uploads", "owner"}
    assert [name for name in named if not whole_looks(plan(tables, STATEMENTS[name]))] == []
    assert BY_INDEX.keys() <= STATEMENTS.keys()


@pytest.mark.parametrize(
    ("index", "name", "table"),
    [
        ("attempts_open_number", "statements.ACCOUNTS", "o"),
        ("campaigns_running", "statements.ACCOUNTS", "c"),
        ("campaigns_newest", "queries.NEWEST", "c"),
        ("attempts_claimed", "queries.DIALS", "a"),
        ("campaigns_scheduled", "statements.ACCOUNTS", "s"),
        ("receipts_oldest", "writing.FORGET", "receipts"),
    ],
)
def test_a_statement_that_loses_its_index_is_found_out(
    index: str, name: str, table: str, tables: sqlite3.Connection
) -> None:
    tables.execute(f"DROP INDEX {index}")
    steps = plan(tables, STATEMENTS[name])
    assert [step for step in way_to(steps, table) if BY_INDEX[name][table] in step] == []


def test_a_table_that_is_looked_through_is_found_out(tables: sqlite3.Connection) -> None:
    tables.execute("DROP INDEX attempts_open_number")
    assert [step[:6] for step in whole_looks(plan(tables, STATEMENTS["statements.ACCOUNTS"]))] == ["SCAN o"]
    assert whole_looks(plan(tables, "SELECT * FROM contacts ORDER BY phone_number")) == [
        "SCAN contacts",
        "USE TEMP B-TREE FOR ORDER BY",
    ]


async def test_nothing_that_a_store_executes_in_a_whole_story_looks_at_all_rows(path: Path, executed: Executed) -> None:
    async with SqliteStore(path) as store:
        host = Host(store)
        await live(host)
        await let_80_wait_for_a_retry(host)
        await store.stage(ACME, CampaignId("left"), rows(3), [a_reject(1)])
    async with SqliteStore(path) as store:
        await store.campaign(ACME, CampaignId("a"))  # which this process has not changed
        again = Host(store)
        again.now = host.now
        again.wait(3_600)
        await again.turn(
            ended("a.0.1"), look_at=["busy"]
        )  # of an attempt that is over, and of more than are read ahead
    told = {sql: inputs for sql, inputs in executed if BEGINNING.match(sql) and inputs is not None}
    assert {*STATEMENTS.values()} - told.keys() == set()
    allowed = [f"SCAN {what}" for what, _ in SCANNED_AS_A_WHOLE.values()]
    with closing(sqlite3.connect(path)) as connection:
        steps = {
            sql: whole_looks(plan(connection, sql, inputs)) for sql, inputs in told.items() if "sqlite_" not in sql
        }
    assert [step for each in steps.values() for step in each if not any(re.match(one, step) for one in allowed)] == []


async def live(host: Host) -> None:
    """Do everything with a store that can be done."""
    for account in (ACME, GLOBEX):
        await host.turn(put(account), account_id=account)
    await host.stage("a", rows(30), [a_reject(1)])
    await host.turn(create("a", 30, max_concurrent_calls=5, retries_per_contact=1), operate("a", "start"))
    up = await host.dial("a")
    await host.turn(ended(up[0]), ended(up[1], Outcome.BUSY))
    await host.begin("same", rows(30), max_concurrent_calls=2)
    await host.dial("same")
    host.wait(1_000)
    await host.dial("a")
    name = CampaignId("a")
    for status in (None, ContactStatus.PENDING):
        await host.store.contacts(ACME, name, status=status)
    await host.store.rejects(ACME, name)
    await host.store.dials_since(ACME, name, NOON)
    await host.store.account(ACME)
    await host.store.campaigns(ACME)
    await host.store.campaign(ACME, name)
    await host.turn(once(operate("same", "stop")), operate("same", "delete"))
    await host.store.receipt(ACME, "POST /a", "key")
    await host.store.agenda()
    await host.store.discard(ACME, CampaignId("same"))
    for attempt in [*await host.open_attempts()]:
        await host.turn(ended(attempt))
    await host.store.discard(ACME, CampaignId("same"))


async def let_80_wait_for_a_retry(host: Host) -> None:
    staged = rows(80, first=5_000)
    await host.begin(
        "busy", [row._replace(position=n) for n, row in enumerate(staged)],
        max_concurrent_calls=40, retries_per_contact=1, retry_delay_seconds=3_600,
    )  # fmt: skip
    for _ in range(2):
        await host.turn(*(ended(each, Outcome.BUSY, at=host.now) for each in await host.dial("busy")))


class TestACycle:
    """One transaction, however much has come in."""

    async def test_200_reports_of_three_accounts_take_the_statements_that_three_take_and_one_for_each_campaign(
        self, path: Path, executed: Executed
    ) -> None:
        accounts = [AccountId(name) for name in ("acme", "globex", "initech")]
        async with SqliteStore(path) as store:
            host = Host(store)
            up: dict[AccountId, list[str]] = {}
            for account in accounts:
                await host.turn(put(account), account_id=account)
                names = ("a", "b", "c", "d", "e") if account == ACME else (account,)
                for index, name in enumerate(names):
                    staged = rows(300, first=1_000 * index)
                    await host.begin(
                        name, [row._replace(position=n) for n, row in enumerate(staged)], account_id=account,
                        max_concurrent_calls=80, retries_per_contact=1,
                    )  # fmt: skip
                up[account] = await host.dial(*names, account_id=account)
            executed.take()
            small = [a_turn(ended(up[each].pop()), account_id=each) for each in accounts]
            await store.settle(small, decide, NOON)
            for_few = executed.take()
            large = [a_turn(*map(ended, up[each][-66:]), account_id=each) for each in accounts]
            large[0] = a_turn(*map(ended, up[ACME][::6]), *map(ended, up[ACME][1:2]), account_id=ACME)
            decisions = await store.settle(large, decide, NOON)
            for_many = executed.take()
        assert sum(len(each.attempts) for each in decisions) >= 200
        assert {change.after.campaign_id for change in decisions[0].attempts} == {*"abcde"}
        ahead = [sql for sql in for_many if "contacts_fresh" in sql]
        assert len(ahead) <= len([*"abcde", "globex", "initech"])
        assert sorted(sql for sql in for_many if sql not in ahead) == sorted(for_few)

    async def test_claims_reports_and_commands_of_one_cycle_are_at_most_two_dozen_statements(
        self, path: Path, executed: Executed
    ) -> None:
        async with SqliteStore(path) as store:
            host = Host(store)
            await host.turn(put())
            await host.begin("a", 300, max_concurrent_calls=100, retries_per_contact=1)
            up = await host.dial("a")
            await host.stage("b", [row._replace(position=n) for n, row in enumerate(rows(9, first=900))])
            executed.take()
            made = once(create("b", 9)), once(operate("b", "start"), "other")
            await host.turn(put(), *map(ended, up), *made, look_at=["a"])
            assert len(executed.take()) <= 24

    async def test_200_keys_of_two_accounts_take_the_statements_that_two_take(
        self, path: Path, executed: Executed
    ) -> None:
        async with SqliteStore(path) as store:
            for account in (ACME, GLOBEX):
                await Host(store).turn(put(account), account_id=account)
                await Host(store).turn(account_id=account)  # what is held is read
            counts = []
            for name, many in (("few", 1), ("many", 100)):
                asked = {
                    each: [once(create(f"{each}-{name}{n}", 0), f"{name}{n}") for n in range(many)]
                    for each in (ACME, GLOBEX)
                }
                for _ in range(2):
                    executed.take()
                    turns = [a_turn(*commands, account_id=each) for each, commands in asked.items()]
                    await store.settle(turns, decide, NOON)
                    counts.append(len(executed.take()))
        assert counts[:2] == counts[2:]

    async def test_no_receipt_is_looked_for_where_no_key_is_named(self, path: Path, executed: Executed) -> None:
        async with SqliteStore(path) as store:
            await Host(store).turn(put())
            executed.take()
            await Host(store).turn(create("a", 0))
            assert [sql for sql in executed.take() if "receipts" in sql] == []


class TestWork:
    """What a cycle costs, counted in steps of SQLite's machine, which are the same on every computer."""

    async def test_50_claims_take_the_same_work_however_many_contacts_wait(self, tmp_path: Path) -> None:
        few, many = [await self.claim_50(tmp_path / f"{count}.db", count, 100) for count in (500, 5_000)]
        assert many <= 1.3 * few

    async def test_50_claims_take_the_same_work_however_many_contacts_have_come_to_their_end(
        self, tmp_path: Path
    ) -> None:
        few, many = [await self.claim_50(tmp_path / f"{done}.db", 500, done) for done in (0, 5_000)]
        assert many <= 1.3 * few

    async def test_50_retries_take_the_same_work_however_many_wait_for_a_later_time(self, tmp_path: Path) -> None:
        few, many = [await self.retry_50(tmp_path / f"{later}.db", later) for later in (100, 5_000)]
        assert many <= 1.3 * few

    async def test_a_report_takes_the_same_work_however_many_attempts_there_were(self, tmp_path: Path) -> None:
        few, many = [await self.end_one(tmp_path / f"{done}.db", done) for done in (100, 5_000)]
        assert many <= 1.3 * few

    async def claim_50(self, path: Path, waiting: int, done: int) -> int:
        """Claim 50 of those that wait behind those that were called already."""
        async with SqliteStore(path) as store:
            host = await self.running(store, waiting + done)
            await self.change(store, "UPDATE contacts SET status = 'completed' WHERE position < ?", done)
            return await self.steps(store, lambda: self.dialled(host, 50))

    async def retry_50(self, path: Path, later: int) -> int:
        async with SqliteStore(path) as store:
            host = await self.running(store, 100 + later)
            await self.change(store, "UPDATE contacts SET next_attempt_at = position * ?", 10**9)
            await self.change(
                store,
                "UPDATE contacts SET next_attempt_at = next_attempt_at + 4000000000000000 WHERE position >= ?",
                100,
            )
            return await self.steps(store, lambda: self.dialled(host, 50))

    async def end_one(self, path: Path, done: int) -> int:
        async with SqliteStore(path) as store:
            host = await self.running(store, done + 50)
            await self.dialled(host, 50)
            await self.change(
                store,
                "INSERT INTO attempts SELECT campaign_no, position, 1, 'acme', phone_number, 0, 'done', NULL, NULL, "
                "NULL, 'answered', 0.0 FROM contacts WHERE position >= ?",
                50,
            )
            await self.change(store, "UPDATE contacts SET status = 'completed' WHERE position >= ?", 50)

            async def end() -> None:
                await host.turn(ended("a.7.1"))

            return await self.steps(store, end)

    async def running(self, store: SqliteStore, contacts: int) -> Host:
        host = Host(store)
        await host.turn(put())
        await host.begin("a", contacts, max_concurrent_calls=50)
        return host

    async def dialled(self, host: Host, count: int) -> None:
        assert len(await host.dial("a")) == count

    async def change(self, store: SqliteStore, statement: str, value: int) -> None:
        """Change rows behind the store's back, which then has to read them again."""
        writer_of(store).held.forget()
        await writer_of(store).run(lambda connection: connection.execute(statement, (value,)).rowcount)

    async def steps(self, store: SqliteStore, do: Callable[[], Awaitable[None]]) -> int:
        """Count the steps that SQLite's machine takes meanwhile on the connection that writes."""
        count = 0

        def tick() -> int:
            nonlocal count
            count += 1
            return 0

        await writer_of(store).run(lambda connection: connection.set_progress_handler(tick, 10))
        await do()
        await writer_of(store).run(lambda connection: connection.set_progress_handler(None, 0))
        return count


def test_staging_takes_no_more_rows_in_a_step_than_a_step_may_bring() -> None:
    assert staging.STEP_ROWS <= MAX_STAGED_ROWS
