"""Time that passes when nothing else is left to do, and an engine and connections that do as a test says."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Final, cast

from kataven_adapters.http.feeds import Feeds
from kataven_adapters.http.listeners import Listener
from kataven_adapters.http.settings import ApiSettings
from kataven_adapters.http.sse import Frames
from kataven_core import (
    AccountId,
    AdapterFault,
    CampaignDeleted,
    CampaignEvent,
    CampaignId,
    CampaignStarted,
    CampaignStatus,
    NotFound,
    Snapshot,
    account_id,
)
from kataven_core.ports import Subscription
from kataven_core.runtime import Engine, Progress
from kataven_core.runtime.hub import Hub

AT: Final = datetime(2030, 1, 1, tzinfo=UTC)
ACCOUNT: Final = account_id("acme")
CAMPAIGN: Final = CampaignId("c1")
SETTINGS: Final = ApiSettings(tick_s=2, heartbeat_s=15, blocked_s=30)


class _Jumps(selectors.SelectSelector):
    """Waits for no timer."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing will ever happen again")
        self.passed += 0 if ready else timeout or 0
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on which hours take no time, and waiting for what never comes is an error."""

    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        return self._jumps.passed


def virtually(test: Coroutine[Any, Any, None]) -> list[dict[str, Any]]:
    """Run it, and see that no task outlives it; give what the loop had to complain of."""
    complaints: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: complaints.append(context))

        async def alone() -> None:
            await test
            await asyncio.sleep(0.001)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, left

        runner.run(alone())
    return complaints


def snapshot(status: CampaignStatus = CampaignStatus.RUNNING) -> Snapshot:
    return Snapshot(
        campaign_id=CAMPAIGN,
        status=status,
        total=0,
        pending=0,
        in_progress=0,
        completed=0,
        failed=0,
        cancelled=0,
        suppressed=0,
        attempts=0,
        calls_in_flight=0,
        answer_rate=None,
        calls_per_minute=0,
        eta=None,
        timestamp=AT,
    )


class FakeEngine:
    """One campaign, in whatever status; ``reads`` counts, and ``before_read`` may hold a read up or let it fail."""

    def __init__(self, status: CampaignStatus = CampaignStatus.RUNNING, *, room: int = 100) -> None:
        self.status = status
        self.sequence = 1
        self.is_gone = False
        self.reads = 0
        self.hub = Hub(room=room)
        self.before_read: Callable[[], Awaitable[object]] | None = None
        self.subscribed: Callable[[], Subscription] | None = None

    async def progress(self, _account: str, _campaign: str) -> Progress:
        """Read, then take as long as the test wants to bring it."""
        self.reads += 1
        read = Progress(snapshot(self.status), self.sequence)
        is_gone = self.is_gone
        if self.before_read:
            await self.before_read()
        if is_gone:
            raise NotFound("campaign")
        return read

    def events(self, account: str, campaign: str) -> Subscription:
        if self.subscribed:
            return self.subscribed()
        return self.hub.subscribe(AccountId(account), CampaignId(campaign))

    def move(self, status: CampaignStatus, kind: type[CampaignEvent] = CampaignStarted, **members: Any) -> None:
        """Put it into another status, and tell of it by an event of this kind."""
        self.status = status
        self.tell(kind, **members)

    def delete(self) -> None:
        """Let it be gone."""
        self.is_gone = True
        self.tell(CampaignDeleted)

    def tell(self, kind: type[CampaignEvent] = CampaignStarted, **members: Any) -> None:
        """Let an event happen."""
        self.sequence += 1
        self.hub.publish([kind(account_id=ACCOUNT, campaign_id=CAMPAIGN, sequence=self.sequence, at=AT, **members)])


def feeds_of(engine: FakeEngine, settings: ApiSettings = SETTINGS) -> Feeds:
    return Feeds(cast("Engine", engine), settings)


class FakeSink:
    """A connection: ``heard`` is when what was written, ``is_blocked`` while its client does not read."""

    def __init__(self) -> None:
        self.is_blocked = False
        self.is_gone = False
        self.heard: list[tuple[float, bytes]] = []
        self.calls: list[str] = []

    def write(self, frame: bytes) -> bool:
        self.calls.append("refuse" if self.is_blocked else "write")
        if not self.is_blocked:
            self._hear(frame)
        return not self.is_blocked

    def finish(self, frames: bytes) -> None:
        self.calls.append("finish")
        self._hear(frames)

    def abort(self) -> None:
        self.calls.append("abort")

    def _hear(self, frame: bytes) -> None:
        self.heard.append((asyncio.get_running_loop().time(), frame))

    @property
    def ids(self) -> list[int]:
        """Give the ids in the order in which they were sent."""
        lines = b"".join(frame for _, frame in self.heard).splitlines()
        return [int(line.removeprefix(b"id: ")) for line in lines if line.startswith(b"id: ")]

    @property
    def times(self) -> list[float]:
        """Give when something was sent, to the tenth of a second."""
        return [round(at, 1) for at, _ in self.heard]

    @property
    def text(self) -> bytes:
        """Give all that was sent."""
        return b"".join(frame for _, frame in self.heard)


async def listen(feeds: Feeds) -> tuple[Listener, FakeSink, Frames]:
    """Listen as a binding does."""
    listener, first = await feeds.listen(ACCOUNT, CAMPAIGN)
    sink = FakeSink()
    if not first.is_end:
        listener.attach(sink)
    return listener, sink, first


def failing(code: str = "store_unavailable", times: int = 1) -> Callable[[], Awaitable[None]]:
    """Give what lets so many reads fail."""
    left = [times]

    async def fail() -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise AdapterFault(code, "the store does not answer", is_retryable=True)

    return fail


class BrokenEvents:
    """A subscription that fails whenever it is asked; ``asked`` counts."""

    def __init__(self, error: Exception, *, on_entry: bool = False) -> None:
        self._error = error
        self._on_entry = on_entry
        self.asked = 0

    async def __aenter__(self) -> AsyncIterator[CampaignEvent]:
        if self._on_entry:
            raise self._error
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing was opened."""

    def __aiter__(self) -> AsyncIterator[CampaignEvent]:
        return self

    async def __anext__(self) -> CampaignEvent:
        self.asked += 1
        raise self._error
