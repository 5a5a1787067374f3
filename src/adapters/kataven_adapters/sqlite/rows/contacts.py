"""Contacts and the attempts to call them."""

from datetime import datetime
from typing import Final

from kataven_core import (
    AccountId,
    Attempt,
    AttemptState,
    CampaignId,
    Contact,
    Outcome,
    PhoneNumber,
    attempt_id,
    contact_of,
)

from .cells import Row, moment, moment_or_none, stamp, stamp_or_none

CONTACT: Final = (
    "position",
    "phone_number",
    "custom_fields",
    "status",
    "attempts",
    "claims",
    "last_outcome",
    "last_attempt_at",
    "next_attempt_at",
    "updated_at",
)


def contact_from(campaign_id: CampaignId, created_at: datetime, row: Row) -> Contact:
    """Give a stored contact; one that nothing has happened to is as old as its campaign."""
    position, number, fields, status, attempts, claims, outcome, last_at, next_at, updated_at = row
    changed_at = stamp(created_at) if updated_at is None else updated_at
    whole = position, number, fields, status, attempts, claims, outcome, last_at, next_at, changed_at
    return contact_of(campaign_id, whole)


def contact_changes(contact: Contact) -> Row:
    """Give what may change of a contact, in the order of ``CONTACT`` from ``status`` on."""
    return (
        contact.status._value_,
        contact.attempts,
        contact.claims,
        contact.last_outcome and contact.last_outcome._value_,
        stamp_or_none(contact.last_attempt_at),
        stamp_or_none(contact.next_attempt_at),
        stamp(contact.updated_at),
    )


ATTEMPT: Final = (
    "position",
    "n",
    "account_id",
    "phone_number",
    "claimed_at",
    "state",
    "call_id",
    "answered_at",
    "ended_at",
    "outcome",
    "duration_s",
)


def attempt_row(attempt: Attempt) -> Row:
    """Give an attempt in the order of ``ATTEMPT``."""
    return (
        attempt.position,
        attempt.n,
        attempt.account_id,
        attempt.phone_number,
        stamp(attempt.claimed_at),
        *attempt_changes(attempt),
    )


def attempt_changes(attempt: Attempt) -> Row:
    """Give what may change of an attempt, in the order of ``ATTEMPT`` from ``state`` on."""
    return (
        attempt.state._value_,
        attempt.call_id,
        stamp_or_none(attempt.answered_at),
        stamp_or_none(attempt.ended_at),
        attempt.outcome and attempt.outcome._value_,
        attempt.duration_s,
    )


def attempt_from(campaign_id: CampaignId, row: Row) -> Attempt:
    """Give a stored attempt."""
    return Attempt(
        id=attempt_id(campaign_id, row[0], row[1]),
        campaign_id=campaign_id,
        position=row[0],
        n=row[1],
        account_id=AccountId(row[2]),
        phone_number=str.__new__(PhoneNumber, row[3]),
        claimed_at=moment(row[4]),
        state=AttemptState(row[5]),
        call_id=row[6],
        answered_at=moment_or_none(row[7]),
        ended_at=moment_or_none(row[8]),
        outcome=Outcome(row[9]) if row[9] else None,
        duration_s=row[10],
    )
