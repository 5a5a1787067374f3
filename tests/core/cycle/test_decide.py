"""One account's turn as a whole: its order, its purity, and that its events tell all."""

from collections.abc import Iterable
from copy import deepcopy
from datetime import timedelta, timezone
from functools import partial, reduce
from itertools import groupby
from typing import TYPE_CHECKING

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from kataven_core import attempt, campaign, contact, counters
from kataven_core.account import Account
from kataven_core.campaign import Campaign, Operation
from kataven_core.counters import Counters
from kataven_core.cycle import Command, CreateCampaign, Decision, Inputs, Operate, PutAccount, decide
from kataven_core.errors import KatavenError
from kataven_core.events import (
    AttemptClaimed,
    AttemptEnded,
    AttemptEvent,
    CampaignEvent,
    CampaignPaused,
    CampaignStarted,
)
from kataven_core.reports import Answered, Doubtful, Lost, NeverPlaced, Placed, Report, Ringing, Unsent
from kataven_core.statuses import CARRIER_OUTCOMES, Outcome
from kataven_core.values import AttemptId

if TYPE_CHECKING:
    from tests.core.cycle.conftest import Desk

NAMES = ("a", "b", "c")
FEWER = settings(max_examples=settings().max_examples // 3)
"""Each example is many turns."""


def test_a_decision_is_to_do_nothing_unless_it_says_so(desk: "Desk") -> None:
    nothing = Decision(account=None, usage=desk.usage)
    assert (nothing.holds, nothing.wakes, nothing.again, nothing.waits) == ({}, {}, (), ())


# The order inside a turn.


def test_reports_then_commands_then_time_then_claims(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=4))
    at = desk.now + timedelta(seconds=60)
    desk.begin("a", 3, max_concurrent_calls=2, retries_per_contact=1)
    desk.begin("b", 9, max_concurrent_calls=2)
    desk.turn(desk.create("c", 9, max_concurrent_calls=2, scheduled_at=at), line_is_up=False)
    desk.turn()
    desk.wait(60)
    decision = desk.turn(desk.operate("a", "pause"), desk.ended("a.0.1", Outcome.BUSY), desk.ended("b.0.1"))
    assert [(each.campaign_id, type(each)) for each in decision.events] == [
        ("a", AttemptEnded),
        ("b", AttemptEnded),
        ("a", CampaignPaused),
        ("c", CampaignStarted),
        ("c", AttemptClaimed),
        ("b", AttemptClaimed),
    ]
    assert desk.dialled == ["c.0.1", "b.2.1"]  # four at once: one of a, one of b, these


def test_i4_no_candidate_is_dialled_in_the_turn_of_a_pause_or_stop(desk: "Desk") -> None:
    for name in NAMES:
        desk.begin(name, 3)
    desk.turn(desk.operate("a", "pause"), desk.operate("b", "stop"))
    assert desk.dialled == ["c.0.1", "c.1.1", "c.2.1"]
    assert (desk.rows("a"), desk.rows("b")) == (["pending"] * 3, ["cancelled"] * 3)


def test_the_commands_of_a_turn_are_obeyed_in_their_order(desk: "Desk") -> None:
    desk.begin("a", 3)
    desk.turn(desk.operate("a", "pause"), desk.operate("a", "resume"))
    assert len(desk.dialled) == 3


def test_the_day_is_of_utc_whatever_the_zone_of_now(desk: "Desk") -> None:
    desk.begin("a", 3, max_concurrent_calls=1)
    desk.wait(8 * 3600)
    desk.turn(desk.put(daily_calls_max=1))
    desk.wait(60)
    there = desk.now.astimezone(timezone(timedelta(hours=9)))
    assert there.day != desk.now.day
    decision = decide(desk.view(), Inputs(reports=(desk.ended("a.0.1"),)), there)
    assert (decision.orders, decision.usage.calls_today) == ((), 1)


# Purity.


def anything(desk: "Desk") -> st.SearchStrategy[list[Report | Command]]:
    """Give any inputs that make sense of some kind at this desk."""
    names, attempts = st.sampled_from(NAMES), st.sampled_from([AttemptId("a.9.1"), *desk.attempts])
    bare = [Ringing, Answered, Unsent, Doubtful, NeverPlaced, Lost]
    return st.lists(
        st.one_of(
            st.builds(
                desk.ended, attempts, st.sampled_from(sorted(CARRIER_OUTCOMES)), st.sampled_from([None, 0.0, 45.5])
            ),
            *(st.builds(kind, attempt_id=attempts, at=st.just(desk.now)) for kind in bare),
            st.builds(Placed, attempt_id=attempts, at=st.just(desk.now), call_id=st.just("x")),
            st.builds(desk.operate, names, st.sampled_from(Operation)),
            st.builds(partial(operate_once, desk), names, st.sampled_from(Operation), st.sampled_from("jk")),
            st.builds(desk.put, concurrent_max=st.integers(0, 12), paused=st.sampled_from(["", "", "", "other"])),
        ),
        max_size=6,
    )


