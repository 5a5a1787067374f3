import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from aiohttp import web

from kataven_adapters.cli.listening import bound, listening

HEAD = b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
PATIENCE_S = 60

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """A server whose patience with heads is short."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.opened: list[asyncio.StreamWriter] = []
        self.may_answer = asyncio.Event()
        self.asked = asyncio.Event()

    async def open(self, sent: bytes = b"") -> Connection:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.opened.append(writer)
        writer.write(sent)
        return reader, writer

    async def outlast(self) -> None:
        """Wait for longer than any head is waited for: until a later connection is closed."""
        reader, _ = await self.open()
        await closed(reader)

    async def late(self, _: web.Request) -> web.Response:
        self.asked.set()
        await self.may_answer.wait()
        return web.Response(text="late")


async def body(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def closed(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        with suppress(ConnectionError):
            return await reader.read()
    return b""


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    with bound("127.0.0.1", 0) as sockets:
        server = Server(sockets[0].getsockname()[1])
        app = web.Application()
        app.router.add_get("/late", server.late)
        app.router.add_post("/body", body)
        async with listening(app, sockets, head_s=0.2):
            yield server
            for writer in server.opened:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()


@pytest.mark.parametrize("sent", [b"", b"G", b"GET /late HTTP/1.1\r\nHost: a\r\n", b"GET /late HTTP/1.1\r\nX: y"])
async def test_a_head_that_does_not_come_is_not_waited_for(server: Server, sent: bytes) -> None:
    reader, _ = await server.open(sent)
    assert await closed(reader) == b""


async def test_a_head_that_comes_in_drops_is_not_waited_for(server: Server) -> None:
    reader, writer = await server.open(b"GET /late HTTP/1.1\r\n")

    async def drip() -> None:
        while not writer.is_closing():
            writer.write(b"x: y\r\n")
            await asyncio.sleep(0.01)

    dripping = asyncio.create_task(drip())
    assert await closed(reader) == b""
    writer.close()
    await dripping


async def test_the_next_head_is_not_waited_for_either(server: Server) -> None:
    reader, writer = await server.open(HEAD + b"abcd")
    async with asyncio.timeout(PATIENCE_S):
        assert (await reader.readuntil(b"abcd")).startswith(b"HTTP/1.1 200 ")
    writer.write(HEAD[:-2])
    assert await closed(reader) == b""


@pytest.mark.parametrize("cut", [lambda: HEAD + b"ab", lambda: HEAD])
async def test_a_body_has_a_time_of_its_own(server: Server, cut: Callable[[], bytes]) -> None:
    reader, writer = await server.open(cut())
    await server.outlast()
    writer.write((HEAD + b"abcd").removeprefix(cut()))
    async with asyncio.timeout(PATIENCE_S):
        assert (await reader.readuntil(b"abcd")).startswith(b"HTTP/1.1 200 ")


async def test_an_answer_takes_as_long_as_it_takes(server: Server) -> None:
    reader, _ = await server.open(b"GET /late HTTP/1.1\r\nHost: a\r\n\r\n")
    await server.asked.wait()
    await server.outlast()
    server.may_answer.set()
    assert (await closed(reader)).endswith(b"late")
