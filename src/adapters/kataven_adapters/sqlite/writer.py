"""The one thread that writes: takes whole jobs in one hop each, one after the other."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from kataven_core import AdapterFault, Decision
from kataven_core.ports import AccountTurn, Decide

from .faults import translated
from .file import locked, open_writer
from .held import Held
from .reading import Reading, read
from .records import Records
from .writing import write

P = ParamSpec("P")
T = TypeVar("T")


class Writer:
    """Holds the file and its only writing connection, from ``open`` to ``close``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{path.name} writer")
        self._opened = ExitStack()
        self._epoch = 0
        self._version = 0
        self.held = Held()
        self.records = Records()

    async def open(self) -> None:
        """Lock the file, open it, make it this process's own."""
        await self._hop(self._open)

    async def close(self) -> None:
        """Close the file and let go of it."""
        await self._hop(self._opened.close)
        self._thread.shutdown()

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> list[Decision]:
        """Read for all, decide for all, write for all."""
        readings: list[Reading] = []

        def job() -> list[Decision]:
            with translated(self._path):
                self._look_for_others()
                reading = read(self._connection, turns, now, self.held)
            readings.append(reading)
            decisions = [decide(view, turn.inputs, now) for view, turn in zip(reading.views, turns, strict=True)]
            with translated(self._path):
                write(self._connection, turns, decisions, reading, now)
            return decisions

        def settled() -> list[Decision]:
            try:
                decisions = self._transact(job)
            except BaseException:
                self.held.forget()
                self.records.forget()
                raise
            (reading,) = readings
            self.held.follow(reading.accounts, reading.campaigns, reading.views, decisions)
            self.records.follow(reading.views, decisions)
            return decisions

        return await self._hop(settled)

    async def run(self, job: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do one job in one transaction: when it raises, nothing has changed."""

        def translating() -> T:
            with translated(self._path):
                return job(self._connection, *args, **kwargs)

        return await self._hop(lambda: self._transact(translating))

    async def _hop(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    def _open(self) -> None:
        with ExitStack() as opened:
            opened.enter_context(locked(self._path))
            self._connection = open_writer(self._path)
            opened.callback(self._connection.close)
            (self._epoch,) = self._connection.execute("SELECT epoch FROM owner").fetchone()
            self._opened = opened.pop_all()

    def _transact(self, job: Callable[[], T]) -> T:
        connection = self._connection
        with translated(self._path):
            connection.execute("BEGIN IMMEDIATE")
        try:
            result = job()
            with translated(self._path):
                cycle = self._own(connection)
            self._commit(connection, cycle)
        except BaseException:
            if connection.in_transaction:  # a full disk may have ended it already
                connection.execute("ROLLBACK")
            raise
        return result

    def _look_for_others(self) -> None:
        """Forget what is held when another program has written the file: an operator with a shell, say."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self.held.forget()
            self.records.forget()
            self._version = version

    def _own(self, connection: sqlite3.Connection) -> int:
        """Let no process write that another has followed as the owner, whatever became of the lock; give the cycle."""
        owned = "UPDATE owner SET cycle = cycle + 1 WHERE epoch = ? RETURNING cycle"
        cycles = connection.execute(owned, (self._epoch,)).fetchall()
        if not cycles:
            sentence = f"the store {self._path} was taken over by another process: stop one of the two"
            raise AdapterFault("store_taken", sentence)
        (cycle,) = cycles[0]
        return int(cycle)

    def _commit(self, connection: sqlite3.Connection, cycle: int) -> None:
        """Commit; when that fails and the transaction is over all the same, only the file knows which way it ended.

        To take what is durable for undone would be to forget its claims: nobody would dial them, or ask about them.
        """
        try:
            with translated(self._path):
                connection.execute("COMMIT")
        except AdapterFault as fault:
            if connection.in_transaction or not self._is_durable(connection, cycle, fault):
                raise

    def _is_durable(self, connection: sqlite3.Connection, cycle: int, fault: AdapterFault) -> bool:
        try:
            found = connection.execute("SELECT cycle FROM owner WHERE epoch = ?", (self._epoch,)).fetchall()
        except sqlite3.Error:
            found = []
        if not found:
            sentence = f"{fault.message}; whether its last change was written can't be told: start the engine anew"
            raise AdapterFault("store_in_doubt", sentence) from fault
        return bool(found[0][0] == cycle)
