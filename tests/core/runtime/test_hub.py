"""The publisher in this process: order, topics, and nobody waits for the slowest."""

import asyncio

import pytest
from tests.core.runtime.conftest import NOON, turns_of_the_loop

from kataven_core import AccountId, AdapterFault, CampaignEvent, CampaignId, CampaignPaused
from kataven_core.ports import Publisher
from kataven_core.runtime import Hub
from kataven_core.runtime.hub import ROOM, Listener

ACME, GLOBEX = AccountId("acme"), AccountId("globex")


def event(sequence: int, campaign: str = "a", account: AccountId = ACME) -> CampaignEvent:
    return CampaignPaused(account_id=account, campaign_id=CampaignId(campaign), sequence=sequence, at=NOON)


async def heard(listener: Listener, count: int) -> list[int]:
    return [(await anext(listener)).sequence for _ in range(count)]


async def all_heard(listener: Listener) -> list[int]:
    return [each.sequence async for each in listener]


async def test_events_are_heard_in_the_order_in_which_they_were_published() -> None:
    hub = Hub()
    async with hub.subscribe(ACME) as listener:
        hub.publish([event(1), event(2)])
        hub.publish([event(3)])
        assert await heard(listener, 3) == [1, 2, 3]


async def test_i11_an_accounts_listener_hears_all_of_its_campaigns_and_no_other_accounts() -> None:
    hub = Hub()
    async with hub.subscribe(ACME) as listener:
        hub.publish([event(1), event(2, account=GLOBEX), event(3, campaign="b")])
        assert await heard(listener, 2) == [1, 3]
    assert await all_heard(listener) == []


async def test_a_campaigns_listener_hears_nothing_of_another_campaign() -> None:
    hub = Hub()
    async with hub.subscribe(ACME, CampaignId("b")) as listener:
        hub.publish([event(1), event(2, account=GLOBEX, campaign="b"), event(3, campaign="b")])
        assert await heard(listener, 1) == [3]
    assert await all_heard(listener) == []


async def test_whoever_waits_hears_an_event_when_it_comes() -> None:
    hub = Hub()
    async with hub.subscribe(ACME) as listener:
        waiting = asyncio.create_task(heard(listener, 2))
        await turns_of_the_loop()
        hub.publish([event(1)])
        await turns_of_the_loop()
        assert not waiting.done()
        hub.publish([event(2)])
        assert await waiting == [1, 2]


async def test_events_from_before_it_was_entered_are_not_heard() -> None:
    hub = Hub()
    listener = hub.subscribe(ACME)
    hub.publish([event(1)])
    async with listener:
        hub.publish([event(2)])
        assert await heard(listener, 1) == [2]


async def test_who_is_too_slow_is_told_so_in_place_of_what_was_missed_and_begins_again() -> None:
    hub = Hub(room=2)
    async with hub.subscribe(ACME) as listener:
        hub.publish([event(1), event(2), event(3)])
        assert await heard(listener, 1) == [1]
        hub.publish([event(4)])  # there is room again, but a hole before it
        assert await heard(listener, 1) == [2]
        with pytest.raises(AdapterFault, match="take a snapshot") as raised:
            await anext(listener)
        assert (raised.value.code, raised.value.is_retryable) == ("too_slow", True)
        hub.publish([event(5)])
        assert await heard(listener, 1) == [5]


async def test_a_slow_listener_takes_nothing_from_another() -> None:
    hub = Hub(room=2)
    async with hub.subscribe(ACME), hub.subscribe(ACME) as quick:
        for sequence in range(1, 6):
            hub.publish([event(sequence)])
            assert await heard(quick, 1) == [sequence]


async def test_there_is_room_for_ten_thousand_events() -> None:
    hub = Hub()
    async with hub.subscribe(ACME) as listener:
        hub.publish([event(sequence) for sequence in range(1, ROOM + 1)])
    assert await all_heard(listener) == [*range(1, ROOM + 1)]
    assert ROOM == 10_000


async def test_leaving_ends_the_events_after_those_that_were_heard_before() -> None:
    hub = Hub()
    async with hub.subscribe(ACME) as listener:
        hub.publish([event(1)])
    hub.publish([event(2)])
    assert await all_heard(listener) == [1]


async def test_leaving_ends_the_wait_of_whoever_listens() -> None:
    hub = Hub()
    async with hub.subscribe(ACME) as listener:
        waiting = asyncio.create_task(all_heard(listener))
        await turns_of_the_loop()
    assert await waiting == []


async def test_those_who_stay_go_on_hearing_when_one_leaves() -> None:
    hub = Hub()
    async with hub.subscribe(ACME) as stays:
        async with hub.subscribe(ACME):
            hub.publish([event(1)])
        hub.publish([event(2)])
        assert await heard(stays, 2) == [1, 2]


async def test_a_hub_that_nobody_listens_to_keeps_nothing() -> None:
    hub: Publisher = Hub()
    hub.publish([event(1)])
    async with hub.subscribe(ACME) as events:
        hub.publish([event(2)])
        assert (await anext(events)).sequence == 2


async def test_closing_ends_every_listener_after_what_it_has_heard() -> None:
    hub = Hub()
    async with hub.subscribe(ACME) as events:
        hub.publish([event(1)])
        hub.close()
        assert [each.sequence async for each in events] == [1]
