"""Rows to values and back, one column order for each table."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from kataven_core import (
    Account,
    AccountId,
    AccountUsage,
    Attempt,
    AttemptState,
    Campaign,
    CampaignId,
    CampaignStatus,
    Contact,
    ContactStatus,
    Counters,
    Once,
    Outcome,
    PhoneNumber,
    Receipt,
    attempt_id,
)
from kataven_core.codec import from_plain, to_plain

Row = Sequence[Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def stamp(value: datetime) -> int:
    """Give a time as it is stored."""
    return (value - _EPOCH) // _MICROSECOND


def stamp_or_none(value: datetime | None) -> int | None:
    """Give a time as it is stored, if there is one."""
    return None if value is None else (value - _EPOCH) // _MICROSECOND


def moment(stored: int) -> datetime:
    """Give a stored time."""
    return _EPOCH + timedelta(microseconds=stored)


def moment_or_none(stored: int | None) -> datetime | None:
    """Give a stored time, if there is one."""
    return None if stored is None else _EPOCH + timedelta(microseconds=stored)


def columns(names: Sequence[str], table: str) -> str:
    """Name columns in a SELECT."""
    return ", ".join(f'{table}."{name}"' for name in names)


# Accounts.

USAGE: Final = ("minute", "day", "calls_this_minute", "calls_today", "seconds_today")


def account_text(account: Account) -> str:
    """Give an account as it is stored."""
    return json.dumps(to_plain(account), ensure_ascii=False)


@lru_cache(maxsize=1024)
def account_from(text: str) -> Account:
    """Give a stored account. The same text is the same account, so it is read once."""
    return from_plain(json.loads(text), Account)


def usage_row(usage: AccountUsage) -> Row:
    """Give what is stored of a usage; the calls in flight are counted from the open attempts instead."""
    return (
        stamp(usage.minute),
        stamp(usage.day),
        usage.calls_this_minute,
        usage.calls_today,
        usage.seconds_today,
    )


def usage_from(row: Row, calls_in_flight: int) -> AccountUsage:
    """Give a stored usage."""
    return AccountUsage(
        minute=moment(row[0]),
        day=moment(row[1]),
        calls_in_flight=calls_in_flight,
        calls_this_minute=row[2],
        calls_today=row[3],
        seconds_today=row[4],
    )


# Campaigns.

CAMPAIGN: Final = (
    "account_id",
    "id",
    "name",
    "agent_id",
    "phone_number_id",
    "status",
    "max_concurrent_calls",
    "retries_per_contact",
    "retry_delay_seconds",
    "scheduled_at",
    "started_at",
    "completed_at",
    "created_at",
    "created_by",
    "is_deleted",
)


def campaign_row(campaign: Campaign) -> Row:
    """Give a campaign in the order of ``CAMPAIGN``."""
    return (
        campaign.account_id,
        campaign.id,
        campaign.name,
        campaign.agent_id,
        campaign.phone_number_id,
        campaign.status.value,
        campaign.max_concurrent_calls,
        campaign.retries_per_contact,
        campaign.retry_delay_seconds,
        stamp_or_none(campaign.scheduled_at),
        stamp_or_none(campaign.started_at),
        stamp_or_none(campaign.completed_at),
        stamp(campaign.created_at),
        campaign.created_by,
        int(campaign.is_deleted),
    )


def campaign_from(row: Row) -> Campaign:
    """Give a stored campaign."""
    return Campaign(
        account_id=AccountId(row[0]),
        id=CampaignId(row[1]),
        name=row[2],
        agent_id=row[3],
        phone_number_id=row[4],
        status=CampaignStatus(row[5]),
        max_concurrent_calls=row[6],
        retries_per_contact=row[7],
        retry_delay_seconds=row[8],
        scheduled_at=moment_or_none(row[9]),
        started_at=moment_or_none(row[10]),
        completed_at=moment_or_none(row[11]),
        created_at=moment(row[12]),
        created_by=row[13],
        is_deleted=bool(row[14]),
    )


COUNTERS: Final = (
    "pending",
    "in_progress",
    "completed",
    "failed",
    "cancelled",
    "suppressed",
    "attempts",
    "calls_in_flight",
    "outcomes",
    "last_dial_at",
    "sequence",
)


def counters_row(counters: Counters) -> Row:
    """Give counters in the order of ``COUNTERS``."""
    return (
        counters.pending,
        counters.in_progress,
        counters.completed,
        counters.failed,
        counters.cancelled,
        counters.suppressed,
        counters.attempts,
        counters.calls_in_flight,
        json.dumps(counters.outcomes),
        stamp_or_none(counters.last_dial_at),
        counters.sequence,
    )


def counters_from(campaign_id: CampaignId, row: Row) -> Counters:
    """Give stored counters."""
    return Counters(
        campaign_id=campaign_id,
        pending=row[0],
        in_progress=row[1],
        completed=row[2],
        failed=row[3],
        cancelled=row[4],
        suppressed=row[5],
        attempts=row[6],
        calls_in_flight=row[7],
        outcomes={Outcome(name): count for name, count in json.loads(row[8]).items()},
        last_dial_at=moment_or_none(row[9]),
        sequence=row[10],
    )


# Contacts.

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


def contact_from(campaign: Campaign, row: Row) -> Contact:
    """Give a stored contact; one that nothing has happened to is as old as its campaign."""
    return Contact(
        campaign_id=campaign.id,
        position=row[0],
        phone_number=str.__new__(PhoneNumber, row[1]),
        custom_fields=json.loads(row[2]),
        status=ContactStatus(row[3]),
        attempts=row[4],
        claims=row[5],
        last_outcome=Outcome(row[6]) if row[6] else None,
        last_attempt_at=moment_or_none(row[7]),
        next_attempt_at=moment_or_none(row[8]),
        updated_at=moment(row[9]) if row[9] is not None else campaign.created_at,
    )


def contact_changes(contact: Contact) -> Row:
    """Give what may change of a contact, in the order of ``CONTACT`` from ``status`` on."""
    return (
        contact.status.value,
        contact.attempts,
        contact.claims,
        contact.last_outcome and contact.last_outcome.value,
        stamp_or_none(contact.last_attempt_at),
        stamp_or_none(contact.next_attempt_at),
        stamp(contact.updated_at),
    )


# Attempts.

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
        attempt.state.value,
        attempt.call_id,
        stamp_or_none(attempt.answered_at),
        stamp_or_none(attempt.ended_at),
        attempt.outcome and attempt.outcome.value,
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


# Receipts.

RECEIPT: Final = ("account_id", "scope", "key", "fingerprint", "note", "answer", "at")


def receipt_row(account_id: AccountId, receipt: Receipt) -> Row:
    """Give a receipt of an account in the order of ``RECEIPT``."""
    once = receipt.once
    answer = json.dumps(to_plain(receipt.answer), ensure_ascii=False)
    return account_id, once.scope, once.key, once.fingerprint, once.note, answer, stamp(receipt.at)


def receipt_from(row: Row) -> Receipt:
    """Give a stored receipt."""
    _, scope, key, fingerprint, note, answer, at = row
    return Receipt(
        once=Once(scope=scope, key=key, fingerprint=fingerprint, note=note),
        answer=from_plain(json.loads(answer), Campaign),
        at=moment(at),
    )
