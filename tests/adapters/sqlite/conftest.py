"""What the tests of the SQLite store share: a look at the file from outside, and at every statement executed."""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import pytest

from kataven_adapters.sqlite import SqliteStore
from kataven_adapters.sqlite.writer import Writer

T = TypeVar("T")
QUICK: Final = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 1}
"""The PRAGMAs, but nobody's lock is waited for."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the store not wait for another program's lock, but fail at once."""
    monkeypatch.setattr("kataven_adapters.sqlite.file._PRAGMAS", QUICK)


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> "Executed":
    """Keep every statement that is executed on connections that are opened from now on."""
    found = Executed()
    connect = sqlite3.connect

    class Listening(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            found.append((sql, parameters))
            return super().execute(sql, parameters)

        def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
            rows = [*parameters]
            found.append((sql, rows[0] if rows else None))
            return super().executemany(sql, rows)

    monkeypatch.setattr(sqlite3, "connect", lambda *args, **more: connect(*args, factory=Listening, **more))
    return found


@pytest.fixture
def failing_commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give what the commits to come fail with, 0 where one does not, on connections that are opened from now on."""
    left: list[int] = []
    connect = sqlite3.connect

    class Failing(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            if sql == "COMMIT" and left and (code := left.pop(0)):
                error = sqlite3.OperationalError("as the disk says")
                error.sqlite_errorcode = code
                raise error
            return super().execute(sql, parameters)

    monkeypatch.setattr(sqlite3, "connect", lambda *args, **more: connect(*args, factory=Failing, **more))
    return left


@pytest.fixture
def lost_answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give what is done in place of the commits to come, which then fail; "" where one does not."""
    left: list[str] = []
    connect = sqlite3.connect

    class Losing(sqlite3.Connection):
        is_deaf = False

        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            if self.is_deaf and sql.startswith("SELECT cycle"):
                raise io_error()
            if sql == "COMMIT" and left and (instead := left.pop(0)):
                self.is_deaf = instead == "COMMIT, and be deaf"
                super().execute(instead.partition(",")[0])
                raise io_error()
            return super().execute(sql, parameters)

    monkeypatch.setattr(sqlite3, "connect", lambda *args, **more: connect(*args, factory=Losing, **more))
    return left


def io_error() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as the disk says")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    return error


class Executed(list[tuple[str, Any]]):
    """Statements with the values that were bound, the first row of many."""

    def take(self) -> list[str]:
        """Give what was executed since this was asked last."""
        taken = [re.sub(r"\s+", " ", sql).strip() for sql, _ in self]
        self.clear()
        return taken


class Outsider:
    """Another program's connection to the file of a store, from which it is looked at, locked or changed."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def read(self, query: str, *inputs: object) -> list[Any]:
        """Give the rows; those of one column as that column's values."""
        rows = self._connection.execute(query, inputs).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]

    def one(self, query: str) -> Any:
        (found,) = self.read(query)
        return found

    def do(self, *statements: str) -> None:
        for statement in statements:
            self._connection.execute(statement)

    def everything(self) -> dict[str, list[Any]]:
        """Give all rows of all tables but the owner's, which says who writes and not what."""
        tables = self.read("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'owner' ORDER BY name")
        return {table: sorted(self.read(f"SELECT * FROM {table}"), key=repr) for table in tables}  # noqa: S608 - the names are the test's own


@pytest.fixture
def outsider(path: Path) -> Iterator[Callable[[], Outsider]]:
    """Give what opens the file from outside."""
    opened: list[Outsider] = []

    def look() -> Outsider:
        opened.append(Outsider(path))
        return opened[-1]

    yield look
    for each in opened:
        each.__exit__()


def writer_of(store: SqliteStore) -> Writer:
    """Give what writes for a store, to see to its connection."""
    return store._writer  # noqa: SLF001 - there is no other way to its connection


async def on_writer(store: SqliteStore, *statements: str) -> list[Any]:
    """Execute statements on the connection that writes; give the first value of each."""

    def execute(connection: sqlite3.Connection) -> list[Any]:
        rows = [connection.execute(statement).fetchone() for statement in statements]
        return [row and row[0] for row in rows]

    return await writer_of(store).run(execute)


async def fill_up(store: SqliteStore) -> None:
    """Let the disk be full: the file does not grow any more."""
    await on_writer(store, "PRAGMA max_page_count = 1")


async def make_room(store: SqliteStore) -> None:
    """Let the disk have room again."""
    await on_writer(store, "PRAGMA max_page_count = 1000000")


def bytes_of(*paths: Path) -> Sequence[bytes | None]:
    """Give what files hold; None for one that is not there."""
    return [path.read_bytes() if path.is_file() else None for path in paths]
