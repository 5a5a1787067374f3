"""Requests and answers over httpx, for asyncio."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, TypeVar, cast

import httpx

from .access import Access
from .answers import error_of, refuse_other_streams
from .calls import Call
from .errors import KatavenError
from .following import Following
from .retries import Retries
from .sse import Item
from .transport import http_options, refuse_closed, request_options, translated
from .upload import Upload

T = TypeVar("T")


class AsyncWire:
    """The connections of one client."""

    def __init__(
        self,
        access: Access,
        timeout: float | None,
        retries: Retries,
        sleep: Callable[[float], Awaitable[object]],
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._access = access
        self._timeout = timeout
        self._retries = retries
        self._sleep = sleep
        self._http = httpx.AsyncClient(**http_options(access, timeout, transport))

    async def close(self) -> None:
        """Close them."""
        await self._http.aclose()

    async def ask(self, call: Call[T]) -> T:
        """Give what a call is answered."""
        return call.read(await self._answer(call))

    async def stream(self, call: Call[None]) -> AsyncGenerator[bytes, None]:
        """Yield an answer as it comes."""
        async with self._opened(call) as answer, _chunks(answer) as chunks:
            async for chunk in chunks:
                yield chunk

    async def follow(self, following: Following) -> AsyncGenerator[Item, None]:
        """Yield events, over as many connections as it takes."""
        wait_s: float | None = 0.0
        while wait_s is not None:
            error = None
            if wait_s:
                await self._sleep(wait_s)
            try:
                async with self._opened(following.call()) as answer:
                    refuse_other_streams(answer)
                    async with _chunks(answer) as chunks:
                        async for chunk in chunks:
                            for item in following.read(chunk):
                                yield item
            except KatavenError as fault:
                error = fault
            wait_s = following.wait_s(error)

    @asynccontextmanager
    async def _opened(self, call: Call[None]) -> AsyncIterator[httpx.Response]:
        """Give an answer whose body is still to come; leaving it closes the connection."""
        answer = await self._answer(call)
        try:
            with translated(self._access, self._timeout):
                yield answer
        finally:
            await answer.aclose()

    async def _answer(self, call: Call[Any]) -> httpx.Response:
        """Send a call, again where that may help."""
        failures = 0
        while True:
            try:
                return await self._send(call)
            except KatavenError as error:
                failures += 1
                wait_s = self._retries.wait_s(call, error, failures)
                if wait_s is None:
                    raise
            await self._sleep(wait_s)

    async def _send(self, call: Call[Any]) -> httpx.Response:
        """Send a call once and give its success."""
        refuse_closed(self._http)
        with translated(self._access, self._timeout):
            content = _body(call.upload) if call.upload else None
            request = self._http.build_request(**request_options(call, self._access, self._timeout), content=content)
            answer = await self._http.send(request, stream=call.is_stream)
            if answer.is_success:
                return answer
            try:
                await answer.aread()
            finally:
                await answer.aclose()
        raise error_of(answer)


def _chunks(answer: httpx.Response) -> AbstractAsyncContextManager[AsyncGenerator[bytes, None]]:
    """Give the body as it comes; leaving it lets nothing hang about."""
    return aclosing(cast("AsyncGenerator[bytes, None]", answer.aiter_bytes()))


async def _body(upload: Upload) -> AsyncIterator[bytes]:
    """Yield the body; the file is read beside the loop."""
    pieces = upload.chunks()
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece[0]
        upload.tell(piece[1])
