"""What is read: lists, pages, counts, and the agenda of a process that starts."""

# ruff: noqa: D102, PLR2004, S101 - tests assert on plain numbers, and their names are their docstrings

from datetime import timedelta
from typing import Final

from kataven_core import AttemptId, CampaignId, ContactStatus, Doubtful, Lost, Outcome
from kataven_core.ports import PAGE_SIZE

from .host import Host
from .samples import ACME, GLOBEX, NOON, a_row, ended, operate, rows_with
from .store_suite import StoreSuite

A: Final = CampaignId("a")


class ListsContract(StoreSuite):
    """Campaigns, and pages of contacts."""

    async def test_campaigns_are_listed_the_newest_first(self, host: Host) -> None:
        for name in ("b", "c", "a"):
            host.wait(0.000001)
            await host.create(name)
        assert [each.id for each in await host.store.campaigns(ACME)] == ["a", "c", "b"]

    async def test_campaigns_of_the_same_moment_keep_their_order(self, host: Host) -> None:
        for name in ("b", "c", "a"):
            await host.create(name)
        once = [each.id for each in await host.store.campaigns(ACME)]
        await host.turn(operate("c", "start"), operate("b", "start"))
        assert sorted(once) == ["a", "b", "c"]
        assert [each.id for each in await host.store.campaigns(ACME)] == once

    async def test_campaigns_are_listed_as_they_stand(self, host: Host) -> None:
        await host.begin("a")
        assert [*await host.store.campaigns(ACME)] == [await host.campaign("a")]

    async def test_deleted_campaigns_are_not_listed(self, host: Host) -> None:
        await host.create("a")
        await host.create("b")
        await host.turn(operate("a", "delete"))
        assert [each.id for each in await host.store.campaigns(ACME)] == ["b"]

    async def test_contacts_come_in_pages_in_file_order(self, host: Host) -> None:
        await host.create("a", 2 * PAGE_SIZE + 1)
        pages = [await host.store.contacts(ACME, A, page=page) for page in range(3)]
        assert [[each.position for each in page.contacts] for page in pages] == [
            [*range(PAGE_SIZE)],
            [*range(PAGE_SIZE, 2 * PAGE_SIZE)],
            [2 * PAGE_SIZE],
        ]
        assert [(page.page, page.total, page.has_next) for page in pages] == [
            (0, 2 * PAGE_SIZE + 1, True),
            (1, 2 * PAGE_SIZE + 1, True),
            (2, 2 * PAGE_SIZE + 1, False),
        ]

    async def test_a_page_past_the_end_is_empty(self, host: Host) -> None:
        await host.create("a", PAGE_SIZE)
        for page in (1, 2, 1_000):
            assert await host.store.contacts(ACME, A, page=page) == ((), page, PAGE_SIZE)

    async def test_contacts_in_one_status_have_pages_of_their_own(self, host: Host) -> None:
        await host.begin("a", 150, max_concurrent_calls=50)
        await host.dial("a")
        await host.turn(*(ended(f"a.{position}.1") for position in range(0, 50, 2)), line_is_up=False)
        for status, positions in {
            ContactStatus.COMPLETED: [*range(0, 50, 2)],
            ContactStatus.IN_PROGRESS: [*range(1, 50, 2)],
            ContactStatus.PENDING: [*range(50, 150)],
            ContactStatus.SUPPRESSED: [],
        }.items():
            page = await host.store.contacts(ACME, A, status=status)
            assert ([each.position for each in page.contacts], page.total) == (positions, len(positions))

    async def test_the_second_page_of_one_status_goes_on_after_the_first(self, host: Host) -> None:
        await host.begin("a", 250, max_concurrent_calls=100)
        await host.dial("a")
        await host.turn(operate("a", "stop"))
        page = await host.store.contacts(ACME, A, status=ContactStatus.CANCELLED, page=1)
        assert ([each.position for each in page.contacts], page.total) == ([*range(200, 250)], 150)


