"""A contact: one accepted row of the file, from pending to its end.

    pending -> in_progress -> pending (next_attempt_at) | completed | failed | cancelled
    pending -> cancelled (its campaign was stopped or failed)

A contact that was reached is completed; one that was refused, or has no attempt left, failed.
"""

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, field, frozen

from .events import AttemptClaimed, AttemptEnded, AttemptEvent, CampaignEvent, CampaignFailed, CampaignStopped
from .phone_number import PhoneNumber
from .retry import RetryPolicy, next_attempt_at
from .statuses import ContactStatus, Outcome
from .values import CampaignId, ContactId, contact_id

REACHED = frozenset({Outcome.ANSWERED, Outcome.MACHINE})
"""Outcomes that complete a contact."""


@frozen(kw_only=True)
class Contact:
    """One contact of a campaign. ``position`` is 0-based, in file order; ``custom_fields`` is what stood in its row.

    ``attempts`` counts its dials, ``claims`` also those that were never sent. ``next_attempt_at`` is set while it waits
    for a retry.
    """

    campaign_id: CampaignId
    position: int
    phone_number: PhoneNumber
    custom_fields: Mapping[str, str] = field(factory=dict)
    status: ContactStatus = ContactStatus.PENDING
    attempts: int = 0
    claims: int = 0
    last_outcome: Outcome | None = None
    last_attempt_at: datetime | None = None
    next_attempt_at: datetime | None = None
    updated_at: datetime

    @property
    def id(self) -> ContactId:
        """Its id, derived from campaign and position."""
        return contact_id(self.campaign_id, self.position)

    def is_due(self, now: datetime) -> bool:
        """Whether it may be dialled now, as far as it is concerned."""
        return self.status is ContactStatus.PENDING and (self.next_attempt_at is None or self.next_attempt_at <= now)


def claim(contact: Contact, now: datetime) -> Contact:
    """Take a due contact for a dial."""
    return Contact(  # made anew, as in `_end`: of all that is done for each dial, `evolve` would take the most time
        campaign_id=contact.campaign_id,
        position=contact.position,
        phone_number=contact.phone_number,
        custom_fields=contact.custom_fields,
        status=ContactStatus.IN_PROGRESS,
        attempts=contact.attempts + 1,
        claims=contact.claims + 1,
        last_outcome=contact.last_outcome,
        last_attempt_at=now,
        updated_at=now,
    )


def conclude(
    contact: Contact,
    *,
    outcome: Outcome,
    ended_at: datetime,
    policy: RetryPolicy | None,
    now: datetime,
    jitter_s: float = 0.0,
) -> Contact:
    """Say what becomes of a contact whose dial has ended.

    ``policy`` is None when its campaign is over: then nothing is retried, and a dial that was never sent is cancelled.
    """
    if outcome is Outcome.UNSENT:
        status = ContactStatus.CANCELLED if policy is None else ContactStatus.PENDING
        return _take_back(contact, status, now)
    again_at = None
    if policy:
        again_at = next_attempt_at(
            policy, outcome=outcome, attempts=contact.attempts, ended_at=ended_at, jitter_s=jitter_s
        )
    return _end(contact, _status_after(outcome, again_at), outcome, again_at, now)


def cancel(contact: Contact, now: datetime) -> Contact:
    """Give up a pending contact: its campaign was stopped or has failed."""
    return evolve(contact, status=ContactStatus.CANCELLED, next_attempt_at=None, updated_at=now)


def _status_after(outcome: Outcome, again_at: datetime | None) -> ContactStatus:
    if again_at:
        return ContactStatus.PENDING
    return ContactStatus.COMPLETED if outcome in REACHED else ContactStatus.FAILED


def _take_back(contact: Contact, status: ContactStatus, now: datetime) -> Contact:
    """Undo a claim: no attempt was used up, and a retry stays due, since the claim and not by a clock set back."""
    is_retry = contact.attempts > 1
    return evolve(
        contact,
        status=status,
        attempts=contact.attempts - 1,
        last_attempt_at=contact.last_attempt_at if is_retry else None,
        next_attempt_at=contact.last_attempt_at if is_retry and status is ContactStatus.PENDING else None,
        updated_at=now,
    )


def _end(
    contact: Contact, status: ContactStatus, outcome: Outcome, again_at: datetime | None, now: datetime
) -> Contact:
    return Contact(
        campaign_id=contact.campaign_id,
        position=contact.position,
        phone_number=contact.phone_number,
        custom_fields=contact.custom_fields,
        status=status,
        attempts=contact.attempts,
        claims=contact.claims,
        last_outcome=outcome,
        last_attempt_at=contact.last_attempt_at,
        next_attempt_at=again_at,
        updated_at=now,
    )


def apply(contact: Contact, event: AttemptEvent | CampaignEvent) -> Contact:
    """Fold an event in: one of the contact's own attempts, or one that ends its campaign."""
    match event:
        case AttemptClaimed():
            return claim(contact, event.at)
        case AttemptEnded(outcome=Outcome.UNSENT):
            return _take_back(contact, event.contact_status, event.at)
        case AttemptEnded():
            return _end(contact, event.contact_status, event.outcome, event.next_attempt_at, event.at)
        case CampaignStopped() | CampaignFailed() if contact.status is ContactStatus.PENDING:
            return cancel(contact, event.at)
        case _:
            return contact
