"""What a decision is given to look at: the store's side of ``AccountView`` and ``CampaignView``."""

# ruff: noqa: D102, S101 - tests assert on plain numbers, and their names are their docstrings

from datetime import timedelta

from kataven_core import AccountView, Outcome

from .host import Host
from .samples import ACME, GLOBEX, NOON, a_row, an_account, create, ended, operate, put, rows_with
from .store_suite import StoreSuite


def campaigns_in(view: AccountView) -> set[str]:
    """Give the ids of the campaigns that a view holds."""
    assert len({each.campaign.id for each in view.campaigns}) == len(view.campaigns), "a campaign twice in one view"
    return {each.campaign.id for each in view.campaigns}


class ViewContract(StoreSuite):
    """Which campaigns, attempts and contacts a view holds."""

    async def test_a_view_of_an_account_that_was_never_put_has_none(self, bare: Host) -> None:
        view = await bare.view()
        assert (view.account_id, view.account, view.campaigns, view.reserved) == (ACME, None, (), 0)

    async def test_a_view_holds_the_account_as_it_was_put_last(self, host: Host) -> None:
        await host.turn(put(concurrent_max=7, daily_calls_max=0))
        assert (await host.view()).account == an_account(concurrent_max=7, daily_calls_max=0)

    async def test_a_view_holds_the_campaigns_that_the_turn_names_and_no_others(self, host: Host) -> None:
        for name in ("a", "b", "c"):
            await host.begin(name)
        assert campaigns_in(await host.view(look_at=["a", "c"])) == {"a", "c"}

    async def test_a_view_without_anything_named_holds_no_campaign(self, host: Host) -> None:
        await host.begin("a")
        assert campaigns_in(await host.view()) == set()

    async def test_a_campaign_that_never_was_is_not_in_a_view(self, host: Host) -> None:
        assert campaigns_in(await host.view(operate("nobody", "start"), look_at=["nobody else"])) == set()

    async def test_a_campaign_that_is_only_staged_is_not_in_a_view(self, host: Host) -> None:
        await host.stage("a", [a_row(0)])
        assert campaigns_in(await host.view(create("a", 1), look_at=["a"])) == set()

    async def test_commands_name_their_campaigns(self, host: Host) -> None:
        for name in ("a", "b", "c"):
            await host.create(name)
        assert campaigns_in(await host.view(operate("a", "start"), create("b", 1))) == {"a", "b"}

    async def test_reports_name_their_attempts_and_their_campaigns(self, host: Host) -> None:
        await host.begin("a", 3)
        await host.begin("b", rows_with([7]))
        await host.dial("a", "b")
        view = await host.view(ended("a.1.1"), ended("a.2.1"), ended("a.1.1"))
        assert campaigns_in(view) == {"a"}
        assert {"a.1.1", "a.2.1"} <= set(view.attempts)
        assert {name: view.contacts[name] for name in view.contacts if name in {"a.1", "a.2"}} == {
            each.id: each for each in (await host.contacts("a"))[1:]
        }

    async def test_an_attempt_in_a_view_is_as_it_was_written_last(self, host: Host) -> None:
        await host.begin("a")
        await host.dial("a")
        decision = await host.turn(ended("a.0.1", Outcome.BUSY, duration_s=1.5))
        assert (await host.view(ended("a.0.1"))).attempts["a.0.1"] == decision.attempts[0].after  # type: ignore[index] # there is one after it

    async def test_attempts_that_nobody_knows_are_not_in_a_view(self, host: Host) -> None:
        await host.begin("a")
        await host.dial("a")
        view = await host.view(
            ended("a.0.2"), ended("a.1.1"), ended("nobody.0.1"), ended("no attempt at all"), ended("")
        )
        assert (dict(view.attempts), campaigns_in(view)) == ({}, set())

    async def test_a_deleted_campaign_is_still_in_a_view_that_names_it(self, host: Host) -> None:
        await host.create("a")
        await host.turn(operate("a", "delete"))
        (view,) = (await host.view(create("a", 1))).campaigns
        assert view.campaign.is_deleted

    async def test_a_campaign_whose_schedule_has_come_is_in_every_view(self, host: Host) -> None:
        await host.create("a", scheduled_at=NOON + timedelta(seconds=60))
        await host.create("later", scheduled_at=NOON + timedelta(seconds=61))
        host.wait(60)
        assert campaigns_in(await host.view()) == {"a"}

    async def test_a_schedule_that_was_settled_comes_no_more(self, host: Host) -> None:
        for name in ("started", "stopped", "deleted"):
            await host.create(name, scheduled_at=NOON + timedelta(seconds=60))
        await host.turn(operate("started", "start"), operate("stopped", "stop"), operate("deleted", "delete"))
        host.wait(61)
        assert campaigns_in(await host.view()) == set()

    async def test_all_running_campaigns_are_in_a_view_when_the_account_is_put(self, host: Host) -> None:
        for name in ("a", "b", "paused", "stopped"):
            await host.begin(name)
        await host.create("draft")
        await host.turn(operate("paused", "pause"), operate("stopped", "stop"))
        assert campaigns_in(await host.view(put())) == {"a", "b"}

    async def test_a_view_holds_campaigns_and_counters_as_they_are_read(self, host: Host) -> None:
        await host.begin("a", 3, max_concurrent_calls=2)
        await host.dial("a")
        view = await host.campaign_view("a")
        assert (view.campaign, view.counters) == await host.store.campaign(ACME, view.campaign.id)

    async def test_nothing_of_another_account_is_in_a_view(self, host: Host) -> None:
        await host.begin("a", 2, max_concurrent_calls=1)
        await host.dial("a")
        view = await host.view(ended("a.0.1"), operate("a", "pause"), put(GLOBEX), account_id=GLOBEX, look_at=["a"])
        assert (view.reserved, view.campaigns, dict(view.attempts), dict(view.contacts)) == (0, (), {}, {})
        assert (view.busy_numbers, view.usage.calls_in_flight) == (frozenset(), 0)
