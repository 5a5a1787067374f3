"""An engine whose store is locked or full in the middle of a campaign: no call without its claim, and nobody lost."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pytest
from attrs import evolve
from tests.adapters.sqlite.conftest import Outsider, fill_up, make_room

from kataven_adapters.sqlite import SqliteStore
from kataven_core import (
    AdapterFault,
    Attempt,
    AttemptId,
    CampaignSettings,
    CampaignStatus,
    CommandRefused,
    Ended,
    Order,
    Outcome,
    Placed,
    Report,
)
from kataven_core.ports import Deliver, Originated
from kataven_core.runtime import Engine, EngineSettings
from kataven_core.testing.samples import NOON, a_number, an_account

pytestmark = pytest.mark.usefixtures("_impatient")

NEVER_S: Final = 1_000.0
PATIENT: Final = EngineSettings(
    send_deadline_s=NEVER_S,
    originate_limit_s=NEVER_S,
    settle_limit_s=NEVER_S,
    drain_s=NEVER_S,
    reconcile_every_s=NEVER_S,
    lost_after_s=NEVER_S,
    store_pause_s=0.001,
    store_pause_max_s=0.001,
)
"""Nothing expires; a store that failed is tried again at once."""


class Line:
    """Places every call; calls end at once, or when they are told to."""

    def __init__(self, path: Path, *, ends_at_once: bool) -> None:
        self.ends_at_once = ends_at_once
        self.orders: list[Order] = []
        self.up: list[AttemptId] = []
        self.unclaimed: list[AttemptId] = []
        """What it was asked for without a claim that another program can see in the file."""
        self.over: dict[AttemptId, Ended] = {}
        self._path = path
        self._deliver: Deliver | None = None

    @property
    def dialled(self) -> list[str]:
        return sorted(order.attempt_id for order in self.orders)

    @property
    def rings(self) -> Counter[str]:
        """Give how often each phone has rung."""
        return Counter(order.to for order in self.orders)

    def end(self, count: int | None = None) -> Awaitable[None]:
        """Let calls be over."""
        ending, self.up = self.up[:count], self.up[len(self.up) if count is None else count :]
        for name in ending:
            self.over[name] = Ended(attempt_id=name, at=NOON, outcome=Outcome.ANSWERED, duration_s=1.0)
        assert self._deliver
        return self._deliver([self.over[name] for name in ending])

    def end_all_from_now_on(self) -> None:
        self.ends_at_once = True
        self.end()

    # The port.

    async def __aenter__(self) -> Self:
        self._outsider = Outsider(self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._outsider.__exit__()

    def listen(self, deliver: Deliver, _: Callable[[], None]) -> None:
        self._deliver = deliver

    async def originate(self, order: Order) -> Originated:
        if order.attempt_id not in claims(self._outsider):
            self.unclaimed.append(order.attempt_id)
        self.orders.append(order)
        self.up.append(order.attempt_id)
        if self.ends_at_once:
            asyncio.get_running_loop().call_soon(self.end)
        return Originated(report=Placed(attempt_id=order.attempt_id, at=NOON, call_id=f"call {order.attempt_id}"))

    async def reconcile(self, attempts: Sequence[Attempt]) -> Sequence[Report]:
        return [self.over[attempt.id] for attempt in attempts if attempt.id in self.over]

    async def drain(self) -> None:
        pass

    trouble: str | None = None


def claims(outsider: Outsider) -> list[str]:
    """Give the attempts that are in the file, as another program sees it."""
    return sorted(
        f"{name}.{position}.{n}"
        for name, position, n in outsider.read(
            "SELECT c.id, a.position, a.n FROM attempts a JOIN campaigns c ON c.no = a.campaign_no"
        )
    )


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, however long it takes; a test that waits in vain fails."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - what it looks at has no event of its own
            await asyncio.sleep(0.001)


class World:
    """An engine on a file, its line, and another program that looks at the file."""

    def __init__(self, path: Path, *, ends_at_once: bool = False, settings: EngineSettings = PATIENT) -> None:
        self.store = SqliteStore(path)
        self.line = Line(path, ends_at_once=ends_at_once)
        self.engine = Engine(store=self.store, line=self.line, settings=settings)
        self._path = path
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self.engine)
        self.other = self._open.enter_context(Outsider(self._path))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def create(self, contacts: int, cap: int) -> None:
        await self.engine.put_account(an_account())
        await self.create_again(contacts, cap)

    async def create_again(self, contacts: int, cap: int = 2) -> None:
        settings = CampaignSettings(name="a", agent_id="agent", phone_number_id="line", max_concurrent_calls=cap)
        file = "\n".join(["phone_number", *map(a_number, range(contacts)), ""]).encode()
        await self.engine.create("acme", settings, contacts=BytesIO(file), campaign_id="a")

    async def run(self, contacts: int, cap: int) -> None:
        """Have a campaign whose first calls are up, when it has begun."""
        await self.create(contacts, cap)
        await self.engine.start("acme", "a")
        if not self.line.ends_at_once:
            await until(lambda: self.has_dialled(cap))

    async def has_dialled(self, count: int) -> bool:
        counters = (await self.engine.campaign("acme", "a")).counters
        return len(self.line.orders) == count == counters.attempts

    async def has_ended(self) -> bool:
        return (await self.engine.campaign("acme", "a")).campaign.status is CampaignStatus.COMPLETED

    async def is_told(self, code: str, *, times: int = 3) -> None:
        """Ask for something, again and again: each answer is a cycle that was tried and failed."""
        for _ in range(times):
            with pytest.raises(AdapterFault) as raised:
                await self.engine.pause("acme", "a")
            assert (raised.value.code, raised.value.is_retryable) == (code, True)

    async def all_came_to_their_end(self, contacts: int) -> None:
        """Hold everything against what the phones have heard."""
        await until(self.has_ended)
        counters = (await self.engine.campaign("acme", "a")).counters
        assert (counters.completed, counters.total, counters.calls_in_flight) == (contacts, contacts, 0)
        assert (counters.attempts, counters.outcomes) == (contacts, {Outcome.ANSWERED: contacts})
        assert self.line.rings == Counter({a_number(index): 1 for index in range(contacts)})
        assert self.line.unclaimed == []
        assert self.line.dialled == claims(self.other)


async def test_a_call_that_leaves_before_its_claim_is_committed_is_found_out(path: Path) -> None:
    async with World(path) as world:
        await world.run(3, cap=2)
        world.other.do("BEGIN IMMEDIATE", "UPDATE attempts SET n = 7 WHERE position = 1")
        for order in [*world.line.orders, evolve(world.line.orders[1], attempt_id=AttemptId("a.1.7"))]:
            await world.line.originate(order)
        world.other.do("ROLLBACK")
        assert world.line.unclaimed == ["a.1.7"]
        assert world.line.rings[a_number(1)] == 3


class TestALock:
    async def test_i2_no_call_leaves_without_its_claim_and_all_goes_on_when_it_is_released(self, path: Path) -> None:
        async with World(path) as world:
            await world.run(40, cap=10)
            world.other.do("BEGIN IMMEDIATE")
            known = claims(world.other)
            durable = asyncio.ensure_future(world.line.end(4))
            await world.is_told("store_locked")
            assert (world.line.dialled, claims(world.other), durable.done()) == (known, known, False)
            assert len(known) == 10
            world.other.do("COMMIT")
            await durable
            assert (await world.engine.campaign("acme", "a")).counters.completed >= 4
            world.line.end_all_from_now_on()
            await world.all_came_to_their_end(40)

    async def test_a_campaign_that_can_not_be_started_dials_nobody_until_it_is_started(self, path: Path) -> None:
        async with World(path, ends_at_once=True) as world:
            await world.create(5, cap=5)
            world.other.do("BEGIN IMMEDIATE")
            for _ in range(3):
                with pytest.raises(AdapterFault):
                    await world.engine.start("acme", "a")
            assert (await world.engine.campaign("acme", "a")).campaign.status is CampaignStatus.DRAFT
            assert world.line.orders == []
            world.other.do("COMMIT")
            await world.engine.start("acme", "a")
            await world.all_came_to_their_end(5)

    async def test_reports_that_came_meanwhile_are_all_kept_in_their_order(self, path: Path) -> None:
        async with World(path) as world:
            await world.run(10, cap=10)
            world.other.do("BEGIN IMMEDIATE")
            told = [asyncio.ensure_future(world.line.end(count)) for count in (1, 2, 3)]
            await world.is_told("store_locked")
            told += [asyncio.ensure_future(world.line.end(count)) for count in (1, 3)]
            await world.is_told("store_locked")
            assert [each.done() for each in told] == [False] * 5
            world.other.do("COMMIT")
            await asyncio.gather(*told)
            await world.all_came_to_their_end(10)

    async def test_reads_and_snapshots_are_answered_meanwhile(self, path: Path) -> None:
        async with World(path) as world:
            await world.run(10, cap=3)
            world.other.do("BEGIN IMMEDIATE")
            await world.is_told("store_locked", times=1)
            assert (await world.engine.snapshot("acme", "a")).calls_in_flight == 3
            assert len((await world.engine.contacts("acme", "a")).contacts) == 10
            world.other.do("COMMIT")
            world.line.end_all_from_now_on()
            await world.all_came_to_their_end(10)

    async def test_an_upload_fails_as_a_whole_and_can_be_made_again(self, path: Path) -> None:
        async with World(path, ends_at_once=True) as world:
            await world.engine.put_account(an_account())
            world.other.do("BEGIN IMMEDIATE")
            with pytest.raises(AdapterFault) as raised:
                await world.create_again(7)
            assert raised.value.code == "store_locked"
            world.other.do("COMMIT")
            assert [*await world.engine.campaigns("acme")] == []
            await world.create_again(7)
            await world.engine.start("acme", "a")
            await world.all_came_to_their_end(7)

    async def test_i2_whoever_leaves_meanwhile_leaves_nobody_to_be_rung_twice(self, path: Path) -> None:
        hasty = evolve(PATIENT, drain_s=0.01)
        with Outsider(path) as lock:
            async with World(path, settings=hasty) as world:
                await world.run(20, cap=4)
                lock.do("BEGIN IMMEDIATE")
                told = asyncio.ensure_future(world.line.end(2))
                await world.is_told("store_locked")
            told.cancel()
            first = world.line
            lock.do("COMMIT")
        world = World(path)
        world.line.over, world.line.up = first.over, first.up
        world.line.orders, world.line.unclaimed = first.orders, first.unclaimed
        async with world:
            world.line.end_all_from_now_on()
            await world.all_came_to_their_end(20)


class TestAFullDisk:
    async def test_i2_no_call_leaves_without_its_claim_and_all_goes_on_when_there_is_room(self, path: Path) -> None:
        async with World(path) as world:
            await world.run(600, cap=50)
            await fill_up(world.store)
            world.line.end_all_from_now_on()
            await until(lambda: self.is_full(world))
            await until(lambda: self.is_quiet(world))
            known = claims(world.other)
            assert 50 <= len(known) < 600
            for _ in range(3):
                assert await self.is_full(world)
            assert (world.line.dialled, claims(world.other)) == (known, known)
            await make_room(world.store)
            await world.all_came_to_their_end(600)

    async def is_full(self, world: World) -> bool:
        """Say whether a small command fails, with all that waits; until then small changes find room."""
        assert not await world.has_ended()
        try:
            await world.engine.put_account(an_account())
        except AdapterFault as fault:
            assert (fault.code, fault.is_retryable) == ("store_full", True)  # noqa: PT017 - it need not be raised
            return True
        return False

    async def is_quiet(self, world: World) -> bool:
        """Say whether all that was claimed has left."""
        return world.line.dialled == claims(world.other)

    async def test_a_command_that_does_not_fit_is_refused_and_keeps_no_call_from_ending(self, path: Path) -> None:
        async with World(path) as world:
            await world.run(10, cap=5)
            await fill_up(world.store)
            account = an_account()
            agents = tuple(evolve(agent, name="x" * 500_000) for agent in account.agents)
            with pytest.raises(AdapterFault) as raised:
                await world.engine.put_account(evolve(account, agents=agents))
            assert (raised.value.code, raised.value.is_retryable) == ("store_full", True)
            assert await world.engine.account("acme") == account
            world.line.end_all_from_now_on()
            await make_room(world.store)
            await world.all_came_to_their_end(10)


class TestEveryCommitThatMayFail:
    @pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR])
    @pytest.mark.parametrize("healthy", range(12))
    async def test_i2_the_nth_commit_fails_and_nobody_is_rung_twice_or_lost(
        self, path: Path, failing_commits: list[int], healthy: int, code: int
    ) -> None:
        async with World(path, ends_at_once=True) as world:
            failing_commits += [0] * healthy + [code]
            await self.insist(lambda: world.engine.put_account(an_account()))
            await self.insist(lambda: world.create_again(6))
            await self.insist(lambda: world.engine.start("acme", "a"))
            await world.all_came_to_their_end(6)

    async def test_an_upload_whose_remains_could_not_be_removed_either_can_be_made_again(
        self, path: Path, failing_commits: list[int]
    ) -> None:
        async with World(path, ends_at_once=True) as world:
            await world.engine.put_account(an_account())
            failing_commits += [0, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY]  # staged; not created, not removed
            await self.insist(lambda: world.create_again(6))
            await world.engine.start("acme", "a")
            await world.all_came_to_their_end(6)

    async def insist(self, do: Callable[[], Awaitable[Any]]) -> None:
        """Ask again where the store could not do it; a fault says that nothing was done."""
        for _ in range(4):
            try:
                await do()
            except AdapterFault as fault:
                assert fault.is_retryable  # noqa: PT017 - it need not be raised
            except CommandRefused:
                pytest.fail("what was answered with a fault has been done")
            else:
                return
        pytest.fail("asked too often")
