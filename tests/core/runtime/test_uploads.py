"""From a file to a campaign, its settings known only when the file was read; whole, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from tests.core.runtime.conftest import World, contacts_csv, turns_of_the_loop, until
from tests.core.runtime.test_engine import Shelf

from kataven_core import CampaignSettings, CommandRefused, ContactsFileError, NotFound, Once
from kataven_core.runtime import ImportProgress
from kataven_core.testing.samples import ACME

SETTINGS = CampaignSettings(name="Spring", agent_id="agent", phone_number_id="line")
ONCE = Once(scope="POST /campaigns", key="1", fingerprint="f", note="{}")


@pytest.fixture
def store() -> Shelf:
    return Shelf()


@pytest.fixture
async def world(store: Shelf) -> AsyncIterator[World]:
    async with World(store) as world:
        await world.put()
        yield world


async def test_settings_may_come_after_the_file(world: World) -> None:
    async with world.engine.upload(ACME, campaign_id="a") as upload:
        await upload.read(BytesIO(contacts_csv(3) + b"junk,9\n"))
        assert upload.progress == ImportProgress(accepted=3, rejected=1)
        with pytest.raises(NotFound):
            await world.engine.campaign(ACME, "a")
        created = await upload.create(SETTINGS, created_by="key")
    assert (created.id, created.name, created.created_by) == ("a", "Spring", "key")
    assert (await world.counters("a")).pending == 3
    assert len(await world.engine.rejects(ACME, "a")) == 1


async def test_an_upload_that_is_left_without_a_campaign_leaves_nothing(world: World, store: Shelf) -> None:
    async with world.engine.upload(ACME, campaign_id="a") as upload:
        await upload.read(BytesIO(contacts_csv(3)))
        assert store.staged == {"a"}
    assert store.staged == set()
    assert (await world.create("a", 2)).id == "a"


async def test_a_file_that_can_not_be_used_leaves_nothing(world: World, store: Shelf) -> None:
    with pytest.raises(ContactsFileError):
        async with world.engine.upload(ACME, campaign_id="a") as upload:
            await upload.read(BytesIO(contacts_csv(1_500) + b'"'))
    assert store.staged == set()


async def test_an_id_that_is_being_uploaded_is_not_taken_twice(world: World) -> None:
    async with world.engine.upload(ACME, campaign_id="a") as upload:
        await upload.read(BytesIO(contacts_csv(2)))
        with pytest.raises(CommandRefused, match="is being uploaded"):
            async with world.engine.upload(ACME, campaign_id="a"):
                raise AssertionError
        await upload.create(SETTINGS)
    assert (await world.counters("a")).pending == 2


async def test_an_upload_that_can_not_begin_keeps_no_id(world: World, store: Shelf) -> None:
    discard = store.discard

    async def fail(*_: object) -> None:
        raise OSError

    store.discard = fail  # type: ignore[method-assign, assignment] # a double stands in for it
    with pytest.raises(OSError):  # noqa: PT011 - a bug of a store
        await world.create("a")
    store.discard = discard  # type: ignore[method-assign] # a double stands in for it
    assert (await world.create("a")).id == "a"


# Once.


async def test_the_same_request_gets_the_first_campaign_and_its_own_rows_are_gone(world: World, store: Shelf) -> None:
    for name in ("a", "b"):
        async with world.engine.upload(ACME, campaign_id=name) as upload:
            await upload.read(BytesIO(contacts_csv(2)))
            created = await upload.create(SETTINGS, once=ONCE)
        assert created.id == "a"
    assert [each.id for each in await world.engine.campaigns(ACME)] == ["a"]
    assert store.staged <= {"a"}
    receipt = await world.engine.receipt(ACME, "POST /campaigns", "1")
    assert receipt is not None
    assert (receipt.once, receipt.answer.id) == (ONCE, "a")


async def test_a_request_that_is_cancelled_while_it_is_settled_stays_where_it_can_be_asked_for_again(
    world: World,
) -> None:
    before = len(world.watch.turns)
    world.watch.gate.clear()

    async def upload_it() -> None:
        async with world.engine.upload(ACME, campaign_id="a") as upload:
            await upload.read(BytesIO(contacts_csv(2)))
            await upload.create(SETTINGS, once=ONCE)

    creating = asyncio.create_task(upload_it())
    await until(lambda: len(world.watch.turns) > before)
    creating.cancel()
    await turns_of_the_loop()
    world.watch.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert [each.id for each in await world.engine.campaigns(ACME)] == ["a"]
    assert (await world.counters("a")).pending == 2
    assert await world.engine.receipt(ACME, "POST /campaigns", "1") is not None
