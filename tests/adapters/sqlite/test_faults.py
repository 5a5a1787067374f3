"""What SQLite complains of, as one sentence that says what to mend, and whether it may pass by itself."""

import sqlite3
from pathlib import Path
from typing import Final

import pytest

from kataven_adapters.sqlite.faults import translated
from kataven_core import AdapterFault, NotFound

PATH: Final = Path("/data/calls.db")
KINDS: Final = {
    sqlite3.SQLITE_BUSY: ("store_locked", True, "close what else has it open"),
    sqlite3.SQLITE_BUSY_SNAPSHOT: ("store_locked", True, "close what else has it open"),
    sqlite3.SQLITE_BUSY_RECOVERY: ("store_locked", True, "close what else has it open"),
    sqlite3.SQLITE_LOCKED: ("store_locked", True, "close what else has it open"),
    sqlite3.SQLITE_FULL: ("store_full", True, "free some space"),
    sqlite3.SQLITE_IOERR: ("store_io", True, "look after the disk"),
    sqlite3.SQLITE_IOERR_FSYNC: ("store_io", True, "look after the disk"),
    sqlite3.SQLITE_READONLY: ("store_readonly", True, "give write permission to it and its folder"),
    sqlite3.SQLITE_PERM: ("store_readonly", False, "give permission to it and its folder"),
    sqlite3.SQLITE_AUTH: ("store_readonly", False, "give permission to it and its folder"),
    sqlite3.SQLITE_CANTOPEN: ("store_unopened", True, "check the folder and its permissions"),
    sqlite3.SQLITE_NOTADB: ("store_corrupt", False, "name another file, or move this one away"),
    sqlite3.SQLITE_CORRUPT: ("store_corrupt", False, "restore it from a backup"),
    sqlite3.SQLITE_CORRUPT_INDEX: ("store_corrupt", False, "restore it from a backup"),
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: ("store_failed", False, "failed: as SQLite says"),
    sqlite3.SQLITE_TOOBIG: ("store_failed", False, "failed: as SQLite says"),
}
"""Code of the error, then code of the fault, whether it may pass, and what its sentence says."""


def fault_of(error: Exception) -> AdapterFault:
    with pytest.raises(AdapterFault) as raised, translated(PATH):
        raise error
    return raised.value


@pytest.mark.parametrize("code", KINDS)
def test_each_error_is_a_fault_that_says_what_to_do_and_whether_it_may_pass(code: int) -> None:
    error = sqlite3.OperationalError("as SQLite says")
    error.sqlite_errorcode = code
    fault = fault_of(error)
    name, is_retryable, advice = KINDS[code]
    assert (fault.code, fault.is_retryable) == (name, is_retryable)
    assert fault.message.startswith(f"the store {PATH} ")
    assert advice in fault.message
    assert fault.__cause__ is error


@pytest.mark.parametrize("kind", [sqlite3.Error, sqlite3.ProgrammingError, sqlite3.InterfaceError])
def test_an_error_without_a_code_is_a_fault_in_its_own_words(kind: type[sqlite3.Error]) -> None:
    fault = fault_of(kind("Cannot operate on a closed database."))
    assert (fault.code, fault.is_retryable) == ("store_failed", False)
    assert fault.message == f"the store {PATH} failed: Cannot operate on a closed database."


@pytest.mark.parametrize("error", [ValueError("no"), NotFound("campaign"), AdapterFault("of_another", "not ours")])
def test_what_is_no_error_of_sqlites_passes_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, translated(PATH):
        raise error
    assert raised.value is error
