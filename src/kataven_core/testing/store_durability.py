"""Closed and opened again: a durable store still holds everything but what was staged."""

# ruff: noqa: D102, S101 - tests assert on plain numbers, and their names are their docstrings

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from kataven_core import CampaignId, Outcome
from kataven_core.ports import Store

from .host import Host
from .samples import ACME, AGENTS, GLOBEX, NOON, a_reject, a_row, create, ended, once, operate, put, rows
from .store_suite import StoreSuite

Reopen = Callable[[], Awaitable[Host]]


class OpeningContract(StoreSuite):
    """Opening and closing, durable or not."""

    async def test_entering_a_store_gives_the_store(self, tmp_path: Path) -> None:
        store = self.new_store(tmp_path)
        async with store as entered:
            assert entered is store

    async def test_a_store_opens_after_one_that_was_closed_by_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError):
            await self.fail_inside(self.new_store(tmp_path))
        async with self.new_store(tmp_path) as store:
            await Host(store).turn(put())

    async def test_a_store_that_is_closed_leaves_no_task_behind(self, tmp_path: Path) -> None:
        before = asyncio.all_tasks()
        async with self.new_store(tmp_path) as store:
            await Host(store).turn(put())
            await store.agenda()
        assert asyncio.all_tasks() == before

    async def fail_inside(self, store: Store) -> None:
        """Raise an error while a store is open."""
        async with store:
            raise ZeroDivisionError


class DurabilityContract(StoreSuite):
    """What holds over processes; passed over for a store that forgets."""

    @pytest_asyncio.fixture
    async def before(self, tmp_path: Path) -> AsyncIterator[tuple[Host, Reopen]]:
        """Give an open store with two accounts, and what closes it and opens it again."""
        if not self.is_durable:
            pytest.skip("a store that forgets")
        opened = [self.new_store(tmp_path)]
        await opened[0].__aenter__()
        host = Host(opened[0])

        async def reopen() -> Host:
            await opened[-1].__aexit__(None, None, None)
            opened.append(self.new_store(tmp_path))
            await opened[-1].__aenter__()
            host.store = opened[-1]
            return host

        await host.turn(put(ACME, concurrent_max=9))
        await host.turn(put(GLOBEX, paused=AGENTS[:1]), account_id=GLOBEX)
        yield host, reopen
        await opened[-1].__aexit__(None, None, None)

    async def test_every_read_gives_the_same_after_a_reopen(self, before: tuple[Host, Reopen]) -> None:
        host, reopen = before
        await self.live_a_little(host)
        remembered = await self.everything(host)
        assert await self.everything(await reopen()) == remembered

    async def live_a_little(self, host: Host) -> None:
        """Leave a running, a scheduled, a paused, a stopped and a deleted campaign behind."""
        await host.stage("a", [a_row(0, 1, {"name": "Zoë \N{LINE SEPARATOR}"}), *rows(250)[1:]], [a_reject(9)])
        await host.turn(create("a", 250, retries_per_contact=1), operate("a", "start"))
        await host.turn(ended("a.0.1", Outcome.BUSY, duration_s=0.1), ended("a.1.1", duration_s=2.5))
        await host.take_back("a.2.1")
        await host.create("scheduled", scheduled_at=NOON + timedelta(hours=1, microseconds=1))
        for name, move in {"paused": "pause", "stopped": "stop", "deleted": "stop"}.items():
            host.wait(1.000001)
            await host.begin(name, 2, max_concurrent_calls=1)
            await host.turn(once(operate(name, move), name))
        await host.turn(operate("deleted", "delete"))

    async def everything(self, host: Host) -> list[object]:
        """Read all that can be read."""
        found: list[object] = [await host.store.account(ACME), await host.store.account(GLOBEX)]
        campaigns = [*await host.store.campaigns(ACME)]
        for each in campaigns:
            found += await host.contacts(each.id)
            found += await host.store.rejects(ACME, each.id)
            found += [await host.store.campaign(ACME, each.id), await host.store.dials_since(ACME, each.id, NOON)]
        agenda = await host.store.agenda()
        found += [await host.store.receipt(ACME, "POST /a", name) for name in ("paused", "stopped", "deleted")]
        found += [campaigns, await host.open_attempts(), sorted(agenda.campaigns), sorted(agenda.deleted)]
        return found

    async def test_a_view_is_the_same_after_a_reopen(self, before: tuple[Host, Reopen]) -> None:
        host, reopen = before
        await self.live_a_little(host)
        names = ["a", "deleted", "paused"]
        remembered = await host.view(ended("a.1.1"), ended("a.3.1"), look_at=names)
        view = await (await reopen()).view(ended("a.1.1"), ended("a.3.1"), look_at=names)
        assert sorted(view.campaigns, key=str) == sorted(remembered.campaigns, key=str)
        assert (view.account, view.usage, view.reserved) == (remembered.account, remembered.usage, remembered.reserved)
        assert (view.attempts, view.contacts) == (remembered.attempts, remembered.contacts)

    async def test_calls_that_were_up_go_on_after_a_reopen(self, before: tuple[Host, Reopen]) -> None:
        host, reopen = before
        await host.begin("a", 2)
        await host.dial("a")
        await reopen()
        assert await host.dial("a") == []
        await host.turn(ended("a.0.1"), ended("a.1.1"))
        assert (await host.campaign("a")).status == "completed"

    async def test_what_an_earlier_process_staged_is_swept_away(self, before: tuple[Host, Reopen]) -> None:
        host, reopen = before
        await host.stage("a", rows(1_500), [a_reject(2)])
        await reopen()
        await host.create("a", [a_row(0, 7)])
        assert [each.phone_number for each in await host.contacts("a")] == [a_row(0, 7).phone_number]
        assert [*await host.store.rejects(ACME, CampaignId("a"))] == []

    async def test_a_schedule_comes_due_after_a_reopen(self, before: tuple[Host, Reopen]) -> None:
        host, reopen = before
        await host.create("a", scheduled_at=NOON + timedelta(seconds=5))
        await reopen()
        host.wait(5)
        await host.turn(line_is_up=False)
        assert (await host.campaign("a")).status == "running"

    async def test_what_was_done_once_is_not_done_again_after_a_reopen(self, before: tuple[Host, Reopen]) -> None:
        host, reopen = before
        await host.begin("a")
        (answer,) = (await host.turn(once(operate("a", "pause")))).answers
        await host.turn(operate("a", "resume"), line_is_up=False)
        await reopen()
        assert (await host.turn(once(operate("a", "pause")), line_is_up=False)).answers == (answer,)
        assert (await host.campaign("a")).status == "running"

    async def test_what_was_discarded_stays_gone_and_its_id_taken(self, before: tuple[Host, Reopen]) -> None:
        host, reopen = before
        await host.create("a")
        await host.turn(operate("a", "delete"))
        await host.store.discard(ACME, CampaignId("a"))
        await reopen()
        assert [*(await host.store.agenda()).deleted] == []
        assert [each.campaign.id for each in (await host.view(create("a", 1))).campaigns] == ["a"]
