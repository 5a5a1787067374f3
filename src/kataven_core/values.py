"""Ids and times, the plain values that everything else is made of."""

import re
from datetime import UTC, datetime, timedelta
from typing import NewType

from .errors import InvalidValue

AccountId = NewType("AccountId", str)
CampaignId = NewType("CampaignId", str)
ContactId = NewType("ContactId", str)
AttemptId = NewType("AttemptId", str)

ACCOUNT_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""An account's id, whole. It may hold ``_``: an API key can't be split at its first underscore."""

CAMPAIGN_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A campaign's id: no dot, as one stands between it and a contact's position."""

_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt]((?:[01]\d|2[0-3]):\d{2}:\d{2})(?:\.(\d{1,6})\d*)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


def account_id(text: str) -> AccountId:
    """Read an account's id; ``InvalidValue`` when it is no slug."""
    if not ACCOUNT_SLUG.fullmatch(text):
        raise InvalidValue(
            "invalid_account_id",
            f"{text!r} is no account id: use 1 to 63 of a-z, 0-9, - and _, beginning with a letter or a digit",
        )
    return AccountId(text)


def campaign_id(text: str) -> CampaignId:
    """Read a campaign's id; ``InvalidValue`` when it is none. It is part of the ids of contacts and attempts."""
    if not CAMPAIGN_NAME.fullmatch(text):
        raise InvalidValue(
            "invalid_campaign_id",
            f"{text[:64]!r} is no campaign id: use 1 to 64 of a-z, A-Z, 0-9, - and _, as a UUID does",
        )
    return CampaignId(text)


def contact_id(campaign: CampaignId, position: int) -> ContactId:
    """Give the id of the contact at ``position`` (0-based, in file order) of a campaign."""
    return ContactId(f"{campaign}.{position}")


def attempt_id(campaign: CampaignId, position: int, n: int) -> AttemptId:
    """Give the id of a contact's ``n``-th claim (from 1, the unsent ones counted too).

    It is derived, not drawn: deciding again after a failure gives the same id, so one dial never gets two.
    """
    return AttemptId(f"{campaign}.{position}.{n}")


def utc(value: datetime) -> datetime:
    """Give the same instant in UTC; ``InvalidValue`` for a naive time, which is none, or one beyond year 9999."""
    if value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise InvalidValue("naive_time", f"{value.isoformat()} names no time zone: add Z or an offset such as +02:00")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidValue(
            "invalid_time", f"{value.isoformat()} is not within the years 1 to 9999 in UTC: check year and offset"
        ) from None


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 time of any offset as UTC; ``InvalidValue`` for all else, a naive time included.

    Stricter than ``datetime.fromisoformat``, which takes week dates and other forms of ISO 8601 that RFC 3339 leaves
    out. Digits beyond microseconds are cut off. A leap second (``:60``) is refused, as Python has none.
    """
    found = _RFC3339.fullmatch(text)
    if not found:
        raise InvalidValue("invalid_time", f"{text[:64]!r} is no RFC 3339 time: write it as 2026-01-31T09:30:00Z")
    date, clock, fraction, zone = found.groups()
    try:
        value = datetime.fromisoformat(f"{date}T{clock}.{fraction or 0:0<6}{zone.upper()}")
    except ValueError:
        raise InvalidValue("invalid_time", f"{text[:64]!r} is no time that exists: check day and hour") from None
    return utc(value)


def format_rfc3339(value: datetime) -> str:
    """Write a time as RFC 3339 in UTC with ``Z``, with microseconds only where there are any."""
    return utc(value).replace(tzinfo=None).isoformat() + "Z"


def floor_minute(value: datetime) -> datetime:
    """Give the start of the UTC minute that ``value`` lies in."""
    return value.replace(second=0, microsecond=0)


def floor_day(value: datetime) -> datetime:
    """Give the start of the UTC day that ``value`` lies in."""
    return value.replace(hour=0, minute=0, second=0, microsecond=0)


MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
