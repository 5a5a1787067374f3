"""What is removed for good: staged rows, and the contacts of deleted campaigns; and what is not."""

# ruff: noqa: D102, PLR2004, S101 - tests assert on plain numbers, and their names are their docstrings

from datetime import timedelta
from typing import Final

from kataven_core import CampaignId, CommandRefused, ContactStatus, Doubtful, NeverPlaced, Outcome

from .host import Host
from .samples import ACME, NOON, a_reject, a_row, create, ended, operate, rows, rows_with
from .store_suite import StoreSuite

A: Final = CampaignId("a")


class DiscardContract(StoreSuite):
    """What is removed, and what is not."""

    async def test_a_discarded_upload_can_be_staged_anew(self, host: Host) -> None:
        await host.stage("a", rows(1_500), [a_reject(2)])
        await host.store.discard(ACME, A)
        await host.create("a", rows_with([7]))
        assert [each.phone_number for each in await host.contacts("a")] == [a_row(0, 7).phone_number]
        assert [*await host.store.rejects(ACME, A)] == []

    async def test_nothing_is_discarded_of_a_campaign_that_never_was(self, host: Host) -> None:
        await host.store.discard(ACME, A)
        assert [*await host.store.campaigns(ACME)] == []

    async def test_nothing_is_discarded_of_a_campaign_that_can_be_seen(self, host: Host) -> None:
        for moves in ([], ["start"], ["pause"], ["stop"]):
            if not moves:
                await host.stage("a", rows(2), [a_reject(2)])
                await host.turn(create("a", 2))
            await host.turn(*(operate("a", move) for move in moves), line_is_up=False)
            await host.store.discard(ACME, A)
            assert len(await host.contacts("a")) == 2
            assert [*await host.store.rejects(ACME, A)] == [a_reject(2)]

    async def test_nothing_is_discarded_while_calls_are_open(self, host: Host) -> None:
        await self.delete_with_a_call(host)
        await host.store.discard(ACME, A)
        decision = await host.turn(ended("a.0.1", duration_s=2.0))
        assert [after.status for _, after in decision.contacts] == [ContactStatus.COMPLETED]

    async def delete_with_a_call(self, host: Host) -> None:
        """Delete a campaign of 1,200 contacts while one of its calls is up."""
        await host.begin("a", 1_200, max_concurrent_calls=1)
        await host.dial("a")
        await host.turn(operate("a", "stop"), operate("a", "delete"))

    async def test_a_deleted_campaign_is_on_the_agenda_until_its_contacts_are_discarded(self, host: Host) -> None:
        await self.delete_with_a_call(host)
        await host.store.discard(ACME, A)
        assert [*(await host.store.agenda()).deleted] == [(ACME, "a")]
        await host.turn(ended("a.0.1"))
        assert [*(await host.store.agenda()).deleted] == [(ACME, "a")]
        await host.store.discard(ACME, A)
        assert [*(await host.store.agenda()).deleted] == []

    async def test_what_is_discarded_may_be_discarded_again(self, host: Host) -> None:
        await self.delete_with_a_call(host)
        await host.turn(ended("a.0.1"))
        for _ in range(2):
            await host.store.discard(ACME, A)
        assert [*(await host.store.agenda()).deleted] == []

    async def test_the_id_of_a_discarded_campaign_stays_taken(self, host: Host) -> None:
        await host.create("a")
        await host.turn(operate("a", "delete"))
        await host.store.discard(ACME, A)
        (refusal,) = (await host.turn(create("a", 1))).answers
        assert isinstance(refusal, CommandRefused)
        assert refusal.code == "campaign_exists"

    async def test_the_attempts_of_a_discarded_campaign_are_still_known(self, host: Host) -> None:
        await self.delete_with_a_call(host)
        over = (await host.turn(ended("a.0.1", Outcome.BUSY))).attempts[0].after
        await host.store.discard(ACME, A)
        assert (await host.view(ended("a.0.1"))).attempts == {over.id: over}

    async def test_late_reports_for_a_discarded_campaign_change_nothing(self, host: Host) -> None:
        await self.delete_with_a_call(host)
        over = (await host.turn(ended("a.0.1", Outcome.BUSY))).attempts[0].after
        await host.store.discard(ACME, A)
        late = [each(attempt_id=over.id, at=NOON) for each in (Doubtful, NeverPlaced)]
        decision = await host.turn(ended("a.0.1"), *late)
        assert (decision.attempts, decision.contacts, decision.events, decision.unrecognized) == ((), (), (), ())

    async def test_others_lose_nothing_by_a_discard(self, host: Host) -> None:
        await host.create("b", rows_with([7, 8]))
        await self.delete_with_a_call(host)
        await host.turn(ended("a.0.1"))
        await host.store.discard(ACME, A)
        assert len(await host.contacts("b")) == 2

    async def test_a_deleted_campaign_that_was_scheduled_is_never_begun(self, host: Host) -> None:
        await host.create("a", scheduled_at=NOON + timedelta(seconds=1))
        await host.turn(operate("a", "delete"))
        await host.store.discard(ACME, A)
        host.wait(2)
        assert (await host.turn()).events == ()
