"""Deleted campaigns are removed when their last call has ended; what can't be removed now, at the next start."""

import asyncio

import pytest
from attrs import evolve
from tests.core.runtime.conftest import NOON, turns_of_the_loop

from kataven_adapters.memory import MemoryStore
from kataven_core import AccountId, AccountUsage, AdapterFault, Campaign, CampaignId, CampaignStatus, Counters, Decision
from kataven_core.runtime.sweeper import Sweeper
from kataven_core.testing.samples import ACME, GLOBEX, a_campaign

A, B = CampaignId("a"), CampaignId("b")

GONE = a_campaign(status=CampaignStatus.PAUSED, is_deleted=True)


def decided(calls_in_flight: int, *campaigns: Campaign, of: CampaignId = A) -> Decision:
    counters = Counters(campaign_id=of, calls_in_flight=calls_in_flight)
    return Decision(account=None, usage=AccountUsage.empty(NOON), campaigns=campaigns, counters=(counters,))


class Bin(MemoryStore):
    """Keeps what was discarded; fails, or holds it up, when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.discarded: list[tuple[AccountId, CampaignId]] = []
        self.fault: AdapterFault | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def discard(self, account_id: AccountId, campaign_id: CampaignId) -> None:
        await self.gate.wait()
        if self.fault:
            raise self.fault
        self.discarded.append((account_id, campaign_id))


async def test_what_was_deleted_without_a_call_is_removed_at_once() -> None:
    store = Bin()
    sweeper = Sweeper(store)
    sweeper.follow(ACME, decided(0, GONE))
    await sweeper.finish()
    assert store.discarded == [(ACME, A)]


async def test_what_was_deleted_with_calls_is_removed_after_the_last_has_ended() -> None:
    store = Bin()
    sweeper = Sweeper(store)
    sweeper.follow(ACME, decided(2, GONE))
    sweeper.follow(ACME, decided(1))
    await turns_of_the_loop()
    assert store.discarded == []
    sweeper.follow(GLOBEX, decided(0))
    sweeper.follow(ACME, decided(0, of=B))
    await turns_of_the_loop()
    assert store.discarded == []
    sweeper.follow(ACME, decided(0))
    await sweeper.finish()
    sweeper.follow(ACME, decided(0))
    await sweeper.finish()
    assert store.discarded == [(ACME, A)]


async def test_what_was_not_deleted_is_never_removed() -> None:
    store = Bin()
    sweeper = Sweeper(store)
    sweeper.follow(ACME, decided(0, evolve(GONE, is_deleted=False)))
    await sweeper.finish()
    assert store.discarded == []


async def test_what_an_earlier_process_deleted_is_removed_now_and_after_its_last_call() -> None:
    store = Bin()
    sweeper = Sweeper(store)
    sweeper.take_up(ACME, A)
    await sweeper.finish()
    sweeper.follow(ACME, decided(0))
    await sweeper.finish()
    assert store.discarded == [(ACME, A), (ACME, A)]


async def test_a_store_that_can_not_remove_it_now_is_asked_at_the_next_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Bin()
    store.fault = AdapterFault("store_full", "the disk is full", is_retryable=True)
    sweeper = Sweeper(store)
    sweeper.take_up(ACME, A)
    await sweeper.finish()
    assert store.discarded == []
    assert "removed at the next start: the disk is full" in caplog.text


async def test_finishing_waits_for_what_is_being_removed() -> None:
    store = Bin()
    store.gate.clear()
    sweeper = Sweeper(store)
    sweeper.take_up(ACME, A)
    finishing = asyncio.create_task(sweeper.finish())
    await turns_of_the_loop()
    assert not finishing.done()
    store.gate.set()
    await finishing
    assert store.discarded == [(ACME, A)]


async def test_after_the_stop_nothing_is_removed() -> None:
    store = Bin()
    store.gate.clear()
    sweeper = Sweeper(store)
    sweeper.take_up(ACME, A)
    await turns_of_the_loop()
    sweeper.stop()
    store.gate.set()
    await turns_of_the_loop()
    assert store.discarded == []
