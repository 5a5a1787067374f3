"""What befalls campaigns as time passes: they come due, finish, fail; the budget that this frees is used at once."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kataven_core.cycle import Command, Inputs, decide
from kataven_core.events import CampaignCompleted, CampaignFailed, CampaignStarted
from kataven_core.reports import Report
from kataven_core.statuses import Outcome
from kataven_core.values import CampaignId

if TYPE_CHECKING:
    from tests.core.cycle.conftest import Desk


def schedule(desk: "Desk", name: str, in_s: float, calls: int = 5, **settings: str) -> None:
    at = desk.now + timedelta(seconds=in_s)
    desk.turn(desk.create(name, 1, scheduled_at=at, max_concurrent_calls=calls, **settings))


def running(desk: "Desk") -> list[str]:
    return [name for name in desk.campaigns if desk.status(name) == "running"]


# Schedules.


def test_i5_a_schedule_starts_at_its_time_and_not_before(desk: "Desk") -> None:
    schedule(desk, "a", 60)
    desk.wait(59.999)
    assert desk.turn().events == ()
    assert (running(desk), desk.dialled) == ([], [])
    desk.wait(0.001)
    desk.turn()
    campaign = desk.campaigns[CampaignId("a")]
    assert (campaign.status, campaign.started_at, campaign.scheduled_at) == ("running", desk.now, desk.now)


def test_a_schedule_that_came_due_long_ago_starts(desk: "Desk") -> None:
    schedule(desk, "a", 60)
    desk.wait(7 * 24 * 3600)
    desk.turn()
    assert running(desk) == ["a"]


def test_i10_schedules_start_the_earliest_first_as_far_as_they_fit(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=10))
    for name, in_s in (("late", 30), ("early", 10), ("middle", 20)):
        schedule(desk, name, in_s, 4)
    desk.wait(60)
    decision = desk.turn()
    assert [each.campaign_id for each in decision.events if isinstance(each, CampaignStarted)] == ["early", "middle"]
    assert (desk.status("late"), desk.reserved) == ("scheduled", 8)


def test_schedules_of_one_time_start_the_oldest_first(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=5))
    schedule(desk, "b", 60)
    desk.wait(10)
    schedule(desk, "a", 50)
    desk.wait(50)
    desk.turn()
    assert running(desk) == ["b"]


def test_a_schedule_that_does_not_fit_lets_a_smaller_one_pass(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=5))
    schedule(desk, "large", 10, 6)
    schedule(desk, "small", 20, 5)
    desk.wait(20)
    desk.turn()
    assert running(desk) == ["small"]
    desk.turn(desk.operate("small", "stop"), desk.put(concurrent_max=6))
    assert running(desk) == ["large"]


@pytest.mark.parametrize("how", ["complete", "stop", "pause", "fail", "raise"])
def test_budget_that_comes_free_in_a_turn_is_used_in_that_turn(desk: "Desk", how: str) -> None:
    desk.turn(desk.put(concurrent_max=5))
    desk.begin("a", agent_id="other", max_concurrent_calls=5)
    desk.turn()
    schedule(desk, "b", 10)
    desk.wait(10)
    desk.turn()
    assert running(desk) == ["a"]
    freed: dict[str, Report | Command] = {
        "complete": desk.ended("a.0.1"),
        "stop": desk.operate("a", "stop"),
        "pause": desk.operate("a", "pause"),
        "fail": desk.put(paused="other", concurrent_max=5),
        "raise": desk.put(concurrent_max=10),
    }
    desk.turn(freed[how])
    assert desk.status("b") == "running"


def test_i10_a_command_takes_budget_before_a_schedule(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=5))
    schedule(desk, "a", 10)
    desk.wait(10)
    desk.turn(desk.create("b", max_concurrent_calls=5), desk.operate("b", "start"))
    assert running(desk) == ["b"]
    assert desk.status("a") == "scheduled"


@pytest.mark.parametrize("operation", ["stop", "delete"])
def test_i4_a_schedule_that_was_stopped_or_deleted_never_starts(desk: "Desk", operation: str) -> None:
    schedule(desk, "a", 10)
    desk.wait(10)
    desk.turn(desk.operate("a", operation))
    desk.wait(10)
    desk.turn()
    assert (running(desk), desk.dialled) == ([], [])
    assert desk.rows("a") == ["cancelled" if operation == "stop" else "pending"]


def test_a_schedule_whose_agent_may_not_call_fails_when_it_comes_due(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=5))
    schedule(desk, "a", 10, agent_id="other")
    schedule(desk, "b", 20)
    desk.turn(desk.put(paused="other", concurrent_max=5))
    assert desk.status("a") == "scheduled"
    desk.wait(20)
    decision = desk.turn()
    assert [type(each) for each in decision.events[:2]] == [CampaignStarted, CampaignFailed]
    assert (desk.status("a"), desk.rows("a"), desk.status("b")) == ("failed", ["cancelled"], "running")


# The end.


def test_a_campaign_is_completed_with_its_last_contact(desk: "Desk") -> None:
    desk.begin("a", 2, retries_per_contact=1, retry_delay_seconds=60)
    desk.turn()
    desk.turn(desk.ended("a.0.1"), desk.ended("a.1.1", Outcome.NO_ANSWER))
    assert desk.status("a") == "running"
    desk.wait(60)
    desk.turn()
    decision = desk.turn(desk.ended("a.1.2", Outcome.NO_ANSWER))
    assert isinstance(decision.events[-1], CampaignCompleted)
    campaign = desk.campaigns[CampaignId("a")]
    assert (campaign.status, campaign.completed_at) == ("completed", desk.now)


def test_a_paused_campaign_with_nothing_left_stays_paused(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    desk.turn(desk.operate("a", "pause"))
    desk.turn(desk.ended("a.0.1"))
    desk.wait(3600)
    desk.turn()
    assert (desk.status("a"), desk.rows("a")) == ("paused", ["completed"])


def test_a_pause_in_the_turn_of_the_last_report_is_a_pause(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    desk.turn(desk.ended("a.0.1"), desk.operate("a", "pause"))
    assert desk.status("a") == "paused"


def test_a_line_that_is_down_fails_nothing_and_holds_no_schedule_back(desk: "Desk") -> None:
    schedule(desk, "b", 10)
    desk.begin("a")
    desk.wait(10)
    decision = desk.turn(line_is_up=False)
    assert (running(desk), decision.orders) == (["b", "a"], ())
    desk.turn()
    assert sorted(desk.dialled) == ["a.0.1", "b.0.1"]


def test_time_alone_moves_nothing_where_there_is_no_account(new_desk: "type[Desk]") -> None:
    desk = new_desk()
    desk.wait(3600)
    assert desk.turn().events == ()


def test_campaigns_stay_as_they_are_where_their_account_is_not_to_be_found(desk: "Desk") -> None:
    desk.begin("a")
    schedule(desk, "b", 10)
    desk.wait(10)
    decision = decide(evolve(desk.view(), account=None), Inputs(), desk.now)
    assert (decision.events, decision.orders) == ((), ())


def test_what_is_finished_is_completed_though_its_agent_is_gone(desk: "Desk") -> None:
    desk.begin("a", 1)
    desk.turn()
    desk.turn(desk.ended("a.0.1"), desk.put(gone="agent"))
    assert desk.campaigns[CampaignId("a")].status == "completed"
