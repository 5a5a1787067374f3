"""The checker sees what it must: each of these stores takes calls that overlap for something else than a sequence."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pytest
from attrs import evolve

from kataven_adapters.memory import MemoryStore
from kataven_core import AccountId, AccountView, CampaignId, Decision, Inputs
from kataven_core.ports import AccountTurn, CampaignRecord, Decide
from kataven_core.testing.host import a_turn
from kataven_core.testing.samples import ACME, NOON, create, operate, put, rows
from kataven_core.testing.store_histories import BUDGET, HISTORIES, History
from kataven_core.testing.store_model import AccountModel
from kataven_core.testing.store_orders import Call, ReadCampaign, Settle, in_some_order


class Unhurried(MemoryStore):
    """Does everything right, and lets others come in between what it was asked and what it does, and after that."""

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
        await asyncio.sleep(0)
        decisions = await super().settle(turns, decide, now)
        await asyncio.sleep(0)
        return decisions


class LosingUpdates(MemoryStore):
    """Reads, lets others write, and writes over it."""

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
        tenants = [self._tenant(turn.account_id) for turn in turns]
        views = [tenant.view(turn, now) for tenant, turn in zip(tenants, turns, strict=True)]
        decisions = [decide(view, turn.inputs, now) for view, turn in zip(views, turns, strict=True)]
        await asyncio.sleep(0)
        for tenant, decision in zip(tenants, decisions, strict=True):
            tenant.write(decision, now)
        return decisions


class AdmittingTwo(MemoryStore):
    """Reads what is reserved before its transaction, all else within."""

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
        reserved = {turn.account_id: self._tenant(turn.account_id).view(turn, now).reserved for turn in turns}
        await asyncio.sleep(0)

        def outdated(view: AccountView, inputs: Inputs, at: datetime) -> Decision:
            return decide(evolve(view, reserved=reserved[view.account_id]), inputs, at)

        return await super().settle(turns, outdated, now)


class NotAllAtOnce(MemoryStore):
    """Settles each account's turn in a transaction of its own."""

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
        decisions: list[Decision] = []
        for turn in turns:
            decisions += await super().settle([turn], decide, now)
            await asyncio.sleep(0)
        return decisions


class ReadingLate(MemoryStore):
    """Shows whoever reads what was there one settle ago, as a copy that lags behind does."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[CampaignId, CampaignRecord] = {}
        self._after: dict[CampaignId, CampaignRecord] = {}

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
        decisions = await super().settle(turns, decide, now)
        self._before = self._after
        self._after = {
            name: CampaignRecord(kept.campaign, kept.counters)
            for tenant in self._tenants.values()
            for name, kept in tenant.campaigns.items()
            if not kept.campaign.is_deleted
        }
        return decisions

    async def campaign(self, account_id: AccountId, campaign_id: CampaignId) -> CampaignRecord:
        now = await super().campaign(account_id, campaign_id)
        return self._before.get(campaign_id, now)


class Tearing(MemoryStore):
    """Reads a campaign and its counters at different moments."""

    async def campaign(self, account_id: AccountId, campaign_id: CampaignId) -> CampaignRecord:
        before = await super().campaign(account_id, campaign_id)
        for _ in range(2):
            await asyncio.sleep(0)
        after = await super().campaign(account_id, campaign_id)
        return CampaignRecord(before.campaign, after.counters)


async def told_by(kind: type[MemoryStore], seeds: Iterable[int] = range(HISTORIES)) -> list[History]:
    told = []
    for seed in seeds:
        async with kind() as store:
            history = History(seed)
            await history.take_place(store)
            told.append(history)
    return told


@pytest.mark.parametrize("kind", [LosingUpdates, AdmittingTwo, NotAllAtOnce, ReadingLate, Tearing])
async def test_i10_a_store_that_lets_calls_mix_is_seen(kind: type[MemoryStore]) -> None:
    assert not all(history.is_explained() for history in await told_by(kind))


async def test_a_store_that_lets_others_come_in_between_its_calls_is_right() -> None:
    assert all(history.is_explained() for history in await told_by(Unhurried))


async def test_what_happens_in_the_histories_is_worth_telling() -> None:
    calls = [call for history in await told_by(Unhurried) for call in history.calls]
    answers = repr([call.answer for call in calls])
    for what in ("budget_exhausted", "CommandRefused", "CampaignPaused", "AttemptEnded", "AttemptClaimed"):
        assert answers.count(what) >= 10, what
    overlapping = [call for call in calls if call.ended - call.begun > 1]
    assert len(overlapping) > len(calls) / 2


def test_a_seed_always_gives_the_same_history() -> None:
    first, second = ([call.operation for call in asyncio.run(told_by(Unhurried, [7]))[0].calls] for _ in range(2))
    assert first == second


class TestTheOrder:
    """Two starts of which one fits, in histories written by hand."""

    def models(self) -> dict[AccountId, AccountModel]:
        model = AccountModel(ACME)
        for name in "ab":
            model.stage(CampaignId(name), rows(1))
        settle(put(concurrent_max=BUDGET), *(create(name, 1, max_concurrent_calls=3) for name in "ab")).expect(
            {ACME: model}
        )
        return {ACME: model}

    def answers(self, *operations: Any) -> list[object]:
        models = self.models()
        return [each.expect(models) for each in operations]

    def test_either_of_two_that_overlap_may_have_been_the_first(self) -> None:
        a, b = START_A, START_B
        won, lost = self.answers(a, b)
        assert in_some_order([Call(a, 0, 2, won), Call(b, 1, 3, lost)], self.models())
        assert in_some_order([Call(b, 0, 2, lost), Call(a, 1, 3, won)], self.models())

    def test_one_that_had_ended_when_another_began_came_before_it(self) -> None:
        won, lost = self.answers(START_A, START_B)
        assert in_some_order([Call(START_A, 0, 1, won), Call(START_B, 2, 3, lost)], self.models())
        assert not in_some_order([Call(START_B, 0, 1, lost), Call(START_A, 2, 3, won)], self.models())

    def test_both_can_not_have_won(self) -> None:
        (won,), (won_too,) = self.answers(START_A), self.answers(START_B)
        assert not in_some_order([Call(START_A, 0, 2, won), Call(START_B, 1, 3, won_too)], self.models())

    def test_a_read_after_the_end_of_a_write_sees_it(self) -> None:
        read = ReadCampaign(account_id=ACME, campaign_id=CampaignId("a"))
        before, won, after = self.answers(read, START_A, read)
        assert in_some_order([Call(START_A, 0, 3, won), Call(read, 1, 2, before)], self.models())
        assert in_some_order([Call(START_A, 0, 3, won), Call(read, 1, 2, after)], self.models())
        assert not in_some_order([Call(START_A, 0, 1, won), Call(read, 2, 3, before)], self.models())


def settle(*inputs: Any) -> Settle:
    return Settle(turns=(a_turn(*inputs, line_is_up=False),), now=NOON)


START_A, START_B = settle(operate("a", "start")), settle(operate("b", "start"))
