"""SQLite's errors as the port's: one sentence that says what to mend, and whether it may pass by itself."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kataven_core import AdapterFault

_FAULTS = {
    sqlite3.SQLITE_BUSY: ("store_locked", "is locked by another program: close what else has it open", True),
    sqlite3.SQLITE_LOCKED: ("store_locked", "is locked by another program: close what else has it open", True),
    sqlite3.SQLITE_FULL: ("store_full", "can't grow, as the disk is full: free some space", True),
    sqlite3.SQLITE_IOERR: ("store_io", "can't be read or written: look after the disk", True),
    sqlite3.SQLITE_READONLY: ("store_readonly", "can't be written: give write permission to it and its folder", True),
    sqlite3.SQLITE_PERM: ("store_readonly", "can't be opened: give permission to it and its folder", False),
    sqlite3.SQLITE_AUTH: ("store_readonly", "can't be opened: give permission to it and its folder", False),
    sqlite3.SQLITE_CANTOPEN: ("store_unopened", "can't be opened: check the folder and its permissions", True),
    sqlite3.SQLITE_NOTADB: ("store_corrupt", "is no SQLite file: name another file, or move this one away", False),
    sqlite3.SQLITE_CORRUPT: ("store_corrupt", "is damaged: restore it from a backup, or run sqlite3's .recover", False),
}

_OURS = {
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_TOOBIG,
}
"""What the same statements will fail with again: they, or their values, are wrong."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into ``AdapterFault``."""
    try:
        yield
    except sqlite3.Error as error:
        raise _fault(path, error) from error


def _fault(path: Path, error: sqlite3.Error) -> AdapterFault:
    code = (getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_MISUSE) & 0xFF
    name, sentence, is_retryable = _FAULTS.get(code, ("store_failed", f"failed: {error}", code not in _OURS))
    return AdapterFault(name, f"the store {path} {sentence}", is_retryable=is_retryable)
