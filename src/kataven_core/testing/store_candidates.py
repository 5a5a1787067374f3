"""Who a decision may dial: the candidates of a campaign, in which order, and when its next retry comes."""

# ruff: noqa: D102, PLR2004, S101 - tests assert on plain numbers, and their names are their docstrings

from datetime import timedelta

from kataven_core import Outcome, candidates_wanted

from .host import Host
from .samples import NOON, a_row, ended
from .store_suite import StoreSuite


class CandidatesContract(StoreSuite):
    """Who may be dialled, in which order, and when the next retry comes."""

    async def positions(self, host: Host, name: str = "a") -> list[int]:
        """Give the positions of a campaign's candidates, in their order."""
        return [each.position for each in (await host.campaign_view(name)).candidates]

    async def test_fresh_contacts_come_in_file_order(self, host: Host) -> None:
        await host.begin("a", 12, max_concurrent_calls=9)
        assert (await self.positions(host))[:10] == [*range(10)]

    async def test_candidates_are_at_least_as_many_as_a_decision_can_use(self, host: Host) -> None:
        await host.begin("a", 30, max_concurrent_calls=5)
        view = await host.campaign_view("a")
        assert len(view.candidates) >= candidates_wanted(view.campaign, view.counters, 0) == 6

    async def test_each_report_may_free_a_slot_for_one_more_candidate(self, host: Host) -> None:
        await host.begin("a", 30, max_concurrent_calls=5)
        await host.dial("a")
        view = await host.campaign_view("a", ended("a.0.1"), ended("a.1.1"))
        assert [each.position for each in view.candidates][:3] == [5, 6, 7]

    async def test_candidates_are_complete(self, host: Host) -> None:
        await host.begin("a", [a_row(0, fields={"name": "Zoë", "empty": ""})])
        assert [*(await host.campaign_view("a")).candidates] == await host.contacts("a")

    async def test_contacts_that_are_dialled_or_done_are_no_candidates(self, host: Host) -> None:
        await host.begin("a", 4, max_concurrent_calls=3)
        await host.dial("a")
        await host.turn(ended("a.1.1"), line_is_up=False)
        assert await self.positions(host) == [3]

    async def test_due_retries_come_before_fresh_contacts_by_time_then_position(self, host: Host) -> None:
        await self.let_three_fail(host)
        host.wait(300)
        assert (await self.positions(host))[:4] == [2, 0, 1, 3]

    async def let_three_fail(self, host: Host) -> None:
        """End the call to 2 a second before those to 1 and 0; all are to be dialled again after 300 s."""
        await host.begin("a", 12, max_concurrent_calls=3, retries_per_contact=1)
        await host.dial("a")
        host.wait(10)
        early, late = NOON + timedelta(seconds=9), NOON + timedelta(seconds=10)
        reports = [ended("a.1.1", Outcome.BUSY, at=late), ended("a.0.1", Outcome.BUSY, at=late)]
        await host.turn(*reports, ended("a.2.1", Outcome.BUSY, at=early), line_is_up=False)

    async def test_a_retry_is_due_at_its_time_and_not_before(self, host: Host) -> None:
        await self.let_three_fail(host)
        host.wait(298.999999)
        assert (await self.positions(host))[:1] == [3]
        host.wait(0.000001)
        assert (await self.positions(host))[:2] == [2, 3]

    async def test_the_next_retry_is_the_earliest_that_is_still_to_come(self, host: Host) -> None:
        await self.let_three_fail(host)
        assert (await host.campaign_view("a")).next_retry_at == NOON + timedelta(seconds=309)

    async def test_a_retry_that_is_due_now_is_not_to_come(self, host: Host) -> None:
        await self.let_three_fail(host)
        host.wait(299)
        assert (await host.campaign_view("a")).next_retry_at == NOON + timedelta(seconds=310)
        host.wait(1)
        assert (await host.campaign_view("a")).next_retry_at is None

    async def test_no_retry_is_to_come_where_nobody_waits(self, host: Host) -> None:
        await host.begin("a", 2)
        assert (await host.campaign_view("a")).next_retry_at is None

    async def test_a_retry_that_is_dialled_is_not_to_come(self, host: Host) -> None:
        await self.let_three_fail(host)
        host.wait(299)
        await host.dial("a")
        host.now = NOON + timedelta(seconds=20)
        assert (await host.campaign_view("a")).next_retry_at == NOON + timedelta(seconds=310)

    async def test_a_dial_that_was_never_sent_makes_its_contact_a_candidate_again(self, host: Host) -> None:
        await host.begin("a", 3, max_concurrent_calls=1)
        await host.dial("a")
        await host.take_back("a.0.1")
        assert await self.positions(host) == [0, 1]
