"""Many at once: turns never overlap, and a read sees what was committed and nothing of what is under way."""

# ruff: noqa: D102, PLR2004, S101 - tests assert on plain numbers, and their names are their docstrings

import asyncio

from kataven_core import BudgetExhausted, CampaignId, Outcome, decide
from kataven_core.ports import PAGE_SIZE

from .host import Host, a_turn
from .samples import ACME, GLOBEX, NOON, a_row, create, ended, operate, put, rows, rows_with
from .store_suite import StoreSuite

TRIES = 20


class RacesContract(StoreSuite):
    """Two tasks, or twenty, and one store."""

    async def test_turns_that_are_taken_at_once_are_all_settled(self, host: Host) -> None:
        await asyncio.gather(*(host.stage(f"c{index}", rows(2)) for index in range(TRIES)))
        await asyncio.gather(*(host.turn(create(f"c{index}", 2)) for index in range(TRIES)))
        assert len(await host.store.campaigns(ACME)) == TRIES

    async def test_i10_of_two_starts_that_do_not_both_fit_one_wins(self, host: Host) -> None:
        await host.turn(put(concurrent_max=5))
        for attempt in range(TRIES):
            names = [f"{side}{attempt}" for side in ("left", "right")]
            for index, name in enumerate(names):
                await host.create(name, rows_with([10 * attempt + index]), max_concurrent_calls=3)
            answers = await asyncio.gather(*(host.turn(operate(name, "start"), line_is_up=False) for name in names))
            refused = [isinstance(each.answers[0], BudgetExhausted) for each in answers]
            assert sorted(refused) == [False, True]
            await host.turn(*(operate(name, "stop") for name in names))

    async def test_i3_turns_that_are_taken_at_once_never_dial_a_contact_twice(self, host: Host) -> None:
        await host.begin("a", 50, max_concurrent_calls=40)
        dialled = await asyncio.gather(*(host.dial("a") for _ in range(TRIES)))
        attempts = [name for each in dialled for name in each]
        assert sorted(attempts) == sorted({*attempts}) == sorted(f"a.{position}.1" for position in range(40))

    async def test_i8_an_end_that_is_reported_at_once_by_many_counts_once(self, host: Host) -> None:
        await host.begin("a", 2)
        await host.dial("a")
        await asyncio.gather(*(host.turn(ended("a.0.1", duration_s=1.0)) for _ in range(TRIES)))
        counters = await host.counters("a")
        assert (counters.completed, counters.calls_in_flight, dict(counters.outcomes)) == (1, 1, {Outcome.ANSWERED: 1})
        assert (await host.view()).usage.seconds_today == 1.0

    async def test_i6_whoever_reads_while_others_write_finds_every_contact(self, host: Host) -> None:
        await host.begin("a", 120, max_concurrent_calls=10, retries_per_contact=1)
        writing = asyncio.create_task(_dial_them_all(host))
        while not writing.done():
            assert (await host.counters("a")).total == 120
            record, page = (
                await host.store.campaign(ACME, CampaignId("a")),
                await host.store.contacts(ACME, CampaignId("a")),
            )
            assert (page.total, len(page.contacts)) == (120, PAGE_SIZE)
            assert (record.campaign.status == "completed") == record.counters.is_finished
            await asyncio.sleep(0)
        await writing
        assert (await host.counters("a")).completed == 120

    async def test_pages_read_while_others_write_lose_nobody(self, host: Host) -> None:
        await host.begin("a", PAGE_SIZE, max_concurrent_calls=10)
        writing = asyncio.create_task(_dial_them_all(host))
        while not writing.done():
            page = await host.store.contacts(ACME, CampaignId("a"))
            assert [each.position for each in page.contacts] == [*range(PAGE_SIZE)]
            await asyncio.sleep(0)
        await writing

    async def test_a_turn_that_fails_is_never_seen(self, host: Host) -> None:
        await host.begin("a", 2)
        failing = asyncio.gather(*(self.fail_to_pause(host) for _ in range(TRIES)))
        while not failing.done():
            assert (await host.campaign("a")).status == "running"
            await asyncio.sleep(0)
        assert await failing == [True] * TRIES

    async def fail_to_pause(self, host: Host) -> bool:
        """Let the turn of another account fail in the same settle."""
        turns = [a_turn(operate("a", "pause")), a_turn(account_id=GLOBEX)]
        try:
            await host.store.settle(
                turns, lambda view, inputs, now: {ACME: decide}[view.account_id](view, inputs, now), NOON
            )
        except KeyError:
            return True
        return False

    async def test_uploads_go_on_while_others_write(self, host: Host) -> None:
        await host.begin("a", 60, max_concurrent_calls=10)
        staged = [a_row(position, 1_000 + position) for position in range(2_500)]
        await asyncio.gather(host.stage("b", staged), _dial_them_all(host))
        await host.turn(create("b", 2_500))
        assert [each.position for each in await host.contacts("b")] == [*range(2_500)]
        assert (await host.counters("a")).completed == 60

    async def test_a_discard_goes_on_while_others_write(self, host: Host) -> None:
        await host.create("old", 2_500)
        await host.turn(operate("old", "delete"))
        await host.begin("a", rows_with(range(5_000, 5_060)), max_concurrent_calls=10)
        await asyncio.gather(host.store.discard(ACME, CampaignId("old")), _dial_them_all(host))
        assert [*(await host.store.agenda()).deleted] == []
        assert (await host.counters("a")).completed == 60


async def _dial_them_all(host: Host) -> None:
    """Dial and answer until the campaign is over."""
    up = await host.dial("a")
    while up:
        decision = await host.turn(*map(ended, up), look_at=["a"])
        up = [order.attempt_id for order in decision.orders]
