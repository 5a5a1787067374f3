"""The file of a store: made, found, refused with one sentence, held by one process, brought up to this version."""

# ruff: noqa: ASYNC240 - nobody waits while a test looks at a file

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from tests.adapters.sqlite.conftest import Outsider, bytes_of, on_writer

from kataven_adapters.sqlite import SqliteStore, sqlite_store
from kataven_adapters.sqlite.file import sqlite_path
from kataven_adapters.sqlite.schema import APPLICATION_ID, MIGRATIONS, VERSION
from kataven_core import AdapterFault, CampaignId, Counters
from kataven_core.testing.host import Host
from kataven_core.testing.samples import ACME, NOON, create, once, operate, put, rows

BROKEN: Final = "SELECT nothing FROM nowhere;"
SECOND: Final = "ALTER TABLE campaigns ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';"
"""What a later version might add."""


async def open_and_close(path: Path) -> None:
    async with SqliteStore(path):
        pass


async def refused(path: Path) -> AdapterFault:
    with pytest.raises(AdapterFault) as raised:
        await open_and_close(path)
    return raised.value


async def a_life(path: Path) -> Counters:
    """Leave a campaign behind that has dialled one of three."""
    async with SqliteStore(path) as store:
        host = Host(store)
        await host.turn(put())
        await host.begin("a", 3, max_concurrent_calls=1)
        await host.dial("a")
        return await host.counters("a")


class TestOpening:
    async def test_a_file_that_is_not_there_is_made_and_works(self, path: Path) -> None:
        counters = await a_life(path)
        assert (path.is_file(), counters.calls_in_flight) == (True, 1)

    async def test_an_empty_file_becomes_a_store(self, path: Path) -> None:
        path.touch()
        assert (await a_life(path)).total == 3

    async def test_the_connection_that_writes_loses_no_commit_with_the_power(self, path: Path) -> None:
        async with SqliteStore(path) as store:
            pragmas = await on_writer(
                store,
                "PRAGMA journal_mode",
                "PRAGMA synchronous",
                "PRAGMA foreign_keys",
                "PRAGMA application_id",
                "PRAGMA user_version",
            )
        assert pragmas == ["wal", 2, 1, APPLICATION_ID, VERSION]

    async def test_it_is_as_safe_when_it_is_opened_again(self, path: Path) -> None:
        await a_life(path)
        async with SqliteStore(path) as store:
            assert await on_writer(store, "PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA foreign_keys") == [
                "wal",
                2,
                1,
            ]

    async def test_what_a_file_holds_is_there_when_it_is_opened_again(self, path: Path) -> None:
        counters = await a_life(path)
        async with SqliteStore(path) as store:
            assert await Host(store).counters("a") == counters

    async def test_closing_leaves_one_file_with_all_in_it(self, path: Path) -> None:
        await a_life(path)
        assert [each.name for each in path.parent.iterdir() if "-" in each.name] == []

    async def test_a_name_may_hold_what_an_address_may_not(self, tmp_path: Path) -> None:
        for name in ("a#b.db", "100%25.db", "a b?.db", "Zoë.db"):
            counters = await a_life(tmp_path / name)
            async with SqliteStore(tmp_path / name) as store:
                assert await Host(store).counters("a") == counters
                assert (await refused(tmp_path / name)).message.endswith(
                    f"process {os.getpid()}: stop that first, or name another store"
                )

    async def test_reads_never_write(self, path: Path) -> None:
        async with SqliteStore(path) as store:
            with pytest.raises(AdapterFault):
                await store._readers.fetch("DELETE FROM owner")  # noqa: SLF001 - no read of the port writes
            assert await on_writer(store, "SELECT count(*) FROM owner") == [1]


def nothing(_: Path) -> None:
    """Leave the folder as it is."""


def a_folder(path: Path) -> None:
    path.mkdir()


def text(path: Path) -> None:
    path.write_text("phone_number,name\n+14155550100,Ada\n" * 100)


def a_little_text(path: Path) -> None:
    path.write_text("xy")


