"""Live progress: one reader per campaign, however many listen, and nobody waits for the slowest.

A ``Feed`` reads a snapshot every few seconds while its campaign runs and at every change of status, writes it once and
lets each ``Listener`` hear it, until the campaign is over or nobody listens any more.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from kataven_core import AccountId, AdapterFault, CampaignId, CampaignStatus, NotFound
from kataven_core.runtime import Engine, Progress

from .listeners import Listener
from .moves import each_move
from .rate_limits import rate_limited
from .settings import ApiSettings
from .sse import Frames, frames_of

log = logging.getLogger(__name__)

Key = tuple[AccountId, CampaignId]


class Feed:
    """One campaign's listeners, and the task that feeds them."""

    def __init__(self, engine: Engine, key: Key, settings: ApiSettings, ended: Callable[["Feed"], None]) -> None:
        self.key = key
        self._engine = engine
        self._settings = settings
        self._ended = ended
        self._listeners: set[Listener] = set()
        self._last: Progress | None = None
        self._is_last_known = True
        self._news = asyncio.Event()
        self._has_begun = asyncio.Event()
        self._is_over = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    def __len__(self) -> int:
        return len(self._listeners)

    async def join(self) -> tuple[Listener, Frames]:
        """Give a new listener, and what is to be sent to it first; ``NotFound`` where there is no such campaign."""
        listener = Listener(self._leave)
        self._listeners.add(listener)
        try:
            await self._has_begun.wait()
            first = frames_of(await self._read())
        except BaseException:
            self._leave(listener)
            raise
        listener.begin(first)
        if first.is_end:
            self._leave(listener)
        return listener, first

    def close(self) -> None:
        """Let every response end."""
        for listener in tuple(self._listeners):
            listener.close()
        self._listeners.clear()
        self._stop()

    def _leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        if not self._listeners:
            self._stop()

    def _stop(self) -> None:
        self._task.cancel()
        self._has_begun.set()  # who waits for it reads once, and is told that it is over
        self._ended(self)

    async def _run(self) -> None:
        watching = asyncio.get_running_loop().create_task(self._watch())
        try:
            await self._feed()
        except Exception:
            log.exception("the feed of a campaign has failed")
        finally:
            watching.cancel()
            self.close()

    async def _watch(self) -> None:
        """Wake the feed at each change of status, and when the engine closes."""
        try:
            async for _ in each_move(self._engine.events(*self.key)):
                if self._has_begun.is_set():
                    self._news.set()
                self._has_begun.set()
        except AdapterFault as fault:
            log.warning("the changes of a campaign can't be followed: %s", fault.message)
        except Exception:
            log.exception("the changes of a campaign can't be followed")
        finally:
            self._is_over = True
            self._has_begun.set()
            self._news.set()

    async def _feed(self) -> None:
        """Let everybody hear snapshots and signs of life in their time, until the campaign is over."""
        clock, settings = asyncio.get_running_loop().time, self._settings
        tick_at, beat_at = clock() + settings.tick_s, clock() + settings.heartbeat_s
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(tick_at, beat_at)):
                    await self._news.wait()
            if self._is_over:
                return
            newest = None
            is_tick = clock() >= tick_at
            if self._news.is_set() or (is_tick and self._may_differ):
                newest = await self._newest()
            if newest or is_tick:
                tick_at = clock() + settings.tick_s
            now = clock()
            is_beat = now >= beat_at
            if is_beat:
                beat_at = now + settings.heartbeat_s
            self._tell(newest, is_beat=is_beat, now=now)
            if newest and newest.is_end:
                return

    def _tell(self, newest: Frames | None, *, is_beat: bool, now: float) -> None:
        for listener in tuple(self._listeners):
            listener.hear(newest, is_beat=is_beat, now=now)
            if listener.is_blocked_for(self._settings.blocked_s, now):
                listener.drop()

    @property
    def _may_differ(self) -> bool:
        """Whether it can stand elsewhere by now, though nothing was heard: it runs, or it could not be read."""
        is_running = self._last is not None and self._last.snapshot.status is CampaignStatus.RUNNING
        return is_running or not self._is_last_known

    async def _newest(self) -> Frames | None:
        """Read where the campaign stands; None where the store can't say. One that is gone has come to its end."""
        self._news.clear()
        try:
            newest = frames_of(await self._read())
        except NotFound:
            return frames_of(self._last, is_gone=True) if self._last else None
        except AdapterFault as fault:
            log.warning("the progress of a campaign can't be read: %s", fault.message)
            self._is_last_known = False
            return None
        self._is_last_known = True
        return newest

    async def _read(self) -> Progress:
        progress = await self._engine.progress(*self.key)
        if self._last is None or progress.sequence >= self._last.sequence:  # others read at the same time
            self._last = progress
        return progress


class Feeds:
    """All campaigns that somebody listens to."""

    def __init__(self, engine: Engine, settings: ApiSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._feeds: dict[Key, Feed] = {}

    def __len__(self) -> int:
        return sum(map(len, self._feeds.values()))

    async def listen(self, account_id: AccountId, campaign_id: CampaignId) -> tuple[Listener, Frames]:
        """Listen to a campaign, from a fresh snapshot on; ``NotFound`` where there is none.

        ``HttpProblem`` where too many listen, those included who have come only as far as here.
        """
        if len(self) >= self._settings.max_streams:
            raise rate_limited("streams", self._settings.max_streams, retry_after_s=self._settings.heartbeat_s)
        key = account_id, campaign_id
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(self._engine, key, self._settings, self._forget)
        return await feed.join()

    def close(self) -> None:
        """Let every response end."""
        for feed in tuple(self._feeds.values()):
            feed.close()

    def _forget(self, feed: Feed) -> None:
        if self._feeds.get(feed.key) is feed:
            del self._feeds[feed.key]
