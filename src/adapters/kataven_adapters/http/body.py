"""A request's body as it comes: counted, and given up when it does not come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from .messages import Disconnected
from .problems import HttpProblem
from .settings import ApiSettings

_PASS_OVER_S: Final = 1.0


class Body:
    """The bytes of one request. Iterate over it once.

    Raises ``HttpProblem``: 400 where there are too many, 408 where too few come.
    """

    def __init__(self, chunks: AsyncIterator[bytes], settings: ApiSettings) -> None:
        self._chunks = chunks
        self._settings = settings
        self._bytes = 0
        self.is_read = False
        """Whether it has come to its end."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what comes, as long as enough comes in each window of time."""
        clock, settings = asyncio.get_running_loop().time, self._settings
        waited_s, wanted = 0.0, settings.body_window_bytes
        while True:
            began = clock()
            try:
                async with asyncio.timeout(settings.body_window_s - waited_s):
                    chunk = await anext(self._chunks, b"")
            except TimeoutError:
                raise _too_slow(settings) from None
            if not chunk:
                break
            self._count(len(chunk))
            waited_s += clock() - began  # what the store takes to write is not the client's fault
            if self._bytes >= wanted:
                waited_s, wanted = 0.0, self._bytes + settings.body_window_bytes
            yield chunk
            await asyncio.sleep(0)  # others have their turn, though more may have come already
        self.is_read = True

    async def pass_over(self) -> None:
        """Take what is left of a small one that nobody wants, so that the connection can be used again."""
        with suppress(TimeoutError, HttpProblem, Disconnected):
            async with asyncio.timeout(_PASS_OVER_S):
                async for _ in self._chunks:
                    pass
                self.is_read = True

    def _count(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self._settings.max_body_bytes:
            limit = self._settings.max_body_bytes
            raise HttpProblem(400, "body_too_large", f"the body has more than {limit:,} bytes: send less", is_last=True)


def _too_slow(settings: ApiSettings) -> HttpProblem:
    sentence = (
        f"the body stopped coming: at least {settings.body_window_bytes:,} bytes are waited for "
        f"in {settings.body_window_s:g} s; send it again"
    )
    return HttpProblem(408, "body_too_slow", sentence, is_last=True)
