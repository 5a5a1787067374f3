"""A dialer on a real port that answers as a test tells it to, and a line to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from aiohttp import web
from attrs import define, evolve, field

from kataven_adapters.http_line import HttpLine, HttpLineSettings
from kataven_core import Attempt, Report
from kataven_core.testing.clocks import StillClock
from kataven_core.testing.samples import NOON, an_order

SECRET = "whsec_bm9ib2R5J3MgcGhvbmUgcmluZ3M="  # noqa: S105 - made up
Say = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Asked(NamedTuple):
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def say(status: int = 200, members: Any = None, *, text: str = "", **headers: str) -> Say:
    """Answer so."""

    async def answer(_: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if members is not None:
            return web.json_response(members, status=status, headers=named)
        return web.Response(status=status, text=text, headers=named)

    return answer


async def reset(request: web.Request) -> web.StreamResponse:
    """Break off."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def never(_: web.Request) -> web.StreamResponse:
    """Say nothing."""
    await asyncio.Event().wait()
    raise AssertionError


async def placed(request: web.Request) -> web.StreamResponse:
    """Place the call."""
    name = (await request.json())["attempt_id"]
    return web.json_response({"attempt_id": name, "call_id": f"c-{name}"}, status=201)


def is_call(each: Asked) -> bool:
    """Whether it asks for a call."""
    return each.method == "POST"


@define
class Dialer:
    """What it answers to each kind of request, and what it was asked."""

    place: Say = placed
    live: Say = field(factory=lambda: say(members={"calls": []}))
    look_up: Say = field(factory=lambda: say(404))
    asked: list[Asked] = field(factory=list)
    at_once: int = 0
    most_at_once: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def calls(self) -> list[Asked]:
        return [each for each in self.asked if is_call(each)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(Asked(request.method, request.raw_path, dict(request.headers), await request.read()))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if request.method == "POST":
                return await self.place(request)
            return await (self.live if request.raw_path.endswith("/calls?state=live") else self.look_up)(request)
        finally:
            self.at_once -= 1


@define
class Heard:
    """What the line has delivered, and its trouble each time it turned."""

    line: HttpLine
    reports: list[Report] = field(factory=list)
    turns: list[str | None] = field(factory=list)
    news: asyncio.Event = field(factory=asyncio.Event)
    fault: Exception | None = None

    def __attrs_post_init__(self) -> None:
        self.line.listen(self._deliver, self._turned)

    def _deliver(self, reports: Sequence[Report]) -> Awaitable[None]:
        self.reports += reports
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.fault:
            durable.set_exception(self.fault)
        else:
            durable.set_result(None)
        return durable

    def _turned(self) -> None:
        self.turns.append(self.line.trouble)
        self.news.set()

    async def up(self) -> None:
        """Wait until the line is in no trouble."""
        async with asyncio.timeout(30):
            while self.line.trouble is not None:
                self.news.clear()
                await self.news.wait()

    async def turned(self, times: int) -> None:
        """Wait until the line has turned so often."""
        async with asyncio.timeout(30):
            while len(self.turns) < times:
                self.news.clear()
                await self.news.wait()


@define
class Lines:
    """Makes lines to the dialer."""

    dialer: Dialer
    clock: StillClock
    stack: AsyncExitStack

    def settings(self, **changes: Any) -> HttpLineSettings:
        return evolve(
            HttpLineSettings(
                url=self.dialer.url,
                secret=SECRET,
                report_url="http://engine.test/lines/http/reports",
                first_pause_s=0.001,
                longest_pause_s=0.002,
                open_patience_s=30.0,
                request_limit_s=30.0,
            ),
            **changes,
        )

    async def open(self, **changes: Any) -> tuple[HttpLine, Heard]:
        line = await self.stack.enter_async_context(HttpLine(self.settings(**changes), self.clock))
        return line, Heard(line)


async def serve(dialer: Dialer, stack: AsyncExitStack, port: int = 0) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", dialer.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    dialer.port = runner.addresses[0][1]
    return runner


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest_asyncio.fixture
async def lines(clock: StillClock) -> AsyncIterator[Lines]:
    async with AsyncExitStack() as stack:
        dialer = Dialer()
        await serve(dialer, stack)
        yield Lines(dialer, clock, stack)


@pytest.fixture
def dialer(lines: Lines) -> Dialer:
    return lines.dialer


def an_attempt(index: int) -> Attempt:
    """Give the attempt of ``an_order``."""
    order = an_order(index)
    return Attempt(
        id=order.attempt_id,
        account_id=order.account_id,
        campaign_id=order.campaign_id,
        position=index,
        n=1,
        phone_number=order.to,
        claimed_at=NOON,
    )
