"""The API as an ASGI 3 application: to run, or to mount in FastAPI, Starlette, Django or whatever speaks it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qsl

from .api import Api
from .asgi import Receive, Scope, Send, body_of, start_of
from .asgi_events import stream
from .messages import NOWHERE, Disconnected, EventStream, Request, Response
from .patience import CHUNK_BYTES, LINGER_BYTES, LINGER_S, PIECE_BYTES, SEND_S, pieces_of

_NO_CONTENT: Final = 204


class AsgiApp:
    """Answers with ``api``. ``close`` it before the server waits for open responses, so that event streams end."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._is_closing = False

    def close(self) -> None:
        """Let every event stream end."""
        self._is_closing = True
        self._api.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI says."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": "there is no WebSocket here"})
        else:
            raise ValueError(f"this serves HTTP, and the scope is {scope['type']!r}")

    async def _live(self, receive: Receive, send: Send) -> None:
        """Begin and end with the server; one that is mounted is not told, and needs it not."""
        await receive()
        self._is_closing = False
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._api.handle(_request(scope, receive))
        except Disconnected:
            return
        if isinstance(answer, EventStream):
            await stream(answer, receive, send, is_closing=self._is_closing)
            return
        with suppress(OSError):  # the client has gone, or reads no more: TimeoutError is one
            await _respond(scope, answer, receive, send)


def _request(scope: Scope, receive: Receive) -> Request:
    mount, path = _below(scope.get("root_path", ""), scope["path"])
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    query = scope.get("query_string", b"").decode("latin-1")
    return Request(
        method=scope["method"],
        path=NOWHERE if b"%2f" in scope.get("raw_path", b"").lower() else path,
        mount=mount,
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=_chunks(receive),
    )


def _below(root: str, path: str) -> tuple[str, str]:
    """Give where the application is mounted, and the path below it: some servers give the whole path, some the rest."""
    root = root.rstrip("/")
    if root and (path == root or path.startswith(f"{root}/")):
        return root, path[len(root) :] or "/"
    return root, path


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the body as it comes, in pieces that are soon worked on, however much the server brings at once."""
    has_more = True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        has_more = message.get("more_body", False)
        body = message.get("body", b"")
        for at in range(0, len(body), CHUNK_BYTES):
            yield body[at : at + CHUNK_BYTES]


async def _respond(scope: Scope, answer: Response, receive: Receive, send: Send) -> None:
    headers = dict(answer.headers)
    if answer.status != _NO_CONTENT:
        headers["Content-Type"] = answer.content_type
    if isinstance(answer.body, bytes) and answer.status != _NO_CONTENT:
        headers["Content-Length"] = str(len(answer.body))
    if answer.is_last and scope.get("http_version", "1.1") in {"1.0", "1.1"}:
        headers["Connection"] = "close"
    await send(start_of(answer.status, headers))
    if scope["method"] == "HEAD":
        await send(body_of(b""))
    elif isinstance(answer.body, bytes) and len(answer.body) <= PIECE_BYTES and not answer.is_last:
        await send(body_of(answer.body))
    else:
        async for piece in pieces_of(answer.body):
            async with asyncio.timeout(SEND_S):
                await send(body_of(piece, has_more=True))
        if answer.is_last:
            await _linger(scope, receive)
        await send(body_of(b""))


async def _linger(scope: Scope, receive: Receive) -> None:
    """Give a client that is still sending time to hear why it is refused, before the server hangs up."""
    if any(name.lower() == b"expect" for name, _ in scope["headers"]):
        return  # it waits to be asked, and to receive would ask it
    taken = 0
    with suppress(TimeoutError, Disconnected):
        async with asyncio.timeout(LINGER_S):
            async for chunk in _chunks(receive):
                taken += len(chunk)
                if taken >= LINGER_BYTES:
                    return
