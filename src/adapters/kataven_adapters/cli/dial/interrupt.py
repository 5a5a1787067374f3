"""Ctrl-C and SIGTERM: a request, and a time from which everything that is still done counts."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from kataven_core.ports import Clock


class Interrupt:
    """Ctrl-C or SIGTERM. Everything that is done from then on counts its time from when the first one came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._came = asyncio.Event()
        self._at = inf

    def come(self) -> None:
        """Take note that somebody interrupts."""
        if not self._came.is_set():
            self._at = self._clock.monotonic()
        self._came.set()

    async def wait(self) -> None:
        """Wait until somebody interrupts."""
        await self._came.wait()

    def is_longer_ago_than(self, seconds: float) -> bool:
        """Say whether it came, and that long ago."""
        return self._clock.monotonic() - self._at >= seconds


@contextmanager
def heard(interrupt: Interrupt) -> Iterator[None]:
    """Take Ctrl-C and SIGTERM as a request, not as an exception in the middle of something."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt.come)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
