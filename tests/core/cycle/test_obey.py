"""Commands: each answered in order, with what became of the campaign or with the error that says why not."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from kataven_core.account import Account
from kataven_core.campaign import Campaign
from kataven_core.cycle import Decision, PutAccount
from kataven_core.errors import BudgetExhausted, CommandRefused, InvalidValue, KatavenError, NotFound
from kataven_core.events import CampaignCompleted, CampaignCreated, CampaignResumed, CampaignStarted, CampaignStopped
from kataven_core.receipts import RECEIPT_LIFETIME, Receipt
from kataven_core.reports import Unsent
from kataven_core.statuses import Outcome
from kataven_core.values import AccountId, AttemptId, CampaignId

if TYPE_CHECKING:
    from tests.core.cycle.conftest import Desk

STATUSES = ("draft", "scheduled", "running", "paused", "completed", "failed")
OPERATIONS = ("start", "resume", "pause", "stop", "delete")
ALLOWED = {
    ("draft", "start"): "running",
    ("draft", "delete"): "gone",
    ("scheduled", "start"): "running",
    ("scheduled", "stop"): "completed",
    ("scheduled", "delete"): "gone",
    ("running", "pause"): "paused",
    ("running", "stop"): "completed",
    ("paused", "start"): "running",
    ("paused", "resume"): "running",
    ("paused", "stop"): "completed",
    ("paused", "delete"): "gone",
    ("completed", "delete"): "gone",
    ("failed", "delete"): "gone",
}


def answers(decision: Decision) -> list[str]:
    """Say each answer in a word: the campaign's status, the account's id, or the error's code."""
    words = []
    for each in decision.answers:
        match each:
            case Campaign():
                words.append(each.status.value)
            case Account():
                words.append(each.id)
            case KatavenError():
                words.append(each.code)
    return words


def bring_to(desk: "Desk", status: str) -> None:
    if status == "scheduled":
        desk.turn(desk.create("a", 2, scheduled_at=desk.now + timedelta(hours=1)))
        return
    desk.turn(desk.create("a", 2))
    steps = {"draft": (), "paused": ("start", "pause"), "completed": ("start", "stop")}.get(status, ("start",))
    desk.turn(*(desk.operate("a", step) for step in steps), line_is_up=False)
    if status == "failed":
        desk.turn(desk.put(paused="agent"))
        desk.turn(desk.put())
    assert desk.status("a") == status


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("status", STATUSES)
def test_every_operation_in_every_status_does_what_the_table_says(desk: "Desk", status: str, operation: str) -> None:
    bring_to(desk, status)
    before = desk.campaigns[CampaignId("a")]
    decision = desk.turn(desk.operate("a", operation), line_is_up=False)
    becomes = ALLOWED.get((status, operation))
    if becomes is None:
        (error,) = decision.answers
        assert isinstance(error, CommandRefused)
        assert operation in error.message
        assert status in error.message
        assert (decision.campaigns, decision.counters, decision.events) == ((), (), ())
        assert desk.campaigns[CampaignId("a")] == before
    elif becomes == "gone":
        assert desk.campaigns[CampaignId("a")].is_deleted
        assert answers(desk.turn(desk.operate("a", operation))) == ["not_found"]
    else:
        assert answers(decision) == [becomes]
        assert desk.status("a") == becomes


def test_the_answer_says_what_the_operation_set_even_if_the_campaign_has_moved_on(desk: "Desk") -> None:
    desk.begin("a")
    decision = desk.turn(desk.operate("a", "pause"), desk.operate("a", "stop"))
    assert answers(decision) == ["paused", "completed"]


# Nobody there.


def test_commands_for_what_is_not_there_are_not_found_and_the_others_go_on(desk: "Desk") -> None:
    desk.turn(desk.create("a"))
    decision = desk.turn(
        desk.operate("b", "start"), desk.operate("a", "start"), desk.operate("b", "delete"), line_is_up=False
    )
    assert answers(decision) == ["not_found", "running", "not_found"]
    assert all(isinstance(each, NotFound) for each in (decision.answers[0], decision.answers[2]))
    assert str(decision.answers[0]) == "no such campaign in this account"


