"""All attempts that are open, their contacts and their numbers: read once, then followed."""

import sqlite3
from collections.abc import Set as AbstractSet
from typing import Final

from kataven_core import (
    AccountId,
    Attempt,
    AttemptId,
    CampaignId,
    Contact,
    ContactStatus,
    Decision,
    PhoneNumber,
)

from .rows import ATTEMPT, CAMPAIGN, attempt_from, campaign_from, contact_from
from .statements import OPEN

_CONTACT_AT: Final = len(CAMPAIGN) + len(ATTEMPT)


class OpenCalls:
    """Holds no more than is in flight."""

    def __init__(self) -> None:
        self._is_read = False
        self._attempts: dict[AttemptId, Attempt] = {}
        self._contacts: dict[tuple[CampaignId, int], Contact] = {}
        self._numbers: dict[AccountId, set[PhoneNumber]] = {}

    def read(self, connection: sqlite3.Connection) -> None:
        """Read them, unless they are known."""
        if self._is_read:
            return
        for row in connection.execute(OPEN):
            campaign = campaign_from(row[: len(CAMPAIGN)])
            self._enter(attempt_from(campaign.id, row[len(CAMPAIGN) : _CONTACT_AT]))
            contact = contact_from(campaign.id, campaign.created_at, row[_CONTACT_AT:])
            self._contacts[contact.campaign_id, contact.position] = contact
        self._is_read = True

    def numbers(self, account_id: AccountId) -> AbstractSet[PhoneNumber]:
        """Give the numbers in open calls of an account."""
        return self._numbers.get(account_id, frozenset())

    def find(self, account_id: AccountId, name: AttemptId) -> tuple[Attempt, Contact] | None:
        """Give an open attempt of this account and its contact, if both are held."""
        attempt = self._attempts.get(name)
        if attempt is None or attempt.account_id != account_id:
            return None
        contact = self._contacts.get((attempt.campaign_id, attempt.position))
        return None if contact is None else (attempt, contact)

    def follow(self, decision: Decision) -> None:
        """Take note of what is committed."""
        for before, attempt in decision.attempts:
            if not attempt.is_open:
                self._leave(attempt)
            elif before is None:
                self._enter(attempt)
            else:
                self._attempts[attempt.id] = attempt
        for _, contact in decision.contacts:
            if contact.status is ContactStatus.IN_PROGRESS:
                self._contacts[contact.campaign_id, contact.position] = contact
            else:
                self._contacts.pop((contact.campaign_id, contact.position), None)

    def forget(self) -> None:
        """Believe nothing of it any more."""
        self._is_read = False
        self._attempts.clear()
        self._contacts.clear()
        self._numbers.clear()

    def _enter(self, attempt: Attempt) -> None:
        self._attempts[attempt.id] = attempt
        self._numbers.setdefault(attempt.account_id, set()).add(attempt.phone_number)

    def _leave(self, attempt: Attempt) -> None:
        if self._attempts.pop(attempt.id, None):
            self._numbers[attempt.account_id].discard(attempt.phone_number)
