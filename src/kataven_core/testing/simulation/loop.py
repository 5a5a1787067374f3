"""An event loop whose time is virtual, and the processes that live on it: one dies or stalls, the others go on.

Nothing waits: when all that is ready has run, time jumps to the next timer. When there is none either, nothing will
ever happen again, and that is a ``Deadlock``.

Whose each callback is, its context says. What belongs to a process that has died is never run, so that not even a
``finally`` is; what belongs to one that stalls runs when it wakes, in its order, unless it was cancelled meanwhile.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from itertools import count
from typing import Any, Final, TypeVar

T = TypeVar("T")

OUTSIDE: Final[Context] = Context()
"""Where the world outside all processes is: its timers go on whoever dies."""
MOST_TURNS: Final = 2_000_000
"""Turns of the loop in a run: a hundred times those that a long one takes."""
_EVENT_S: Final = 1e-9
"""Moments less than this apart are the same."""


class Deadlock(Exception):
    """Nothing is scheduled, and somebody still waits."""


class Endless(Exception):
    """Something goes round and round."""


class Process:
    """One process of the operating system, as far as the loop knows: it lives, stalls, or is dead.

    ``died`` is called, outside of it, when it has crashed.
    """

    def __init__(self, loop: "VirtualLoop", name: str, died: Callable[[], None]) -> None:
        self.name = name
        self.is_dead = False
        self._loop = loop
        self._died = died
        self._is_stalled = False
        self._postponed: list[tuple[asyncio.Handle, Callable[..., object], tuple[Any, ...], Context]] = []
        self.context: Final = Context()
        self.context.run(_PROCESS.set, self)

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Have it do something."""
        return self.context.copy().run(self._loop.create_task, coroutine)

    def call(self, callback: Callable[..., object], *args: Any) -> None:
        """Have it hear something from outside, as soon as it can."""
        self._loop.call_soon(callback, *args, context=self.context.copy())

    def crash(self) -> None:
        """Let it die: nothing of it runs any more, from the next callback on."""
        if not self.is_dead:
            self.is_dead = True
            self._loop.outside_in(0.0, self._died)

    def stall(self) -> None:
        """Let nothing of it run until it wakes."""
        self._is_stalled = True

    def wake(self) -> None:
        """Let it go on with what it missed."""
        self._is_stalled = False
        if not self.is_dead:
            self._go_on()

    def bury(self) -> None:
        """Let what is left of it come to an end, when the run is over and nothing that it does counts any more."""
        self.is_dead = self._is_stalled = False
        self._go_on()

    def _go_on(self) -> None:
        postponed, self._postponed = self._postponed, []
        for handle, callback, args, context in postponed:
            self._loop.call_outside(_run, self, [handle], callback, args, context=context)

    def run(self, handle: asyncio.Handle, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        """Run a callback of its own; when it wakes, if it stalls; never, if it is dead."""
        if self._is_stalled or self.is_dead:
            self._postponed.append((handle, callback, args, copy_context()))
        elif not handle.cancelled():  # what went before it, when it woke, may have done that
            callback(*args)


_PROCESS: Final[ContextVar[Process]] = ContextVar("_PROCESS")


def current_process() -> Process | None:
    """Give the process that runs now; None outside of all."""
    return _PROCESS.get(None)


class _Selector:
    """In place of what waits for sockets: there are none, so it lets time pass."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop
        self._turns = 0

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None:
            raise Deadlock("nothing is scheduled, and somebody still waits")
        self._turns += 1
        if self._turns > MOST_TURNS:
            self._turns = 0  # so that what is left can be cleared away
            raise Endless(f"it does not come to an end: the loop has turned {MOST_TURNS:,} times")
        self._loop.pass_time(timeout)
        return []

    def close(self) -> None:
        pass


class VirtualLoop(asyncio.BaseEventLoop):
    """Use it in place of any other loop; it has no sockets, no threads and no signals."""

    def __init__(self) -> None:
        super().__init__()
        self._passed_s = 0.0
        self._clock_resolution = _EVENT_S
        self._selector = _Selector(self)
        self._numbers = count()
        self.set_task_factory(self._new_task)

    def time(self) -> float:
        """Give the seconds that have passed on it."""
        return self._passed_s

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self._passed_s += seconds

    def call_soon(  # type: ignore[override]  # typeshed ties the arguments to the callback
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Call this in its process, as soon as that can."""
        context = context if context is not None else copy_context()
        process = context.get(_PROCESS)
        if process is None:
            return super().call_soon(callback, *args, context=context)
        box: list[asyncio.Handle] = []
        handle = super().call_soon(_run, process, box, callback, args, context=context)
        box.append(handle)
        return handle

    def call_outside(self, callback: Callable[..., object], *args: Any, context: Context) -> None:
        """Call this in that context, and let no process stand in the way."""
        super().call_soon(callback, *args, context=context)

    def call_at(  # type: ignore[override]  # as above
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call this in its process at that time, or as soon as it can then."""
        context = context if context is not None else copy_context()
        process = context.get(_PROCESS)
        if process is None:
            return super().call_at(when, callback, *args, context=context)
        box: list[asyncio.Handle] = []
        handle = super().call_at(when, _run, process, box, callback, args, context=context)
        box.append(handle)
        return handle

    def outside_in(self, delay_s: float, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        """Call this outside of all processes, so much later, whoever asks for it."""
        return self.call_at(self._passed_s + delay_s, callback, *args, context=OUTSIDE.copy())

    def _new_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> "asyncio.Task[Any]":
        return _NumberedTask(coroutine, number=next(self._numbers), loop=loop, **more)

    # What a loop of the library asks of those that make one of it.

    def _process_events(self, event_list: list[object]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


def _run(process: Process, box: list[asyncio.Handle], callback: Callable[..., object], args: tuple[Any, ...]) -> None:
    process.run(box[0], callback, args)


class _NumberedTask(asyncio.Task[T]):
    """A task whose place in a set does not depend on where it lies in memory, so that runs repeat."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], *, number: int, **more: Any) -> None:
        self._number = number  # before all else: it is put into a set while it is made
        super().__init__(coroutine, **more)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other