def test_without_an_account_there_is_nothing_but_to_make_one(new_desk: "type[Desk]") -> None:
    desk = new_desk()
    decision = desk.turn(desk.create("a"), desk.operate("a", "start"))
    assert answers(decision) == ["not_found", "not_found"]
    assert (decision.account, decision.campaigns, decision.events) == (None, (), ())
    decision = desk.turn(desk.put(), desk.create("b"), desk.operate("b", "start"))
    assert answers(decision) == ["acme", "draft", "running"]
    assert decision.account == desk.account is not None


def test_a_refused_command_leaves_the_others_alone(desk: "Desk") -> None:
    desk.begin("a")
    decision = desk.turn(desk.operate("a", "resume"), desk.create("b"), desk.operate("b", "pause"))
    assert answers(decision) == ["not_allowed_now", "draft", "not_allowed_now"]


# Create.


def test_create_and_start_in_one_turn(desk: "Desk") -> None:
    decision = desk.turn(desk.create("a", 3), desk.operate("a", "start"))
    assert answers(decision) == ["draft", "running"]
    assert [type(event) for event in decision.events] == [CampaignCreated, CampaignStarted]
    assert [each.pending for each in decision.counters] == [3]
    desk.turn()
    assert desk.dialled == ["a.0.1", "a.1.1", "a.2.1"]


def test_a_campaign_with_a_time_is_scheduled_in_the_answer(desk: "Desk") -> None:
    at = desk.now + timedelta(hours=1)
    (answer,) = desk.turn(desk.create("a", scheduled_at=at)).answers
    assert isinstance(answer, Campaign)
    assert (answer.status, answer.scheduled_at, answer.started_at) == ("scheduled", at, None)


@pytest.mark.parametrize("settings", [{"agent_id": "nobody"}, {"phone_number_id": "nothing"}])
def test_no_campaign_is_made_for_an_agent_or_number_that_may_not_call(desk: "Desk", settings: dict[str, Any]) -> None:
    decision = desk.turn(desk.create("a", **settings), desk.operate("a", "start"))
    assert [type(each) for each in decision.answers] == [InvalidValue, NotFound]
    assert decision.campaigns == ()


# Start and resume.


def test_started_at_is_the_first_start_and_completed_at_the_end(desk: "Desk") -> None:
    desk.begin("a")
    first = desk.now
    desk.wait(1)
    desk.turn(desk.operate("a", "pause"), line_is_up=False)
    desk.turn(desk.operate("a", "resume"), line_is_up=False)
    desk.wait(1)
    desk.turn(desk.operate("a", "stop"))
    campaign = desk.campaigns[CampaignId("a")]
    assert (campaign.started_at, campaign.completed_at) == (first, desk.now)


def test_an_early_start_of_a_scheduled_campaign_keeps_its_time(desk: "Desk") -> None:
    at = desk.now + timedelta(hours=1)
    desk.turn(desk.create("a", scheduled_at=at), desk.operate("a", "start"))
    campaign = desk.campaigns[CampaignId("a")]
    assert (campaign.status, campaign.scheduled_at, campaign.started_at) == ("running", at, desk.now)


@pytest.mark.parametrize("operation", ["start", "resume"])
def test_a_paused_campaign_with_nothing_left_is_completed_by_the_answer(desk: "Desk", operation: str) -> None:
    desk.begin("a")
    desk.turn()
    desk.turn(desk.operate("a", "pause"))
    desk.turn(desk.ended("a.0.1"))
    assert desk.status("a") == "paused"
    decision = desk.turn(desk.operate("a", operation))
    assert answers(decision) == ["completed"]
    assert [type(event) for event in decision.events] == [CampaignResumed, CampaignCompleted]
    assert desk.reserved == 0


@pytest.mark.parametrize("how", ["paused", "gone", "closed"])
@pytest.mark.parametrize("operation", ["start", "resume"])
def test_a_campaign_whose_agent_or_number_may_not_call_is_not_started(desk: "Desk", operation: str, how: str) -> None:
    desk.begin("a")
    desk.turn(desk.operate("a", "pause"), desk.put(**{how: "line" if how == "closed" else "agent"}))
    decision = desk.turn(desk.operate("a", operation))
    assert answers(decision) == ["cannot_call"]
    assert desk.status("a") == "paused"


# Budget.


