"""What a campaign is asked to be: its settings, checked as a whole so that every wrong field is named at once."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from .errors import InvalidValue, Problem
from .values import format_rfc3339, utc

MAX_NAME_CHARS: Final = 255
MAX_CONCURRENT_CALLS: Final = 100
MAX_RETRIES: Final = 5
RETRY_DELAY_MIN_S: Final = 60
"""The API's lower bound: a phone that rings again within the minute is harassment, not a retry."""
RETRY_DELAY_MAX_S: Final = 30 * 24 * 60 * 60
SCHEDULE_AHEAD_MAX: Final = timedelta(days=5 * 365 + 2)
"""Five years, with the two leap days that they may hold; a later date is a typing mistake."""

_NO_TEXT = re.compile("[\0\ud800-\udfff]")


@frozen(kw_only=True)
class CampaignSettings:
    """What the creator of a campaign chooses. Made by ``campaign_settings``, so that one that exists is in range.

    ``phone_number_id`` is the id of the account's number to call from. ``retry_delay_seconds`` runs from the end of a
    failed attempt. ``scheduled_at`` is UTC.
    """

    name: str
    agent_id: str
    phone_number_id: str
    max_concurrent_calls: int = 5
    retries_per_contact: int = 0
    retry_delay_seconds: int = 300
    scheduled_at: datetime | None = None


def campaign_settings(
    *,
    now: datetime,
    name: str,
    agent_id: str,
    phone_number_id: str,
    max_concurrent_calls: int = 5,
    retries_per_contact: int = 0,
    retry_delay_seconds: int = 300,
    scheduled_at: datetime | None = None,
    retry_delay_min_s: int = RETRY_DELAY_MIN_S,
) -> CampaignSettings:
    """Check settings; ``InvalidValue`` names every wrong one.

    ``retry_delay_min_s`` lowers the bound of the retry delay, for trials.
    """
    ranges = {
        "max_concurrent_calls": (max_concurrent_calls, 1, MAX_CONCURRENT_CALLS),
        "retries_per_contact": (retries_per_contact, 0, MAX_RETRIES),
        "retry_delay_seconds": (retry_delay_seconds, retry_delay_min_s, RETRY_DELAY_MAX_S),
    }
    texts = {"name": name, "agent_id": agent_id, "phone_number_id": phone_number_id}
    problems = [*_texts(texts), *_ranges(ranges), *_schedule(scheduled_at, now)]
    if problems:
        raise InvalidValue.of("invalid_settings", problems)
    return CampaignSettings(
        name=name,
        agent_id=agent_id,
        phone_number_id=phone_number_id,
        max_concurrent_calls=max_concurrent_calls,
        retries_per_contact=retries_per_contact,
        retry_delay_seconds=retry_delay_seconds,
        scheduled_at=utc(scheduled_at) if scheduled_at else None,
    )


def _texts(texts: dict[str, str]) -> Iterator[Problem]:
    for field, text in texts.items():
        if not text.strip():
            yield Problem(field, f"{field} is blank: give one")
        elif _NO_TEXT.search(text):
            yield Problem(field, f"{field} holds a NUL or half a surrogate pair, which is no text: remove it")
        elif len(text) > MAX_NAME_CHARS:
            yield Problem(field, f"{field} has {len(text):,} characters: at most {MAX_NAME_CHARS} are allowed")


def _ranges(ranges: dict[str, tuple[int, int, int]]) -> Iterator[Problem]:
    for field, (value, low, high) in ranges.items():
        if type(value) is not int or not low <= value <= high:
            yield Problem(field, f"{field} is {value}: it must be a whole number from {low} to {high}")


def _schedule(scheduled_at: datetime | None, now: datetime) -> Iterator[Problem]:
    if scheduled_at is None:
        return
    if scheduled_at.utcoffset() is None:
        yield Problem("scheduled_at", "scheduled_at names no time zone: add Z or an offset such as +02:00")
    elif scheduled_at <= now:
        yield Problem("scheduled_at", f"scheduled_at is not in the future: it is {format_rfc3339(now)} now")
    elif scheduled_at > now + SCHEDULE_AHEAD_MAX:
        yield Problem("scheduled_at", "scheduled_at is more than 5 years ahead: check the year")
