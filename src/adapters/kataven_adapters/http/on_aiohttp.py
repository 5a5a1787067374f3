"""The API as an aiohttp application: to run, or to mount in another with ``add_subapp``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from aiohttp import ClientError, HttpVersion11, hdrs, web

from .aiohttp_events import stream
from .api import Api
from .messages import NOWHERE, Disconnected, EventStream, Request, Response
from .patience import CHUNK_BYTES, LINGER_BYTES, LINGER_S, PIECE_BYTES, SEND_S, pieces_of

API: Final = web.AppKey("kataven_api", Api)
_CLOSING: Final = web.AppKey("kataven_api_closing", asyncio.Event)


def make_app(api: Api) -> web.Application:
    """Give an application that answers with ``api``, whatever is asked for below where it is mounted."""
    app = web.Application()
    app[API] = api
    app[_CLOSING] = asyncio.Event()
    app.router.add_route("*", "/{path:(?s:.*)}", _handle, expect_handler=_expect)
    app.on_shutdown.append(_shut_down)
    return app


async def _shut_down(app: web.Application) -> None:
    app[_CLOSING].set()
    app[API].close()


async def _expect(_: web.Request) -> None:
    """Promise nothing yet: a body is asked for when somebody reads it, so that one that is refused is never sent."""


async def _handle(request: web.Request) -> web.StreamResponse:
    try:
        answer = await request.app[API].handle(_request(request))
    except Disconnected:
        return web.Response(status=400)  # nobody reads it
    if isinstance(answer, EventStream):
        return await stream(request, answer, is_closing=request.app[_CLOSING].is_set())
    return await _respond(request, answer)


def _request(request: web.Request) -> Request:
    path = "/" + request.match_info["path"]
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        name = name.lower()  # noqa: PLW2901 - names of headers have no case
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Request(
        method=request.method,
        path=NOWHERE if "%" in request.raw_path and "%2f" in request.rel_url.raw_path.lower() else path,
        mount=request.path.removesuffix(path),
        query=tuple(request.query.items()) if "?" in request.raw_path else (),
        headers=headers,
        body=_chunks(request),
    )


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    """Yield the body as it comes, once the client that waits for it is told to send it."""
    if _waits_to_be_asked(request):
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    try:
        async for chunk in request.content.iter_chunked(CHUNK_BYTES):
            yield chunk
    except (ClientError, ConnectionError, web.RequestPayloadError) as error:
        raise Disconnected from error


def _waits_to_be_asked(request: web.Request) -> bool:
    return request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.version >= HttpVersion11


async def _respond(request: web.Request, answer: Response) -> web.StreamResponse:
    headers = dict(answer.headers)
    if answer.status != web.HTTPNoContent.status_code:
        headers[hdrs.CONTENT_TYPE] = answer.content_type
    if isinstance(answer.body, bytes) and len(answer.body) <= PIECE_BYTES and not answer.is_last:
        return web.Response(status=answer.status, body=answer.body, headers=headers)
    response = web.StreamResponse(status=answer.status, headers=headers)
    if isinstance(answer.body, bytes):
        response.content_length = len(answer.body)
    if answer.is_last:
        response.force_close()
    try:
        await _send(request, answer, response)
    except (ConnectionError, TimeoutError):  # the client has gone, or there is no more: half of it must not look whole
        if request.transport:
            request.transport.abort()
    return response


async def _send(request: web.Request, answer: Response, response: web.StreamResponse) -> None:
    await response.prepare(request)
    if request.method != hdrs.METH_HEAD:
        async for piece in pieces_of(answer.body):
            async with asyncio.timeout(SEND_S):
                await response.write(piece)
    await response.write_eof()
    if answer.is_last:
        await _hang_up(request)


async def _hang_up(request: web.Request) -> None:
    """Close the connection, when a client that is still sending has had time to hear why."""
    taken = 0
    with suppress(TimeoutError, Disconnected, ClientError, ConnectionError, web.RequestPayloadError):
        async with asyncio.timeout(0 if _waits_to_be_asked(request) else LINGER_S):
            async for chunk in request.content.iter_any():
                taken += len(chunk)
                if taken >= LINGER_BYTES:
                    break
    if not request.content.is_eof():
        request.protocol.force_close()
