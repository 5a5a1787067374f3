"""What a view must hold, and that more of it changes nothing."""

from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.counters import Counters
from kataven_core.cycle import AccountView, CampaignView, Inputs, candidates_wanted, decide
from kataven_core.reports import Ended
from kataven_core.statuses import Outcome
from kataven_core.values import AttemptId, CampaignId

if TYPE_CHECKING:
    from tests.core.cycle.conftest import Desk

NUMBERS = st.lists(st.integers(0, 9), min_size=1, max_size=6)


def busy_desk(new_desk: "type[Desk]", numbers: list[list[int]]) -> "Desk":
    """Give a desk with campaigns in every status, some with calls in flight, most with contacts that are due."""
    desk = new_desk()
    desk.turn(desk.put())
    for index, each in enumerate(numbers):
        desk.begin(f"c{index}", each, max_concurrent_calls=2 + index, retries_per_contact=1)
    desk.turn(desk.put(concurrent_max=3))
    desk.turn(desk.create("draft"), desk.operate("c0", "pause"), desk.put())
    return desk


def test_inputs_are_nothing_unless_something_came_in() -> None:
    inputs = Inputs()
    assert (inputs.reports, inputs.commands, inputs.line_is_up, inputs.retry_jitter_s) == ((), (), True, {})


def test_an_empty_view_is_enough_for_reports_of_nobody_and_the_time(desk: "Desk") -> None:
    view = AccountView(account_id=desk.view().account_id, account=None, usage=desk.usage)
    stranger = Ended(attempt_id=AttemptId("a.0.1"), at=desk.now, outcome=Outcome.BUSY)
    assert decide(view, Inputs(reports=(stranger,)), desk.now).unrecognized == ("a.0.1",)
    assert view.reserved == 0


@given(numbers=st.lists(NUMBERS, min_size=2, max_size=4), ends=st.integers(0, 3), changes_account=st.booleans())
def test_what_a_view_holds_beyond_its_duty_changes_nothing(
    new_desk: "type[Desk]", numbers: list[list[int]], ends: int, *, changes_account: bool
) -> None:
    desk = busy_desk(new_desk, numbers)
    up = [name for name, attempt in desk.attempts.items() if attempt.is_open][:ends]
    inputs = Inputs(
        reports=tuple(desk.ended(name, Outcome.BUSY) for name in up),
        commands=(desk.put(paused="agent"),) if changes_account else (),
    )
    lean, full = desk.lean_view(inputs), desk.view()
    held = {each.campaign.id: each for each in lean.campaigns}
    others = tuple(held.get(each.campaign.id, evolve(each, candidates=())) for each in full.campaigns)
    more = evolve(full, campaigns=others, busy_numbers=lean.busy_numbers)
    assert decide(more, inputs, desk.now) == decide(lean, inputs, desk.now)


@given(numbers=st.lists(NUMBERS, min_size=2, max_size=4))
def test_busy_contacts_behind_the_first_may_be_left_out_by_the_read(
    new_desk: "type[Desk]", numbers: list[list[int]]
) -> None:
    desk = busy_desk(new_desk, numbers)
    assert desk.busy_numbers
    everything = decide(desk.view(), Inputs(), desk.now)
    enough = decide(desk.lean_view(Inputs(), [*desk.campaigns]), Inputs(), desk.now)
    assert set(enough.waits) <= set(everything.waits)
    assert evolve(enough, waits=()) == evolve(everything, waits=())


def test_candidates_of_a_campaign_that_is_started_now_may_be_there_or_not(desk: "Desk") -> None:
    desk.turn(desk.create("a", 2))
    start = Inputs(commands=(desk.operate("a", "start"),))
    without = CampaignView(campaign=desk.campaigns[CampaignId("a")], counters=desk.tallies[CampaignId("a")])
    assert decide(evolve(desk.view(), campaigns=(without,)), start, desk.now).orders == ()
    assert len(decide(desk.view(), start, desk.now).orders) == 2


@given(numbers=st.lists(NUMBERS, min_size=1, max_size=4), calls=st.lists(st.integers(1, 3), min_size=4, max_size=4))
def test_i12_deciding_again_while_told_to_dials_all_that_may_be_dialled(
    new_desk: "type[Desk]", numbers: list[list[int]], calls: list[int]
) -> None:
    desk = new_desk()
    desk.turn(desk.put())
    for index, each in enumerate(numbers):
        desk.begin(f"c{index}", each, max_concurrent_calls=calls[index])
    rounds = 1
    while desk.turn(lean=True).again:
        rounds += 1
    assert rounds <= 1 + len(desk.attempts)
    assert desk.turn().orders == ()


def test_slots_that_reports_free_are_used_in_the_same_turn_by_a_lean_read(desk: "Desk") -> None:
    desk.begin("a", 9, max_concurrent_calls=3)
    desk.turn(lean=True)
    desk.turn(desk.ended("a.0.1"), desk.ended("a.2.1"), lean=True)
    assert desk.dialled == ["a.3.1", "a.4.1"]


def test_receipts_that_no_command_names_may_be_there_or_not(desk: "Desk") -> None:
    desk.turn(evolve(desk.create("a"), once=desk.once()))
    again = Inputs(commands=(evolve(desk.create("b"), once=desk.once("other")),))
    assert desk.lean_view(again).receipts == {}
    assert decide(desk.lean_view(again), again, desk.now).receipts == decide(desk.view(), again, desk.now).receipts


@pytest.mark.parametrize(
    ("in_flight", "ends", "wanted"), [(0, 0, 4), (1, 0, 3), (3, 0, 1), (4, 0, 1), (9, 0, 1), (3, 2, 3), (1, 2, 5)]
)
def test_a_candidate_is_wanted_for_each_slot_that_is_free_or_may_become_so_and_one_more(
    desk: "Desk", in_flight: int, ends: int, wanted: int
) -> None:
    desk.turn(desk.create("a", max_concurrent_calls=3))
    counters = Counters(campaign_id=CampaignId("a"), calls_in_flight=in_flight)
    assert candidates_wanted(desk.campaigns[CampaignId("a")], counters, ends) == wanted
