"""What clients do that no library would: raw requests, streams that are left or never read, halves of uploads."""

import asyncio
import json
import logging
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from io import BytesIO
from typing import Any, Final, NamedTuple

import httpx

import kataven_core as kc
from kataven_core.runtime import SystemClock

from .conftest import ACME, KEYS, Server, auth

PATIENCE_S: Final = 10.0
"""How long a test waits for what must come; nothing that is well takes as long."""


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():  # noqa: ASYNC110 - what it asks has no events
            await asyncio.sleep(0.01)


async def make(server: Server, *, rows: int = 1, scheduled_at: datetime | None = None, rejected: int = 0) -> str:
    """Make a campaign past the API."""
    settings = kc.campaign_settings(
        now=SystemClock().now(),
        name="March",
        agent_id="reminder",
        phone_number_id="office",
        scheduled_at=scheduled_at,
    )
    good = [f"+1415555{n:04d}" for n in range(rows)]
    contacts = BytesIO("\n".join(["phone_number", *good, *["wrong"] * rejected, ""]).encode())
    return (await server.engine.create(ACME.id, settings, contacts=contacts)).id


def troubles(records: list[logging.LogRecord]) -> list[str]:
    """Give what a log should not hold: tracebacks, and errors but for those that uvicorn makes of what is none."""
    return [
        each.getMessage()
        for each in records
        if each.exc_info or (each.levelno >= logging.ERROR and each.name != "uvicorn.error")
    ]


async def listeners(server: Server) -> int:
    """Say how many listen, as the figures do."""
    async with httpx.AsyncClient(trust_env=False) as http:
        page = (await http.get(f"{server.base}/metrics")).text
    return int(float(page.split("\nkataven_stream_listeners ")[1].split("\n")[0]))


async def nobody_listens(server: Server) -> None:
    """Wait until all are forgotten."""

    async def holds() -> bool:
        return not await listeners(server)

    await until(holds)


class Event(NamedTuple):
    """One event or comment of a stream."""

    name: str
    id: int
    data: dict[str, Any]
    comment: str = ""

    @property
    def status(self) -> str:
        """Give the campaign's status."""
        return str(self.data["status"])


def read_event(text: str) -> Event:
    """Read one, as a browser does."""
    if text.startswith(":"):
        return Event("comment", 0, {}, text)
    fields = dict(line.split(": ", 1) for line in text.split("\n"))
    return Event(fields.get("event", "message"), int(fields["id"]), json.loads(fields["data"]))


class Stream:
    """An open event stream. ``ids`` are those that came."""

    def __init__(self, answer: httpx.Response) -> None:
        self.headers = answer.headers
        self.ids: list[int] = []
        self._events = self._read(answer)

    async def _read(self, answer: httpx.Response) -> AsyncIterator[Event]:
        text = ""
        async for piece in answer.aiter_text():
            *whole, text = (text + piece).split("\n\n")
            for each in whole:
                yield read_event(each)
        assert text == ""

    async def next(self) -> Event:
        """Wait for the next event or comment."""
        async with asyncio.timeout(PATIENCE_S):
            event = await anext(self._events)
        if event.name != "comment":
            self.ids.append(event.id)
        return event

    async def next_with(self, status: str) -> Event:
        """Wait for the first snapshot in this status."""
        while (event := await self.next()).name == "comment" or event.status != status:
            pass
        return event

    async def rest(self) -> list[Event]:
        """Take all that comes until the server closes."""
        async with asyncio.timeout(PATIENCE_S):
            return [event async for event in self._events]


@asynccontextmanager
async def streaming(http: httpx.AsyncClient, server: Server, campaign: str, **headers: str) -> AsyncIterator[Stream]:
    """Listen to a campaign."""
    url = f"{server.base}/api/v1/campaigns/{campaign}/events"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.stream("GET", url, headers=auth() | named) as answer:
        assert answer.status_code == 200, await answer.aread()
        yield Stream(answer)


class Raw:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes | str) -> None:
        """Send."""
        self.writer.write(data.encode() if isinstance(data, str) else data)
        await self.writer.drain()

    async def ask(self, method: str, path: str, *headers: str, key: str | None = KEYS[ACME.id], body: str = "") -> None:
        """Send a request's head, and what comes with it."""
        lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
        await self.send("\r\n".join([*lines, *([f"Authorization: Bearer {key}"] if key else ()), "", body]))

    async def head(self) -> tuple[int, dict[str, str]]:
        """Read an answer's status and headers."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        return int(first.split()[1]), {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in lines}

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Read an answer that says its length."""
        status, headers = await self.head()
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return status, headers, body

    async def rest(self) -> bytes:
        """Read until the server closes."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    def cut(self) -> None:
        """Go without a word."""
        self.writer.transport.abort()


@asynccontextmanager
async def connected(server: Server, *, receive_bytes: int | None = None, limit: int = 2**16) -> AsyncIterator[Raw]:
    """Connect; with ``receive_bytes``, take no more than about so much before it is read."""
    own = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_bytes:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    own.setblocking(False)  # noqa: FBT003 - as it is named there
    await asyncio.get_running_loop().sock_connect(own, server.address)
    reader, writer = await asyncio.open_connection(sock=own, limit=limit)
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()


def path_of(server: Server, path: str) -> str:
    """Give the path to ask for, below where the API is mounted."""
    return re.sub("^http://[^/]+", "", server.base) + path
