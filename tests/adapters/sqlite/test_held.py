"""What the store holds besides the file is what a process that has just opened the file would read."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from attrs import evolve
from tests.adapters.sqlite.conftest import Outsider, writer_of

from kataven_adapters.sqlite import SqliteStore
from kataven_core import (
    AccountView,
    AdapterFault,
    AttemptId,
    CampaignId,
    CampaignStatus,
    Decision,
    Inputs,
    NotFound,
    Outcome,
    Placed,
    decide,
)
from kataven_core.ports import AccountTurn, CampaignRecord
from kataven_core.testing.host import Host
from kataven_core.testing.samples import ACME, GLOBEX, NOON, ended, operate, put, rows

NAMED = ("a.0.1", "a.1.1", "a.2.1", "a.0.2", "b.0.1")


async def seen(store: SqliteStore) -> tuple[dict[str, CampaignRecord | None], AccountView]:
    """Give all that may come from what is held: records, and what reports are decided on."""
    records: dict[str, CampaignRecord | None] = {}
    for name in ("a", "b"):
        try:
            records[name] = await store.campaign(ACME, CampaignId(name))
        except NotFound:
            records[name] = None
    reports = [Placed(attempt_id=AttemptId(name), at=NOON, call_id="c") for name in NAMED]
    return records, await Host(store).view(*reports)


async def is_the_file(path: Path, store: SqliteStore) -> bool:
    """Whether a store that has only read the file, a copy of it, sees the same."""
    await store._writer.run(lambda connection: connection.execute("SELECT 1"))  # noqa: SLF001 - nothing is under way
    copy = path.with_name("copy.db")
    for ending in ("", "-wal"):
        copy.with_name(f"copy.db{ending}").write_bytes(path.with_name(path.name + ending).read_bytes())
    async with SqliteStore(copy) as fresh:
        return await seen(fresh) == await seen(store)


async def test_it_is_the_file_after_every_turn_of_a_story(path: Path) -> None:
    async with SqliteStore(path) as store:
        host = Host(store)
        await host.turn(put())
        await host.begin("a", 5, max_concurrent_calls=3, retries_per_contact=1, retry_delay_seconds=60)
        await host.begin("b", 2, max_concurrent_calls=1)
        assert await is_the_file(path, store)
        for names in (("a",), ("b",), ("a", "b")):
            await host.dial(*names)
            assert await is_the_file(path, store)
        for reports in (
            [Placed(attempt_id=AttemptId("a.0.1"), at=NOON, call_id="c1")],
            [ended("a.0.1", Outcome.BUSY), ended("a.1.1")],
            [ended("b.0.1")],
        ):
            await host.turn(*reports, look_at=["a"])
            assert await is_the_file(path, store)
        host.wait(60)
        await host.dial("a")
        await host.turn(operate("b", "stop"))
        await host.turn(operate("b", "delete"))
        await host.turn(operate("a", "pause"))
        assert await is_the_file(path, store)
        assert (await seen(store))[0]["b"] is None


async def test_it_is_the_file_when_a_commit_has_failed(path: Path, failing_commits: list[int]) -> None:
    async with SqliteStore(path) as store:
        host = Host(store)
        await host.turn(put())
        await host.begin("a", 5, max_concurrent_calls=3)
        await host.dial("a")
        await seen(store)
        failing_commits.append(13)
        with pytest.raises(AdapterFault):
            await host.turn(ended("a.0.1"), operate("a", "pause"))
        assert await is_the_file(path, store)


async def test_nobody_is_given_what_is_anothers(path: Path) -> None:
    async with SqliteStore(path) as store:
        host = Host(store)
        for account in (ACME, GLOBEX):
            await host.turn(put(account), account_id=account)
        await host.begin("a", 5, max_concurrent_calls=3)
        await host.dial("a")
        with pytest.raises(NotFound):
            await store.campaign(GLOBEX, CampaignId("a"))
        view = await host.view(ended("a.0.1"), account_id=GLOBEX)
        assert (dict(view.attempts), dict(view.contacts), view.campaigns) == ({}, {}, ())


async def test_no_more_is_held_than_the_last_thousand_campaigns(path: Path) -> None:
    async with SqliteStore(path) as store:
        host = Host(store)
        await host.turn(put())
        for n in range(1_001):
            await host.create(f"c{n}")
        records = store._writer.records  # noqa: SLF001 - how much it holds is seen nowhere else
        held = [n for n in range(1_001) if records.find(ACME, CampaignId(f"c{n}"))]
        assert held == [*range(1, 1_001)]
        assert (await store.campaign(ACME, CampaignId("c0"))).campaign.id == "c0"
        assert records.find(ACME, CampaignId("c0")) is not None


async def test_what_another_program_writes_is_seen(path: Path, outsider: Callable[[], Outsider]) -> None:
    async with SqliteStore(path) as store:
        host = Host(store)
        await host.turn(put())
        await host.begin("a", 9, max_concurrent_calls=3)
        up = await host.dial("a")
        await seen(store)
        outsider().do("UPDATE campaigns SET status = 'paused'")
        await host.turn(*map(ended, up), look_at=["a"])
        assert (await store.campaign(ACME, CampaignId("a"))).campaign.status is CampaignStatus.PAUSED
        assert not await host.open_attempts()


async def test_calls_up_are_counted_whatever_a_decision_says(path: Path) -> None:
    def miscounting(view: AccountView, inputs: Inputs, now: datetime) -> Decision:
        decision = decide(view, inputs, now)
        return evolve(decision, usage=evolve(decision.usage, calls_in_flight=99))

    async with SqliteStore(path) as store:
        host = Host(store)
        await host.turn(put())
        await host.begin("a", 5, max_concurrent_calls=3)
        await host.dial("a")
        await store.settle([AccountTurn(account_id=ACME)], miscounting, NOON)
        assert (await host.view()).usage.calls_in_flight == 3


async def test_contacts_read_ahead_take_no_more_memory_than_they_may(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kataven_adapters.sqlite.held._AHEAD_BYTES", 20_000)
    async with SqliteStore(path) as store:
        host = Host(store)
        await host.turn(put())
        for name in ("a", "b", "c"):
            await host.begin(name, [row._replace(position=n) for n, row in enumerate(rows(12, first=ord(name) * 50))])
            await host.turn(look_at=[name], line_is_up=False)
        assert [name for _, name in writer_of(store).held.campaigns] == ["b", "c"]
        assert await is_the_file(path, store)
