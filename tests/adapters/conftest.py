"""A server that says what a test tells it to, on a real port; the client and its commands are tried against it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from io import BytesIO
from typing import Any, Final, NamedTuple

import pytest
from aiohttp import web
from multipart import MultipartParser, parse_options_header

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answer = web.Response | Handle | dict[str, Any] | tuple[int, str]
MEBIBYTE: Final = 1024 * 1024


class Asked(NamedTuple):
    """One request as it arrived. ``connection`` is the client's port."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def parts(self) -> list[tuple[str, str | None, bytes]]:
        """Give a form's parts: name, file name, content."""
        boundary = parse_options_header(self.headers["Content-Type"])[1]["boundary"]
        found = []
        for part in MultipartParser(BytesIO(self.body), boundary, strict=True):
            found.append((part.name, part.filename, part.raw))
            part.close()
        return found


class ScriptedServer:
    """Answers one request after the other as it was told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self._answers: list[Answer] = []
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    def answers(self, *answers: Answer) -> None:
        """Answer so: a dict is JSON, a pair a status and its text; what reads the request itself is a function."""
        self._answers += answers

    def serve(self, started: threading.Event) -> None:
        asyncio.run(self._serve(started))

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self, started: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=64 * MEBIBYTE)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await self._stop.wait()
        for _ in range(5):  # who stands at the door is let in first: asyncio leaves such a connection open
            await asyncio.sleep(0)
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        answer = self._answers.pop(0)
        body = b"" if callable(answer) else await request.read()
        peer = request.transport.get_extra_info("peername")[1] if request.transport else 0
        self.asked.append(Asked(request.method, request.raw_path, dict(request.headers), body, peer))
        if isinstance(answer, web.Response):
            return answer
        if isinstance(answer, dict):
            return web.json_response(answer)
        if isinstance(answer, tuple):
            return web.Response(status=answer[0], text=answer[1])
        return await answer(request)


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A server in a thread of its own."""
    server, started = ScriptedServer(), threading.Event()
    thread = threading.Thread(target=server.serve, args=(started,))
    thread.start()
    started.wait()
    yield server
    server.stop()
    thread.join()
