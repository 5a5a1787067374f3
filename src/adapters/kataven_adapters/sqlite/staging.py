"""Uploads on their way in, and contacts on their way out: a step at a time, so that nobody waits long."""

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Final

from kataven_core import AccountId, CampaignId, CommandRefused, RejectedRow
from kataven_core.ports import StagedContact

from .writing import ALLOT, UNALLOT

STEP_ROWS: Final = 1_000
_ROWS_AT_ONCE: Final = 50
"""Contacts that one statement puts in: each statement lets go of the interpreter's lock, and waits for it again."""

_TAKEN: Final = """
SELECT 1 FROM campaigns WHERE id = :campaign_id
UNION ALL
SELECT 1 FROM uploads WHERE campaign_id = :campaign_id AND account_id <> :account_id
"""
_FIND: Final = "SELECT no FROM uploads WHERE account_id = ? AND campaign_id = ?"
_STAGE: Final = """
INSERT INTO contacts (campaign_no, position, phone_number, custom_fields) SELECT ?, given.* FROM (VALUES {}) given
"""
_STAGE_ONE: Final = _STAGE.format("(?, ?, ?)")
_STAGE_MANY: Final = _STAGE.format(", ".join(["(?, ?, ?)"] * _ROWS_AT_ONCE))
_REJECT: Final = 'INSERT INTO rejects (campaign_no, line, "column", code, message, value) VALUES (?, ?, ?, ?, ?, ?)'
_GONE: Final = """
SELECT no FROM uploads WHERE account_id = :account_id AND campaign_id = :campaign_id
UNION ALL
SELECT c.no FROM campaigns c JOIN counters n ON n.campaign_no = c.no
WHERE c.account_id = :account_id AND c.id = :campaign_id AND c.is_deleted = 1 AND n.calls_in_flight = 0
"""
_DROP_CONTACTS: Final = """
DELETE FROM contacts WHERE campaign_no = :no AND position IN (
    SELECT position FROM contacts WHERE campaign_no = :no ORDER BY position LIMIT :count
)
"""
_DROP_REJECTS: Final = """
DELETE FROM rejects WHERE no IN (SELECT no FROM rejects WHERE campaign_no = :no LIMIT :count)
"""


def stage(
    connection: sqlite3.Connection,
    account_id: AccountId,
    campaign_id: CampaignId,
    contacts: Sequence[StagedContact],
    rejects: Sequence[RejectedRow],
) -> None:
    """Take the next rows of an upload, unless its id is somebody's already."""
    if connection.execute(_TAKEN, {"account_id": account_id, "campaign_id": campaign_id}).fetchone():
        raise CommandRefused("campaign_exists", f"the campaign {campaign_id!r} exists: choose another id")
    connection.execute(ALLOT, (account_id, campaign_id))
    (no,) = connection.execute(_FIND, (account_id, campaign_id)).fetchone()
    rest = len(contacts) - len(contacts) % _ROWS_AT_ONCE
    for begin in range(0, rest, _ROWS_AT_ONCE):
        rows = contacts[begin : begin + _ROWS_AT_ONCE]
        connection.execute(_STAGE_MANY, (no, *chain.from_iterable(rows)))
    connection.executemany(_STAGE_ONE, [(no, *row) for row in contacts[rest:]])
    connection.executemany(
        _REJECT, [(no, row.line, row.column, row.code.value, row.message, row.value) for row in rejects]
    )


def discard_step(connection: sqlite3.Connection, account_id: AccountId, campaign_id: CampaignId) -> bool:
    """Remove the next rows of an upload or a deleted campaign; False when nothing is left to remove."""
    named = {"account_id": account_id, "campaign_id": campaign_id}
    numbers = [no for (no,) in connection.execute(_GONE, named)]
    for no in numbers:
        step = {"no": no, "count": STEP_ROWS}
        if any(connection.execute(drop, step).rowcount for drop in (_DROP_REJECTS, _DROP_CONTACTS)):
            return True
    connection.execute(UNALLOT, (account_id, campaign_id))
    return False


def uploads(connection: sqlite3.Connection) -> list[tuple[AccountId, CampaignId]]:
    """Give the uploads that no campaign was made of."""
    return connection.execute("SELECT account_id, campaign_id FROM uploads ORDER BY no").fetchall()
