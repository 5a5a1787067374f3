"""The file itself: found, locked, opened, made sure of, brought to this version, and owned."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from kataven_core import AdapterFault

from .faults import translated
from .schema import APPLICATION_ID, MIGRATIONS, VERSION

_SCHEME: Final = "sqlite:///"
_OLDEST: Final = (3, 38, 0)
"""The SQLite that brought the last thing that is needed: ``->>``; STRICT tables came with 3.37."""
_BUSY_TIMEOUT_MS: Final = 1_000
"""How long another program's lock is waited for; then the engine tries again by itself."""
_PRAGMAS: Final = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": _BUSY_TIMEOUT_MS}
"""2 is FULL: with less, a claim that was committed can be lost with the power, and its phone rings twice."""


def sqlite_path(url: str) -> Path:
    """Read the file's name out of ``sqlite:///PATH``: relative behind three slashes, absolute behind four."""
    name = url.removeprefix(_SCHEME)
    if name == url or not name or "?" in name:
        raise AdapterFault(
            "invalid_url", f"{url} names no file: write sqlite:///calls.db, or sqlite:////var/lib/calls.db"
        )
    return Path(name)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file for this process alone, by a lock of the system beside it: it dies with the process."""
    if not path.parent.is_dir():
        raise AdapterFault(
            "store_unopened", f"the store {path} can't be opened: there is no folder {path.parent}; create it"
        )
    if path.is_dir():
        raise AdapterFault("store_unopened", f"the store {path} can't be opened: it is a folder; name a file in it")
    real = path.resolve()
    lock = FileLock(real.with_name(real.name + ".lock"), thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise AdapterFault(
            "store_in_use", f"the store {path} is in use by {_owner(path)}: stop that first, or name another store"
        ) from None
    except OSError as error:
        raise AdapterFault(
            "store_readonly",
            f"the store {path} can't be locked: {error.strerror or error}; give write permission to {path.parent}",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _owner(path: Path) -> str:
    """Say which process has the file open, as far as it can be told."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
            (pid,) = connection.execute("SELECT pid FROM owner").fetchone()
            return f"process {pid}"
    except sqlite3.Error:
        return "another process"


def open_writer(path: Path) -> sqlite3.Connection:
    """Open the file for writing, as its owner; the caller holds the lock."""
    if sqlite3.sqlite_version_info < _OLDEST:
        raise AdapterFault("old_sqlite", f"SQLite {sqlite3.sqlite_version} is too old: 3.38 or later is needed")
    with translated(path):
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            _make_sure_it_is_ours(connection, path)
            _make_sure_it_is_no_newer(connection, path)
            for name, value in _PRAGMAS.items():
                connection.execute(f"PRAGMA {name} = {value}")
            _assert_pragmas(connection, path)
            _migrate(connection)
            connection.execute("UPDATE owner SET pid = ?, epoch = epoch + 1", (os.getpid(),))
        except BaseException:
            connection.close()
            raise
    return connection


def _make_sure_it_is_ours(connection: sqlite3.Connection, path: Path) -> None:
    mark = _pragma(connection, "application_id")
    is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if mark != APPLICATION_ID and not (mark == 0 and is_empty):
        raise AdapterFault("store_foreign", f"the store {path} is a file of another program: name another file")


def _assert_pragmas(connection: sqlite3.Connection, path: Path) -> None:
    for name, value in _PRAGMAS.items():
        found = _pragma(connection, name)
        if found != value:
            sentence = f"the store {path} can't be made safe: {name} is {found} and must be {value}; use a local disk"
            raise AdapterFault("store_unsafe", sentence)


def _make_sure_it_is_no_newer(connection: sqlite3.Connection, path: Path) -> None:
    """Look before anything is changed: a newer version may mean something else by all of it."""
    version = int(_pragma(connection, "user_version"))
    if version > VERSION:
        sentence = (
            f"the store {path} was written by a newer Kataven Core (its version is {version}, this one reads up to "
            f"{VERSION}): install the newer one"
        )
        raise AdapterFault("store_newer", sentence)


def _migrate(connection: sqlite3.Connection) -> None:
    version = int(_pragma(connection, "user_version"))
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number};"
        connection.executescript(f"BEGIN IMMEDIATE; {script} {marks} COMMIT;")


def _pragma(connection: sqlite3.Connection, name: str) -> int | str:
    value: int | str = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
