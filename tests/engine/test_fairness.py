"""Many campaigns at once: even shares, no cap passed at any moment, and idle ones cost nothing."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from io import BytesIO
from types import TracebackType
from typing import Self

import pytest
from tests.core.runtime.conftest import NOON, World, contacts_csv, csv_of, turns_of_the_loop, until
from tests.engine.conftest import StoreMaker

from kataven_adapters.simulated import SimulatedLine, SimulatedSettings
from kataven_core import (
    AccountId,
    Attempt,
    AttemptClaimed,
    CampaignCompleted,
    CampaignSettings,
    Ended,
    Order,
    Outcome,
    Placed,
    Report,
)
from kataven_core.ports import AccountTurn, Deliver, Originated
from kataven_core.runtime import Engine, SystemClock
from kataven_core.testing.samples import ACME, an_account


class Oracle:
    """Stands between engine and line, counts the calls that are up, and writes down whatever passes a cap."""

    def __init__(self, line: SimulatedLine, caps: dict[str, int]) -> None:
        self.line = line
        self.caps = caps
        self.up: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.violations: list[str] = []
        self._open: dict[str, Order] = {}
        self._numbers: set[tuple[str, str]] = set()
        self._seen: set[str] = set()

    async def __aenter__(self) -> Self:
        await self.line.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.line.__aexit__(kind, error, traceback)

    def listen(self, deliver: Deliver, turned: Callable[[], None]) -> None:
        def hear(reports: Sequence[Report]) -> Awaitable[None]:
            self._hear(reports)
            return deliver(reports)

        self.line.listen(hear, turned)

    async def originate(self, order: Order) -> Originated:
        if order.attempt_id in self._seen:
            self.violations.append(f"I2: {order.attempt_id} rings twice")
        if (order.account_id, order.to) in self._numbers:
            self.violations.append(f"I3: {order.to} is in two calls")
        self._seen.add(order.attempt_id)
        self._numbers.add((order.account_id, order.to))
        self._open[order.attempt_id] = order
        for name in (order.account_id, order.campaign_id):
            self.up[name] += 1
            self.most[name] = max(self.most[name], self.up[name])
            if self.up[name] > self.caps[name]:
                self.violations.append(f"I1: {self.up[name]} calls of {name}")
        originated = await self.line.originate(order)
        if not isinstance(originated.report, Placed):
            self._close(order.attempt_id)
        return originated

    def _hear(self, reports: Sequence[Report]) -> None:
        for report in reports:
            if isinstance(report, Ended):
                self._close(report.attempt_id)

    def _close(self, attempt_id: str) -> None:
        order = self._open.pop(attempt_id)
        self._numbers.discard((order.account_id, order.to))
        self.up.subtract([order.account_id, order.campaign_id])

    async def reconcile(self, attempts: Sequence[Attempt]) -> Sequence[Report]:
        return await self.line.reconcile(attempts)

    async def drain(self) -> None:
        await self.line.drain()

    @property
    def trouble(self) -> str | None:
        return self.line.trouble


CONTACTS = 200
CAMPAIGN_CALLS = 5
ACCOUNTS = {"one": (4, 7), "two": (3, 6), "three": (3, 5)}
"""By name: how many campaigns, and how many calls at once, fewer than its campaigns together would make."""


async def test_i1_ten_campaigns_of_three_accounts_share_evenly_and_pass_no_cap(new_store: StoreMaker) -> None:
    caps = {f"{name}{index}": CAMPAIGN_CALLS for name, (count, _) in ACCOUNTS.items() for index in range(count)}
    caps |= {name: calls for name, (_, calls) in ACCOUNTS.items()}
    world = SimulatedSettings(ring_s=0.0005, talk_s=0.0005, chances={Outcome.ANSWERED: 0.5, Outcome.BUSY: 0.5})
    oracle = Oracle(SimulatedLine(world, SystemClock()), caps)
    async with Engine(store=new_store(), line=oracle) as engine:
        for name, (count, _) in ACCOUNTS.items():
            await engine.put_account(an_account(AccountId(name), calls_per_minute=0))
            for index in range(count):
                settings = CampaignSettings(
                    name="a", agent_id="agent", phone_number_id="line", max_concurrent_calls=CAMPAIGN_CALLS
                )
                file = BytesIO(contacts_csv(CONTACTS, first=index * CONTACTS))
                await engine.create(name, settings, contacts=file, campaign_id=f"{name}{index}")
                await engine.start(name, f"{name}{index}")
        shares = [asyncio.create_task(_shares(engine, name, count)) for name, (count, _) in ACCOUNTS.items()]
        await turns_of_the_loop()
        for name, (_, calls) in ACCOUNTS.items():
            await engine.put_account(an_account(AccountId(name), concurrent_max=calls))
        async with asyncio.timeout(60):
            for (count, _), dials in zip(ACCOUNTS.values(), await asyncio.gather(*shares), strict=True):
                assert len(dials) == count
                assert min(dials.values()) >= 0.9 * max(dials.values()), dials
            for name, (count, _) in ACCOUNTS.items():
                for index in range(count):
                    counters = (await engine.campaign(name, f"{name}{index}")).counters
                    assert (counters.attempts, counters.is_finished) == (CONTACTS, True)
    assert oracle.violations == []
    assert {name: oracle.most[name] for name in ACCOUNTS} == {name: calls for name, (_, calls) in ACCOUNTS.items()}
    assert not any(oracle.up.values())


async def _shares(engine: Engine, account: str, campaigns: int) -> Counter[str]:
    """Count the dials of an account's campaigns until the first is complete; then wait for the others."""
    dials: Counter[str] = Counter()
    completed = 0
    async with engine.events(account) as events:
        async for event in events:
            if isinstance(event, AttemptClaimed) and not completed:
                dials[event.campaign_id] += 1
            completed += isinstance(event, CampaignCompleted)
            if completed == campaigns:
                break
    return dials


