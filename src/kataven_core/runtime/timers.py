"""When to look at which campaign next: one heap for all of them, and one sleep."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from heapq import heappop, heappush
from typing import Final

from kataven_core.ports import Clock
from kataven_core.values import AccountId, CampaignId

Key = tuple[AccountId, CampaignId]

_SLEEP_MAX_S: Final = 30.0
"""The longest sleep: wall time may jump while it lasts, as when a machine was asleep."""


class Timers:
    """Calls ``ring`` with the campaigns whose time has come. A later ``set`` for the same campaign counts."""

    def __init__(self, clock: Clock, ring: Callable[[Iterable[Key]], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._at: dict[Key, datetime] = {}
        self._heap: list[tuple[datetime, Key]] = []
        self._sleep: asyncio.TimerHandle | None = None
        self._is_stopped = False

    def set(self, key: Key, at: datetime | None) -> None:
        """Ring for this campaign at this time; None: not at all."""
        if self._is_stopped or at == self._at.get(key):
            return
        if at is None:
            del self._at[key]
            return
        self._at[key] = at
        heappush(self._heap, (at, key))
        if self._heap[0][1] == key:
            self._rearm()

    def stop(self) -> None:
        """Ring no more, whatever is set."""
        self._is_stopped = True
        if self._sleep:
            self._sleep.cancel()
        self._at.clear()
        self._heap.clear()

    def _rearm(self) -> None:
        if self._sleep:
            self._sleep.cancel()
            self._sleep = None
        self._forget_outdated()
        if self._heap:
            wait_s = (self._heap[0][0] - self._clock.now()).total_seconds()
            self._sleep = self._loop.call_later(min(max(wait_s, 0.0), _SLEEP_MAX_S), self._wake)

    def _wake(self) -> None:
        now, due = self._clock.now(), []
        self._forget_outdated()
        while self._heap and self._heap[0][0] <= now:
            key = heappop(self._heap)[1]
            del self._at[key]
            due.append(key)
            self._forget_outdated()
        self._rearm()
        if due:
            self._ring(due)

    def _forget_outdated(self) -> None:
        """Drop the entries at the top whose campaign has another time by now, or none."""
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
