"""What was decided, written: each change only where the file still holds what was read, each table in one statement."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from kataven_core import AdapterFault, ContactStatus, Decision
from kataven_core.ports import AccountTurn

from .reading import Reading
from .rows import (
    ATTEMPT,
    CAMPAIGN,
    CONTACT,
    COUNTERS,
    RECEIPT,
    USAGE,
    Row,
    account_text,
    attempt_changes,
    attempt_row,
    campaign_row,
    contact_changes,
    counters_row,
    receipt_row,
    stamp,
    usage_row,
)


def _set(names: Sequence[str]) -> str:
    return ", ".join(f"{name} = ?" for name in names)


def _marks(names: Sequence[str]) -> str:
    return ", ".join("?" * len(names))


_CHANGING: Final = CONTACT[CONTACT.index("status") :]
_REPORTED: Final = ATTEMPT[ATTEMPT.index("state") :]
_NO: Final = "(SELECT no FROM campaigns WHERE account_id = ? AND id = ?)"

PUT_ACCOUNT: Final = f"""
INSERT INTO accounts (id, account, {", ".join(USAGE)}) VALUES (?, ?, {_marks(USAGE)})
ON CONFLICT (id) DO UPDATE SET account = excluded.account
"""
USE_ACCOUNT: Final = f"UPDATE accounts SET {_set(USAGE)} WHERE id = ?"
ALLOT: Final = "INSERT INTO uploads (account_id, campaign_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
CREATE: Final = f"""
INSERT INTO campaigns (no, {", ".join(CAMPAIGN)})
SELECT no, {_marks(CAMPAIGN)} FROM uploads WHERE account_id = ? AND campaign_id = ?
"""
UNALLOT: Final = "DELETE FROM uploads WHERE account_id = ? AND campaign_id = ?"
MOVE: Final = f"UPDATE campaigns SET {_set(CAMPAIGN[2:])} WHERE account_id = ? AND id = ?"
COUNT: Final = (
    f"INSERT OR REPLACE INTO counters (campaign_no, {', '.join(COUNTERS)}) VALUES ({_NO}, {_marks(COUNTERS)})"
)
CLAIM: Final = f"INSERT INTO attempts (campaign_no, {', '.join(ATTEMPT)}) VALUES (?, {_marks(ATTEMPT)})"
REPORT: Final = f"""
UPDATE attempts SET {_set(_REPORTED)}
WHERE campaign_no = ? AND position = ? AND n = ? AND state = ?
"""
CHANGE: Final = f"""
UPDATE contacts SET {_set(_CHANGING)} WHERE campaign_no = ? AND position = ? AND status = ? AND claims = ?
"""
CANCEL: Final = f"""
UPDATE contacts SET status = '{ContactStatus.CANCELLED}', next_attempt_at = NULL, updated_at = ?
WHERE campaign_no = {_NO} AND status = 'pending'
"""
FORGET: Final = "DELETE FROM receipts WHERE account_id = ? AND at < ?"
NOTE: Final = f"INSERT OR REPLACE INTO receipts ({', '.join(RECEIPT)}) VALUES ({_marks(RECEIPT)})"


def write(
    connection: sqlite3.Connection,
    turns: Sequence[AccountTurn],
    decisions: Sequence[Decision],
    reading: Reading,
    now: datetime,
) -> None:
    """Write all that these decisions change, in the transaction in which it was read."""
    for statement, rows, is_exact in _changes([*zip(turns, decisions, strict=True)], reading, now):
        if rows and connection.executemany(statement, rows).rowcount != len(rows) and is_exact:
            sentence = "something is no longer as it was read: read and decide again"
            raise AdapterFault("stale", sentence, is_retryable=True)


class _Change(NamedTuple):
    """One statement, its rows, and whether it must change exactly one row for each of them."""

    statement: str
    rows: Sequence[Row]
    is_exact: bool = True


def _changes(both: list[tuple[AccountTurn, Decision]], reading: Reading, now: datetime) -> Iterator[_Change]:
    """Yield changes in an order in which each table's rules hold: a call ends before its number is dialled again.

    Contacts are cancelled when their campaign is there: one may be made and come to its end in the same turn.
    """
    known = reading.campaigns
    contacts = [
        (known[turn.account_id, each.after.campaign_id].no, each) for turn, made in both for each in made.contacts
    ]
    yield _Change(
        CHANGE,
        [
            (*contact_changes(after), no, after.position, before.status._value_, before.claims)
            for no, (before, after) in contacts
        ],
    )
    campaigns = [each for _, made in both for each in made.campaigns]
    new = [each for each in campaigns if (each.account_id, each.id) not in known]
    yield _Change(ALLOT, [(each.account_id, each.id) for each in new], is_exact=False)
    yield _Change(CREATE, [(*campaign_row(each), each.account_id, each.id) for each in new])
    yield _Change(UNALLOT, [(each.account_id, each.id) for each in new])
    yield _Change(MOVE, [(*campaign_row(each)[2:], each.account_id, each.id) for each in campaigns if each not in new])
    cancelled = [(stamp(now), turn.account_id, name) for turn, made in both for name in made.cancelled]
    yield _Change(CANCEL, cancelled, is_exact=False)
    yield _Change(
        COUNT,
        [(turn.account_id, each.campaign_id, *counters_row(each)) for turn, made in both for each in made.counters],
    )
    attempts = [
        (known[turn.account_id, each.after.campaign_id].no, each) for turn, made in both for each in made.attempts
    ]
    yield _Change(
        REPORT,
        [
            (*attempt_changes(after), no, after.position, after.n, before.state._value_)
            for no, (before, after) in attempts
            if before is not None
        ],
    )
    yield _Change(CLAIM, [(no, *attempt_row(after)) for no, (before, after) in attempts if before is None])
    yield _Change(
        PUT_ACCOUNT,
        [
            (turn.account_id, account_text(made.account), *usage_row(made.usage))
            for turn, made in both
            if made.account is not None
        ],
    )
    yield _Change(USE_ACCOUNT, [(*usage_row(made.usage), turn.account_id) for turn, made in both], is_exact=False)
    since = [(turn.account_id, stamp(made.receipts_since)) for turn, made in both if made.receipts_since]
    yield _Change(FORGET, since, is_exact=False)
    yield _Change(NOTE, [receipt_row(turn.account_id, each) for turn, made in both for each in made.receipts])