def test_i10_of_two_starts_that_do_not_both_fit_exactly_one_wins(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=9))
    desk.turn(desk.create("a", max_concurrent_calls=5), desk.create("b", max_concurrent_calls=5))
    decision = desk.turn(desk.operate("a", "start"), desk.operate("b", "start"))
    first, second = decision.answers
    assert isinstance(first, Campaign)
    assert isinstance(second, BudgetExhausted)
    assert (second.reserved, second.wanted, second.allowed) == (5, 5, 9)
    assert (desk.status("a"), desk.status("b")) == ("running", "draft")


def test_i10_what_fits_exactly_fits(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=10))
    desk.turn(desk.create("a", max_concurrent_calls=5), desk.create("b", max_concurrent_calls=5))
    assert answers(desk.turn(desk.operate("a", "start"), desk.operate("b", "start"))) == ["running", "running"]


def test_i10_a_budget_of_0_blocks_every_start(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=0))
    assert answers(desk.turn(desk.create("a"), desk.operate("a", "start"))) == ["draft", "budget_exhausted"]


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        (("a start", "b start"), ("running", "budget_exhausted")),
        (("a start", "a pause", "b start"), ("running", "paused", "running")),
        (("a start", "a stop", "b start"), ("running", "completed", "running")),
        (("a start", "a pause", "a start"), ("running", "paused", "running")),
        (("a start", "a start", "b start"), ("running", "not_allowed_now", "budget_exhausted")),
        (("a start", "a pause", "b start", "a resume"), ("running", "paused", "running", "budget_exhausted")),
        (
            ("a start", "a pause", "b start", "b stop", "a resume"),
            ("running", "paused", "running", "completed", "running"),
        ),
        (("a start", "a pause", "a delete", "b start"), ("running", "paused", "paused", "running")),
        (("a delete", "b start", "a start"), ("draft", "running", "not_found")),
    ],
)
def test_i10_every_move_of_a_turn_reserves_and_frees(
    desk: "Desk", moves: Sequence[str], expected: Sequence[str]
) -> None:
    desk.turn(desk.put(concurrent_max=5))
    created = (desk.create("a", max_concurrent_calls=5), desk.create("b", max_concurrent_calls=5))
    decision = desk.turn(*created, *(desk.operate(*move.split()) for move in moves))
    assert answers(decision) == ["draft", "draft", *expected]
    assert desk.reserved <= 5


def test_a_cap_changed_in_the_same_turn_is_the_one_in_force(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=0), desk.create("a"))
    decision = desk.turn(
        desk.operate("a", "start"), desk.put(concurrent_max=5), desk.operate("a", "start"), desk.put(concurrent_max=0)
    )
    assert answers(decision) == ["budget_exhausted", "acme", "running", "acme"]
    desk.turn()
    assert desk.dialled == []


# Pause, stop, delete.


@pytest.mark.parametrize("operation", ["pause", "stop"])
def test_i4_pause_and_stop_win_over_a_claim_of_the_same_turn(desk: "Desk", operation: str) -> None:
    desk.begin("a", 5)
    assert len(desk.view().campaigns[0].candidates) == 5
    assert desk.turn(desk.operate("a", operation)).orders == ()
    desk.wait(3600)
    assert desk.turn().orders == ()


def test_stop_cancels_what_is_pending_and_lets_calls_in_flight_end(desk: "Desk") -> None:
    desk.begin("a", 3, max_concurrent_calls=2, retries_per_contact=1)
    desk.turn()
    decision = desk.turn(desk.operate("a", "stop"))
    assert [each.cancelled for each in decision.events if isinstance(each, CampaignStopped)] == [1]
    assert decision.cancelled == ("a",)
    assert desk.rows("a") == ["in_progress", "in_progress", "cancelled"]
    desk.turn(desk.ended("a.0.1"), desk.ended("a.1.1", Outcome.BUSY))
    assert desk.rows("a") == ["completed", "failed", "cancelled"]
    assert desk.usage.calls_in_flight == 0


def test_stop_cancels_a_retry_that_a_report_of_the_same_turn_has_scheduled(desk: "Desk") -> None:
    desk.begin("a", 2, retries_per_contact=5)
    desk.turn()
    decision = desk.turn(
        desk.ended("a.0.1", Outcome.BUSY), Unsent(attempt_id=AttemptId("a.1.1"), at=desk.now), desk.operate("a", "stop")
    )
    assert [each.cancelled for each in decision.events if isinstance(each, CampaignStopped)] == [2]
    assert desk.rows("a") == ["cancelled", "cancelled"]
    assert (desk.row("a").next_attempt_at, desk.row("a").last_outcome) == (None, "busy")


