"""Each call of the store fails once, one after the other: whatever fails, no phone rings twice and nobody is lost."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from copy import deepcopy
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from tests.promises.faulty_store import Disk, Fail, Kind, Plan, raise_after, raise_before
from tests.promises.story import Ground, World

from kataven_adapters.memory import MemoryStore
from kataven_adapters.memory.tenant import Tenant
from kataven_adapters.sqlite import SqliteStore
from kataven_core import AccountId, CommandRefused, Decision
from kataven_core.ports import AccountTurn, Decide, Store
from kataven_core.testing.samples import ACME

LEAST: Final = 30
"""Calls of the store that the story takes, at least."""


class InMemory:
    outlives_processes = True

    def __init__(
        self,
        store: MemoryStore | None = None,
        fail: Fail = raise_before,
    ) -> None:
        self._store = store or MemoryStore()
        self.fail: Fail = fail

    def new_store(self) -> Store:
        return self._store

    async def after_death(self, store: Store) -> None:
        pass

    def attempts(self) -> dict[str, str | None]:
        return {name: each.outcome for name, each in self._store._tenant(ACME).attempts.items()}  # noqa: SLF001 - there is no public way to it

    def check(self) -> None:
        pass


class OnFile:
    outlives_processes = False

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self.fail: Fail = disk.fail

    def new_store(self) -> Store:
        return SqliteStore(self._path)

    async def after_death(self, store: Store) -> None:
        await store.__aexit__(None, None, None)

    def attempts(self) -> dict[str, str | None]:
        query = (
            "SELECT c.id || '.' || position || '.' || n, outcome FROM attempts JOIN campaigns c ON c.no = campaign_no"
        )
        return dict(self._read(query))

    def check(self) -> None:
        assert self._read("PRAGMA integrity_check") == [("ok",)]
        assert self._read("PRAGMA foreign_key_check") == []

    def _read(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self._path)) as connection:
            return connection.execute(query).fetchall()


WRITES: Final = {"settle", "stage", "discard"}
READS: Final = {"agenda", "account", "campaign", "dials_since", "rejects", "campaigns", "receipt"}
CALLED: Final = WRITES | READS
"""What the story asks of a store."""


async def run(ground: Ground, plan: Plan) -> None:
    """Let the story happen while one call of the store fails."""
    world = World(ground, plan)
    asyncio.get_running_loop().set_exception_handler(lambda _, told: world.complaints.append(repr(told)))
    async with asyncio.timeout(120):
        await world.happen()
        await world.judge_all()
        await world.bury_the_dead()


def every_call_fails(new_ground: Callable[[], Ground], kind: Kind) -> list[str]:
    """Let the first call of each method fail, the second, …, until none is left; give the methods that have failed.

    How much is settled at once differs by run, and with it how many calls there are: so each method is counted alone.
    """
    failed: list[str] = []
    for name in sorted(CALLED):
        for nth in count(1):
            ground = new_ground()
            plan = Plan(kind, name, nth, ground.fail)
            asyncio.run(run(ground, plan))
            if not plan.has_failed:
                assert {*plan.calls} == CALLED
                break
            failed.append(name)
    return failed


@pytest.mark.parametrize("kind", [Kind.LOCKED, Kind.FULL, Kind.BROKEN, Kind.DEAD])
def test_i2_i6_whichever_call_of_a_store_in_memory_fails(kind: Kind) -> None:
    failed = every_call_fails(InMemory, kind)
    assert {*failed} == CALLED
    assert len(failed) >= LEAST


@pytest.mark.parametrize("kind", Kind)
def test_i2_i6_whichever_call_of_a_store_on_a_file_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    disk = Disk()
    monkeypatch.setattr(sqlite3, "connect", disk.connect(sqlite3.connect))
    monkeypatch.setattr("kataven_adapters.sqlite.file._PRAGMAS", {"journal_mode": "wal", "synchronous": 0})
    files = (tmp_path / f"{nth}.db" for nth in count(1))
    failed = every_call_fails(lambda: OnFile(next(files), disk), kind)
    assert {*failed} == CALLED
    assert len(failed) >= LEAST


class TestTheJudges:
    """They see what they must: each of these stores breaks its promise in one call."""

    def test_a_store_that_says_it_has_not_written_what_it_has_is_seen(self) -> None:
        with pytest.raises(CommandRefused):
            every_call_fails(lambda: InMemory(fail=raise_after), Kind.UNHEARD)

    def test_i2_a_store_that_loses_with_its_process_what_was_durable_is_seen(self) -> None:
        with pytest.raises(AssertionError, match="rang twice"):
            every_call_fails(Losing, Kind.DEAD)


class Losing(InMemory):
    """Loses with a process what calls it has claimed of late, and what has become of others."""

    def __init__(self) -> None:
        self._recent = Recent()
        super().__init__(self._recent)

    async def after_death(self, store: Store) -> None:  # noqa: ARG002 - there is one
        self._recent.lose()


class Recent(MemoryStore):
    """Remembers what it held before its last two settles."""

    def __init__(self) -> None:
        super().__init__()
        self._before: list[Any] = []

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
        self._before = [*self._before[-1:], deepcopy(self._tenants)]
        return await super().settle(turns, decide, now)

    def lose(self) -> None:
        """Be as before them, if nobody has been told since that a campaign was made, or has moved."""
        if self._before and statuses(self._before[0]) == statuses(self._tenants):
            self._tenants, self._before = self._before[0], []


def statuses(tenants: dict[AccountId, Tenant]) -> list[Any]:
    return [
        (tenant.account, [*tenant.staged], [kept.campaign for kept in tenant.campaigns.values()])
        for tenant in tenants.values()
    ]
