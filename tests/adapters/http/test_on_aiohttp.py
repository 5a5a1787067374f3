"""What only aiohttp has: transports that are written to directly, applications in applications, its own shutdown."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any, cast

import httpx
import pytest
from aiohttp import web

from kataven_adapters.http import ApiSettings, create_app
from kataven_adapters.http.aiohttp_events import _Sink
from kataven_adapters.memory import MemoryStore
from kataven_adapters.simulated import simulated_line
from kataven_core.runtime import Engine, EngineSettings, SystemClock

from .conftest import ACME, KEYS, SLOW, Server, auth, free_socket, keys, on_aiohttp
from .feeding import virtually
from .wire import connected, make, nobody_listens, streaming


class Transport:
    """A connection that holds back what it is told to."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.unsent = 0
        self.calls: list[str] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.is_closed

    def abort(self) -> None:
        self.calls.append("abort")

    def get_extra_info(self, _name: str) -> None:
        """Have none, as one that is encrypted by something else."""


def sink_on(transport: Transport, *, is_chunked: bool = True) -> _Sink:
    return _Sink(cast("asyncio.Transport", transport), is_chunked=is_chunked)


@pytest.mark.parametrize(("is_chunked", "expected"), [(True, b"b\r\nhello world\r\n"), (False, b"hello world")])
def test_a_frame_is_one_write(is_chunked: bool, expected: bytes) -> None:  # noqa: FBT001 - a parameter of the test
    async def test() -> None:
        transport = Transport()
        assert sink_on(transport, is_chunked=is_chunked).write(b"hello world")
        assert transport.written == [expected]

    virtually(test())


def test_while_something_has_not_left_nothing_is_taken() -> None:
    async def test() -> None:
        transport = Transport()
        sink = sink_on(transport)
        transport.unsent = 1
        assert not sink.write(b"x")
        assert transport.written == []
        transport.unsent = 0
        assert sink.write(b"x")

    virtually(test())


def test_the_end_lets_the_response_go_on_at_once() -> None:
    async def test() -> None:
        transport = Transport()
        sink = sink_on(transport)
        sink.finish(b"bye")
        sink.finish(b"")
        assert transport.written == [b"3\r\nbye\r\n"]
        assert sink.ended.done()
        await asyncio.sleep(10)
        assert transport.calls == []

    virtually(test())


def test_the_end_waits_half_a_second_for_who_is_behind() -> None:
    async def test() -> None:
        transport = Transport()
        transport.unsent = 500
        sink = sink_on(transport)
        sink.finish(b"bye")
        assert sink.ended.done()
        await asyncio.sleep(0.4)
        assert transport.calls == []
        await asyncio.sleep(0.2)
        assert transport.calls == ["abort"]

    virtually(test())


def test_to_who_has_gone_nothing_is_written() -> None:
    async def test() -> None:
        transport = Transport()
        sink = sink_on(transport)
        assert sink.is_gone is False
        transport.is_closed = True
        sink.finish(b"bye")
        sink.abort()
        assert transport.written == []
        assert sink.ended.done()

    virtually(test())


def an_engine() -> Engine:
    line = simulated_line(SLOW, SystemClock())
    return Engine(store=MemoryStore(), line=line, accounts=[ACME], settings=EngineSettings(drain_s=0.1))


def nested(app: web.Application, *prefixes: str) -> web.Application:
    for prefix in reversed(prefixes):
        host = web.Application()
        host.add_subapp(prefix, app)
        app = host
    return app


@pytest.mark.parametrize("prefixes", [["/a"], ["/a", "/b/c"], ["/api"], ["/api/v1"]])
async def test_the_api_is_found_wherever_it_is_mounted(http: httpx.AsyncClient, prefixes: list[str]) -> None:
    listening = free_socket()
    host, port = listening.getsockname()
    async with an_engine() as engine, on_aiohttp(nested(create_app(engine, keys()), *prefixes), listening):
        mount = "".join(prefixes)
        document = await http.get(f"http://{host}:{port}{mount}/openapi.json")
        assert document.status_code == 200
        form: dict[str, Any] = {
            "name": (None, "March"),
            "agent_id": (None, "reminder"),
            "phone_number_id": (None, "office"),
            "contacts": ("c.csv", b"phone_number\n+14155550100\n"),
        }
        made = await http.post(f"http://{host}:{port}{mount}/api/v1/campaigns", headers=auth(), files=form)
        assert made.status_code == 201
        found = await http.get(f"http://{host}:{port}{made.headers['Location']}", headers=auth())
        assert found.json() == made.json()


async def test_what_else_a_client_expects_is_let_pass() -> None:
    listening = free_socket()
    host, port = listening.getsockname()
    async with (
        an_engine() as engine,
        on_aiohttp(create_app(engine, keys()), listening),
        connected(Server("", engine, host, port)) as raw,
    ):
        await raw.ask("POST", "/api/v1/campaigns", "Expect: a-miracle", "Content-Length: 0")
        status, _, body = await raw.answer()
        assert (status, b"multipart/form-data" in body) == (400, True)


async def test_an_old_client_hears_events_until_the_connection_closes(http: httpx.AsyncClient) -> None:
    listening = free_socket()
    host, port = listening.getsockname()
    async with an_engine() as engine, on_aiohttp(create_app(engine, keys()), listening):
        server = Server(f"http://{host}:{port}", engine, host, port)
        name = await make(server)
        async with connected(server) as raw, streaming(http, server, name) as stream:
            lines = [f"GET /api/v1/campaigns/{name}/events HTTP/1.0", f"Authorization: Bearer {KEYS[ACME.id]}", "", ""]
            await raw.send("\r\n".join(lines))
            assert (await raw.head())[0] == 200
            await stream.next()
            await engine.start(ACME.id, name)
            await engine.stop(ACME.id, name)
            said = await raw.rest()
            assert said.startswith(b"id: ")
            assert said.endswith(b"}\n\n")
            assert said.count(b"event: end\n") == 1


async def test_a_server_whose_streams_are_open_stops_at_once(http: httpx.AsyncClient) -> None:
    listening = free_socket()
    host, port = listening.getsockname()
    settings = ApiSettings(tick_s=60, heartbeat_s=60)
    clock = asyncio.get_running_loop().time
    async with an_engine() as engine, AsyncExitStack() as stack:
        runner = web.AppRunner(create_app(engine, keys(), settings=settings), shutdown_timeout=30, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listening).start()
        server = Server(f"http://{host}:{port}", engine, host, port)
        name = await make(server)
        async with streaming(http, server, name) as stream:
            await stream.next()
            began = clock()
            await stack.aclose()
            assert clock() - began < 5
            assert await stream.rest() == []


async def test_a_stream_that_is_asked_for_while_the_server_stops_ends_after_its_first_frame(
    http: httpx.AsyncClient,
) -> None:
    listening = free_socket()
    host, port = listening.getsockname()
    settings = ApiSettings(tick_s=60, heartbeat_s=60)
    async with an_engine() as engine:
        app = create_app(engine, keys(), settings=settings)
        async with on_aiohttp(app, listening):
            server = Server(f"http://{host}:{port}", engine, host, port)
            await app.shutdown()
            async with streaming(http, server, await make(server)) as stream:
                assert [event.status for event in await stream.rest()] == ["draft"]
            await nobody_listens(server)
