"""Who is due, found by index and never by looking at all contacts."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from kataven_core import Campaign, Contact, PhoneNumber
from kataven_core.ports import LOOK_AHEAD

from .rows import CONTACT, Row, contact_from, stamp
from .statements import FREE_FRESH, FREE_RETRIES, FRESH, RETRIES

_BUSY: Final = 1
_POSITION: Final = 2 + CONTACT.index("position")
_NEXT: Final = 2 + CONTACT.index("next_attempt_at")


class Seeker(NamedTuple):
    """A campaign that runs, its number in the tables, and how many contacts a decision on it can use."""

    no: int
    campaign: Campaign
    wanted: int


class Due(NamedTuple):
    """Contacts that are due, in the order in which they are to be dialled, and which of their numbers are busy."""

    contacts: tuple[Contact, ...]
    busy_numbers: frozenset[PhoneNumber]


def find_due(connection: sqlite3.Connection, seekers: Iterable[Seeker], now: datetime) -> dict[int, Due]:
    """Give the first so many due contacts of each, and where some of them are busy, so many that are free besides."""
    by_no = {seeker.no: seeker for seeker in seekers}
    if not by_no:
        return {}
    first = _read(connection, (RETRIES, FRESH), by_no, now)
    crowded = {no: by_no[no] for no, rows in first.items() if any(row[_BUSY] for row in rows)}
    if crowded:
        for no, rows in _read(connection, (FREE_RETRIES, FREE_FRESH), crowded, now).items():
            known = {row[_POSITION] for row in first[no]}
            first[no] = sorted((*first[no], *(row for row in rows if row[_POSITION] not in known)), key=_order)
    return {no: _due(by_no[no].campaign, rows) for no, rows in first.items()}


def _read(
    connection: sqlite3.Connection, statements: tuple[str, str], seekers: dict[int, Seeker], now: datetime
) -> dict[int, list[Row]]:
    """Read retries and fresh ones of all, and leave to each its first so many."""
    rows: dict[int, list[Row]] = {no: [] for no in seekers}
    wanted = max(seeker.wanted for seeker in seekers.values())
    inputs = {
        "running": json.dumps([(no, seeker.campaign.account_id) for no, seeker in seekers.items()]),
        "wanted": wanted,
        "ahead": LOOK_AHEAD + wanted,
        "now": stamp(now),
    }
    for statement in statements:
        for row in connection.execute(statement, inputs):
            rows[row[0]].append(row)
    return {no: sorted(found, key=_order)[: seekers[no].wanted] for no, found in rows.items()}


def _order(row: Row) -> tuple[bool, int, int]:
    """Sort retries by time before fresh ones by position."""
    return row[_NEXT] is None, row[_NEXT] or 0, row[_POSITION]


def _due(campaign: Campaign, rows: list[Row]) -> Due:
    contacts = tuple(contact_from(campaign.id, campaign.created_at, row[2:]) for row in rows)
    busy = frozenset(contact.phone_number for contact, row in zip(contacts, rows, strict=True) if row[_BUSY])
    return Due(contacts, busy)
