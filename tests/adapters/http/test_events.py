"""Event streams over real sockets, by every way of serving them."""

import asyncio
import socket
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import httpx
import pytest

from kataven_adapters.http.settings import ApiSettings
from kataven_adapters.memory import MemoryStore
from kataven_adapters.simulated import simulated_line
from kataven_core.runtime import Engine, EngineSettings, Progress, SystemClock

from . import conftest
from .conftest import ACME, QUICK, Serve, Server, auth, free_socket, serving
from .wire import Stream, connected, listeners, make, nobody_listens, path_of, streaming, troubles, until

FAST: Final = ApiSettings(tick_s=0.05, heartbeat_s=0.2, blocked_s=0.3)
CALM: Final = ApiSettings(tick_s=60, heartbeat_s=60)
"""Nothing comes by itself."""
COUNTS: Final = ("pending", "in_progress", "completed", "failed", "cancelled", "suppressed")
MEMBERS: Final = [
    "campaign_id",
    "status",
    "total",
    *COUNTS,
    "attempts",
    "calls_in_flight",
    "answer_rate",
    "calls_per_minute",
    "eta",
    "timestamp",
]


@pytest.fixture(autouse=True)
def _no_trouble_in_the_log(caplog: pytest.LogCaptureFixture) -> Any:
    yield
    assert troubles(caplog.get_records("call")) == []


async def put(server: Server, status: str) -> str:
    """Make a campaign in a status."""
    soon = SystemClock().now() + timedelta(hours=1)
    name = await make(server, scheduled_at=soon if status == "scheduled" else None)
    if status not in {"draft", "scheduled"}:
        await server.engine.start(ACME.id, name)
    if status == "paused":
        await server.engine.pause(ACME.id, name)
    if status == "completed":
        await server.engine.stop(ACME.id, name)
    return name


