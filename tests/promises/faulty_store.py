"""A store of which exactly one call fails, in one of several ways; and a disk that does so below SQLite."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum, unique
from types import TracebackType
from typing import Any, Final, Self, cast

from kataven_core import AdapterFault, KatavenError
from kataven_core.ports import Store

WRITING: Final = frozenset({"settle", "stage", "discard"})
HELD: Final = {"campaign"}
"""Calls that may be answered without the file: then nothing in them can fail."""
Do = Callable[[], Awaitable[Any]]


@unique
class Kind(StrEnum):
    """How a call of the store fails."""

    LOCKED = "locked"
    """It may pass; nothing is written."""
    FULL = "disk full"
    """It may pass; nothing is written."""
    BROKEN = "not retryable"
    """Nothing is written, by this call and all that follow, until another process begins."""
    UNHEARD = "after the commit"
    """What it has written is durable, and its answer is lost."""
    DEAD = "dead after the commit"
    """What it has written is durable, and the process is gone."""


Fail = Callable[["Plan", str, Do], Awaitable[Any]]
"""What makes a call fail that is named, and would do this."""


class Plan:
    """Which call of which of the store's methods is to fail, counted over all processes of a run, and how."""

    def __init__(self, kind: Kind, name: str, nth: int, fail: Fail) -> None:
        self.kind = kind
        self.calls = Counter[str]()
        """How often each method was called."""
        self.has_failed = False
        """Whether it was called so often."""
        self._name = name
        self._nth = nth
        self.died = asyncio.Event()
        self._fail = fail
        self._is_broken = False

    def begin_anew(self) -> None:
        """Let another process begin."""
        self.died.clear()
        self._is_broken = False

    async def call(self, name: str, do: Do) -> Any:
        """Do it, or fail."""
        self.calls[name] += 1
        if (name, self.calls[name]) == (self._name, self._nth):
            self.has_failed, self._is_broken = True, self.kind is Kind.BROKEN
        elif not self._is_broken:
            return await do()
        if self.kind is not Kind.DEAD:
            return await self._fail(self, name, do)
        with suppress(KatavenError):
            await do()
        self.died.set()
        return await asyncio.get_running_loop().create_future()  # whoever is dead never answers


class FaultyStore:
    """One process's way to a store. Its calls come one after the other, so that one which is to fail is that one."""

    def __init__(self, inner: Store, plan: Plan, *, outlives_it: bool) -> None:
        self._inner = inner
        self._plan = plan
        self._outlives_it = outlives_it
        self._turn = asyncio.Lock()
        self._buried: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    def over(cls, inner: Store, plan: Plan, *, outlives_it: bool) -> "tuple[Store, FaultyStore]":
        """Give it as the store that it is by its behavior, and as itself."""
        store = cls(inner, plan, outlives_it=outlives_it)
        return cast("Store", store), store

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        do = getattr(self._inner, name)

        async def call(*args: Any, **more: Any) -> Any:
            return await self._unless_buried(self._in_turn(name, lambda: do(*args, **more)))

        return call

    async def __aenter__(self) -> Self:
        if not self._outlives_it:
            await self._inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._outlives_it:
            await self._inner.__aexit__(kind, error, traceback)

    async def beside(self, name: str, *args: Any) -> Any:
        """Call it without being counted, and without getting into another's failure."""

        async def do() -> Any:
            async with self._turn:
                return await getattr(self._inner, name)(*args)

        return await self._unless_buried(do())

    def bury(self) -> None:
        """Let nobody wait for it any more."""
        self._buried.set_result(None)

    async def _in_turn(self, name: str, do: Do) -> Any:
        async with self._turn:
            return await self._plan.call(name, do)

    async def _unless_buried(self, work: Awaitable[Any]) -> Any:
        doing = asyncio.ensure_future(work)
        if self._buried.done():
            doing.cancel()
        try:
            await asyncio.wait([doing, self._buried], return_when=asyncio.FIRST_COMPLETED)
            if doing.done() and not self._buried.done():
                return doing.result()
            raise AdapterFault("dead", "this process is dead: nothing is to be seen of it any more")
        finally:
            doing.cancel()


async def raise_before(plan: Plan, _name: str, _do: Do) -> Any:
    """Fail as a store does that has a connection to lose: nothing was done."""
    raise AdapterFault(f"store is {plan.kind}", "as the plan says", is_retryable=plan.kind is not Kind.BROKEN)


async def raise_after(plan: Plan, _name: str, do: Do) -> Any:
    """Fail as no store may: it was done."""
    await do()
    raise AdapterFault(f"store is {plan.kind}", "as the plan says", is_retryable=True)


class Disk:
    """What lies below the SQLite connections that are opened from now on: it fails once when it is told to."""

    _CODES: Final = {
        Kind.LOCKED: sqlite3.SQLITE_BUSY,
        Kind.FULL: sqlite3.SQLITE_FULL,
        Kind.BROKEN: sqlite3.SQLITE_CORRUPT,
        Kind.UNHEARD: sqlite3.SQLITE_IOERR,
    }
    _WHERE: Final = {
        Kind.LOCKED: "BEGIN IMMEDIATE",
        Kind.FULL: "UPDATE owner",
        Kind.BROKEN: "COMMIT",
        Kind.UNHEARD: "COMMIT",
    }
    """The statement of a transaction with which it fails; a read fails with its first, and is never unheard."""

    def __init__(self) -> None:
        self._armed: tuple[Kind, str] | None = None

    async def fail(self, plan: Plan, name: str, do: Do) -> Any:
        """Let what is done fail in the file."""
        if plan.kind is Kind.UNHEARD and name not in WRITING:
            return await do()
        self._armed = plan.kind, self._WHERE[plan.kind] if name in WRITING else "SELECT"
        try:
            return await do()
        finally:
            assert self._disarm() or name in HELD, f"{name} was to fail and did not"

    def _disarm(self) -> bool:
        """Let nothing more fail; say whether what was to fail has."""
        has_failed = self._armed is None
        self._armed = None
        return has_failed

    @contextmanager
    def met_by(self, sql: str) -> Iterator[None]:
        """Fail before this statement, or after it, or not at all."""
        if self._armed is None or not sql.lstrip().startswith(self._armed[1]):
            yield
            return
        (kind, _), self._armed = self._armed, None
        if kind is Kind.UNHEARD:
            yield
        error = sqlite3.OperationalError("as the disk says")
        error.sqlite_errorcode = self._CODES[kind]
        raise error

    def connect(self, connect: Callable[..., sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
        """Give what connects to files on this disk."""
        disk = self

        class OnDisk(sqlite3.Connection):
            def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
                with disk.met_by(sql):
                    return super().execute(sql, parameters)

        return lambda *args, **more: connect(*args, factory=OnDisk, **more)
