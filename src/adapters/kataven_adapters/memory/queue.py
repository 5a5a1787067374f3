"""A campaign's contacts in file order, and who of them is due: found without looking at all of them."""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import chain, islice

from kataven_core import CampaignId, Contact, ContactStatus, CustomFields, PhoneNumber, cancel_contact
from kataven_core.ports import LOOK_AHEAD, StagedContact


class ContactQueue:
    """Contacts by position: as they were staged, and those that have changed since ``created_at``.

    Those that are pending are in one of three places. Fresh ones from ``_next`` on were never touched; ``_passed``
    holds the positions of fresh ones before it, ``_retries`` time and position of those that wait for a retry; both are
    sorted.
    """

    def __init__(self, campaign_id: CampaignId, rows: list[StagedContact], created_at: datetime) -> None:
        self._campaign_id = campaign_id
        self._rows = rows
        self._created_at = created_at
        self._changed: dict[int, Contact] = {}
        self._next = 0
        self._passed: list[int] = []
        self._retries: list[tuple[datetime, int]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, position: int) -> Contact:
        known = self._changed.get(position)
        if known:
            return known
        row = self._rows[position]
        return Contact(
            campaign_id=self._campaign_id,
            position=position,
            phone_number=row.phone_number,
            custom_fields=CustomFields(row.custom_fields_json),
            updated_at=self._created_at,
        )

    def positions(self, status: ContactStatus | None) -> list[int]:
        """Give the positions of those in this status; None: of all."""
        if status is None:
            return [*range(len(self))]
        pending, changed = ContactStatus.PENDING, self._changed
        return [
            position
            for position in range(len(self))
            if (changed[position].status if position in changed else pending) is status
        ]

    def due(self, now: datetime, wanted: int, busy: Collection[PhoneNumber]) -> list[Contact]:
        """Give the first ``wanted`` that are due, and so many more that as many have no busy number."""
        found: list[Contact] = []
        free = 0
        for contact in islice(self._due(now), LOOK_AHEAD + wanted):
            is_free = contact.phone_number not in busy
            if len(found) < wanted or is_free:
                found.append(contact)
                free += is_free
            if free >= wanted:
                break
        return found

    def next_retry_at(self, now: datetime) -> datetime | None:
        """Give the time of the earliest retry that is still to come."""
        index = self._first_later(now)
        return self._retries[index][0] if index < len(self._retries) else None

    def put(self, after: Contact) -> None:
        """Keep a contact's new value."""
        self._leave(self[after.position])
        self._changed[after.position] = after
        self._enter(after)

    def cancel_pending(self, now: datetime) -> None:
        """Give up all that are pending."""
        for position in (*self._passed, *range(self._next, len(self)), *(position for _, position in self._retries)):
            self._changed[position] = cancel_contact(self[position], now)
        self._next = len(self)
        self._passed.clear()
        self._retries.clear()

    def _due(self, now: datetime) -> Iterator[Contact]:
        """Yield retries by time, then fresh ones in file order."""
        retries = (position for _, position in islice(self._retries, self._first_later(now)))
        fresh = chain(self._passed, range(self._next, len(self)))
        return (self[position] for position in chain(retries, fresh))

    def _first_later(self, now: datetime) -> int:
        return bisect_left(self._retries, (now, len(self)))

    def _leave(self, before: Contact) -> None:
        position = before.position
        if before.status is not ContactStatus.PENDING:
            return
        if before.next_attempt_at:
            del self._retries[bisect_left(self._retries, (before.next_attempt_at, position))]
        elif position >= self._next:
            self._passed += range(self._next, position)
            self._next = position + 1
        else:
            del self._passed[bisect_left(self._passed, position)]

    def _enter(self, after: Contact) -> None:
        if after.status is not ContactStatus.PENDING:
            return
        if after.next_attempt_at:
            insort(self._retries, (after.next_attempt_at, after.position))
        else:
            insort(self._passed, after.position)
