"""What only ASGI has: scopes, lifespans, and servers that differ in what they call a path."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import unquote

import pytest

from kataven_adapters.http import ApiSettings, AsgiApp, create_asgi_app
from kataven_adapters.memory import MemoryStore
from kataven_adapters.simulated import simulated_line
from kataven_core.runtime import Engine, EngineSettings, SystemClock

from .conftest import ACME, KEYS, SLOW, Server, keys
from .wire import make, until

Message = MutableMapping[str, Any]
CALM: Final = ApiSettings(tick_s=60, heartbeat_s=60)


class Client:
    """The server's side of one connection. ``blocks_after`` so many pieces of an answer, ``send`` waits for ever."""

    def __init__(self, *messages: Message, blocks_after: int | None = None, error: Exception | None = None) -> None:
        self.sent: list[Message] = []
        self.received = 0
        self.reads_on = asyncio.Event()
        self._error = error
        self._blocks_after = blocks_after
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        for each in messages:
            self._messages.put_nowait(each)

    async def receive(self) -> Message:
        message = await self._messages.get()
        self.received += 1
        return message

    async def send(self, message: Message) -> None:
        if self._error:
            raise self._error
        if self._blocks_after is not None and len(self.sent) >= self._blocks_after:
            await self.reads_on.wait()
        self.sent.append(message)

    def leave(self) -> None:
        self._messages.put_nowait({"type": "http.disconnect"})

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(each["body"] for each in self.sent[1:])

    @property
    def is_whole(self) -> bool:
        return len(self.sent) > 1 and not self.sent[-1]["more_body"]


def scope(path: str, *, root: str = "", method: str = "GET", version: str = "1.1", **headers: str) -> dict[str, Any]:
    named = {"authorization": f"Bearer {KEYS[ACME.id]}"} | headers
    return {
        "type": "http",
        "http_version": version,
        "method": method,
        "path": path,
        "root_path": root,
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()],
    }


EMPTY: Final[Message] = {"type": "http.request", "body": b"", "more_body": False}


@asynccontextmanager
async def an_app(settings: ApiSettings = CALM) -> AsyncIterator[tuple[AsgiApp, Server]]:
    line = simulated_line(SLOW, SystemClock())
    engine = Engine(store=MemoryStore(), line=line, accounts=[ACME], settings=EngineSettings(drain_s=0.1))
    async with engine:
        yield create_asgi_app(engine, keys(), settings=settings), Server("", engine, "", 0)


async def asked(app: AsgiApp, asked_for: dict[str, Any], *messages: Message) -> Client:
    client = Client(*messages or [EMPTY])
    async with asyncio.timeout(10):
        await app(asked_for, client.receive, client.send)
    return client


@pytest.mark.parametrize(
    ("root", "path", "mount"),
    [
        ("", "", ""),
        ("/voice", "/voice", "/voice"),
        ("/voice", "", "/voice"),
        ("/voice/", "/voice", "/voice"),
        ("/", "", ""),
        ("/a/b c/é", "/a/b c/é", "/a/b c/é"),
        ("/api/v1", "/api/v1", "/api/v1"),
    ],
)
async def test_the_path_is_what_stands_below_the_mount(root: str, path: str, mount: str) -> None:
    body = (
        "".join(
            f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{text}\r\n'
            for name, file, text in [
                ("name", "", "March"),
                ("agent_id", "", "reminder"),
                ("phone_number_id", "", "office"),
                ("contacts", '; filename="c.csv"', "phone_number\n+14155550100"),
            ]
        )
        + "--b--\r\n"
    )
    async with an_app() as (app, _):
        asked_for = scope(
            f"{path}/api/v1/campaigns", root=root, method="POST", content_type="multipart/form-data; boundary=b"
        )
        made = await asked(app, asked_for, {"type": "http.request", "body": body.encode(), "more_body": False})
        assert made.status == 201
        assert unquote(made.headers["location"]).startswith(f"{mount}/api/v1/campaigns/")


@pytest.mark.parametrize(("root", "path"), [("/voice", "/voice"), ("/voice", "/voices/docs"), ("/voice", "/voice/x")])
async def test_what_does_not_stand_below_the_mount_is_not_there(root: str, path: str) -> None:
    async with an_app() as (app, _):
        assert (await asked(app, scope(path, root=root))).status == 404


async def test_a_server_without_a_root_path_is_served() -> None:
    async with an_app() as (app, _):
        bare = scope("/healthz")
        del bare["root_path"], bare["query_string"]
        assert (await asked(app, bare)).body == b"alive\n"


async def test_headers_that_come_twice_are_joined() -> None:
    async with an_app() as (app, _):
        twice = scope("/api/v1/call-limits")
        twice["headers"] *= 2
        assert (await asked(app, twice)).status == 401


async def test_what_is_begun_and_ended_with_the_server_says_so() -> None:
    async with an_app() as (app, server):
        name = await make(server)
        for _ in range(2):  # the same application may be served again
            client = Client({"type": "lifespan.startup"})
            living = asyncio.create_task(app({"type": "lifespan"}, client.receive, client.send))
            stream = Client(EMPTY)
            events = scope(f"/api/v1/campaigns/{name}/events")
            async with asyncio.timeout(10):
                await until(_has_sent(client, 1))
                listening = asyncio.create_task(app(events, stream.receive, stream.send))
                await until(_has_sent(stream, 2))
                assert not stream.is_whole
                client._messages.put_nowait({"type": "lifespan.shutdown"})  # noqa: SLF001 - there is no public way to it
                await asyncio.gather(living, listening)
            assert [each["type"] for each in client.sent] == [
                "lifespan.startup.complete",
                "lifespan.shutdown.complete",
            ]
            assert stream.is_whole