def test_stop_with_nothing_pending_has_no_contacts_to_cancel(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    assert desk.turn(desk.operate("a", "stop")).cancelled == ()


def test_i7_a_deleted_campaign_keeps_its_slots_until_its_calls_end(desk: "Desk") -> None:
    desk.turn(desk.put(concurrent_max=2))
    desk.begin("a", 2, max_concurrent_calls=2)
    desk.turn()
    decision = desk.turn(desk.operate("a", "pause"), desk.operate("a", "delete"), desk.operate("a", "stop"))
    assert answers(decision) == ["paused", "paused", "not_found"]
    desk.begin("b", 2, max_concurrent_calls=2)
    desk.turn()
    assert (desk.dialled, desk.usage.calls_in_flight) == ([], 2)
    desk.turn(desk.ended("a.0.1", Outcome.BUSY))
    assert desk.dialled == ["b.0.1"]
    assert desk.rows("a") == ["failed", "in_progress"]


# The account.


def test_i1_a_lowered_cap_holds_new_dials_back_and_lets_calls_finish(desk: "Desk") -> None:
    desk.begin("a", 9, max_concurrent_calls=4)
    desk.turn()
    desk.turn(desk.put(concurrent_max=2))
    assert (desk.dialled, desk.usage.calls_in_flight, desk.status("a")) == ([], 4, "running")
    for n, dialled in enumerate(([], [], ["a.4.1"])):
        desk.turn(desk.ended(f"a.{n}.1"))
        assert desk.dialled == dialled


def test_a_paused_agent_fails_its_running_campaigns_alone(desk: "Desk") -> None:
    desk.begin("a", 3, max_concurrent_calls=1, retries_per_contact=1)
    desk.begin("b", 2, agent_id="other", max_concurrent_calls=1)
    desk.turn()
    decision = desk.turn(desk.put(paused="agent"), desk.ended("b.0.1"))
    assert (desk.status("a"), desk.rows("a")) == ("failed", ["in_progress", "cancelled", "cancelled"])
    assert decision.cancelled == ("a",)
    assert (desk.status("b"), desk.dialled) == ("running", ["b.1.1"])
    desk.turn(desk.ended("a.0.1", Outcome.BUSY))
    assert desk.rows("a") == ["failed", "cancelled", "cancelled"]
    assert desk.campaigns[CampaignId("a")].completed_at == desk.now


@pytest.mark.parametrize("how", [{"gone": "agent"}, {"gone": "line"}, {"closed": "line"}])
def test_an_agent_or_number_that_is_gone_fails_running_campaigns(desk: "Desk", how: dict[str, str]) -> None:
    desk.begin("a", 2)
    desk.turn(desk.put(**how))
    assert (desk.status("a"), desk.rows("a"), desk.reserved) == ("failed", ["cancelled", "cancelled"], 0)


def test_a_paused_agent_leaves_campaigns_that_do_not_run_as_they_are(desk: "Desk") -> None:
    desk.turn(desk.create("a"))
    desk.begin("b")
    desk.turn(desk.operate("b", "pause"), desk.put(paused="agent"))
    assert (desk.status("a"), desk.status("b")) == ("draft", "paused")


def test_an_account_that_is_put_as_it_was_fails_nothing(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn(desk.put(paused="agent"), desk.put())
    assert desk.status("a") == "running"


def test_i6_a_campaign_is_created_once(desk: "Desk") -> None:
    desk.begin("a", 3)
    desk.turn()
    before = desk.tallies[CampaignId("a")]
    (answer,) = desk.turn(desk.create("a", 0)).answers
    assert isinstance(answer, CommandRefused)
    assert answer.code == "campaign_exists"
    assert desk.tallies[CampaignId("a")] == before


def test_i11_an_account_is_put_under_its_own_id(desk: "Desk") -> None:
    other = evolve(desk.put().account, id=AccountId("other"))
    before = desk.account
    (answer,) = desk.turn(PutAccount(account=other)).answers
    assert isinstance(answer, InvalidValue)
    assert (answer.code, [problem.field for problem in answer.problems]) == ("invalid_account", ["id"])
    assert desk.account == before


# Once.


def test_a_command_that_is_asked_again_is_answered_the_same_and_nothing_happens(desk: "Desk") -> None:
    desk.begin("a")
    pause = evolve(desk.operate("a", "pause"), once=desk.once())
    first = desk.turn(pause)
    desk.turn(desk.operate("a", "resume"), line_is_up=False)
    again = desk.turn(pause, line_is_up=False)
    assert (answers(first), again.answers) == (["paused"], first.answers)
    assert (again.campaigns, again.events, again.receipts, again.receipts_since) == ((), (), (), None)
    assert desk.status("a") == "running"


def test_what_was_done_once_is_noted_with_its_answer(desk: "Desk") -> None:
    once = desk.once(note="n")
    decision = desk.turn(evolve(desk.create("a"), once=once), desk.operate("a", "start"), line_is_up=False)
    draft = decision.answers[0]
    assert isinstance(draft, Campaign)
    assert decision.receipts == (Receipt(once=once, answer=draft, at=desk.now),)
    assert decision.receipts_since == desk.now - RECEIPT_LIFETIME


def test_a_command_without_a_key_is_not_noted(desk: "Desk") -> None:
    decision = desk.turn(desk.create("a"), desk.operate("a", "start"))
    assert (decision.receipts, decision.receipts_since) == ((), None)


def test_a_campaign_that_is_created_again_under_another_id_is_the_first(desk: "Desk") -> None:
    first = desk.turn(evolve(desk.create("a"), once=desk.once()))
    again = desk.turn(evolve(desk.create("b"), once=desk.once(note="other")))
    assert again.answers == first.answers
    assert [*desk.campaigns] == ["a"]


def test_asked_twice_in_a_turn_it_is_done_once(desk: "Desk") -> None:
    creations = [evolve(desk.create(name), once=desk.once()) for name in ("a", "b")]
    decision = desk.turn(*creations)
    assert decision.answers[0] == decision.answers[1]
    assert ([each.id for each in decision.campaigns], len(decision.receipts)) == (["a"], 1)


@pytest.mark.parametrize("is_same_turn", [False, True])
def test_a_key_that_comes_with_another_payload_is_refused(desk: "Desk", *, is_same_turn: bool) -> None:
    desk.begin("a")
    first = evolve(desk.operate("a", "pause"), once=desk.once("j"))
    other = evolve(desk.operate("a", "stop"), once=desk.once("j", fingerprint="g"))
    if is_same_turn:
        answer = desk.turn(first, other).answers[1]
    else:
        desk.turn(first)
        (answer,) = desk.turn(other).answers
    assert isinstance(answer, CommandRefused)
    assert (answer.code, answer.message) == (
        "idempotency_key_reused",
        "the key 'j' was used for another payload: use a new key for a new request",
    )
    assert desk.status("a") == "paused"
    assert [each.once for each in desk.receipts.values()] == [first.once]


def test_a_key_of_another_scope_is_another_key(desk: "Desk") -> None:
    desk.begin("a")
    pause = evolve(desk.operate("a", "pause"), once=desk.once(scope="pause"))
    stop = evolve(desk.operate("a", "stop"), once=desk.once(scope="stop", fingerprint="g"))
    assert answers(desk.turn(pause, stop)) == ["paused", "completed"]
    assert [*desk.receipts] == [("pause", "k"), ("stop", "k")]


def test_what_is_refused_is_not_noted_and_may_be_asked_again(desk: "Desk") -> None:
    start = evolve(desk.operate("a", "start"), once=desk.once())
    refused = desk.turn(start)
    assert (answers(refused), refused.receipts, refused.receipts_since) == (["not_found"], (), None)
    desk.turn(desk.create("a"))
    assert answers(desk.turn(start, line_is_up=False)) == ["running"]


def test_the_answer_is_given_again_when_the_campaign_and_the_agent_are_gone(desk: "Desk") -> None:
    creation = evolve(desk.create("a"), once=desk.once())
    first = desk.turn(creation)
    desk.turn(desk.operate("a", "delete"), desk.put(gone="agent"))
    assert desk.turn(creation).answers == first.answers


def test_a_day_later_the_key_is_free(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn(evolve(desk.operate("a", "pause"), once=desk.once()))
    desk.wait(RECEIPT_LIFETIME.total_seconds())
    decision = desk.turn(evolve(desk.operate("a", "stop"), once=desk.once(fingerprint="g")))
    assert answers(decision) == ["completed"]
    assert [*desk.receipts.values()] == [*decision.receipts]
