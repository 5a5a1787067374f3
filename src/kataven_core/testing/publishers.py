"""What every publisher must do: each sentence of the port ``Publisher``, as tests."""

# ruff: noqa: D102, S101 - tests assert on plain numbers, and their names are their docstrings

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest

from kataven_core import AccountId, AdapterFault, CampaignEvent, CampaignId, CampaignPaused
from kataven_core.ports import Publisher

from .samples import ACME, GLOBEX, NOON


def an_event(sequence: int, campaign: str = "a", account_id: AccountId = ACME) -> CampaignEvent:
    """Give something that happened to a campaign."""
    return CampaignPaused(account_id=account_id, campaign_id=CampaignId(campaign), sequence=sequence, at=NOON)


class PublisherContract:
    """Tests of a publisher; ``new_publisher`` says which."""

    pytestmark = pytest.mark.asyncio
    too_many: ClassVar[int] = 20_000
    """So many events, published at once, are more than a listener may be behind."""
    patience_s: ClassVar[float] = 30.0
    """How long an event may take to be heard, in seconds."""

    def new_publisher(self) -> Publisher:
        """Make a publisher to whom nobody listens yet."""
        raise NotImplementedError

    async def hear(self, heard: AsyncIterator[CampaignEvent], count: int) -> list[CampaignEvent]:
        """Give the next so many events."""
        async with asyncio.timeout(self.patience_s):
            return [await anext(heard) for _ in range(count)]

    async def test_publishing_to_nobody_is_well(self) -> None:
        self.new_publisher().publish([an_event(1)])

    async def test_a_listener_hears_what_is_published(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME) as heard:
            publisher.publish([an_event(1)])
            assert await self.hear(heard, 1) == [an_event(1)]

    async def test_a_listener_who_waits_is_told(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME) as heard:
            waiting = asyncio.create_task(self.hear(heard, 2))
            for sequence in (1, 2):
                await asyncio.sleep(0)
                publisher.publish([an_event(sequence)])
            assert await waiting == [an_event(1), an_event(2)]

    async def test_events_of_a_campaign_are_heard_in_their_order(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME) as heard:
            for sequence in range(1, 100, 3):
                publisher.publish([an_event(sequence + more, name) for more in range(3) for name in ("a", "b")])
            events = await self.hear(heard, 198)
        for name in ("a", "b"):
            assert [each.sequence for each in events if each.campaign_id == name] == [*range(1, 100)]

    async def test_a_listener_hears_nothing_of_other_accounts(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME) as heard:
            publisher.publish([an_event(1, "g", GLOBEX), an_event(1), an_event(2, "g", GLOBEX), an_event(2)])
            assert await self.hear(heard, 2) == [an_event(1), an_event(2)]

    async def test_a_campaign_of_the_same_name_in_another_account_is_not_heard(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME, CampaignId("a")) as heard:
            publisher.publish([an_event(1, "a", GLOBEX), an_event(2)])
            assert await self.hear(heard, 1) == [an_event(2)]

    async def test_a_listener_to_one_campaign_hears_nothing_of_others(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME, CampaignId("b")) as heard:
            publisher.publish([an_event(1), an_event(1, "b"), an_event(2), an_event(2, "b")])
            assert await self.hear(heard, 2) == [an_event(1, "b"), an_event(2, "b")]

    async def test_every_listener_hears_every_event(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME) as one, publisher.subscribe(ACME) as other:
            publisher.publish([an_event(1)])
            assert await self.hear(one, 1) == await self.hear(other, 1) == [an_event(1)]

    async def test_listening_begins_when_it_is_entered(self) -> None:
        publisher = self.new_publisher()
        subscription = publisher.subscribe(ACME)
        publisher.publish([an_event(1)])
        async with subscription as heard:
            publisher.publish([an_event(2)])
            assert await self.hear(heard, 1) == [an_event(2)]

    async def test_events_end_when_listening_is_left(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME) as heard:
            pass
        publisher.publish([an_event(1)])
        async with asyncio.timeout(self.patience_s):
            assert [event async for event in heard] == []

    async def test_a_listener_who_waits_is_let_go_when_listening_is_left(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME) as heard:
            waiting = asyncio.ensure_future(anext(heard, None))
            await asyncio.sleep(0)
        async with asyncio.timeout(self.patience_s):
            assert await waiting is None

    async def test_one_who_leaves_takes_nobody_along(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME) as stays:
            async with publisher.subscribe(ACME):
                pass
            publisher.publish([an_event(1)])
            assert await self.hear(stays, 1) == [an_event(1)]

    async def test_a_slow_listener_is_told_that_it_was_too_slow(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME) as heard:
            publisher.publish([an_event(sequence) for sequence in range(1, self.too_many + 1)])
            with pytest.raises(AdapterFault) as raised:
                await self.hear(heard, self.too_many)
        assert raised.value.code == "too_slow"

    async def test_what_a_slow_listener_hears_until_then_has_no_gap(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME) as heard:
            publisher.publish([an_event(sequence) for sequence in range(1, self.too_many + 1)])
            events = await self.hear_until_too_slow(heard)
        assert [each.sequence for each in events] == [*range(1, len(events) + 1)]

    async def hear_until_too_slow(self, heard: AsyncIterator[CampaignEvent]) -> list[CampaignEvent]:
        """Give all events before the fault."""
        events: list[CampaignEvent] = []
        async with asyncio.timeout(self.patience_s):
            try:
                while True:
                    events.append(await anext(heard))
            except AdapterFault:
                return events

    async def test_a_slow_listener_slows_nobody_down(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME), publisher.subscribe(ACME) as quick:
            for sequence in range(1, self.too_many + 1):
                publisher.publish([an_event(sequence)])
                assert await self.hear(quick, 1) == [an_event(sequence)]

    async def test_one_that_was_too_slow_may_listen_anew(self) -> None:
        publisher = self.new_publisher()
        async with publisher.subscribe(ACME):
            publisher.publish([an_event(sequence) for sequence in range(1, self.too_many + 1)])
        async with publisher.subscribe(ACME) as anew:
            publisher.publish([an_event(self.too_many + 1)])
            assert await self.hear(anew, 1) == [an_event(self.too_many + 1)]
