"""The API in front of a real engine, by every way in which it can be served."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import uvicorn
from aiohttp import web
from attrs import evolve
from fastapi import FastAPI

import kataven_core as kc
from kataven_adapters.http import ApiKey, ApiKeys, ApiSettings, Metrics, create_app, create_asgi_app
from kataven_adapters.memory import MemoryStore
from kataven_adapters.numbers import national_parser
from kataven_adapters.simulated import simulated_line
from kataven_adapters.sqlite import SqliteStore
from kataven_adapters.wire.taking import Take
from kataven_core.ports import Line, Store
from kataven_core.runtime import Engine, EngineSettings, SystemClock

NUMBER = kc.OutboundNumber(id="office", e164=kc.PhoneNumber("+12025550100"))
SILENT = kc.OutboundNumber(id="silent", e164=kc.PhoneNumber("+12025550101"), outbound_enabled=False)
AGENTS = (kc.Agent(id="reminder"), kc.Agent(id="draft", status=kc.AgentStatus.DRAFT))
ACME = kc.Account(
    id=kc.account_id("ac_me"),
    caps=kc.Caps(concurrent_max=10, calls_per_minute=60_000),
    agents=AGENTS,
    phone_numbers=(NUMBER, SILENT),
)
GLOBEX = evolve(ACME, id=kc.account_id("globex"))
KEYS = {ACME.id: "sk_live_ac_me_0123456789", GLOBEX.id: "sk_live_globex_9876543210"}

SLOW = "simulated://?answer=1&ring_s=600&talk_s=600"
"""Calls that outlast any test."""
QUICK = "simulated://?answer=1&ring_s=0&talk_s=0"


def keys() -> ApiKeys:
    """Give what knows the keys of both accounts."""
    return ApiKeys(ApiKey(sha256(key.encode()).hexdigest(), account, "ops") for account, key in KEYS.items())


class Server(NamedTuple):
    """A server that listens. ``base`` is where the API is mounted."""

    base: str
    engine: Engine
    host: str
    port: int

    @property
    def address(self) -> tuple[str, int]:
        """Give where it listens."""
        return self.host, self.port


Serve = Callable[..., Awaitable[Server]]
Start = Callable[[Any, str], Awaitable[None]]


def free_socket() -> socket.socket:
    """Give a socket that listens on a port that is free."""
    # With the protocol named, as servers do it: else asyncio leaves Nagle's delays on.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    listening.setblocking(False)  # noqa: FBT003 - its only argument
    return listening


@asynccontextmanager
async def on_aiohttp(app: web.Application, listening: socket.socket) -> AsyncIterator[None]:
    """Serve an aiohttp application."""
    runner = web.AppRunner(app, shutdown_timeout=1, access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def on_uvicorn(app: Any, listening: socket.socket) -> AsyncIterator[None]:
    """Serve an ASGI application."""
    config = uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=1, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - it has no event of its own
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


async def hello(_: web.Request) -> web.Response:
    """Stand for what a host serves besides."""
    return web.Response(text="host")


@asynccontextmanager
async def serving(binding: str, engine: Engine, listening: socket.socket, **options: Any) -> AsyncIterator[str]:
    """Serve the API in one of four ways; give its prefix."""
    if binding == "aiohttp":
        async with on_aiohttp(create_app(engine, keys(), **options), listening):
            yield ""
    elif binding == "aiohttp, mounted":
        host = web.Application()
        host.router.add_get("/", hello)
        host.add_subapp("/voice", create_app(engine, keys(), **options))
        async with on_aiohttp(host, listening):
            yield "/voice"
    elif binding == "ASGI":
        async with on_uvicorn(create_asgi_app(engine, keys(), **options), listening):
            yield ""
    else:
        fastapi = FastAPI()
        mounted = create_asgi_app(engine, keys(), **options)
        fastapi.mount("/voice", mounted)
        async with on_uvicorn(fastapi, listening):
            yield "/voice"
            mounted.close()


BINDINGS = ("aiohttp", "aiohttp, mounted", "ASGI", "ASGI, mounted")


@pytest.fixture(params=BINDINGS)
def binding(request: pytest.FixtureRequest) -> str:
    """Give each way of serving the API."""
    way: str = request.param
    return way


@pytest.fixture
async def serve(binding: str, tmp_path: Path) -> AsyncIterator[Serve]:
    """Give what starts a server: ``await serve(line=..., store=..., settings=..., engine_settings=...)``."""
    async with AsyncExitStack() as stack:

        async def start(
            *,
            line: Line | str = SLOW,
            store: Store | str = "memory",
            settings: ApiSettings | None = None,
            engine_settings: EngineSettings | None = None,
            line_reports: Mapping[str, Take] | None = None,
        ) -> Server:
            kept: dict[str, Callable[[], Store]] = {
                "memory": MemoryStore,
                "sqlite": lambda: SqliteStore(tmp_path / "calls.db"),
            }
            metrics = Metrics()
            engine = Engine(
                store=kept[store]() if isinstance(store, str) else store,
                line=simulated_line(line, SystemClock()) if isinstance(line, str) else line,
                accounts=[ACME, GLOBEX],
                meter=metrics,
                settings=engine_settings or EngineSettings(drain_s=0.2, settle_limit_s=1),
            )
            await stack.enter_async_context(engine)
            listening = free_socket()
            host, port = listening.getsockname()
            options = {
                "settings": settings or ApiSettings(),
                "metrics": metrics,
                "read_region": national_parser,
                "line_reports": line_reports or {},
            }
            prefix = await stack.enter_async_context(serving(binding, engine, listening, **options))
            return Server(f"http://{host}:{port}{prefix}", engine, host, port)

        yield start


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of which nothing is expected but that it sends what it is told."""
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        yield client


def auth(account: kc.Account = ACME) -> dict[str, str]:
    """Give the headers of an account's request."""
    return {"Authorization": f"Bearer {KEYS[account.id]}"}
