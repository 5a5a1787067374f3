"""The contacts of one campaign that are dialled next, read some ahead, so that most cycles read none."""

import sqlite3
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from kataven_core import Campaign, Contact, ContactStatus, CustomFields

from .rows import contact_from, moment, stamp
from .statements import FRESH, NEXT_RETRY, RETRIES

_SPARE: Final = 32
"""How many more are read than are asked for."""
_KEPT: Final = 256
"""How many of each kind are kept from one cycle to the next."""

_BARE_BYTES: Final = 700
_CHAR_BYTES: Final = 4

_Key = tuple[int, int]


class Ahead:
    """Pending contacts as they were committed last: the first of those that wait for a retry, and the first fresh ones.

    ``follow`` is told of every contact of the campaign that changes; what is cancelled with the campaign is not, so
    that nothing of this may be kept when its status changes.
    """

    def __init__(self, no: int, campaign: Campaign) -> None:
        self._retries = _Line(RETRIES, no, campaign)
        self._fresh = _Line(FRESH, no, campaign)
        self._no = no

    def due(self, connection: sqlite3.Connection, now: datetime, ahead: int) -> Iterator[Contact]:
        """Yield who may be dialled: retries whose time has come, then fresh ones. ``ahead`` says how many may do."""
        at = stamp(now)
        for (next_attempt_at, _), contact in self._retries.walk(connection, ahead):
            if next_attempt_at > at:
                break
            yield contact
        for _, contact in self._fresh.walk(connection, ahead):
            yield contact

    def next_retry_at(self, connection: sqlite3.Connection, now: datetime) -> datetime | None:
        """Give the time of the earliest retry that is still to come."""
        at = stamp(now)
        found = self._retries.first_behind((at, 2**63))
        if found is None and not self._retries.is_whole:
            (found,) = connection.execute(NEXT_RETRY, {"no": self._no, "at": at}).fetchone()
        return None if found is None else moment(found)

    def follow(self, before: Contact, after: Contact) -> None:
        """Take note of a contact that has changed."""
        if before.status is ContactStatus.PENDING:
            self._of(before).remove(_key(before))
        if after.status is ContactStatus.PENDING:
            self._of(after).add(_key(after), after)

    def trim(self) -> None:
        """Keep no more than is worth keeping."""
        self._retries.trim()
        self._fresh.trim()

    @property
    def size_bytes(self) -> int:
        """About how much memory they take."""
        return self._retries.size_bytes + self._fresh.size_bytes

    def _of(self, contact: Contact) -> "_Line":
        return self._fresh if contact.next_attempt_at is None else self._retries


def _key(contact: Contact) -> _Key:
    """Say where a contact stands: by time, then by position."""
    return 0 if contact.next_attempt_at is None else stamp(contact.next_attempt_at), contact.position


class _Line:
    """The first of a campaign's pending contacts in one order; all of them where it ``is_whole``."""

    def __init__(self, statement: str, no: int, campaign: Campaign) -> None:
        self._statement = statement
        self._no = no
        self._campaign = campaign
        self._keys: list[_Key] = []
        self._contacts: dict[_Key, Contact] = {}
        self.is_whole = False
        self.size_bytes = 0

    def walk(self, connection: sqlite3.Connection, ahead: int) -> Iterator[tuple[_Key, Contact]]:
        """Yield them in their order, and read on where those that are known are through."""
        index, count = 0, ahead + _SPARE
        while True:
            while index < len(self._keys):
                key = self._keys[index]
                yield key, self._contacts[key]
                index += 1
            if self.is_whole:
                return
            self._read_on(connection, count)
            count *= 2  # where many numbers are busy, few statements are to pass over them

    def first_behind(self, key: _Key) -> int | None:
        """Give the time of the first that stands behind this, if it is known."""
        index = bisect_right(self._keys, key)
        return self._keys[index][0] if index < len(self._keys) else None

    def add(self, key: _Key, contact: Contact) -> None:
        """Take one in, unless it stands behind all that are known and not all are."""
        if self.is_whole or (self._keys and key < self._keys[-1]):
            insort(self._keys, key)
            self._keep(key, contact)

    def remove(self, key: _Key) -> None:
        """Let one go, if it is known."""
        if key in self._contacts:
            self._drop(key)
            del self._keys[bisect_left(self._keys, key)]

    def trim(self) -> None:
        """Forget the last ones."""
        for key in self._keys[_KEPT:]:
            self._drop(key)
            self.is_whole = False
        del self._keys[_KEPT:]

    def _read_on(self, connection: sqlite3.Connection, count: int) -> None:
        at, position = self._keys[-1] if self._keys else (-1, -1)
        behind = {"no": self._no, "at": at, "position": position, "count": count}
        rows = connection.execute(self._statement, behind).fetchall()
        for row in rows:
            contact = contact_from(self._campaign.id, self._campaign.created_at, row)
            key = _key(contact)
            self._keys.append(key)
            self._keep(key, contact)
        self.is_whole = len(rows) < count

    def _keep(self, key: _Key, contact: Contact) -> None:
        self._contacts[key] = contact
        self.size_bytes += _size_bytes(contact)

    def _drop(self, key: _Key) -> None:
        self.size_bytes -= _size_bytes(self._contacts.pop(key))


def _size_bytes(contact: Contact) -> int:
    """Say about how much memory one takes: Python gives up to four bytes to a character."""
    fields = contact.custom_fields
    return _BARE_BYTES + _CHAR_BYTES * (len(fields.encoded) if isinstance(fields, CustomFields) else 0)
