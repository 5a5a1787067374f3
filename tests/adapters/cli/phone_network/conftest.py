"""A phone network on a real port, whoever asks it for calls, and whoever gets its reports."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import ClientResponse, ClientSession, web
from yarl import URL

from kataven_adapters.cli.failure import CommandFailure
from kataven_adapters.cli.phone_network.faults import Faults
from kataven_adapters.cli.phone_network.serving import Plan, serve
from kataven_adapters.simulated import SimulatedSettings
from kataven_core import Outcome

PATIENCE_S: Final = 60
"""How long anything is waited for that comes at once on a machine with nothing else to do."""
NOWHERE: Final = "http://127.0.0.1:9/reports"
"""Nobody listens there."""


def world(*, ring_s: float = 0.0, talk_s: float = 0.0, seed: int = 7, **chances: Any) -> SimulatedSettings:
    """Give a world in which everybody answers, unless chances by outcome are given."""
    odds = {Outcome(name): chance for name, chance in chances.items()} or {Outcome.ANSWERED: 1.0}
    return SimulatedSettings(seed=seed, chances=odds, ring_s=ring_s, talk_s=talk_s)


def a_call(attempt_id: str = "march.0.1", **members: object) -> dict[str, object]:
    """Give the body of a request for a call."""
    return {
        "attempt_id": attempt_id,
        "campaign_id": "march",
        "account_id": "acme",
        "to": "+442079460958",
        "from": "+14155550100",
        "agent_id": "reminder",
        "route": "reminders",
        "variables": {"name": "Ada"},
        "ring_timeout_s": 30,
        "max_duration_s": 3600,
        "report_url": NOWHERE,
        **members,
    }


async def until(is_so: Callable[[], object] | Callable[[], Awaitable[object]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = is_so()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.01)


class Running:
    """A network that runs in this process."""

    def __init__(
        self, url: str, log: Path, session: ClientSession, complaints: list[str], task: "asyncio.Task[None]"
    ) -> None:
        self.url = url
        self._task = task
        self.complaints = complaints
        self._log = log
        self._session = session

    async def ask(self, method: str, path: str, json: object = None, **options: Any) -> ClientResponse:
        """Ask for something and read the answer."""
        async with self._session.request(method, URL(self.url + path, encoded=True), json=json, **options) as answer:
            await answer.read()
        return answer

    async def place(self, attempt_id: str = "march.0.1", **members: object) -> ClientResponse:
        """Ask for a call."""
        return await self.ask("POST", "/calls", a_call(attempt_id, **members))

    async def shown(self, attempt_id: str = "march.0.1") -> dict[str, Any]:
        """Look a call up."""
        found: dict[str, Any] = await (await self.ask("GET", f"/calls/{attempt_id}")).json()
        return found

    async def counters(self) -> dict[str, int]:
        """Give the figures."""
        found: dict[str, int] = await (await self.ask("GET", "/counters")).json()
        return found

    async def set_faults(self, **faults: float) -> None:
        """Change what goes wrong."""
        assert (await self.ask("PUT", "/faults", faults)).status == 200

    async def end(self) -> None:
        """Wait until it ends by itself, as it ends."""
        await self._task

    async def stop(self) -> None:
        """Let it die as it is."""
        await _stop(self._task)

    async def until_settled(self) -> None:
        """Wait until no call is up and no report waits."""

        async def is_settled() -> bool:
            counters = await self.counters()
            return counters["live"] == counters["reports_waiting"] == 0

        await until(is_settled)

    async def until_settled_calls(self) -> None:
        """Wait until no call is up; its reports may wait for whoever takes them."""

        async def are_over() -> bool:
            return (await self.counters())["live"] == 0

        await until(are_over)
        await self.ask("GET", "/calls?state=live")  # it is answered when all that has happened is in the log

    @property
    def heard(self) -> list[dict[str, str]]:
        """Give what the log holds."""
        return [json.loads(line) for line in self._log.read_text().split("\n")[:-1]]

    def heard_of(self, attempt_id: str) -> list[str]:
        """Give the events of one attempt."""
        return [event["event"] for event in self.heard if event["attempt_id"] == attempt_id]


Run = Callable[..., Awaitable[Running]]


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    """Run networks; each is a ``Plan`` of which a test says what matters to it."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())

        async def running(
            settings: SimulatedSettings | None = None, log: str = "phones.jsonl", **members: Any
        ) -> Running:
            told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            file = tmp_path / log
            plan = Plan(
                host="127.0.0.1",
                port=0,
                log=str(file),
                world=settings or world(),
                **{"faults": Faults(), **members},
            )
            complaints: list[str] = []
            task = asyncio.create_task(serve(plan, told.set_result, complaints.append))
            stack.push_async_callback(_stop, task)
            either: list[asyncio.Future[Any]] = [told, task]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            return Running(told.result().removeprefix("listening on "), file, session, complaints, task)

        yield running


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, CommandFailure):
        await task


class Receiver:
    """Takes reports; it answers ``status``."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 204
        self.asked: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.statuses: list[int] = []
        self.connections: set[object] = set()

    async def handle(self, request: web.Request) -> web.Response:
        """Keep what comes."""
        self.asked.append(request)
        self.connections.add(request.transport and request.transport.get_extra_info("peername"))
        self.bodies.append(await request.read())
        self.statuses.append(self.status)
        return web.Response(status=self.status)

    @property
    def reports(self) -> list[dict[str, Any]]:
        """Give the reports that were taken, in the order in which they came."""
        taken = zip(self.bodies, self.statuses, strict=True)
        return [report for body, status in taken if status == 204 for report in json.loads(body)["reports"]]

    def types(self, attempt_id: str = "march.0.1") -> list[str]:
        """Give the types of one attempt's reports."""
        return [report["type"] for report in self.reports if report["attempt_id"] == attempt_id]


@asynccontextmanager
async def receiving(found: Receiver, port: int = 0) -> AsyncIterator[None]:
    """Let somebody take reports for a while."""
    app = web.Application()
    app.router.add_post("/reports", found.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/reports"
        yield
    finally:
        await runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody who takes reports."""
    found = Receiver()
    async with receiving(found):
        yield found
