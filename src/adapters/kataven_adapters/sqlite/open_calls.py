"""The attempts that are open and their contacts, as they were committed last: read again only after a restart.

One process writes the file, so what it has written is what is there. Each change is written only where the row still
is what it was read as; should that ever fail, nothing of this is believed any more.
"""

from collections.abc import Iterable

from kataven_core import AccountId, Attempt, AttemptId, Contact, ContactId, ContactStatus, Decision, contact_id


class OpenCalls:
    """Holds no more than is in flight."""

    def __init__(self) -> None:
        self._attempts: dict[AttemptId, Attempt] = {}
        self._contacts: dict[ContactId, Contact] = {}

    def find(self, account_id: AccountId, name: AttemptId) -> tuple[Attempt, Contact] | None:
        """Give an open attempt of this account and its contact, if both are held."""
        attempt = self._attempts.get(name)
        if attempt is None or attempt.account_id != account_id:
            return None
        contact = self._contacts.get(contact_id(attempt.campaign_id, attempt.position))
        return None if contact is None else (attempt, contact)

    def follow(self, decisions: Iterable[Decision]) -> None:
        """Take note of what is committed."""
        for decision in decisions:
            for _, attempt in decision.attempts:
                if attempt.is_open:
                    self._attempts[attempt.id] = attempt
                else:
                    self._attempts.pop(attempt.id, None)
            for _, contact in decision.contacts:
                if contact.status is ContactStatus.IN_PROGRESS:
                    self._contacts[contact.id] = contact
                else:
                    self._contacts.pop(contact.id, None)

    def forget(self) -> None:
        """Believe nothing of it any more."""
        self._attempts.clear()
        self._contacts.clear()
