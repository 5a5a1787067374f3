"""Claims: within every cap, one call per number, in order, and in even shares."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.account import NO_LIMIT
from kataven_core.budget import Allowance, Cap
from kataven_core.cycle import Inputs, Order, decide
from kataven_core.phone_number import PhoneNumber
from kataven_core.reports import Unsent
from kataven_core.statuses import CampaignStatus, ContactStatus, Outcome
from kataven_core.values import AccountId, AttemptId, CampaignId

if TYPE_CHECKING:
    from tests.core.cycle.conftest import Desk

A = CampaignId("a")


def campaigns_of(names: list[str]) -> Counter[str]:
    return Counter(name.split(".")[0] for name in names)


def test_an_order_says_all_that_the_line_needs(desk: "Desk") -> None:
    desk.begin("a", [7], agent_id="other")
    decision = desk.turn()
    assert decision.orders == (
        Order(
            attempt_id=AttemptId("a.0.1"),
            account_id=AccountId("acme"),
            campaign_id=A,
            to=PhoneNumber("+14150000007"),
            caller=PhoneNumber("+14155550100"),
            agent_id="other",
            route="sip:other",
            variables={"row": "0"},
        ),
    )


# Caps.


def test_i1_a_campaign_dials_up_to_its_cap_in_file_order(desk: "Desk") -> None:
    desk.begin("a", 9, max_concurrent_calls=3)
    decision = desk.turn()
    assert desk.dialled == ["a.0.1", "a.1.1", "a.2.1"]
    hold = decision.holds[A]
    assert (hold.dials, hold.binding, hold.limit, hold.opens_at) == (0, "max_concurrent_calls", 3, None)


def test_i1_a_report_frees_its_slot_for_a_claim_of_the_same_turn(desk: "Desk") -> None:
    desk.begin("a", 9, max_concurrent_calls=3)
    desk.turn()
    desk.turn(desk.ended("a.1.1"), desk.ended("a.0.1", Outcome.BUSY))
    assert desk.dialled == ["a.3.1", "a.4.1"]
    assert desk.usage.calls_in_flight == 3


def test_i1_an_account_dials_up_to_its_cap(desk: "Desk") -> None:
    desk.begin("a", 9, max_concurrent_calls=5)
    desk.turn(desk.put(concurrent_max=4), line_is_up=False)
    decision = desk.turn()
    assert len(desk.dialled) == 4
    hold = decision.holds[A]
    assert (hold.dials, hold.binding, hold.limit, hold.opens_at) == (0, "concurrent_max", 4, None)


def test_a_minute_holds_so_many_dials_by_the_utc_clock(desk: "Desk") -> None:
    desk.begin("a", 9)
    desk.wait(50)
    decision = desk.turn(desk.put(calls_per_minute=2))
    assert len(desk.dialled) == 2
    hold = decision.holds[A]
    opens_at = datetime(2026, 3, 2, 12, 1, tzinfo=UTC)
    assert (hold.dials, hold.binding, hold.limit, hold.opens_at) == (0, "calls_per_minute", 2, opens_at)
    desk.wait(9.9)
    desk.turn(desk.ended("a.0.1"), desk.ended("a.1.1"))
    assert desk.dialled == []
    desk.wait(0.1)
    desk.turn()
    assert len(desk.dialled) == 2


def test_a_day_holds_so_many_dials_by_the_utc_clock(desk: "Desk") -> None:
    desk.begin("a", 9)
    decision = desk.turn(desk.put(daily_calls_max=2))
    assert len(desk.dialled) == 2
    hold = decision.holds[A]
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    assert (hold.dials, hold.binding, hold.limit, hold.opens_at) == (0, "daily_calls_max", 2, midnight)
    desk.wait(12 * 3600 - 1)
    desk.turn(desk.ended("a.0.1"), desk.ended("a.1.1"))
    assert desk.dialled == []
    desk.wait(1)
    desk.turn()
    assert len(desk.dialled) == 2


def test_minutes_of_talk_hold_new_dials_once_they_are_used_up(desk: "Desk") -> None:
    desk.begin("a", 9, max_concurrent_calls=2)
    desk.turn(desk.put(daily_minutes_max=1))
    desk.turn(desk.ended("a.0.1", duration_s=59.5))
    assert desk.dialled == ["a.2.1"]
    decision = desk.turn(desk.ended("a.1.1", duration_s=500.0))  # a call in flight may pass the limit
    assert desk.dialled == []
    hold = decision.holds[A]
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    assert (hold.dials, hold.binding, hold.limit, hold.opens_at) == (0, "daily_minutes_max", 1, midnight)
    desk.now = midnight
    desk.turn()
    assert desk.dialled == ["a.3.1"]


@pytest.mark.parametrize("cap", ["concurrent_max", "calls_per_minute", "daily_calls_max", "daily_minutes_max"])
def test_a_cap_of_0_blocks_every_dial_and_fails_nothing(desk: "Desk", cap: str) -> None:
    desk.begin("a", 2)
    decision = desk.turn(desk.put(**{cap: 0}))
    assert (desk.dialled, desk.status("a"), desk.rows("a")) == ([], "running", ["pending", "pending"])
    assert (decision.holds[A].binding, decision.holds[A].limit) == (cap, 0)
    desk.turn(desk.put())
    assert len(desk.dialled) == 2


def test_of_caps_that_are_used_up_the_one_that_lasts_longest_is_named(desk: "Desk") -> None:
    desk.begin("a", 9, max_concurrent_calls=2)
    decision = desk.turn(desk.put(concurrent_max=2, calls_per_minute=2, daily_calls_max=2))
    assert decision.holds[A].binding == "daily_calls_max"
    decision = desk.turn(desk.put(concurrent_max=1, calls_per_minute=2, daily_calls_max=2))
    assert decision.holds[A].binding == "daily_calls_max"


def test_a_cap_holds_as_it_is_at_the_claim(desk: "Desk") -> None:
    desk.begin("a", 9)
    desk.turn(desk.put(calls_per_minute=1))
    assert len(desk.dialled) == 1
    desk.turn(desk.put(calls_per_minute=3))
    assert len(desk.dialled) == 2
    desk.turn(desk.put(calls_per_minute=2))
    assert desk.dialled == []


def test_unsent_gives_its_place_in_minute_and_day_to_another(desk: "Desk") -> None:
    desk.begin("a", 2, max_concurrent_calls=1)
    desk.turn(desk.put(calls_per_minute=1, daily_calls_max=1))
    desk.turn(Unsent(attempt_id=AttemptId("a.0.1"), at=desk.now))
    assert desk.dialled == ["a.1.1"]


def test_a_clock_that_is_set_back_gives_no_second_helping(desk: "Desk") -> None:
    desk.begin("a", 9)
    desk.wait(61)
    desk.turn(desk.put(calls_per_minute=2))
    desk.wait(-5)
    decision = desk.turn()
    assert desk.dialled == []
    assert decision.holds[A].opens_at == datetime(2026, 3, 2, 12, 2, tzinfo=UTC)


def test_a_campaign_that_has_dialled_all_that_was_due_is_not_held(desk: "Desk") -> None:
    desk.begin("a", 2, max_concurrent_calls=2)
    assert desk.turn(desk.put(concurrent_max=2)).holds == {}


def test_a_campaign_whose_slots_are_full_with_all_that_was_due_is_not_looked_at_again(desk: "Desk") -> None:
    desk.begin("a", 3, max_concurrent_calls=3)
    decision = desk.turn()
    assert (len(decision.orders), decision.holds, decision.again) == (3, {}, ())


def test_each_campaign_is_told_what_holds_it(desk: "Desk") -> None:
    desk.begin("a", 9, max_concurrent_calls=1)
    desk.begin("b", 9, max_concurrent_calls=5)
    desk.begin("c", 1, max_concurrent_calls=5)
    decision = desk.turn(desk.put(calls_per_minute=10))
    assert {name: hold.binding.value for name, hold in decision.holds.items()} == {
        "a": "max_concurrent_calls",
        "b": "max_concurrent_calls",
    }


def test_a_line_that_is_down_dials_nobody_and_uses_up_nothing(desk: "Desk") -> None:
    desk.begin("a", 2)
    decision = desk.turn(line_is_up=False)
    assert (decision.orders, decision.attempts, desk.usage.calls_today) == ((), (), 0)


@given(
    campaigns=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 9)), min_size=1, max_size=4),
    in_flight=st.integers(0, 4),
    caps=st.fixed_dictionaries(
        {
            name: st.sampled_from([0, 1, 3, 7, NO_LIMIT])
            for name in ("concurrent_max", "calls_per_minute", "daily_calls_max")
        }
    ),
)
def test_i1_as_many_are_dialled_as_all_caps_let_and_no_more(
    new_desk: "type[Desk]", campaigns: list[tuple[int, int]], in_flight: int, caps: dict[str, int]
) -> None:
    desk = new_desk()
    desk.turn(desk.put())
    desk.begin("first", in_flight)
    desk.turn()
    for index, (calls, contacts) in enumerate(campaigns):
        desk.begin(f"c{index}", contacts, max_concurrent_calls=calls)
    desk.turn(desk.put(**caps))
    wanted = sum(min(calls, contacts) for calls, contacts in campaigns)
    room = min(cap - in_flight for cap in caps.values())
    assert len(desk.dialled) == max(min(wanted, room), 0)


# Who is dialled.


def test_retries_that_are_due_go_first_by_their_time(desk: "Desk") -> None:
    desk.begin("a", 4, max_concurrent_calls=2, retries_per_contact=1, retry_delay_seconds=60)
    desk.turn()
    desk.turn(desk.ended("a.1.1", Outcome.BUSY), line_is_up=False)
    desk.wait(1)
    desk.turn(desk.ended("a.0.1", Outcome.BUSY), line_is_up=False)
    desk.wait(60)
    desk.turn()
    assert desk.dialled == ["a.1.2", "a.0.2"]


def test_i5_candidates_that_are_not_due_are_not_dialled(desk: "Desk") -> None:
    desk.begin("a", 3)
    view = desk.view()
    (campaign,) = view.campaigns
    first, second, third = campaign.candidates
    waiting = evolve(first, next_attempt_at=desk.now + timedelta(microseconds=1))
    now_due = evolve(third, next_attempt_at=desk.now)
    taken = [evolve(second, status=status) for status in ContactStatus if status is not ContactStatus.PENDING]
    view = evolve(view, campaigns=(evolve(campaign, candidates=(waiting, *taken, now_due)),))
    decision = decide(view, Inputs(), desk.now)
    assert [order.attempt_id for order in decision.orders] == ["a.2.1"]
    assert decision.holds == {}


def test_i3_one_number_is_never_in_two_calls(desk: "Desk") -> None:
    desk.begin("a", [1, 1, 2])
    desk.begin("b", [1, 3])
    desk.turn()
    assert sorted(desk.dialled) == ["a.0.1", "a.2.1", "b.1.1"]
    assert desk.row("a", 1).attempts == 0
    desk.turn()
    assert desk.dialled == []
    desk.turn(desk.ended("a.0.1"))
    assert desk.dialled in (["a.1.1"], ["b.0.1"])
    second = desk.dialled[0]
    desk.turn(desk.ended(second))
    assert {second, *desk.dialled} == {"a.1.1", "b.0.1"}


def test_i3_a_number_is_busy_while_its_call_is_in_doubt_or_its_campaign_deleted(desk: "Desk") -> None:
    desk.begin("a", [1])
    desk.turn()
    desk.turn(desk.operate("a", "pause"), desk.operate("a", "delete"))
    desk.begin("b", [1, 2])
    desk.turn()
    assert desk.dialled == ["b.1.1"]
    desk.turn(desk.ended("a.0.1"))
    assert desk.dialled == ["b.0.1"]


def test_a_busy_number_holds_nobody_behind_it_back(desk: "Desk") -> None:
    desk.begin("a", [1, 1, 1, 2, 3], max_concurrent_calls=3)
    desk.turn()
    assert desk.dialled == ["a.0.1", "a.3.1", "a.4.1"]


def test_i3_a_contact_is_claimed_once_however_often_it_is_read(desk: "Desk") -> None:
    desk.begin("a")
    view = desk.view()
    (campaign,) = view.campaigns
    view = evolve(view, campaigns=(evolve(campaign, candidates=campaign.candidates * 3),))
    decision = decide(view, Inputs(), desk.now)
    assert [order.attempt_id for order in decision.orders] == ["a.0.1"]


@pytest.mark.parametrize("status", [each for each in CampaignStatus if each is not CampaignStatus.RUNNING])
def test_i4_candidates_of_a_campaign_that_does_not_run_are_not_dialled(desk: "Desk", status: CampaignStatus) -> None:
    desk.begin("a", 3)
    view = desk.view()
    (campaign,) = view.campaigns
    still = evolve(campaign, campaign=evolve(campaign.campaign, status=status, scheduled_at=None))
    decision = decide(evolve(view, campaigns=(still,)), Inputs(), desk.now)
    assert (decision.orders, decision.holds) == ((), {})


def test_i1_a_campaign_with_more_calls_than_its_cap_dials_nobody(desk: "Desk") -> None:
    desk.begin("a", 9, max_concurrent_calls=3)
    desk.turn()
    view = desk.view()
    (campaign,) = view.campaigns
    lowered = evolve(campaign, campaign=evolve(campaign.campaign, max_concurrent_calls=1))
    decision = decide(evolve(view, campaigns=(lowered,)), Inputs(), desk.now)
    assert (decision.orders, decision.holds[A].binding) == ((), "max_concurrent_calls")


# Shares.


@given(
    contacts=st.lists(st.integers(5, 20), min_size=2, max_size=5),
    cap=st.integers(0, 20),
    by=st.sampled_from(["concurrent_max", "calls_per_minute", "daily_calls_max"]),
)
def test_the_shares_of_one_decision_are_even(new_desk: "type[Desk]", contacts: list[int], cap: int, by: str) -> None:
    desk = new_desk()
    desk.turn(desk.put())
    for index, count in enumerate(contacts):
        desk.begin(f"c{index}", count, max_concurrent_calls=20)
    desk.turn(desk.put(**{by: cap}))
    shares = campaigns_of(desk.dialled)
    dials = [shares[f"c{index}"] for index in range(len(contacts))]
    assert sum(dials) == min(cap, sum(contacts))
    unsated = [dialled for dialled, wanted in zip(dials, contacts, strict=True) if dialled < wanted]
    assert max(dials) - min(unsated, default=max(dials)) <= 1


def test_what_one_campaign_cannot_use_the_others_share(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=100))
    desk.begin("a", 2, max_concurrent_calls=20)
    desk.begin("b", 20, max_concurrent_calls=3)
    desk.begin("c", 20, max_concurrent_calls=20)
    desk.begin("d", 20, max_concurrent_calls=20)
    desk.turn(desk.put(concurrent_max=15))
    assert campaigns_of(desk.dialled) == {"a": 2, "b": 3, "c": 5, "d": 5}


def test_a_newcomer_gets_its_share_as_slots_come_free(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=10))
    desk.begin("a", 99, max_concurrent_calls=5)
    desk.turn()
    desk.begin("b", 99, max_concurrent_calls=5)
    desk.wait(1)
    desk.turn(desk.put(concurrent_max=6))
    assert campaigns_of(desk.dialled) == {"b": 1}
    desk.turn(desk.ended("a.0.1"))
    desk.turn(desk.ended("a.1.1"))
    assert desk.tallies[A].calls_in_flight == desk.tallies[CampaignId("b")].calls_in_flight == 3


def test_a_campaign_with_long_calls_holds_no_more_slots_than_one_with_short_calls(desk: "Desk") -> None:
    for name in ("short", "long"):
        desk.begin(name, 99, max_concurrent_calls=4)
    desk.turn(desk.put(concurrent_max=4))
    for second in range(1, 40):
        desk.wait(1)
        up = [name for name, attempt in desk.attempts.items() if attempt.is_open]
        desk.turn(*(desk.ended(name) for name in up if name.startswith("short") or second % 10 == 0))
        assert [desk.tallies[CampaignId(name)].calls_in_flight for name in ("short", "long")] == [2, 2]


@pytest.mark.parametrize("order", ["oldest", "newest", "scattered"])
def test_shares_stay_even_as_one_slot_after_the_other_comes_free(desk: "Desk", order: str) -> None:
    for name, contacts in (("a", 400), ("b", 150), ("c", 150)):
        desk.begin(name, contacts, max_concurrent_calls=10)
    dials: Counter[str] = Counter()
    desk.turn(desk.put(concurrent_max=4))
    for step in range(360):
        dials.update(campaigns_of(desk.dialled))
        desk.wait(1)
        up = [name for name, attempt in desk.attempts.items() if attempt.is_open]
        desk.turn(desk.ended(up[{"oldest": 0, "newest": -1, "scattered": step * 7 % 4}[order]]))
    mean = dials.total() / 3
    assert all(abs(count - mean) <= mean / 10 for count in dials.values()), dials


@pytest.mark.parametrize(("campaigns", "per_minute"), [(2, 1), (2, 3), (3, 1), (3, 2), (3, 4), (5, 3), (5, 7)])
def test_shares_of_a_minute_are_even_between_campaigns_whose_calls_take_no_time(
    desk: "Desk", campaigns: int, per_minute: int
) -> None:
    names = [f"c{index}" for index in range(campaigns)]
    minutes = 60
    for name in names:
        desk.begin(name, minutes * per_minute, max_concurrent_calls=20)
    desk.turn(desk.put(calls_per_minute=per_minute))
    dials = campaigns_of(desk.dialled)
    for _ in range(minutes):
        desk.wait(60)
        desk.turn(*map(desk.ended, desk.dialled))
        dials.update(campaigns_of(desk.dialled))
    mean = dials.total() / campaigns
    assert all(abs(dials[name] - mean) <= mean / 10 for name in names), dials


# What comes next.


def test_a_campaign_that_has_just_begun_is_to_be_looked_at_again(desk: "Desk") -> None:
    decision = desk.turn(desk.create("a", 2), desk.operate("a", "start"), lean=True)
    assert (decision.orders, decision.again) == ((), (A,))


def test_i12_a_read_that_was_too_short_is_made_up_for_at_once(desk: "Desk") -> None:
    desk.begin("a", 9, max_concurrent_calls=3)
    view = desk.view()
    short = evolve(view, campaigns=tuple(evolve(each, candidates=each.candidates[:2]) for each in view.campaigns))
    decision = decide(short, Inputs(), desk.now)
    assert (len(decision.orders), decision.again, decision.holds) == (2, (A,), {})


def test_a_campaign_that_nothing_is_due_in_is_left_alone(desk: "Desk") -> None:
    desk.begin("a", 2, max_concurrent_calls=3)
    assert desk.turn(lean=True).again == (A,)
    assert desk.turn(lean=True).again == ()


def test_contacts_with_one_number_never_keep_slots_from_those_behind_them(desk: "Desk") -> None:
    desk.begin("a", [1, 1, 1, 1, 1, 2, 3], max_concurrent_calls=3)
    decisions = [desk.turn(lean=True)]
    while decisions[-1].again:
        decisions.append(desk.turn(lean=True))
    assert [order.attempt_id for each in decisions for order in each.orders] == ["a.0.1", "a.5.1", "a.6.1"]


def test_one_candidate_more_than_there_are_slots_says_why_not_more(desk: "Desk") -> None:
    desk.begin("a", 9, max_concurrent_calls=3)
    desk.turn(lean=True)
    assert desk.turn(lean=True).holds[A].binding == "max_concurrent_calls"


def test_a_line_that_takes_no_calls_is_the_reason_where_something_is_due(desk: "Desk") -> None:
    desk.turn(desk.create("idle", 1))
    desk.begin("a", 1)
    opens_at = desk.now + timedelta(seconds=30)
    decision = decide(desk.view(), Inputs(line_is_up=False, line_opens_at=opens_at), desk.now)
    assert decision.holds == {A: Allowance(dials=0, binding=Cap.LINE, limit=0, opens_at=opens_at)}


def test_dials_of_a_minute_are_shared_evenly_though_one_campaign_has_longer_calls(desk: "Desk") -> None:
    desk.turn(desk.put(calls_per_minute=1))
    desk.begin("short", 40, max_concurrent_calls=20)
    desk.begin("long", 40, max_concurrent_calls=20)
    dialled: list[str] = []
    for _ in range(20):
        orders = desk.turn().orders
        dialled += [each.attempt_id for each in orders]
        desk.wait(60)
        desk.turn(*(desk.ended(each.attempt_id) for each in orders if each.campaign_id == "short"), line_is_up=False)
    assert campaigns_of(dialled) == {"short": 10, "long": 10}


def test_dials_of_a_day_are_shared_evenly_though_one_campaign_has_longer_calls(desk: "Desk") -> None:
    desk.turn(desk.put(daily_calls_max=0))
    desk.begin("short", 40, max_concurrent_calls=20)
    desk.begin("long", 40, max_concurrent_calls=20)
    dialled: list[str] = []
    for allowed in range(1, 21):
        orders = desk.turn(desk.put(daily_calls_max=allowed)).orders
        dialled += [each.attempt_id for each in orders]
        desk.wait(60)
        desk.turn(*(desk.ended(each.attempt_id) for each in orders if each.campaign_id == "short"), line_is_up=False)
    assert campaigns_of(dialled) == {"short": 10, "long": 10}


@pytest.mark.parametrize("per_minute", [3, 10])
def test_many_dials_of_a_minute_are_shared_evenly_though_one_campaign_has_longer_calls(
    desk: "Desk", per_minute: int
) -> None:
    for name in ("short", "long"):
        desk.begin(name, 20 * per_minute, max_concurrent_calls=100)
    desk.turn(desk.put(calls_per_minute=per_minute))
    dials = campaigns_of(desk.dialled)
    for _ in range(15):
        desk.wait(60)
        desk.turn(*(desk.ended(name) for name in desk.dialled if name.startswith("short")))
        dials.update(campaigns_of(desk.dialled))
    assert abs(dials["short"] - dials["long"]) <= 1


def test_dials_of_a_minute_are_shared_evenly_though_the_clock_was_set_back(desk: "Desk") -> None:
    for name in ("a", "b"):
        desk.begin(name, 20, max_concurrent_calls=20)
    desk.turn(desk.put(calls_per_minute=4))
    desk.wait(61)
    desk.turn()
    desk.wait(-2)
    desk.turn(desk.put(calls_per_minute=10))
    assert campaigns_of(desk.dialled) == {"a": 3, "b": 3}


def test_a_campaign_that_has_begun_under_a_cap_of_0_is_not_to_be_looked_at_again(desk: "Desk") -> None:
    decision = desk.turn(desk.put(calls_per_minute=0), desk.create("a", 2), desk.operate("a", "start"))
    assert decision.again == ()


def test_a_line_that_takes_no_calls_holds_nothing_where_nothing_is_due(desk: "Desk") -> None:
    desk.begin("a", 1)
    desk.turn()
    assert desk.turn(line_is_up=False).holds == {}


def test_a_campaign_that_begins_under_a_cap_of_0_is_not_held_where_all_its_numbers_are_busy(desk: "Desk") -> None:
    desk.begin("a", [7])
    desk.turn()
    desk.turn(desk.put(calls_per_minute=0), desk.create("b", [7]))
    assert desk.turn(desk.operate("b", "start")).holds == {}
