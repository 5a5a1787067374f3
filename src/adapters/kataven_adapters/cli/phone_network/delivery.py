"""Reports on their way: in order, a batch at a time for each receiver, sent again until they are taken."""

import asyncio
import uuid
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

import aiohttp

from kataven_adapters.wire.http_line import CallReport, write_reports
from kataven_adapters.wire.webhooks import signed
from kataven_core.ports import Clock

_BATCH: Final = 500
_MAX_WAITING: Final = 200_000
"""Reports that wait for all receivers together; more are dropped, as nobody may have been there for hours."""
_PATIENCE: Final = aiohttp.ClientTimeout(total=10.0)
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 1.0


class Delivery:
    """Brings reports to their receivers, signed where there is a ``key``; ``complain`` gets sentences for people."""

    def __init__(self, key: bytes | None, clock: Clock, complain: Callable[[str], None]) -> None:
        self._key = key
        self._clock = clock
        self._complain = complain
        self._complained: set[object] = set()
        self._queues: dict[str, deque[CallReport]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.delivered = 0
        self.waiting = 0
        self.dropped = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(), timeout=_PATIENCE
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop in the middle: what waits is never sent."""
        session, self._session = self._session, None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if session is not None:
            await session.close()

    def add(self, url: str, report: CallReport) -> None:
        """Send a report after all those that wait for the same receiver; none is sent before this is entered."""
        if self._session is None:
            return
        if self.waiting >= _MAX_WAITING:
            self.dropped += 1
            self._complain_once("full", f"{_MAX_WAITING:,} reports wait: those that come now are dropped")
            return
        self.waiting += 1
        queue = self._queues.get(url)
        if queue is not None:
            queue.append(report)
            return
        self._queues[url] = deque([report])
        task = asyncio.create_task(self._deliver(self._session, url))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, session: aiohttp.ClientSession, url: str) -> None:
        queue = self._queues[url]
        while queue:
            batch = [queue.popleft() for _ in range(min(len(queue), _BATCH))]
            await self._until_taken(session, url, batch)
            self.waiting -= len(batch)
            self.delivered += len(batch)
        del self._queues[url]

    async def _until_taken(self, session: aiohttp.ClientSession, url: str, batch: list[CallReport]) -> None:
        body = write_reports(batch)
        name = f"msg_{uuid.uuid4().hex}"  # noqa: TID251 - no two messages may have the same name
        pause_s = _FIRST_PAUSE_S
        while not await self._is_taken(session, url, name, body):
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _is_taken(self, session: aiohttp.ClientSession, url: str, name: str, body: bytes) -> bool:
        headers = {"Content-Type": "application/json"}
        if self._key is not None:
            headers |= signed(self._key, name, self._clock.now(), body)
        try:
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):  # ValueError: a host that can't be one
            return False
        if status != HTTPStatus.NO_CONTENT:
            self._complain_once(
                status,
                f"reports to {url} are answered {status}, not 204: "
                + ("is the secret the receiver's? " if status == HTTPStatus.UNAUTHORIZED else "")
                + "they are sent again until they are taken",
            )
        return status == HTTPStatus.NO_CONTENT

    def _complain_once(self, about: object, sentence: str) -> None:
        if about not in self._complained:
            self._complained.add(about)
            self._complain(sentence)
