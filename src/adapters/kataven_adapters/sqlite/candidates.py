"""Who is due, found without looking at all contacts."""

import sqlite3
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from kataven_core import Contact, PhoneNumber
from kataven_core.ports import LOOK_AHEAD

from .ahead import Ahead


class Due(NamedTuple):
    """Contacts that are due, in the order in which they are to be dialled, and which of their numbers are busy."""

    contacts: tuple[Contact, ...]
    busy_numbers: frozenset[PhoneNumber]


NOBODY: Final = Due((), frozenset())


def find_due(
    connection: sqlite3.Connection, ahead: Ahead, *, wanted: int, busy: AbstractSet[PhoneNumber], now: datetime
) -> Due:
    """Give the first ``wanted`` that are due, and where some of their numbers are busy, so many more that are not."""
    found: list[Contact] = []
    theirs: set[PhoneNumber] = set()
    free = 0
    for contact in islice(ahead.due(connection, now, wanted), LOOK_AHEAD + wanted):
        is_busy = contact.phone_number in busy
        if is_busy:
            theirs.add(contact.phone_number)
        if len(found) < wanted or not is_busy:
            found.append(contact)
            free += not is_busy
        if free >= wanted:
            break
    return Due(tuple(found), frozenset(theirs))
