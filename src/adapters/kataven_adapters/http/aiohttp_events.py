"""Event streams over aiohttp, written to the connection itself: no task is woken for a listener at each tick."""

import asyncio
import socket
from contextlib import suppress
from typing import Final

from aiohttp import HttpVersion11, web

from .listeners import LAST_WORDS_S
from .messages import EventStream

_UNSENT_BYTES: Final = 16 * 1024
"""What the system holds back for a client that does not read: some minutes of frames, and not megabytes."""


async def stream(request: web.Request, answer: EventStream, *, is_closing: bool) -> web.StreamResponse:
    """Send what the listener hears until one of both ends."""
    response = web.StreamResponse(headers=answer.headers)
    response.force_close()
    is_chunked = request.version >= HttpVersion11
    if is_chunked:
        response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        await response.write(answer.first)
        if not answer.is_whole and request.transport:
            sink = _Sink(request.transport, is_chunked=is_chunked)
            answer.listener.attach(sink)
            if is_closing:
                answer.listener.close()
            await sink.ended
        await response.write_eof()
    except ConnectionError:
        pass  # the client has gone
    finally:
        answer.listener.leave()
    return response


class _Sink:
    """The connection of one listener."""

    def __init__(self, transport: asyncio.Transport, *, is_chunked: bool) -> None:
        self._transport = transport
        self._is_chunked = is_chunked
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if connection := transport.get_extra_info("socket"):
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNSENT_BYTES)

    @property
    def is_gone(self) -> bool:
        """Whether the client has left."""
        return self._transport.is_closing()

    def write(self, frame: bytes) -> bool:
        """Write, if all that was written before has left."""
        if self._transport.get_write_buffer_size():
            return False
        self._send(frame)
        return True

    def finish(self, frames: bytes) -> None:
        """Write, and let the handler go on."""
        if frames and not self._transport.is_closing():
            self._send(frames)
        if self._transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(LAST_WORDS_S, self._transport.abort)
        self._end()

    def abort(self) -> None:
        """Throw away what has not left."""
        self._transport.abort()
        self._end()

    def _send(self, frame: bytes) -> None:
        self._transport.write(b"%x\r\n%b\r\n" % (len(frame), frame) if self._is_chunked else frame)

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