def operate_once(desk: "Desk", name: str, operation: Operation, key: str) -> Operate:
    return evolve(desk.operate(name, operation), once=desk.once(key, fingerprint=f"{operation} {name}"))


def lived(new_desk: "type[Desk]", data: st.DataObject) -> "Desk":
    """Give a desk after some turns of anything; ``Desk.turn`` holds every one of them against the laws."""
    desk = new_desk()
    desk.turn(desk.put(concurrent_max=10))
    desk.begin("a", [1, 2, 3], max_concurrent_calls=2, retries_per_contact=2, retry_delay_seconds=60)
    desk.begin("b", [2, 3, 4], max_concurrent_calls=2, agent_id="other")
    at = desk.now + timedelta(seconds=60)
    desk.turn(desk.create("c", [5, 1], scheduled_at=at, max_concurrent_calls=5, retries_per_contact=1))
    for _ in range(data.draw(st.integers(1, 8))):
        desk.wait(data.draw(st.sampled_from([0, 10, 60, 61, -1])))
        desk.turn(*data.draw(anything(desk)), lean=data.draw(st.booleans()))
    return desk


def inputs_of(given_: Iterable[Report | Command]) -> Inputs:
    taken = list(given_)
    commands = tuple(each for each in taken if isinstance(each, PutAccount | CreateCampaign | Operate))
    reports = tuple(each for each in taken if not isinstance(each, PutAccount | CreateCampaign | Operate))
    return Inputs(reports=reports, commands=commands)


def plain(decision: Decision) -> tuple[Decision, list[tuple[str, str] | Campaign | Account]]:
    """Give a decision with its errors in a form that can be compared."""
    answers = decision.answers
    words = [(each.code, each.message) if isinstance(each, KatavenError) else each for each in answers]
    return evolve(decision, answers=()), words


@FEWER
@given(data=st.data())
def test_equal_arguments_give_equal_decisions_and_stay_as_they_are(new_desk: "type[Desk]", data: st.DataObject) -> None:
    desk = lived(new_desk, data)
    inputs = inputs_of(data.draw(anything(desk)))
    view = evolve(desk.view(), attempts=dict(desk.attempts), contacts=dict(desk.contacts))
    same_view, same_inputs = deepcopy((view, inputs))
    first = plain(decide(view, inputs, desk.now))
    assert (view, inputs) == (same_view, same_inputs)
    assert plain(decide(same_view, same_inputs, desk.now)) == first


# The events tell all.


@FEWER
@given(data=st.data())
def test_i9_folding_all_events_gives_all_that_is_stored(new_desk: "type[Desk]", data: st.DataObject) -> None:
    desk = lived(new_desk, data)
    by_campaign = sorted(desk.events, key=lambda event: event.campaign_id)
    told = {name: list(events) for name, events in groupby(by_campaign, key=lambda event: event.campaign_id)}
    assert set(told) == set(desk.campaigns)
    for name, events in told.items():
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert reduce(campaign.apply, events, None) == desk.campaigns[name]
        assert counters.fold(Counters(campaign_id=name), events) == desk.tallies[name]
        for row in (each for each in desk.staged.values() if each.campaign_id == name):
            assert reduce(contact.apply, of_contact(events, row.position), row) == desk.contacts[row.id]
    for dial in desk.attempts.values():
        mine = (each for each in desk.events if isinstance(each, AttemptEvent) and each.attempt_id == dial.id)
        assert reduce(attempt.apply, mine, None) == dial


def of_contact(events: list[CampaignEvent], position: int) -> list[CampaignEvent]:
    return [each for each in events if not isinstance(each, AttemptEvent) or each.position == position]


@FEWER
@given(data=st.data())
def test_every_command_has_its_answer(new_desk: "type[Desk]", data: st.DataObject) -> None:
    desk = lived(new_desk, data)
    taken = data.draw(anything(desk))
    decision = desk.turn(*taken)
    commands = inputs_of(taken).commands
    for command, answer in zip(commands, decision.answers, strict=True):
        match command, answer:
            case PutAccount(), Account():
                assert answer == command.account
            case Operate(), Campaign():
                assert answer.id == command.campaign_id
            case _:
                assert isinstance(answer, KatavenError)
