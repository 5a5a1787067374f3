"""What a turn hands on: only what changed, each change once, from what was stored to what is now."""

from typing import TYPE_CHECKING

from kataven_core.attempt import Attempt
from kataven_core.cycle import AttemptChange, ContactChange
from kataven_core.reports import Doubtful, Placed
from kataven_core.statuses import AttemptState, Outcome
from kataven_core.values import AccountId, AttemptId

if TYPE_CHECKING:
    from tests.core.cycle.conftest import Desk

A1 = AttemptId("a.0.1")


def test_a_turn_with_nothing_to_do_changes_nothing(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    decision = desk.turn()
    assert decision.usage == desk.usage
    assert decision.account is None
    assert not any(
        (
            decision.campaigns,
            decision.counters,
            decision.attempts,
            decision.contacts,
            decision.cancelled,
            decision.orders,
            decision.events,
            decision.answers,
            decision.holds,
            decision.unrecognized,
            decision.receipts,
            decision.receipts_since,
        )
    )


def test_only_campaigns_that_something_happened_to_are_written(desk: "Desk") -> None:
    desk.begin("a")
    desk.begin("b", 2, max_concurrent_calls=1)
    desk.turn()
    decision = desk.turn(Placed(attempt_id=A1, at=desk.now, call_id="x"))
    assert [each.campaign_id for each in decision.counters] == ["a"]
    assert decision.campaigns == ()
    decision = desk.turn(desk.operate("b", "pause"))
    assert [each.id for each in decision.campaigns] == ["b"]
    assert [each.campaign_id for each in decision.counters] == ["b"]


def test_an_account_is_written_when_it_was_put(desk: "Desk") -> None:
    put = desk.put(concurrent_max=3)
    assert desk.turn(put).account == put.account
    assert desk.turn().account is None


def test_a_claim_is_written_with_its_contact_and_its_order(desk: "Desk") -> None:
    desk.begin("a")
    contact = desk.row("a")
    decision = desk.turn()
    attempt = Attempt(
        id=A1,
        account_id=AccountId("acme"),
        campaign_id=contact.campaign_id,
        position=0,
        n=1,
        phone_number=contact.phone_number,
        claimed_at=desk.now,
    )
    assert decision.attempts == (AttemptChange(None, attempt),)
    assert decision.contacts == (ContactChange(contact, desk.row("a")),)
    assert (desk.row("a").status, desk.row("a").attempts, desk.row("a").last_attempt_at) == ("in_progress", 1, desk.now)


def test_reports_in_two_places_of_a_batch_are_one_change_from_what_was_stored(desk: "Desk") -> None:
    desk.begin("a", 2)
    desk.turn()
    decision = desk.turn(
        Doubtful(attempt_id=A1, at=desk.now), desk.ended("a.1.1"), desk.ended("a.0.1", Outcome.DECLINED)
    )
    changes = {change.after.id: change for change in decision.attempts}
    before = changes[A1].before
    assert before is not None
    assert (before.state, changes[A1].after.state) == (AttemptState.CLAIMED, AttemptState.DONE)
    assert len(decision.attempts) == len(changes) == 2


def test_a_campaign_that_was_moved_twice_is_written_once(desk: "Desk") -> None:
    desk.turn(desk.create("a"), desk.operate("a", "start"), desk.operate("a", "pause"))
    decision = desk.turn(desk.operate("a", "resume"), desk.operate("a", "pause"), desk.operate("a", "stop"))
    assert [(each.id, each.status) for each in decision.campaigns] == [("a", "completed")]
    assert [each.sequence for each in decision.counters] == [6]


def test_usage_is_rolled_even_when_nothing_else_happens(desk: "Desk") -> None:
    desk.begin("a")
    desk.turn()
    desk.wait(60)
    desk.turn()
    assert (desk.usage.calls_this_minute, desk.usage.calls_today, desk.usage.calls_in_flight) == (0, 1, 1)