class DialsSinceContract(StoreSuite):
    """How many dials were claimed since a moment."""

    async def test_dials_at_the_moment_itself_are_counted(self, host: Host) -> None:
        await host.begin("a", 3)
        await host.dial("a")
        assert await host.store.dials_since(ACME, A, NOON) == 3
        assert await host.store.dials_since(ACME, A, NOON + timedelta(microseconds=1)) == 0

    async def test_dials_before_the_moment_are_not_counted(self, host: Host) -> None:
        await host.begin("a", 3, max_concurrent_calls=1)
        await host.dial("a")
        host.wait(0.5)
        await host.turn(ended("a.0.1"))
        assert await host.store.dials_since(ACME, A, NOON) == 2
        assert await host.store.dials_since(ACME, A, host.now) == 1

    async def test_dials_are_counted_whatever_became_of_them(self, host: Host) -> None:
        await host.begin("a", 4)
        await host.dial("a")
        doubt, loss = Doubtful(attempt_id=AttemptId("a.1.1"), at=NOON), Lost(attempt_id=AttemptId("a.2.1"), at=NOON)
        await host.turn(ended("a.0.1", Outcome.INVALID_NUMBER), doubt, loss)
        assert await host.store.dials_since(ACME, A, NOON) == 4

    async def test_dials_never_sent_are_left_out(self, host: Host) -> None:
        await host.begin("a", 3)
        await host.dial("a")
        await host.take_back("a.1.1")
        assert await host.store.dials_since(ACME, A, NOON) == 2

    async def test_dials_of_other_campaigns_are_not_counted(self, host: Host) -> None:
        await host.begin("a")
        await host.begin("b", rows_with([7, 8]))
        await host.dial("a", "b")
        assert await host.store.dials_since(ACME, A, NOON) == 1


class AgendaContract(StoreSuite):
    """What a process that starts has to go on with."""

    async def test_a_store_without_anything_has_an_empty_agenda(self, bare: Host) -> None:
        assert await self.agenda(bare) == ([], [], [])

    async def agenda(self, host: Host) -> tuple[list[str], list[tuple[str, str]], list[tuple[str, str]]]:
        """Give the ids of open attempts, of campaigns that go on, and of deleted ones."""
        agenda = await host.store.agenda()
        return sorted(each.id for each in agenda.open_attempts), sorted(agenda.campaigns), sorted(agenda.deleted)

    async def test_running_and_scheduled_campaigns_of_all_accounts_are_on_it(self, host: Host) -> None:
        await host.create("draft")
        await host.create("a", scheduled_at=NOON + timedelta(hours=1))
        await host.begin("g", account_id=GLOBEX)
        assert await self.agenda(host) == ([], [(ACME, "a"), (GLOBEX, "g")], [])

    async def test_campaigns_that_do_not_run_now_are_not_on_it(self, host: Host) -> None:
        for name in ("paused", "stopped"):
            await host.begin(name)
        await host.turn(operate("paused", "pause"), operate("stopped", "stop"))
        assert await self.agenda(host) == ([], [], [])

    async def test_open_attempts_of_all_accounts_are_on_it(self, host: Host) -> None:
        await host.begin("a", [a_row(0, 1)])
        await host.begin("g", [a_row(0, 1)], account_id=GLOBEX)
        await host.dial("a")
        await host.dial("g", account_id=GLOBEX)
        await host.turn(Doubtful(attempt_id=AttemptId("a.0.1"), at=NOON))
        assert (await self.agenda(host))[0] == ["a.0.1", "g.0.1"]

    async def test_a_deleted_campaign_is_on_it_with_its_calls(self, host: Host) -> None:
        await host.begin("a", 3, max_concurrent_calls=1)
        await host.dial("a")
        await host.turn(operate("a", "pause"), operate("a", "delete"))
        assert await self.agenda(host) == (["a.0.1"], [], [(ACME, "a")])

    async def test_a_deleted_campaign_that_was_scheduled_does_not_go_on(self, host: Host) -> None:
        await host.create("a", scheduled_at=NOON + timedelta(hours=1))
        await host.turn(operate("a", "delete"))
        assert await self.agenda(host) == ([], [], [(ACME, "a")])

    async def test_nothing_is_on_it_after_all_has_ended(self, host: Host) -> None:
        await host.begin("a", 2)
        await host.dial("a")
        await host.turn(ended("a.0.1"), ended("a.1.1", Outcome.DECLINED))
        assert (await host.campaign("a")).status == "completed"
        assert await self.agenda(host) == ([], [], [])
