"""When to look again: what is said is all that need be remembered for a campaign to go on."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.cycle import Decision, Inputs, decide
from kataven_core.reports import Report, Unsent
from kataven_core.statuses import AttemptState, ContactStatus, Outcome
from kataven_core.values import AttemptId, CampaignId

if TYPE_CHECKING:
    from tests.core.cycle.conftest import Desk

A, B = CampaignId("a"), CampaignId("b")
MINUTE = timedelta(minutes=1)


def test_a_retry_wakes_its_campaign_when_it_comes_due(desk: "Desk") -> None:
    desk.begin("a", 1, retries_per_contact=1)
    desk.turn()
    assert desk.turn(desk.ended("a.0.1", Outcome.BUSY)).wakes == {A: desk.now + 5 * MINUTE}
    desk.wait(60)
    assert desk.turn(lean=True).wakes == {A: desk.now + 4 * MINUTE}


def test_the_earliest_retry_wakes_whether_it_was_set_now_or_before(desk: "Desk") -> None:
    desk.begin("a", 2, retries_per_contact=1)
    desk.turn()
    desk.turn(desk.ended("a.1.1", Outcome.BUSY))
    first = desk.now + 5 * MINUTE
    desk.wait(60)
    assert desk.turn(desk.ended("a.0.1", Outcome.BUSY), lean=True).wakes == {A: first}


def test_a_schedule_wakes_its_campaign_until_it_has_come(desk: "Desk") -> None:
    at = desk.now + MINUTE
    decision = desk.turn(desk.create("a", 1, scheduled_at=at))
    assert (decision.wakes, decision.waits) == ({A: at}, ())
    desk.wait(60)
    decision = desk.turn()
    assert (desk.status("a"), decision.wakes, decision.waits) == ("running", {}, ())


def test_a_deleted_schedule_wakes_nothing(desk: "Desk") -> None:
    desk.turn(desk.create("a", 1, scheduled_at=desk.now + MINUTE))
    assert desk.turn(desk.operate("a", "delete")).wakes == {}


def test_the_schedule_of_what_was_started_early_and_paused_wakes_nothing(desk: "Desk") -> None:
    desk.turn(desk.create("a", 1, scheduled_at=desk.now + MINUTE), desk.operate("a", "start"))
    assert desk.turn(desk.operate("a", "pause")).wakes == {}


def test_a_deleted_schedule_that_did_not_fit_waits_for_nothing(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=5))
    desk.begin("a", 5)
    desk.turn(desk.create("b", 1, scheduled_at=desk.now + MINUTE))
    desk.wait(60)
    assert desk.turn(desk.operate("b", "delete")).waits == ()


@pytest.mark.parametrize("operation", ["pause", "stop"])
def test_what_does_not_run_is_not_woken_by_its_retries(desk: "Desk", operation: str) -> None:
    desk.begin("a", 2, retries_per_contact=1)
    desk.turn()
    assert desk.turn(desk.ended("a.1.1", Outcome.BUSY), desk.operate("a", operation)).wakes == {}
    assert desk.turn(desk.ended("a.0.1", Outcome.BUSY)).wakes == {}


def test_a_cap_for_the_minute_wakes_when_it_opens_and_waits_for_what_is_given_back(desk: "Desk") -> None:
    desk.turn(desk.put(calls_per_minute=1))
    desk.begin("a", 3)
    decision = desk.turn()
    assert (decision.wakes, decision.waits) == ({A: desk.now + MINUTE}, (A,))


def test_the_accounts_cap_waits_for_any_call_of_it(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=10))
    desk.begin("a", 10)
    desk.begin("b", 10)
    desk.turn(desk.put(concurrent_max=5))
    decision = desk.turn()
    assert decision.waits == (A, B)
    assert decision.wakes == {}


def test_a_campaigns_own_cap_waits_for_nothing_as_its_calls_name_it(desk: "Desk") -> None:
    desk.begin("a", 10, max_concurrent_calls=2)
    decision = desk.turn()
    assert (len(decision.orders), decision.wakes, decision.waits) == (2, {}, ())


def test_a_contact_whose_number_is_in_another_campaigns_call_waits_for_its_end(desk: "Desk") -> None:
    desk.begin("a", [1])
    desk.turn()
    desk.begin("b", [1])
    decision = desk.turn(lean=True)
    assert (decision.orders, decision.holds, decision.again, decision.waits) == ((), {}, (), (B,))
    assert desk.turn(desk.ended("a.0.1"), only=["b"]).waits == ()
    assert desk.dialled == ["b.0.1"]


def test_a_contact_of_what_does_not_run_waits_for_no_call_to_its_number(desk: "Desk") -> None:
    desk.begin("a", [1])
    desk.turn()
    desk.turn(desk.create("b", [1]))
    assert desk.view().campaigns[1].candidates
    assert desk.turn().waits == ()


def test_a_contact_that_is_not_due_waits_for_no_call_to_its_number(desk: "Desk") -> None:
    desk.begin("a", [1])
    desk.turn()
    desk.begin("b", [1])
    view = desk.view()
    first, second = view.campaigns
    (contact,) = second.candidates
    for at, waits in ((desk.now, (B,)), (desk.now + MINUTE, ())):
        later = evolve(second, candidates=(evolve(contact, next_attempt_at=at),))
        assert decide(evolve(view, campaigns=(first, later)), Inputs(), desk.now).waits == waits


def test_a_line_that_is_down_wakes_when_it_is_tried_again_and_waits_for_it(desk: "Desk") -> None:
    desk.begin("a", 1)
    assert desk.turn(line_is_up=False).waits == (A,)


def test_i12_a_dial_that_was_never_sent_is_looked_at_again_at_once_though_it_is_the_last(desk: "Desk") -> None:
    desk.begin("a", 1)
    desk.turn()
    decision = desk.turn(Unsent(attempt_id=AttemptId("a.0.1"), at=desk.now), only=())
    assert (decision.orders, decision.wakes) == ((), {A: desk.now})
    desk.turn(only=["a"])
    assert desk.dialled == ["a.0.2"]


def held_at_its_start(desk: "Desk", *, line_is_up: bool = True) -> Decision:
    """Start a second campaign of one contact while something holds every dial back, with no candidate read for it."""
    desk.begin("a", 1)
    desk.turn()
    desk.turn(desk.operate("a", "pause"), desk.create("b", 1, max_concurrent_calls=1), only=())
    decision = desk.turn(desk.operate("b", "start"), only=(), line_is_up=line_is_up)
    assert (desk.status("b"), decision.orders, decision.again) == ("running", (), ())
    return decision


def test_i12_a_campaign_that_starts_while_the_account_is_full_waits_for_its_turn(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=5))
    desk.begin("a", 5)
    desk.turn()
    desk.turn(desk.operate("a", "pause"), desk.create("b", 1), only=())
    decision = desk.turn(desk.operate("b", "start"), only=())
    assert (decision.waits, decision.holds[B].binding) == ((B,), "concurrent_max")


def test_i12_a_campaign_that_starts_while_the_minute_is_used_up_wakes_with_the_next(desk: "Desk") -> None:
    desk.turn(desk.put(calls_per_minute=1))
    decision = held_at_its_start(desk)
    assert (decision.wakes, decision.waits) == ({B: desk.now + MINUTE}, (B,))


def test_i12_a_campaign_that_starts_while_the_line_is_down_waits_for_it(desk: "Desk") -> None:
    assert held_at_its_start(desk, line_is_up=False).waits == (B,)


@given(data=st.data())
def test_i12_what_is_told_to_look_at_is_enough_to_bring_every_contact_to_its_end(
    new_desk: "type[Desk]", data: st.DataObject
) -> None:
    """A host that keeps only ``again``, ``wakes`` and ``waits`` never stalls, however narrow the caps."""
    desk = new_desk()
    caps = data.draw(
        st.fixed_dictionaries({"concurrent_max": st.integers(3, 6), "calls_per_minute": st.integers(1, 5)})
    )
    desk.turn(desk.put(**caps))
    again: set[CampaignId] = set()
    wakes: dict[CampaignId, datetime] = {}
    waits: set[CampaignId] = set()
    for name in "abc":
        numbers = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=4))
        desk.turn(desk.create(name, numbers, max_concurrent_calls=1, retries_per_contact=1), only=())
    to_start = [*"abc"]
    for _ in range(400):
        if to_start and (not again or data.draw(st.booleans())):
            told = desk.turn(desk.operate(to_start.pop(), "start"), only=(), line_is_up=data.draw(st.booleans()))
            again |= {*told.again}
            wakes |= told.wakes
            waits |= {*told.waits}
        up = [each for each in desk.attempts.values() if each.state is not AttemptState.DONE]
        reports: list[Report] = []
        if up and (not again or data.draw(st.booleans())):
            end = data.draw(st.sampled_from(up))
            ended: list[Report] = [desk.ended(end.id, outcome) for outcome in (Outcome.ANSWERED, Outcome.BUSY)]
            reports.append(data.draw(st.sampled_from([*ended, Unsent(attempt_id=end.id, at=desk.now)])))
        elif not again and wakes:
            desk.now = max(desk.now, min(wakes.values()))
        look = again | {name for name, at in wakes.items() if at <= desk.now} | (waits if reports or not up else set())
        if not look and not reports:
            break
        wakes = {name: at for name, at in wakes.items() if name not in look}
        waits -= look
        told = desk.turn(*reports, only=look)
        again = {*told.again}
        wakes |= told.wakes
        waits |= {*told.waits}
    assert {row.status for row in desk.contacts.values()} <= {ContactStatus.COMPLETED, ContactStatus.FAILED}


def test_i12_a_schedule_that_did_not_fit_is_looked_at_again_though_the_clock_is_set_back(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=5))
    desk.begin("a", 5)
    desk.turn(desk.create("b", 1, scheduled_at=desk.now + MINUTE))
    desk.wait(60)
    come = desk.turn(only=("b",))
    assert (come.waits, come.wakes) == ((B,), {})
    desk.wait(-30)
    decision = desk.turn(desk.operate("a", "stop"), only=["b"])
    assert decision.wakes == {B: desk.now + timedelta(seconds=30)}