IDLE = 334
"""Of each kind."""


def named(turn: AccountTurn) -> set[str]:
    """Give the campaigns that a turn is about."""
    return {*turn.named_campaigns, *(report.attempt_id.split(".")[0] for report in turn.inputs.reports)}


@pytest.mark.usefixtures("restless")
async def test_a_thousand_idle_campaigns_cost_nothing(new_store: StoreMaker) -> None:
    async with World(new_store()) as world:
        await world.put()
        outcome = Outcome.BUSY

        async def end_at_once(order: Order) -> Originated:
            world.phone.end(order.attempt_id, outcome)
            return await world.phone.place(order)

        world.phone.always = end_at_once
        for index in range(IDLE):
            file = csv_of([index])
            await world.run(
                f"waiting{index}", file, retries_per_contact=1, retry_delay_seconds=86_400, max_concurrent_calls=1
            )
            await world.create(f"scheduled{index}", file, scheduled_at=NOON + timedelta(days=2))
            await world.create(f"paused{index}", file)
        await until(lambda: len(world.phone.orders) == IDLE)
        for index in range(IDLE):
            await world.engine.start(ACME, f"paused{index}")
            await world.engine.pause(ACME, f"paused{index}")
        await world.quiet()
        await world.run("first", csv_of([1_000_000]))
        await world.until_status("first", "completed")
        outcome = Outcome.ANSWERED
        before = len(world.watch.turns)
        await world.run("busy", csv_of(range(2_000_000, 2_000_100)), max_concurrent_calls=5)
        await world.until_status("busy", "completed")
        turns = [turn for turns in world.watch.turns[before:] for turn in turns]
        assert {name for turn in turns for name in named(turn)} == {"busy"}
        assert len(turns) < 10 * 100

        settles = len(world.watch.turns)
        world.clock.wait(3600)
        looks = world.clock.looks
        await until(lambda: world.clock.looks > looks + 20)
        await turns_of_the_loop(500)
        assert len(world.watch.turns) == settles
