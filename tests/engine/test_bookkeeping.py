"""What is stored, what is told and what the line was asked are one story; and leaving in the middle tears nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from zlib import crc32

import pytest
from attrs import evolve
from tests.core.runtime.conftest import NOON, PATIENT, World, contacts_csv, csv_of, turns_of_the_loop
from tests.engine.conftest import StoreMaker

from kataven_adapters.simulated import SimulatedLine, SimulatedSettings
from kataven_core import (
    AdapterFault,
    AttemptClaimed,
    AttemptEnded,
    AttemptId,
    CampaignEvent,
    CampaignId,
    CampaignSettings,
    Contact,
    NeverPlaced,
    Order,
    Outcome,
)
from kataven_core.campaign import apply as apply_to_campaign
from kataven_core.contact import apply as apply_to_contact
from kataven_core.counters import Counters, fold
from kataven_core.ports import Originated, Store
from kataven_core.runtime import Engine, SystemClock
from kataven_core.testing.samples import ACME, an_account

SETTINGS = CampaignSettings(
    name="a",
    agent_id="agent",
    phone_number_id="line",
    max_concurrent_calls=7,
    retries_per_contact=2,
    retry_delay_seconds=0,
)
CONTACTS = 150
CHANCES = {
    Outcome.ANSWERED: 0.3,
    Outcome.BUSY: 0.2,
    Outcome.NO_ANSWER: 0.2,
    Outcome.FAILED: 0.1,
    Outcome.DECLINED: 0.1,
    Outcome.INVALID_NUMBER: 0.1,
}


async def told(engine: Engine) -> list[CampaignEvent]:
    """Run a campaign to its end, and give all that was told of it."""
    await engine.put_account(an_account())
    events: list[CampaignEvent] = []
    async with engine.events(ACME) as heard:
        await engine.create(ACME, SETTINGS, contacts=BytesIO(contacts_csv(CONTACTS)), campaign_id="a")
        await engine.start(ACME, "a")
        async with asyncio.timeout(30):
            while not events or type(events[-1]).__name__ != "CampaignCompleted":
                events.append(await anext(heard))
    return events


async def all_contacts(engine: Engine) -> list[Contact]:
    pages = [await engine.contacts(ACME, "a", page=page) for page in range(2)]
    return [each for page in pages for each in page.contacts]


async def test_i9_the_events_are_numbered_without_a_gap_and_fold_into_what_is_stored(new_store: StoreMaker) -> None:
    line = SimulatedLine(SimulatedSettings(ring_s=0, talk_s=0, chances=CHANCES), SystemClock())
    async with Engine(store=new_store(), line=line) as engine:
        events = await told(engine)
        campaign, counters = await engine.campaign(ACME, "a")
        contacts = await all_contacts(engine)
    assert [event.sequence for event in events] == [*range(1, len(events) + 1)]
    folded = None
    for event in events:
        folded = apply_to_campaign(folded, event)
    assert folded == campaign
    assert fold(Counters(campaign_id=CampaignId("a")), events) == counters
    for contact in contacts:
        story = Contact(
            campaign_id=contact.campaign_id,
            position=contact.position,
            phone_number=contact.phone_number,
            custom_fields=contact.custom_fields,
            updated_at=campaign.created_at,
        )
        for event in events:
            if isinstance(event, AttemptClaimed | AttemptEnded) and event.position == contact.position:
                story = apply_to_contact(story, event)
        assert story == contact


async def test_i6_i8_no_contact_is_missing_at_any_moment_and_no_outcome_counts_twice(new_store: StoreMaker) -> None:
    line = SimulatedLine(SimulatedSettings(ring_s=0, talk_s=0, chances=CHANCES), SystemClock())
    async with Engine(store=new_store(), line=line) as engine:
        events = await told(engine)
        contacts = await all_contacts(engine)
    counters = Counters(campaign_id=CampaignId("a"))
    for event in events:
        counters = fold(counters, [event])
        assert counters.total == CONTACTS
        assert 0 <= counters.calls_in_flight == counters.in_progress <= SETTINGS.max_concurrent_calls
    ended = [event.attempt_id for event in events if isinstance(event, AttemptEnded)]
    claimed = [event.attempt_id for event in events if isinstance(event, AttemptClaimed)]
    assert len(ended) == len({*ended})
    assert sorted(ended) == sorted(claimed)
    assert sum(each.attempts for each in contacts) == len(ended) == sum(counters.outcomes.values())
    assert all(1 <= each.attempts <= 3 for each in contacts)


async def test_an_upload_under_way_when_the_engine_is_left_is_refused_and_leaves_nothing(
    new_store: StoreMaker,
) -> None:
    rest = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield contacts_csv(1_500)
        await rest.wait()
        yield b"\n"

    async with World(new_store()) as world:
        await world.put()
        creating = asyncio.create_task(world.engine.create(ACME, SETTINGS, contacts=pieces(), campaign_id="a"))
        await world.quiet()
    rest.set()
    with pytest.raises(AdapterFault):
        await creating
    again: Store = new_store()
    async with World(again) as world:
        await world.put()
        assert await world.engine.campaigns(ACME) == []
        await world.create("a", 3)
        assert len(await world.contacts("a")) == 3
    await turns_of_the_loop()


class Moody:
    """A phone's mind: what it does with each call is drawn from a seed and the attempt's id."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.seed = seed
        self.up: list[str] = []

    def draw(self, what: str, below: int) -> int:
        return crc32(f"{self.seed}:{what}".encode()) % below

    async def __call__(self, order: Order) -> Originated:
        phone, name = self.world.phone, order.attempt_id
        match self.draw(name, 8):
            case 0:
                return await phone.refuse()(order)
            case 1:
                return await phone.refuse(retry_after_s=7.0)(order)
            case 2:
                raise RuntimeError("reset")
            case 3:
                phone.end(name, Outcome.BUSY)
            case 4:
                asyncio.get_running_loop().call_soon(phone.end, name, Outcome.ANSWERED)
            case _:
                self.up.append(name)
        return await phone.place(order)

    def go_on(self) -> None:
        """End some of the calls that are up, and know something of those that were doubted."""
        phone = self.world.phone
        for name in [each for each in self.up if self.draw(f"{each} {self.world.clock.now()}", 2)]:
            self.up.remove(name)
            phone.end(name, (Outcome.ANSWERED, Outcome.NO_ANSWER, Outcome.DECLINED)[self.draw(f"end of {name}", 3)])
        asked = [name for names in phone.asked for name in names]
        phone.known = [phone.ended(name) if self.draw(f"fate of {name}", 3) else _never(name) for name in asked]