def counted(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Count what is read of campaigns' progress from now on."""
    read, times = server.engine.progress, []

    async def progress(account_id: str, campaign_id: str) -> Progress:
        times.append(asyncio.get_running_loop().time())
        return await read(account_id, campaign_id)

    monkeypatch.setattr(server.engine, "progress", progress)
    return times


async def test_the_first_snapshot_comes_at_once_with_all_its_members(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(settings=CALM)
    name = await make(server, rows=3)
    async with streaming(http, server, name) as stream:
        event = await stream.next()
    assert event.name == "message"
    assert list(event.data) == MEMBERS
    assert (event.data["campaign_id"], event.status, event.data["total"]) == (name, "draft", 3)
    assert event.data["timestamp"].endswith("Z")


async def test_the_head_keeps_proxies_and_caches_away(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(settings=CALM)
    async with streaming(http, server, await make(server)) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert stream.headers["Cache-Control"] == "no-cache"
        assert stream.headers["X-Accel-Buffering"] == "no"
        assert "Content-Length" not in stream.headers


async def test_while_a_campaign_runs_snapshots_keep_coming(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(settings=ApiSettings(tick_s=0.05, heartbeat_s=60))
    async with streaming(http, server, await put(server, "running")) as stream:
        events = [await stream.next() for _ in range(6)]
    assert {event.status for event in events} == {"running"}
    assert sorted(stream.ids) == stream.ids
    times = [datetime.fromisoformat(event.data["timestamp"]) for event in events]
    assert all(b - a >= timedelta(seconds=0.03) for a, b in pairwise(times[1:]))


async def test_a_heartbeat_comes_in_every_status_that_is_not_the_last(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(settings=ApiSettings(tick_s=60, heartbeat_s=0.05))
    for status in ("draft", "scheduled", "running", "paused"):
        async with streaming(http, server, await put(server, status)) as stream:
            assert (await stream.next()).status == status
            assert [(await stream.next()).comment for _ in range(3)] == [": heartbeat"] * 3


async def test_every_change_of_status_is_told_at_once(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(settings=CALM)
    name = await make(server)
    url = f"{server.base}/api/v1/campaigns/{name}"
    async with streaming(http, server, name) as stream:
        assert (await stream.next()).status == "draft"
        for word, status in [("start", "running"), ("pause", "paused"), ("resume", "running")]:
            assert (await http.post(f"{url}/{word}", headers=auth())).status_code == 200
            assert (await stream.next()).status == status
        await http.post(f"{url}/stop", headers=auth())
        snapshot, end = await stream.rest()
    assert (snapshot.name, snapshot.status) == ("message", "completed")
    assert (end.name, end.data, end.id) == ("end", snapshot.data, snapshot.id)
    assert sorted(stream.ids) == stream.ids


async def test_a_campaign_that_dials_to_its_end_is_followed_to_it(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(line=QUICK, settings=ApiSettings(tick_s=0.01, heartbeat_s=0.05))
    name = await make(server, rows=200)
    async with streaming(http, server, name) as stream:
        await server.engine.start(ACME.id, name)
        events = [event for event in await stream.rest() if event.name != "comment"]
    assert [event.name for event in events[-2:]] == ["message", "end"]
    assert [event.status for event in events[-2:]] == ["completed", "completed"]
    assert events[-1].data["completed"] == 200
    for event in events:
        assert sum(event.data[each] for each in COUNTS) == event.data["total"] == 200
    ids = [event.id for event in events]
    assert sorted(ids) == ids
    await nobody_listens(server)


async def test_of_a_campaign_that_is_over_all_is_said_at_once(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(settings=CALM)
    async with streaming(http, server, await put(server, "completed")) as stream:
        snapshot, end = await stream.rest()
    assert (snapshot.name, end.name) == ("message", "end")
    assert snapshot.data == end.data
    assert snapshot.status == "completed"
    assert await listeners(server) == 0


async def test_a_campaign_that_is_deleted_ends_its_streams(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(settings=CALM)
    for status in ("draft", "scheduled", "paused"):
        name = await put(server, status)
        async with streaming(http, server, name) as stream:
            first = await stream.next()
            assert (await http.delete(f"{server.base}/api/v1/campaigns/{name}", headers=auth())).status_code == 204
            rest = await stream.rest()
        assert rest[-1].name == "end"
        assert rest[-1].data == first.data
        await nobody_listens(server)


async def test_a_reconnect_begins_with_a_fresh_snapshot(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(settings=CALM)
    name = await make(server)
    async with streaming(http, server, name) as stream:
        before = await stream.next()
    await server.engine.start(ACME.id, name)
    for last in (str(before.id), "0", "999999", "nonsense", ""):
        async with streaming(http, server, name, Last_Event_ID=last) as stream:
            event = await stream.next()
            assert event.status == "running"
            assert event.id > before.id


async def test_more_streams_than_allowed_are_refused(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(settings=ApiSettings(tick_s=60, heartbeat_s=7.2, max_streams=2))
    name = await make(server)
    url = f"{server.base}/api/v1/campaigns/{name}/events"
    async with streaming(http, server, name) as first, streaming(http, server, name) as second:
        assert (await first.next()).status == (await second.next()).status == "draft"
        answer = await http.get(url, headers=auth())
        assert answer.status_code == 429
        assert answer.text == "rate_limited: streams (2) exceeded"
        assert answer.headers["Retry-After"] == "8"
        problem = await http.get(url, headers=auth() | {"Accept": "application/problem+json"})
        assert problem.json()["code"] == "rate_limited"
        await server.engine.start(ACME.id, name)
        assert (await first.next()).status == (await second.next()).status == "running"


async def test_who_come_all_at_once_are_counted_too(serve: Serve) -> None:
    server = await serve(settings=ApiSettings(tick_s=60, heartbeat_s=60, max_streams=3), store="sqlite")
    path = path_of(server, f"/api/v1/campaigns/{await make(server)}/events")
    async with AsyncExitStack() as stack:
        raws = [await stack.enter_async_context(connected(server)) for _ in range(20)]
        await asyncio.gather(*(raw.ask("GET", path) for raw in raws))
        statuses = [(await raw.head())[0] for raw in raws]
        assert sorted(statuses) == [200] * 3 + [429] * 17
        assert await listeners(server) == 3


async def test_one_read_serves_all_who_listen(
    serve: Serve, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve(settings=ApiSettings(tick_s=0.2, heartbeat_s=60))
    name = await put(server, "running")
    async with AsyncExitStack() as stack:
        streams: list[Stream] = []
        for _ in range(30):
            streams.append(await stack.enter_async_context(streaming(http, server, name)))
            await streams[-1].next()
        times = counted(server, monkeypatch)
        seen = [[(await stream.next()).data["timestamp"] for _ in range(4)] for stream in streams]
    assert len(times) <= 8
    assert len({stamp for each in seen for stamp in each}) <= len(times) + 3


async def test_a_campaign_that_moves_while_somebody_joins_is_not_missed(
    serve: Serve, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve(settings=CALM)
    name = await make(server)
    read = server.engine.progress

    async def moved_meanwhile(account_id: str, campaign_id: str) -> Progress:
        before = await read(account_id, campaign_id)
        monkeypatch.setattr(server.engine, "progress", read)
        await server.engine.start(ACME.id, name)
        return before

    monkeypatch.setattr(server.engine, "progress", moved_meanwhile)
    async with streaming(http, server, name) as stream:
        assert (await stream.next()).status == "draft"
        assert (await stream.next()).status == "running"


async def test_an_engine_that_closes_ends_every_stream(binding: str, http: httpx.AsyncClient) -> None:
    listening = free_socket()
    host, port = listening.getsockname()
    store, line = MemoryStore(), simulated_line(conftest.SLOW, SystemClock())
    engine = Engine(store=store, line=line, accounts=[ACME], settings=EngineSettings(drain_s=0.2))
    async with AsyncExitStack() as serving_stack, AsyncExitStack() as engine_stack:
        await engine_stack.enter_async_context(engine)
        prefix = await serving_stack.enter_async_context(serving(binding, engine, listening, settings=CALM))
        server = Server(f"http://{host}:{port}{prefix}", engine, host, port)
        async with streaming(http, server, await put(server, "running")) as stream:
            await stream.next()
            await engine_stack.aclose()
            await stream.rest()
        await nobody_listens(server)


@pytest.mark.parametrize("status", ["draft", "running"])
async def test_a_server_that_stops_ends_every_stream_within_a_second(
    binding: str, http: httpx.AsyncClient, status: str
) -> None:
    listening = free_socket()
    host, port = listening.getsockname()
    store, line = MemoryStore(), simulated_line(conftest.SLOW, SystemClock())
    engine = Engine(store=store, line=line, accounts=[ACME], settings=EngineSettings(drain_s=0.2))
    clock = asyncio.get_running_loop().time
    async with engine, AsyncExitStack() as stack:
        prefix = await stack.enter_async_context(serving(binding, engine, listening, settings=CALM))
        server = Server(f"http://{host}:{port}{prefix}", engine, host, port)
        name = await put(server, status)
        async with AsyncExitStack() as listening_stack:
            streams = [await listening_stack.enter_async_context(streaming(http, server, name)) for _ in range(20)]
            for stream in streams:
                await stream.next()
            stopping = asyncio.create_task(stack.aclose())
            began = clock()
            assert [await stream.rest() for stream in streams] == [[]] * 20
            waited_for_nobody = 1.0 if binding.startswith("ASGI") else 0.0  # uvicorn says nothing before that
            assert clock() - began < waited_for_nobody + 1
        await stopping


@pytest.mark.parametrize("status", ["draft", "running"])
async def test_who_disconnects_is_forgotten(serve: Serve, status: str) -> None:
    server = await serve(settings=FAST)
    name = await put(server, status)
    for _ in range(5):
        before = asyncio.all_tasks()
        async with connected(server) as raw:
            await raw.ask("GET", path_of(server, f"/api/v1/campaigns/{name}/events"))
            assert (await raw.head())[0] == 200
            assert await listeners(server) == 1
            raw.cut()
        await nobody_listens(server)

        async def none_is_left(before: set[asyncio.Task[Any]] = before) -> bool:
            return {each for each in asyncio.all_tasks() - before if "feeds" in repr(each)} == set()

        await until(none_is_left)


@pytest.fixture
def _little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server's system hold little back for each connection, as it would for one far away."""

    def small() -> socket.socket:
        listening = free_socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return listening

    monkeypatch.setattr(conftest, "free_socket", small)


@pytest.mark.usefixtures("_little_room")
async def test_who_never_reads_is_dropped_and_holds_nobody_up(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(settings=ApiSettings(tick_s=0.003, heartbeat_s=60, blocked_s=0.3))
    name = await put(server, "running")
    async with AsyncExitStack() as stack:
        deaf = [await stack.enter_async_context(connected(server, receive_bytes=2048, limit=512)) for _ in range(5)]
        for each in deaf:
            await each.ask("GET", path_of(server, f"/api/v1/campaigns/{name}/events"))
        async with streaming(http, server, name) as stream:
            await stream.next()
            assert await listeners(server) == 6

            async def others_are_dropped() -> bool:
                for _ in range(20):
                    await stream.next()
                return await listeners(server) == 1

            await until(others_are_dropped)
            await stream.next()


@pytest.mark.usefixtures("_little_room")
async def test_who_reads_again_gets_the_newest(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(settings=ApiSettings(tick_s=0.003, heartbeat_s=60, blocked_s=60))
    name = await put(server, "running")
    async with connected(server, receive_bytes=2048, limit=512) as slow, streaming(http, server, name) as stream:
        await slow.ask("GET", path_of(server, f"/api/v1/campaigns/{name}/events"))
        for _ in range(450):
            await stream.next()
        await server.engine.pause(ACME.id, name)
        await stream.next_with("paused")
        heard = b""
        while b'"status":"paused"' not in heard:
            async with asyncio.timeout(10):
                piece = await slow.reader.read(65536)
            assert piece
            heard += piece
        assert heard.count(b"id: ") < 300
        assert await listeners(server) == 2


@pytest.mark.usefixtures("_little_room")
async def test_the_end_waits_for_nobody_who_does_not_read(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(settings=ApiSettings(tick_s=0.003, heartbeat_s=60, blocked_s=60))
    name = await put(server, "running")
    async with (
        connected(server, receive_bytes=2048, limit=512) as deaf,
        streaming(http, server, name) as stream,
    ):
        await deaf.ask("GET", path_of(server, f"/api/v1/campaigns/{name}/events"))
        for _ in range(300):
            await stream.next()
        await server.engine.stop(ACME.id, name)
        assert (await stream.rest())[-1].name == "end"
        await nobody_listens(server)
