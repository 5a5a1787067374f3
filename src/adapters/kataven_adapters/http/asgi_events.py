"""Event streams over ASGI: one task for each, as nothing but waiting tells whether a client takes what it is sent."""

import asyncio
from contextlib import suppress

from .asgi import Receive, Send, body_of, start_of
from .listeners import LAST_WORDS_S
from .messages import EventStream


async def stream(answer: EventStream, receive: Receive, send: Send, *, is_closing: bool) -> None:
    """Send what the listener hears until one of both ends."""
    sink = _Sink()
    sink.write(answer.first)
    if answer.is_whole:
        sink.finish(b"")
    else:
        answer.listener.attach(sink)
    if is_closing:
        answer.listener.close()
    sending = asyncio.ensure_future(sink.send(answer, send))
    leaving = asyncio.ensure_future(_disconnect(receive))
    sink.aborted.add_done_callback(lambda _: sending.cancel())
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:  # the server waits no longer: what it cancels ends as it would have
        answer.listener.close()
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        answer.listener.leave()
        sink.forget()
        for task in (sending, leaving):
            task.cancel()
        await asyncio.wait({sending, leaving})
    if not sending.cancelled() and (error := sending.exception()) and not isinstance(error, OSError):
        raise error  # an OSError: the client has gone


async def _disconnect(receive: Receive) -> None:
    """Wait until the client goes."""
    with suppress(Exception):  # what a server raises here is not for us to know
        while (await receive())["type"] != "http.disconnect":
            pass


class _Sink:
    """Holds the one frame that is on its way; whoever comes while it is, is told to come again."""

    def __init__(self) -> None:
        self._frame: bytes | None = None
        self._last: bytes | None = None
        self._news = asyncio.Event()
        self._limit: asyncio.TimerHandle | None = None
        self.aborted: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def is_gone(self) -> bool:
        """Whether the client has left: the task that waits for that says so itself."""
        return self.aborted.done()

    def write(self, frame: bytes) -> bool:
        """Have it sent, if the one before has been."""
        if self._frame is not None:
            return False
        self._frame = frame
        self._news.set()
        return True

    def finish(self, frames: bytes) -> None:
        """Have this sent behind what is on its way, and end."""
        self._last = frames
        self._news.set()
        if self._limit is None:
            self._limit = asyncio.get_running_loop().call_later(LAST_WORDS_S, self.abort)

    def abort(self) -> None:
        """Give up what is on its way."""
        if not self.aborted.done():
            self.aborted.set_result(None)

    def forget(self) -> None:
        """Take back what is still to happen."""
        if self._limit:
            self._limit.cancel()

    async def send(self, answer: EventStream, send: Send) -> None:
        """Send until the end: the only one that waits for the client."""
        await send(start_of(200, answer.headers))
        while self._last is None or self._frame is not None:
            await self._news.wait()
            self._news.clear()
            if self._frame is not None:
                await send(body_of(self._frame, has_more=True))
                self._frame = None
                answer.listener.catch_up()
        await send(body_of(self._last))
