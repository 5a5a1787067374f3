"""Calls of a store that overlap, in random histories: each must be explained by one call after the other."""

# ruff: noqa: D102, S101 - what is told by an assert is the result of a test

import asyncio
import random  # noqa: TID251 - histories are drawn from seeds: the same seed gives the same
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Final

import pytest

from kataven_core import AccountId, CampaignId, Command, Operation, Outcome, Report
from kataven_core.ports import AccountTurn, Store

from .host import Host, a_turn
from .samples import ACME, GLOBEX, NOON, create, ended, operate, put, rows_with
from .store_model import AccountModel
from .store_orders import Call, Models, ReadAll, ReadCampaign, ReadPending, Settle, in_some_order
from .store_orders import Operation as Asked
from .store_suite import StoreSuite

HISTORIES: Final = 40
TASKS: Final = 4
CALLS_EACH: Final = 2
BUDGET: Final = 5
"""Calls that the account of the histories may have at once; its campaigns want 3, 3 and 2: no more than two fit."""
CAMPAIGNS: Final = {
    "a": (ACME, [1, 2, 3, 4], {"max_concurrent_calls": 3, "retries_per_contact": 1, "retry_delay_seconds": 60}),
    "b": (ACME, [1, 5, 6], {"max_concurrent_calls": 3}),
    "c": (ACME, [2, 7], {"max_concurrent_calls": 2}),
    "g": (GLOBEX, [1, 2], {"max_concurrent_calls": 2}),
}
"""Whose they are, the numbers that they call, some of them the same, and their settings."""
LATECOMER: Final = "d"
"""A campaign that is staged, and made while the history goes on."""

Input = Report | Command


class History:
    """One seed's calls: what is there before, and what tasks ask for at once, with pauses in between."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a seed's own
        self.models: Models = {name: AccountModel(name) for name in (ACME, GLOBEX)}
        self.calls: list[Call] = []

    async def take_place(self, store: Store) -> None:
        """Let it happen to a store that is open and empty."""
        await self._prepare(store)
        moments = count()

        async def ask(operation: Asked) -> None:
            begun = next(moments)
            answer = await operation.ask(store)
            self.calls.append(Call(operation, begun, next(moments), answer))

        async def ask_for_all(plan: Iterable[tuple[int, Asked]]) -> None:
            for pauses, operation in plan:
                for _ in range(pauses):
                    await asyncio.sleep(0)
                await ask(operation)

        plans = [[self._draw() for _ in range(CALLS_EACH)] for _ in range(TASKS)]
        await asyncio.gather(*map(ask_for_all, plans))
        campaigns = {ACME: frozenset(map(CampaignId, [*"abc", LATECOMER])), GLOBEX: frozenset({CampaignId("g")})}
        await ask(ReadAll(campaigns=campaigns, now=self._some_time()))

    def is_explained(self) -> bool:
        """Whether the calls could have been asked one after the other."""
        return in_some_order(self.calls, self.models)

    async def _prepare(self, store: Store) -> None:
        """Have campaigns, some of which run and have calls up."""
        host = Host(store)
        staged = {name: (account_id, numbers) for name, (account_id, numbers, _) in CAMPAIGNS.items()}
        for name, (account_id, numbers) in {**staged, LATECOMER: (ACME, [8])}.items():
            await host.stage(name, rows_with(numbers), account_id=account_id)
            self.models[account_id].stage(CampaignId(name), rows_with(numbers))
        for account_id in self.models:
            makes = [
                create(name, len(numbers), **settings)
                for name, (owner, numbers, settings) in CAMPAIGNS.items()
                if owner == account_id
            ]
            starts = [operate(name, "start") for name in self._chance.sample([*"abcg"], 2)]
            inputs: list[Input] = [put(account_id, concurrent_max=BUDGET), *makes, *starts]
            await self._both(store, account_id, inputs, [])
            await self._both(store, account_id, [], self._chance.sample([*"abcg"], 2))

    async def _both(self, store: Store, account_id: AccountId, inputs: Sequence[Input], looks: Sequence[str]) -> None:
        settle = Settle(turns=(a_turn(*inputs, account_id=account_id, look_at=looks),), now=NOON)
        assert await settle.ask(store) == settle.expect(self.models)

    def _draw(self) -> tuple[int, Asked]:
        pauses, name = self._chance.randrange(4), self._chance.choice([*CAMPAIGNS])
        owner = CAMPAIGNS[name][0]
        match self._chance.randrange(8):
            case 0:
                return pauses, ReadCampaign(account_id=owner, campaign_id=CampaignId(name))
            case 1:
                return pauses, ReadPending(account_id=owner, campaign_id=CampaignId(name))
            case 2 | 3 | 4:  # both accounts in one transaction
                return pauses, self._settle(*self._chance.sample([ACME, GLOBEX], 2))
            case _:
                return pauses, self._settle(ACME)

    def _settle(self, *accounts: AccountId) -> Settle:
        return Settle(turns=tuple(map(self._turn, accounts)), now=self._some_time())

    def _turn(self, account_id: AccountId) -> AccountTurn:
        names = [name for name, (owner, _, _) in CAMPAIGNS.items() if owner == account_id]
        inputs = [self._input(account_id, names) for _ in range(self._chance.randrange(3))]
        looks = [name for name in names if self._chance.getrandbits(1)]
        return a_turn(*inputs, account_id=account_id, look_at=looks)

    def _input(self, account_id: AccountId, names: Sequence[str]) -> Input:
        name = self._chance.choice(names)
        match self._chance.randrange(10):
            case 0:
                return put(account_id, concurrent_max=self._chance.choice([2, 3, BUDGET, BUDGET + 1]))
            case 1:
                return create(LATECOMER, 1) if account_id == ACME else operate(name, "start")
            case 2 | 3 | 4:
                which = f"{name}.{self._chance.randrange(3)}.1"
                return ended(which, self._chance.choice([Outcome.ANSWERED, Outcome.BUSY]), duration_s=1.0)
            case _:
                return operate(name, self._chance.choice(["start", "start", "start", *Operation]))

    def _some_time(self) -> datetime:
        return NOON + timedelta(seconds=self._chance.choice([0, 1, 59, 61]))


class HistoriesContract(StoreSuite):
    """Calls that overlap are as if they had been asked one after the other, each between its beginning and its end."""

    @pytest.mark.parametrize("seed", range(HISTORIES))
    async def test_i10_calls_that_overlap_are_as_calls_one_after_the_other(self, bare: Host, seed: int) -> None:
        history = History(seed)
        await history.take_place(bare.store)
        assert history.is_explained(), history.calls
