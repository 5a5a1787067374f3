"""How much may run, and how much may be dialled, now.

Two different things. **Admission** reserves: the ``max_concurrent_calls`` of an account's running campaigns together
never exceed its ``concurrent_max``. The **dial allowance** is live: every dial respects the campaign's cap and the
account's four caps as they are at that moment. The function that gives the allowance also gives the reason: there is no
other answer to "why does nothing dial".
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum, unique

from attrs import evolve, frozen

from .account import NO_LIMIT, Caps
from .errors import BudgetExhausted
from .values import DAY, MINUTE, floor_day, floor_minute, format_rfc3339

_SECONDS = 60


def admit(*, reserved: int, wanted: int, allowed: int, request: str = "cannot run a campaign") -> None:
    """Let a campaign into ``running`` or raise ``BudgetExhausted``; what fits exactly, fits. All in calls.

    ``request`` begins the refusal's sentence: what was asked for, of a campaign in which status.
    """
    if reserved + wanted > allowed:
        raise BudgetExhausted(reserved=reserved, wanted=wanted, allowed=allowed, request=request)


@frozen(kw_only=True)
class AccountUsage:
    """What an account has used of its caps.

    ``calls_in_flight`` counts open attempts, those that may be ringing too. Minute and day are UTC and fixed;
    ``seconds_today`` is the talk of the calls that ended on this day.
    """

    minute: datetime
    day: datetime
    calls_in_flight: int = 0
    calls_this_minute: int = 0
    calls_today: int = 0
    seconds_today: float = 0.0

    @classmethod
    def empty(cls, now: datetime) -> "AccountUsage":
        """Give the usage of an account that has never dialled."""
        return cls(minute=floor_minute(now), day=floor_day(now))

    def rolled(self, now: datetime) -> "AccountUsage":
        """Begin a new minute or day when one has come.

        Windows only move forward: a clock that was set back gives nobody a second helping.
        """
        minute, day = floor_minute(now), floor_day(now)
        if minute <= self.minute:
            return self
        is_same_day = day == self.day
        return AccountUsage(
            minute=minute,
            day=day,
            calls_in_flight=self.calls_in_flight,
            calls_today=self.calls_today if is_same_day else 0,
            seconds_today=self.seconds_today if is_same_day else 0.0,
        )

    def after_claims(self, count: int) -> "AccountUsage":
        """Count so many dials, at their claim."""
        return evolve(
            self,
            calls_in_flight=self.calls_in_flight + count,
            calls_this_minute=self.calls_this_minute + count,
            calls_today=self.calls_today + count,
        )

    def after_ends(self, talks: Sequence[tuple[datetime, float]]) -> "AccountUsage":
        """Free the slots of calls, given when each ended and its talk in seconds, and count what ended on this day."""
        day, tomorrow = self.day, self.day + DAY
        return evolve(
            self,
            calls_in_flight=self.calls_in_flight - len(talks),
            seconds_today=sum((talk_s for ended_at, talk_s in talks if day <= ended_at < tomorrow), self.seconds_today),
        )

    def after_unsent(self, *, claimed_at: datetime) -> "AccountUsage":
        """Free the slot of a dial that was never made, and give back what it took of a window that is still open."""
        return evolve(
            self,
            calls_in_flight=self.calls_in_flight - 1,
            calls_this_minute=self.calls_this_minute - (floor_minute(claimed_at) == self.minute),
            calls_today=self.calls_today - (floor_day(claimed_at) == self.day),
        )


@unique
class Cap(StrEnum):
    """The caps that hold dials back, by the names under which they are set."""

    DAILY_MINUTES = "daily_minutes_max"
    DAILY_CALLS = "daily_calls_max"
    CALLS_PER_MINUTE = "calls_per_minute"
    ACCOUNT_CALLS = "concurrent_max"
    CAMPAIGN_CALLS = "max_concurrent_calls"
    LINE = "line"
    """No cap of ours: the line is down, or has asked for a pause."""


PACING_CAPS = frozenset({Cap.DAILY_CALLS, Cap.CALLS_PER_MINUTE})
"""The caps that make dials short rather than slots."""


@frozen(kw_only=True)
class Allowance:
    """How many ``dials`` may start now, and the cap that allows no more of them.

    ``limit`` is that cap's setting. ``opens_at`` is when it is lifted by the clock; None: when a call ends.
    """

    dials: int
    binding: Cap
    limit: int
    opens_at: datetime | None

    def __str__(self) -> str:
        """Say why not more."""
        if self.binding is Cap.LINE:
            then = f"; tried again at {format_rfc3339(self.opens_at)}" if self.opens_at else ""
            return f"the line takes no calls now{then}"
        then = f"at {format_rfc3339(self.opens_at)}" if self.opens_at else "when a call ends"
        return f"{self.dials} more dials now under {self.binding} = {self.limit}; more {then}"


def account_allowance(caps: Caps, usage: AccountUsage, now: datetime) -> Allowance:
    """Say how many dials an account may start now under its own four caps.

    Where several bind alike, as when two are used up, the one that lasts longest is named.
    """
    usage = usage.rolled(now)
    minute_ends, day_ends = usage.minute + MINUTE, usage.day + DAY
    has_minutes = usage.seconds_today < caps.daily_minutes_max * _SECONDS
    rooms = (
        (NO_LIMIT if has_minutes else 0, Cap.DAILY_MINUTES, caps.daily_minutes_max, day_ends),
        (caps.daily_calls_max - usage.calls_today, Cap.DAILY_CALLS, caps.daily_calls_max, day_ends),
        (caps.calls_per_minute - usage.calls_this_minute, Cap.CALLS_PER_MINUTE, caps.calls_per_minute, minute_ends),
        (caps.concurrent_max - usage.calls_in_flight, Cap.ACCOUNT_CALLS, caps.concurrent_max, None),
    )
    room, binding, limit, opens_at = min(rooms, key=lambda entry: max(entry[0], 0))
    return Allowance(dials=max(room, 0), binding=binding, limit=limit, opens_at=opens_at)


def dial_allowance(
    *, max_concurrent_calls: int, calls_in_flight: int, caps: Caps, usage: AccountUsage, now: datetime
) -> Allowance:
    """Say how many dials one campaign may start now: its own cap (the first two) and its account's four."""
    account = account_allowance(caps, usage, now)
    room = max(max_concurrent_calls - calls_in_flight, 0)
    if account.dials <= room:
        return account
    return Allowance(dials=room, binding=Cap.CAMPAIGN_CALLS, limit=max_concurrent_calls, opens_at=None)
