"""What a decision is held against: the numbers in a call, and what the account has reserved and used."""

# ruff: noqa: D102, PLR2004, S101 - tests assert on plain numbers, and their names are their docstrings

from datetime import timedelta

from .host import Host
from .samples import GLOBEX, NOON, ended, operate, rows_with
from .store_suite import StoreSuite


class UsageContract(StoreSuite):
    """Numbers in a call, and what the account has reserved and used."""

    async def test_numbers_of_open_calls_are_busy_where_a_candidate_has_them(self, host: Host) -> None:
        await host.begin("a", rows_with([1, 2]))
        await host.begin("b", rows_with([2, 3]))
        await host.dial("a")
        view = await host.view(look_at=["b"])
        assert {each.phone_number for each in view.campaigns[0].candidates} & view.busy_numbers == {
            (await host.contacts("a"))[1].phone_number
        }

    async def test_a_number_is_free_again_when_its_call_has_ended(self, host: Host) -> None:
        await host.begin("a", rows_with([1]))
        await host.begin("b", rows_with([1]))
        await host.dial("a")
        await host.turn(ended("a.0.1"), line_is_up=False)
        assert (await host.view(look_at=["b"])).busy_numbers == frozenset()

    async def test_a_candidate_whose_number_is_busy_is_made_up_for(self, host: Host) -> None:
        await host.begin("a", rows_with([1, 2, 3]))
        await host.begin("b", rows_with([9, 1, 2, 3, 4, 5, 6, 7]), max_concurrent_calls=2)
        await host.dial("a")
        view = await host.view(look_at=["b"])
        free = [row for row in view.campaigns[0].candidates if row.phone_number not in view.busy_numbers]
        assert [row.position for row in free][:3] == [0, 4, 5]

    async def test_candidates_with_busy_numbers_are_shown_among_the_first(self, host: Host) -> None:
        await host.begin("a", rows_with([1, 2]))
        await host.begin("b", rows_with([1, 2, 3]), max_concurrent_calls=2)
        await host.dial("a")
        assert [each.position for each in (await host.campaign_view("b")).candidates] == [0, 1, 2]

    async def test_numbers_in_a_call_of_another_account_are_not_busy(self, host: Host) -> None:
        await host.begin("a", rows_with([1]))
        await host.begin("g", rows_with([1]), account_id=GLOBEX)
        await host.dial("a")
        assert (await host.view(account_id=GLOBEX, look_at=["g"])).busy_numbers == frozenset()

    async def test_reserved_sums_over_all_running_campaigns_in_the_view_or_not(self, host: Host) -> None:
        await host.begin("a", max_concurrent_calls=3)
        await host.begin("b", max_concurrent_calls=4)
        assert (await host.view(look_at=["a"])).reserved == (await host.view()).reserved == 7

    async def test_only_running_campaigns_reserve(self, host: Host) -> None:
        for name in ("paused", "stopped", "deleted"):
            await host.begin(name, max_concurrent_calls=3)
        await host.create("draft", max_concurrent_calls=3)
        await host.create("scheduled", max_concurrent_calls=3, scheduled_at=NOON + timedelta(hours=1))
        await host.turn(operate("paused", "pause"), operate("stopped", "stop"), operate("deleted", "stop"))
        await host.turn(operate("deleted", "delete"))
        assert (await host.view()).reserved == 0

    async def test_an_account_that_has_never_dialled_has_used_nothing(self, host: Host) -> None:
        usage = (await host.view()).usage.rolled(host.now)
        assert (usage.calls_in_flight, usage.calls_this_minute, usage.calls_today, usage.seconds_today) == (
            0,
            0,
            0,
            0.0,
        )

    async def test_usage_is_as_it_was_decided_last(self, host: Host) -> None:
        await host.begin("a", 3)
        await host.dial("a")
        decision = await host.turn(ended("a.0.1", duration_s=12.25))
        assert (await host.view()).usage == decision.usage
        assert (decision.usage.calls_in_flight, decision.usage.seconds_today) == (2, 12.25)

    async def test_usage_rolls_on_with_the_minute(self, host: Host) -> None:
        await host.begin("a", 3)
        await host.dial("a")
        host.wait(60)
        usage = (await host.view()).usage.rolled(host.now)
        assert (usage.calls_in_flight, usage.calls_this_minute, usage.calls_today) == (3, 0, 3)

    async def test_a_clock_that_is_set_back_gives_nobody_a_second_helping(self, host: Host) -> None:
        await host.begin("a", 3, max_concurrent_calls=1)
        host.wait(60)
        await host.dial("a")
        host.wait(-60)
        assert (await host.view()).usage.rolled(host.now).calls_this_minute == 1
