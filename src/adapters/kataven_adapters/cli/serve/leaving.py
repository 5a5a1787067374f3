"""How a process that serves ends: told once it winds down, told twice it stops in the middle, and always in time."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from kataven_adapters.cli.failure import DONE

log = logging.getLogger(__name__)

_LIMIT_S: Final = 9.5
"""When the process ends whatever still hangs: a command that is told to stop must do so within 10 s."""
_AT_ONCE_S: Final = 1.0
"""The same for one that is told twice."""


class Leaving:
    """Ctrl-C and SIGTERM. All that was promised is durable by then; the next process goes on from there."""

    def __init__(self) -> None:
        self.is_told = False
        self._is_ready = False
        self._told = asyncio.Event()
        self._timer: threading.Timer | None = None

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear signals while this lasts; the task that enters it is the one that is stopped."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - whoever runs is a task
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._come, task)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def wait(self) -> None:
        """Say that all is up, and wait until somebody says to stop."""
        self._is_ready = True
        await self._told.wait()

    def done(self) -> None:
        """Say that nothing hangs, so that nothing needs to be cut off."""
        if self._timer:
            self._timer.cancel()

    def _come(self, task: "asyncio.Task[object]") -> None:
        is_again, self.is_told = self.is_told, True
        self._within(_AT_ONCE_S if is_again else _LIMIT_S)
        if self._is_ready and not is_again:
            log.info("stopping: requests and calls have a moment to end; once more stops at once")
            self._told.set()
        else:
            task.cancel()

    def _within(self, seconds: float) -> None:
        """End the process then, from a thread: a loop that hangs would never do it."""
        self.done()
        self._timer = threading.Timer(seconds, os._exit, (DONE,))
        self._timer.daemon = True
        self._timer.start()
