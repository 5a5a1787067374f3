"""When to look again: what decisions have said, and nothing else."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from tests.core.runtime.conftest import NOON, HandClock, turns_of_the_loop

from kataven_core import AccountUsage, CampaignId, CampaignStatus, Decision
from kataven_core.runtime.inbox import Inbox, Waiting
from kataven_core.runtime.outlook import Outlook
from kataven_core.testing.samples import ACME, GLOBEX, a_campaign

A, B = CampaignId("a"), CampaignId("b")
LATER = NOON + timedelta(seconds=10)

pytestmark = pytest.mark.usefixtures("restless")


def decided(wakes: Mapping[CampaignId, datetime] | None = None, **parts: Any) -> Decision:
    return Decision(account=None, usage=AccountUsage.empty(NOON), wakes=wakes or {}, **parts)


class Desk:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.inbox = Inbox()
        self.outlook = Outlook(self.clock, self.inbox)

    async def next(self) -> list[Waiting]:
        """Wait for what is to be looked at next."""
        batch = await self.inbox.take()
        assert batch is not None
        return batch.waiting

    async def left(self) -> list[Waiting]:
        """Give what is to be looked at when nothing more comes."""
        await turns_of_the_loop()
        self.inbox.close()
        batch = await self.inbox.take()
        return batch.waiting if batch else []


async def test_what_is_to_be_looked_at_again_is_looked_at_at_once() -> None:
    desk = Desk()
    desk.outlook.follow(ACME, decided(again=(A, B)))
    assert await desk.next() == [Waiting(ACME, campaigns={A, B})]


async def test_what_wakes_is_looked_at_when_its_time_comes() -> None:
    desk = Desk()
    desk.outlook.follow(ACME, decided({A: LATER}))
    desk.outlook.follow(GLOBEX, decided({B: LATER}))
    desk.clock.wait(10)
    assert await desk.next() == [Waiting(ACME, campaigns={A}), Waiting(GLOBEX, campaigns={B})]


@pytest.mark.parametrize("status", [each for each in CampaignStatus if each is not CampaignStatus.RUNNING])
async def test_a_campaign_that_runs_no_more_is_not_woken(status: CampaignStatus) -> None:
    desk = Desk()
    desk.outlook.follow(ACME, decided({A: LATER}))
    desk.outlook.follow(ACME, decided(campaigns=(a_campaign(status=status),)))
    desk.clock.wait(10)
    assert await desk.left() == []


async def test_a_campaign_that_runs_on_is_still_woken() -> None:
    desk = Desk()
    desk.outlook.follow(ACME, decided({A: LATER}))
    desk.outlook.follow(ACME, decided(campaigns=(a_campaign(status=CampaignStatus.RUNNING),)))
    desk.clock.wait(10)
    assert await desk.next() == [Waiting(ACME, campaigns={A})]


async def test_a_schedule_that_is_set_with_its_campaign_wakes_it() -> None:
    desk = Desk()
    scheduled = evolve(a_campaign(CampaignStatus.SCHEDULED), scheduled_at=LATER)
    desk.outlook.follow(ACME, decided({A: LATER}, campaigns=(scheduled,)))
    desk.clock.wait(10)
    assert await desk.next() == [Waiting(ACME, campaigns={A})]


async def test_those_that_wait_for_a_call_are_given_once_and_to_their_account() -> None:
    desk = Desk()
    desk.outlook.follow(ACME, decided(waits=(A,)))
    desk.outlook.follow(ACME, decided(waits=(B,)))
    desk.outlook.follow(GLOBEX, decided(waits=(B,)))
    assert desk.outlook.take_those_that_wait(ACME) == {A, B}
    assert desk.outlook.take_those_that_wait(ACME) == set()
    assert desk.outlook.take_those_that_wait(GLOBEX) == {B}
    assert await desk.left() == []


async def test_after_the_stop_nothing_is_woken() -> None:
    desk = Desk()
    desk.outlook.follow(ACME, decided({A: LATER}))
    desk.outlook.stop()
    desk.clock.wait(10)
    assert await desk.left() == []
