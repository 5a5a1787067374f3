"""Connections that read, beside the one that writes: what they see is committed, and they wait for nobody."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiosqlite

from .faults import translated
from .rows import Row

_CONNECTIONS: Final = 2
"""One for a read that takes its time, such as a late page of a filtered list, and one for all others meanwhile."""


class Readers:
    """A few reading connections, each lent to one read at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            for _ in range(_CONNECTIONS):
                with translated(self._path):
                    connection = await opening.enter_async_context(aiosqlite.connect(self._path, isolation_level=None))
                    await connection.execute("PRAGMA query_only = ON")
                self._idle.put_nowait(connection)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def fetch(self, query: str, **inputs: object) -> Sequence[Row]:
        """Read all rows of one query, with its inputs by their names."""
        connection = await self._idle.get()
        try:
            with translated(self._path):
                rows: Iterable[Any] = await connection.execute_fetchall(query, inputs)
                return [*rows]
        finally:
            self._idle.put_nowait(connection)
