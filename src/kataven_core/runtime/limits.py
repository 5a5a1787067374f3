"""One limit of time for many tasks: one timer for all of them, where a timer each would cost more than the task."""

import asyncio
from collections import deque


class Limit:
    """Cancels each task that is not done ``limit_s`` after it was begun."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._loop = asyncio.get_running_loop()
        self._begun: deque[tuple[float, asyncio.Task[None]]] = deque()
        self._over: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, task: "asyncio.Task[None]") -> None:
        """Let the time of a task run from now on."""
        while self._begun and self._begun[0][1].done():
            self._begun.popleft()
        self._begun.append((self._loop.time() + self._limit_s, task))
        if self._timer is None:
            self._timer = self._loop.call_later(self._limit_s, self._look)

    def is_over(self, task: "asyncio.Task[None] | None") -> bool:
        """Whether it was cancelled here, and by nobody else."""
        return task in self._over

    def _look(self) -> None:
        """Cancel those whose time is over; sleep until that of the next one is."""
        now, begun = self._loop.time(), self._begun
        while begun and (begun[0][1].done() or begun[0][0] <= now):
            _, task = begun.popleft()
            if not task.done():
                self._over.add(task)
                task.add_done_callback(self._over.discard)
                task.cancel()
        self._timer = self._loop.call_at(begun[0][0], self._look) if begun else None