def another_programs(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('Ode');")


def another_programs_with_its_mark(path: Path) -> None:
    another_programs(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 7")


def another_programs_with_our_tables_names(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE contacts (name TEXT); CREATE TABLE owner (pid); PRAGMA user_version = 1;"
        )


def a_newer_one(path: Path) -> None:
    asyncio.run(a_life(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")


def another_programs_with_no_table_yet(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 7")


def a_newer_ones_backup(path: Path) -> None:
    other = path.with_name("original.db")
    a_newer_one(other)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("VACUUM INTO ?", (str(path),))


def a_store_whose_first_page_is_gone(path: Path) -> None:
    asyncio.run(a_life(path))
    path.write_bytes(b"\xff" * 4096 + path.read_bytes()[4096:])


def a_store_whose_pages_are_overwritten(path: Path) -> None:
    asyncio.run(a_life(path))
    found = path.read_bytes()
    path.write_bytes(found[:4096] + b"\xa5" * (len(found) - 4096))


def a_store_that_was_cut_off(path: Path) -> None:
    asyncio.run(a_life(path))
    path.write_bytes(path.read_bytes()[: 2 * 4096])


REFUSED: Final = {
    "text": (text, "store_corrupt", "is no SQLite file: name another file, or move this one away"),
    "two letters": (a_little_text, "store_corrupt", "is no SQLite file: name another file, or move this one away"),
    "first page": (a_store_whose_first_page_is_gone, "store_corrupt", "is no SQLite file"),
    "other pages": (a_store_whose_pages_are_overwritten, "store_corrupt", "is damaged: restore it from a backup"),
    "cut off": (a_store_that_was_cut_off, "store_corrupt", "is damaged: restore it from a backup"),
    "foreign": (another_programs, "store_foreign", "is a file of another program: name another file"),
    "foreign, marked": (another_programs_with_its_mark, "store_foreign", "is a file of another program"),
    "foreign, alike": (another_programs_with_our_tables_names, "store_foreign", "is a file of another program"),
    "foreign, empty": (another_programs_with_no_table_yet, "store_foreign", "is a file of another program"),
    "newer, backup": (a_newer_ones_backup, "store_newer", f"(its version is {VERSION + 1}, this one reads up to"),
    "newer": (a_newer_one, "store_newer", f"(its version is {VERSION + 1}, this one reads up to {VERSION}): install"),
}
"""What may stand where the store is to be: how it is made, the code of the refusal, and what is to be done."""


class TestAFileThatCanNotBeUsed:
    @pytest.mark.parametrize("kind", REFUSED)
    def test_it_is_refused_with_one_sentence_and_left_as_it_is(self, kind: str, path: Path) -> None:
        make, code, advice = REFUSED[kind]
        make(path)
        before = bytes_of(path)
        fault = asyncio.run(refused(path))
        assert (fault.code, fault.is_retryable) == (code, False)
        assert fault.message.startswith(f"the store {path} ")
        assert advice in fault.message
        assert "\n" not in fault.message
        assert bytes_of(path) == before

    @pytest.mark.parametrize("kind", REFUSED)
    def test_what_refused_it_holds_it_no_longer(self, kind: str, path: Path) -> None:
        REFUSED[kind][0](path)
        asyncio.run(refused(path))
        path.unlink()
        assert asyncio.run(a_life(path)).total == 3

    async def test_what_another_program_wrote_before_it_was_killed_stays_in_its_file(self, path: Path) -> None:
        other = path.with_name("original.db")
        with closing(sqlite3.connect(other)) as connection:
            connection.executescript("PRAGMA journal_mode = wal; CREATE TABLE songs (title TEXT);")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("INSERT INTO songs VALUES ('Ode')")
            connection.commit()
            for end in ("", "-wal"):
                path.with_name(path.name + end).write_bytes(other.with_name(other.name + end).read_bytes())
        assert (await refused(path)).code == "store_foreign"
        with Outsider(path) as outsider:
            assert outsider.everything() == {"songs": ["Ode"]}

    async def test_a_folder_that_is_not_there_is_to_be_created(self, tmp_path: Path) -> None:
        fault = await refused(tmp_path / "none" / "calls.db")
        assert fault.code == "store_unopened"
        assert fault.message == (
            f"the store {tmp_path}/none/calls.db can't be opened: there is no folder {tmp_path}/none; create it"
        )
        assert [*tmp_path.iterdir()] == []

    async def test_a_file_in_place_of_the_folder_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        fault = await refused(tmp_path / "file" / "calls.db")
        assert (fault.code, str(tmp_path / "file" / "calls.db") in fault.message) == ("store_unopened", True)

    async def test_a_folder_is_no_store(self, path: Path) -> None:
        path.mkdir()
        fault = await refused(path)
        assert (fault.code, fault.message) == (
            "store_unopened",
            f"the store {path} can't be opened: it is a folder; name a file in it",
        )
        assert [*path.iterdir()] == []

    async def test_a_lock_that_can_not_be_taken_says_which_folder_to_mend(self, path: Path) -> None:
        path.with_name("calls.db.lock").mkdir()
        fault = await refused(path)
        assert fault.code == "store_readonly"
        assert fault.message.startswith(f"the store {path} can't be locked: ")
        assert fault.message.endswith(f"; give write permission to {path.parent}")
        assert not path.exists()

    @pytest.mark.parametrize("beside", ["calls.db-wal", "calls.db-shm"])
    async def test_a_file_beside_it_that_can_not_be_written_is_a_fault(self, path: Path, beside: str) -> None:
        path.with_name(beside).mkdir()
        fault = await refused(path)
        assert fault.code in {"store_unopened", "store_io", "store_readonly", "store_unsafe"}
        assert fault.message.startswith(f"the store {path} ")

    @pytest.mark.parametrize("device", ["/dev/full", "/dev/null"])
    async def test_a_device_is_no_store(self, tmp_path: Path, device: str) -> None:
        path = tmp_path / "calls.db"
        path.symlink_to(device)
        with pytest.MonkeyPatch.context() as patch:  # the lock lies beside the file: in /dev it is none of ours
            patch.setattr(Path, "resolve", lambda self: self)
            fault = await refused(path)
        assert fault.message.startswith(f"the store {path} ")

    async def test_what_can_not_keep_a_safe_journal_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        fault = await refused(Path(":memory:"))
        assert fault.code == "store_unsafe"
        assert "journal_mode is memory and must be wal" in fault.message

    async def test_an_old_sqlite_is_refused_by_its_version(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
        fault = await refused(path)
        assert (fault.code, "3.38 or later is needed" in fault.message) == ("old_sqlite", True)
        assert not path.exists()


HOLDER: Final = """
import asyncio, sys
from kataven_adapters.sqlite import SqliteStore

async def hold():
    async with SqliteStore(sys.argv[1]):
        print("open", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)

asyncio.run(hold())
"""


@contextmanager
def another_process(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Have a process that holds the store open until it is told something."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "open\n"
            yield process
        finally:
            process.kill()


class TestOneProcess:
    async def test_a_second_store_on_the_file_is_told_who_has_it(self, path: Path) -> None:
        async with SqliteStore(path):
            fault = await refused(path)
        assert fault.code == "store_in_use"
        assert (
            fault.message
            == f"the store {path} is in use by process {os.getpid()}: stop that first, or name another store"
        )
        await open_and_close(path)

    async def test_another_process_has_it_until_it_closes_it(self, path: Path) -> None:
        with another_process(path) as process:
            fault = await refused(path)
            assert (fault.code, f"process {process.pid}:" in fault.message) == ("store_in_use", True)
            process.communicate("close\n")
            await open_and_close(path)

    async def test_another_process_has_it_until_it_is_killed(self, path: Path) -> None:
        counters = await a_life(path)
        with another_process(path) as process:
            assert (await refused(path)).code == "store_in_use"
            process.send_signal(signal.SIGKILL)
            process.wait()
            async with SqliteStore(path) as store:
                assert await Host(store).counters("a") == counters

    async def test_it_is_the_same_file_by_whatever_name(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = path.with_name("elsewhere")
        folder.mkdir()
        (folder / "link.db").symlink_to(path)
        path.with_name("folder").symlink_to(path.parent)
        monkeypatch.chdir(folder)
        names = [Path("link.db"), Path("../calls.db"), folder / "link.db", path.with_name("folder") / "calls.db"]
        async with SqliteStore(path):
            for name in names:
                fault = await refused(name)
                assert (fault.code, str(os.getpid()) in fault.message) == ("store_in_use", True)
        for name in names:
            async with SqliteStore(name):
                assert (await refused(path)).code == "store_in_use"

    async def test_a_link_to_a_file_that_is_not_there_yet_makes_that_file(self, path: Path) -> None:
        link = path.with_name("link.db")
        link.symlink_to(path)
        async with SqliteStore(link):
            assert (await refused(path)).code == "store_in_use"
        assert path.is_file()

    async def test_a_file_that_is_refused_can_be_closed_by_whoever_has_it(self, path: Path) -> None:
        async with AsyncExitStack() as open_:
            store = await open_.enter_async_context(SqliteStore(path))
            await refused(path)
            await Host(store).turn(put())
        async with SqliteStore(path) as store:
            assert (await store.account(ACME)).id == ACME

    async def test_the_epoch_rises_by_one_whenever_it_is_opened(self, path: Path) -> None:
        epochs = []
        for _ in range(3):
            async with SqliteStore(path) as store:
                epochs += await on_writer(store, "SELECT epoch FROM owner WHERE pid > 0")
        assert epochs == [1, 2, 3]

    async def test_every_cycle_is_counted(self, path: Path) -> None:
        async with SqliteStore(path) as store:
            before = await on_writer(store, "SELECT cycle FROM owner")
            await Host(store).turn()
            await Host(store).turn()
            assert await on_writer(store, "SELECT cycle FROM owner") == [before[0] + 3]

    @pytest.mark.parametrize("step", ["settle", "stage", "discard"])
    async def test_whoever_was_followed_by_another_owner_can_not_write_any_more(self, path: Path, step: str) -> None:
        async with SqliteStore(path) as store:
            host = Host(store)
            await host.turn(put())
            await host.begin("a", 3)
            await host.stage("b", rows(3))
            steps: dict[str, Callable[[], Awaitable[Any]]] = {
                "settle": lambda: host.turn(operate("a", "pause"), create("b", 3)),
                "stage": lambda: host.stage("c", rows(3)),
                "discard": lambda: store.discard(ACME, CampaignId("b")),
            }
            with Outsider(path) as other:
                other.do("UPDATE owner SET epoch = epoch + 1, pid = 4711")
                before, cycles = other.everything(), other.one("SELECT cycle FROM owner")
                for _ in range(2):
                    with pytest.raises(AdapterFault) as raised:
                        await steps[step]()
                    assert (raised.value.code, raised.value.is_retryable) == ("store_taken", False)
                    assert str(path) in raised.value.message
                assert other.everything() == before
                assert other.one("SELECT cycle FROM owner") == cycles

    async def test_whoever_was_followed_can_still_read(self, path: Path) -> None:
        async with SqliteStore(path) as store:
            await Host(store).turn(put())
            with Outsider(path) as other:
                other.do("UPDATE owner SET epoch = epoch + 1")
            assert (await store.account(ACME)).id == ACME


class TestTheAddress:
    @pytest.mark.parametrize(
        ("url", "path"),
        [
            ("sqlite:///calls.db", "calls.db"),
            ("sqlite:///data/calls.db", "data/calls.db"),
            ("sqlite:////var/lib/calls.db", "/var/lib/calls.db"),
            ("sqlite:///./a b%20.db", "a b%20.db"),
        ],
    )
    def test_three_slashes_are_relative_and_four_absolute(self, url: str, path: str) -> None:
        assert sqlite_path(url) == Path(path)

    @pytest.mark.parametrize(
        "url",
        ["sqlite:///", "sqlite://", "sqlite:", "", "calls.db", "sqlite://calls.db", "postgresql:///calls",
         "sqlite:///calls.db?mode=ro", "SQLITE:///calls.db"],
    )  # fmt: skip
    def test_what_names_no_file_is_a_fault_that_shows_how_to_write_it(self, url: str) -> None:
        with pytest.raises(AdapterFault) as raised:
            sqlite_store(url)
        assert raised.value.code == "invalid_url"
        assert raised.value.message == (
            f"{url} names no file: write sqlite:///calls.db, or sqlite:////var/lib/calls.db"
        )

    async def test_the_store_of_an_address_is_in_that_file(self, path: Path) -> None:
        async with sqlite_store(f"sqlite:///{path}") as store:
            await Host(store).turn(put())
        assert path.is_file()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give what adds a script to the migrations, as the next version."""

    def add(script: str) -> None:
        monkeypatch.setattr("kataven_adapters.sqlite.file.MIGRATIONS", (*MIGRATIONS, script))
        monkeypatch.setattr("kataven_adapters.sqlite.file.VERSION", VERSION + 1)

    return add


class TestVersions:
    async def test_a_new_file_goes_through_all_versions_to_the_newest(
        self, path: Path, later: Callable[[str], None]
    ) -> None:
        later(SECOND)
        assert (await a_life(path)).total == 3
        with Outsider(path) as other:
            assert other.one("PRAGMA user_version") == VERSION + 1
            assert other.one("SELECT colour FROM campaigns") == "red"

    async def test_a_file_of_an_older_version_is_brought_up_with_all_that_it_holds(
        self, path: Path, later: Callable[[str], None]
    ) -> None:
        counters = await a_life(path)
        later(SECOND)
        async with SqliteStore(path) as store:
            assert await Host(store).counters("a") == counters
            assert len(await Host(store).contacts("a")) == 3
            await Host(store).turn(operate("a", "pause"))
        with Outsider(path) as other:
            assert other.read("SELECT id, colour, status FROM campaigns") == [("a", "red", "paused")]
            assert (other.one("PRAGMA user_version"), other.one("PRAGMA application_id")) == (
                VERSION + 1,
                APPLICATION_ID,
            )

    async def test_a_file_is_brought_up_once(self, path: Path, later: Callable[[str], None]) -> None:
        await a_life(path)
        later(SECOND)
        await open_and_close(path)
        await open_and_close(path)
        with Outsider(path) as other:
            assert other.one("PRAGMA user_version") == VERSION + 1

    @pytest.mark.parametrize("script", [f"{SECOND} {BROKEN}", f"{SECOND} UPDATE owner SET pid = 'x';"])  # noqa: S608 - the names are the test's own
    async def test_a_version_that_can_not_be_reached_leaves_the_file_as_it_was(
        self, path: Path, later: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, script: str
    ) -> None:
        counters = await a_life(path)
        with Outsider(path) as other:
            before = other.everything()
        later(script)
        fault = await refused(path)
        assert (fault.code, fault.is_retryable) == ("store_failed", False)
        assert fault.message.startswith(f"the store {path} failed: ")
        with Outsider(path) as other:
            assert (other.one("PRAGMA user_version"), other.everything()) == (VERSION, before)
        monkeypatch.undo()
        async with SqliteStore(path) as store:
            assert await Host(store).counters("a") == counters

    async def test_a_new_file_that_can_not_be_brought_up_is_no_half_store(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kataven_adapters.sqlite.file.MIGRATIONS", (MIGRATIONS[0] + BROKEN,))
        assert (await refused(path)).code == "store_failed"
        with Outsider(path) as other:
            assert (other.one("PRAGMA user_version"), other.everything()) == (0, {})
        monkeypatch.undo()
        assert (await a_life(path)).total == 3

    async def test_a_file_of_ours_that_holds_no_table_yet_gets_them(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        assert (await a_life(path)).total == 3

    async def test_the_first_version_is_the_one_that_files_have(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(
                f"{MIGRATIONS[0]} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;"
            )
        assert (await a_life(path)).last_dial_at == NOON

    async def test_a_file_of_the_first_version_gets_receipts_and_keeps_what_it_holds(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("kataven_adapters.sqlite.file.MIGRATIONS", MIGRATIONS[:1])
            counters = await a_life(path)
        with Outsider(path) as other:
            assert (other.one("PRAGMA user_version"), "receipts" in other.everything()) == (1, False)
        async with SqliteStore(path) as store:
            host = Host(store)
            assert await host.counters("a") == counters
            assert await store.receipt(ACME, "POST /a", "key") is None
            decision = await host.turn(once(operate("a", "pause")))
            assert await store.receipt(ACME, "POST /a", "key") == decision.receipts[0]
        with Outsider(path) as other:
            assert (other.one("PRAGMA user_version"), len(other.everything()["receipts"])) == (VERSION, 1)