def _never(name: AttemptId) -> NeverPlaced:
    return NeverPlaced(attempt_id=name, at=NOON)


@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize("seed", range(12))
async def test_i12_whatever_the_line_does_every_contact_comes_to_its_end(new_store: StoreMaker, seed: int) -> None:
    settings = evolve(PATIENT, reconcile_every_s=0.001, line_pause_s=1.0, line_pause_max_s=30.0)
    async with World(new_store(), settings=settings) as world:
        moody = Moody(world, seed)
        world.phone.always = moody
        await world.put(concurrent_max=5 + moody.draw("calls", 3), calls_per_minute=2 + moody.draw("pace", 4))
        names = ("a", "b", "c")
        for index, name in enumerate(names):
            file = csv_of(range(index, index + 5))  # most numbers stand in more than one
            at = NOON + timedelta(minutes=2) if moody.draw(f"schedule of {name}", 3) == 0 else None
            await world.create(name, file, max_concurrent_calls=1 + index % 2, retries_per_contact=2, scheduled_at=at)
        begun = [name for name in names if await world.status(name) == "draft"]
        statuses: set[str] = set()
        for _ in range(300):
            moody.go_on()
            await world.quiet()
            if begun:
                await world.engine.start(ACME, begun.pop())
            world.clock.wait(20)
            statuses = {await world.status(name) for name in names}
            if statuses == {"completed"}:
                break
        assert statuses == {"completed"}, [await world.counters(name) for name in names]
        assert len(world.phone.dialled) == len({*world.phone.dialled})
        assert await world.open_attempts() == {}
        for name in names:
            assert {each.status.value for each in await world.contacts(name)} <= {"completed", "failed"}
            assert all(each.attempts <= 3 for each in await world.contacts(name))
