"""The HTTP line against a small dialer that is asked, and reports, over real sockets."""

import asyncio
import socket
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import aiohttp
from aiohttp import web
from attrs import evolve

from kataven_adapters.http_line import HttpLine, HttpLineSettings
from kataven_adapters.wire.http_line import (
    CallReport,
    CallRequest,
    CallState,
    PlacedCall,
    read_request,
    write_live,
    write_placed,
    write_reports,
    write_state,
)
from kataven_adapters.wire.webhooks import key_of, signed
from kataven_core import Outcome
from kataven_core.ports import Clock, Line
from kataven_core.testing import LineContract

SECRET = "whsec_bm9ib2R5J3MgcGhvbmUgcmluZ3M="  # noqa: S105 - made up
LAST = (Outcome.ANSWERED, Outcome.BUSY, Outcome.NO_ANSWER, Outcome.MACHINE, Outcome.DECLINED)
INVALID = "invalid_number"


class Dialer:
    """Places calls that last some milliseconds; every 7th number is refused."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[str, CallState] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession
        self.routes = [
            web.post("/calls", self._place),
            web.get("/calls", self._live),
            web.get("/calls/{attempt_id}", self._look_up),
        ]

    async def open(self) -> None:
        self._session = aiohttp.ClientSession()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    async def _place(self, request: web.Request) -> web.Response:
        wanted = read_request(await request.read())
        assert request.headers["Idempotency-Key"] == wanted.attempt_id
        assert request.headers["Authorization"] == "Bearer t0ken"
        if int(wanted.to) % 7 == 0:
            return web.json_response({"code": INVALID, "message": "no such number"}, status=422)
        if wanted.attempt_id not in self._calls:
            state = CallState(attempt_id=wanted.attempt_id, call_id=f"c-{wanted.attempt_id}", state="ringing")
            self._calls[wanted.attempt_id] = state
            task = asyncio.create_task(self._go_on(wanted))
            self._tasks.add(task)
        placed = PlacedCall(attempt_id=wanted.attempt_id, call_id=f"c-{wanted.attempt_id}")
        return web.Response(body=write_placed(placed), status=201)

    async def _live(self, request: web.Request) -> web.Response:
        assert request.query == {"state": "live"}
        return web.Response(body=write_live([each for each in self._calls.values() if each.state != "ended"]))

    async def _look_up(self, request: web.Request) -> web.Response:
        call = self._calls.get(request.match_info["attempt_id"])
        return web.Response(status=404) if call is None else web.Response(body=write_state(call))

    async def _go_on(self, wanted: CallRequest) -> None:
        name, outcome = wanted.attempt_id, LAST[int(wanted.to) % len(LAST)]
        report = CallReport(attempt_id=name, sequence=1, type="ringing", at=self._clock.now())
        await self._report(wanted, report)
        await asyncio.sleep(0.005)
        if outcome is Outcome.ANSWERED:
            now = self._clock.now()
            self._calls[name] = evolve(self._calls[name], state="answered", answered_at=now)
            await self._report(wanted, evolve(report, sequence=2, type="answered", at=now))
            await asyncio.sleep(0.005)
        now = self._clock.now()
        self._calls[name] = evolve(self._calls[name], state="ended", outcome=outcome, ended_at=now, duration_s=1.0)
        await self._report(wanted, evolve(report, sequence=3, type="ended", outcome=outcome, at=now, duration_s=1.0))

    async def _report(self, wanted: CallRequest, report: CallReport) -> None:
        body = write_reports([report])
        name = f"{report.attempt_id}-{report.sequence}"
        headers = signed(key_of(SECRET), name, self._clock.now(), body)
        async with self._session.post(wanted.report_url, data=body, headers=headers) as answer:
            assert answer.status == 204


class LineWithDialer(HttpLine):
    """Starts a dialer and what receives its reports with itself, and ends both."""

    def __init__(self, clock: Clock) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._dialer = Dialer(clock)
        self._runner: web.AppRunner
        url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        super().__init__(
            HttpLineSettings(
                url=url,
                token="t0ken",  # noqa: S106 - made up
                secret=SECRET,
                report_url=f"{url}/reports",
                open_patience_s=30.0,
                request_limit_s=30.0,
            ),
            clock,
        )

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([*self._dialer.routes, web.post("/reports", self._receive)])
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket).start()
        await self._dialer.open()
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, traceback)
        await self._dialer.close()
        await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        await self.take(request.headers, await request.read())
        return web.Response(status=204)


class TestHttpLine(LineContract):
    calls_live_elsewhere: ClassVar[bool] = True

    def new_line(self, tmp_path: Path, clock: Clock) -> Line:  # noqa: ARG002 - it is in no folder
        return LineWithDialer(clock)
