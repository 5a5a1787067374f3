"""Events for listeners in this process: each has a queue of its own, and nobody waits for the slowest."""

import asyncio
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from kataven_core.errors import AdapterFault
from kataven_core.events import CampaignEvent
from kataven_core.values import AccountId, CampaignId

ROOM: Final = 10_000
"""Events that a listener may be behind: some seconds of a busy account, a few megabytes."""


Topic = tuple[AccountId, CampaignId | None]


class Hub:
    """The publisher in this process. ``room`` is how many events a listener may be behind."""

    def __init__(self, *, room: int = ROOM) -> None:
        self._room = room
        self._listeners: dict[Topic, list[Listener]] = {}

    def publish(self, events: Sequence[CampaignEvent]) -> None:
        """Hand events to whoever listens."""
        if not self._listeners:
            return
        for event in events:
            for topic in ((event.account_id, None), (event.account_id, event.campaign_id)):
                for listener in self._listeners.get(topic, ()):
                    listener.hear(event)

    def close(self) -> None:
        """Let every listener hear what it has not heard yet, and then come to an end."""
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.end()

    def subscribe(self, account_id: AccountId, campaign_id: CampaignId | None = None) -> "Listener":
        """Listen, from the moment at which what is given back is entered."""
        return Listener(self._listeners, (account_id, campaign_id), self._room)


class Listener:
    """One subscription: an async context manager, and the events while it lasts."""

    def __init__(self, listeners: dict[Topic, list["Listener"]], topic: Topic, room: int) -> None:
        self._listeners = listeners
        self._topic = topic
        self._room = room
        self._heard: deque[CampaignEvent] = deque()
        self._has_missed = False
        self._has_left = False
        self._arrived = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._listeners.setdefault(self._topic, []).append(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        others = [each for each in self._listeners.pop(self._topic) if each is not self]
        if others:
            self._listeners[self._topic] = others
        self.end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> CampaignEvent:
        while not self._heard:
            if self._has_missed:
                self._has_missed = False
                sentence = "events were missed: take a snapshot and go on from there"
                raise AdapterFault("too_slow", sentence, is_retryable=True)
            if self._has_left:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._heard.popleft()

    def end(self) -> None:
        """Hear nothing more."""
        self._has_left = True
        self._arrived.set()

    def hear(self, event: CampaignEvent) -> None:
        """Take what was published, or note that it was too much."""
        if self._has_missed or len(self._heard) >= self._room:
            self._has_missed = True
        else:
            self._heard.append(event)
        self._arrived.set()