def _has_sent(client: Client, count: int) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return len(client.sent) >= count

    return holds


async def test_there_is_no_websocket() -> None:
    async with an_app() as (app, _):
        client = Client({"type": "websocket.connect"})
        await app({"type": "websocket", "path": "/"}, client.receive, client.send)
        assert [each["type"] for each in client.sent] == ["websocket.close"]
        assert client.received == 1


async def test_a_kind_of_connection_that_it_does_not_know_is_an_error() -> None:
    async with an_app() as (app, _):
        client = Client()
        with pytest.raises(ValueError, match="the scope is 'morse'"):
            await app({"type": "morse"}, client.receive, client.send)


async def test_a_client_that_goes_in_the_middle_of_its_request_is_not_answered() -> None:
    async with an_app() as (app, _):
        half = {"type": "http.request", "body": b"--b\r\n", "more_body": True}
        asked_for = scope(
            "/api/v1/campaigns", method="POST", content_type="multipart/form-data; boundary=b", content_length="99"
        )
        assert (await asked(app, asked_for, half, {"type": "http.disconnect"})).sent == []


async def test_the_last_answer_of_a_connection_says_so_only_where_there_are_connections() -> None:
    body = {"type": "http.request", "body": b"x" * 300_000, "more_body": False}
    async with an_app() as (app, _):
        for version, expected in [("1.0", "close"), ("1.1", "close"), ("2", None), ("3", None)]:
            asked_for = scope("/nowhere", method="POST", version=version, content_length="400000")
            found = await asked(app, asked_for, body)
            assert found.status == 404
            assert found.headers.get("connection") == expected
            assert len(found.body) == int(found.headers["content-length"])


async def test_a_server_that_says_by_an_error_that_the_client_is_gone_is_believed() -> None:
    async with an_app() as (app, server):
        name = await make(server, rejected=5)
        for path in ("/healthz", f"/api/v1/campaigns/{name}/rejects", f"/api/v1/campaigns/{name}/events"):
            client = Client(EMPTY, error=OSError("gone"))
            async with asyncio.timeout(10):
                await app(scope(path), client.receive, client.send)


async def test_a_fault_of_the_server_is_not_hidden() -> None:
    async with an_app() as (app, server):
        name = await make(server)
        client = Client(EMPTY, error=ZeroDivisionError())
        with pytest.raises(ZeroDivisionError):
            await app(scope(f"/api/v1/campaigns/{name}/events"), client.receive, client.send)


async def test_a_stream_ends_when_its_client_leaves() -> None:
    async with an_app() as (app, server):
        name = await make(server)
        client = Client(EMPTY)
        listening = asyncio.create_task(app(scope(f"/api/v1/campaigns/{name}/events"), client.receive, client.send))
        await until(_has_sent(client, 2))
        client.leave()
        async with asyncio.timeout(10):
            await listening
        assert b"kataven_stream_listeners 0.0" in (await asked(app, scope("/metrics"))).body


@pytest.mark.parametrize("blocks_after", [0, 1, 2])
async def test_a_server_that_stops_waits_for_nobody_who_does_not_read(blocks_after: int) -> None:
    async with an_app(ApiSettings(tick_s=0.01, heartbeat_s=0.01)) as (app, server):
        name = await make(server)
        client = Client(EMPTY, blocks_after=blocks_after)
        listening = asyncio.create_task(app(scope(f"/api/v1/campaigns/{name}/events"), client.receive, client.send))
        await until(_has_sent(client, blocks_after))
        await asyncio.sleep(0.05)
        app.close()
        async with asyncio.timeout(5):
            await listening
        assert not client.is_whole


async def test_a_stream_that_the_server_cancels_ends_as_it_would_have() -> None:
    async with an_app() as (app, server):
        name = await make(server)
        client = Client(EMPTY)
        listening = asyncio.create_task(app(scope(f"/api/v1/campaigns/{name}/events"), client.receive, client.send))
        await until(_has_sent(client, 2))
        listening.cancel()
        await asyncio.wait({listening}, timeout=5)
        assert client.is_whole


async def test_a_stream_that_is_asked_for_while_the_server_stops_ends_after_its_first_frame() -> None:
    async with an_app() as (app, server):
        name = await make(server)
        app.close()
        found = await asked(app, scope(f"/api/v1/campaigns/{name}/events"))
        assert found.is_whole
        assert found.body.count(b"data:") == 1


async def test_who_reads_on_is_sent_the_newest_at_once() -> None:
    async with an_app() as (app, server):
        name = await make(server)
        client = Client(EMPTY, blocks_after=2)
        listening = asyncio.create_task(app(scope(f"/api/v1/campaigns/{name}/events"), client.receive, client.send))
        await until(_has_sent(client, 2))
        await server.engine.start(ACME.id, name)  # its frame is on its way, and stays there
        await asyncio.sleep(0.05)
        await server.engine.pause(ACME.id, name)
        await server.engine.resume(ACME.id, name)
        await server.engine.pause(ACME.id, name)
        await asyncio.sleep(0.05)
        client.reads_on.set()
        await until(_has_sent(client, 4))
        client.leave()
        async with asyncio.timeout(10):
            await listening
        statuses = [re.findall(rb'"status":"(\w+)"', each["body"]) for each in client.sent[1:]]
        assert statuses == [[b"draft"], [b"running"], [b"paused"]]
