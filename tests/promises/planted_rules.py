"""Bugs in what is decided: retries, statuses, schedules, outcomes."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from attrs import evolve
from tests.promises.planted_bug import CHATS, RINGS, TALKS, Swap, Theme, a_plan, does

from kataven_core import (
    Attempt,
    AttemptEnded,
    AttemptState,
    CampaignStatus,
    CampaignStopped,
    ContactStatus,
    Ended,
    Operation,
    Outcome,
    campaign,
    contact,
)
from kataven_core.counters import Tally
from kataven_core.cycle import claim, settle, time_passes, turn
from kataven_core.retry import RetryPolicy
from kataven_core.testing.simulation import CampaignPlan, Faults, Sick

THEME = Theme()
bug = THEME.bug
decide = sys.modules["kataven_core.cycle.decide"]

MANY = CampaignPlan(name="c", numbers=tuple(range(12)), cap=3)
RETRIED = CampaignPlan(name="c", numbers=(1, 2, 3), cap=3, retries=2, retry_delay_s=60)


@bug(
    "I3",
    plan=a_plan(
        does(10.0, "b", Operation.START),
        campaigns=[CampaignPlan(name="a"), CampaignPlan(name="b", scheduled_s=3_000.0)],
        phones=TALKS,
    ),
)
def a_number_is_busy_only_in_the_decision_that_dials_it() -> Iterator[Swap]:
    def wrong(_: Any) -> Any:
        def due(turn: Any, campaign: Any) -> Iterator[Any]:
            for each in campaign.candidates:
                if each.is_due(turn.now) and all(order.to != each.phone_number for order in turn.orders):
                    yield each

        return due

    yield Swap(claim, "_due", wrong)


@bug("I3", plan=a_plan(campaigns=[RETRIED], phones=RINGS))
def there_is_one_retry_too_many() -> Iterator[Swap]:
    def wrong(next_attempt_at: Any) -> Any:
        def once_more(policy: RetryPolicy, **more: Any) -> Any:
            return next_attempt_at(evolve(policy, delays_s=(*policy.delays_s, *policy.delays_s[-1:])), **more)

        return once_more

    yield Swap(contact, "next_attempt_at", wrong)


@bug("I5", plan=a_plan(campaigns=[RETRIED], phones=RINGS))
def the_retry_delay_runs_from_the_start_of_the_call() -> Iterator[Swap]:
    def wrong(conclude: Any) -> Any:
        return lambda contact, **more: conclude(contact, **(more | {"ended_at": contact.last_attempt_at}))

    yield Swap(settle, "conclude", wrong)


@bug("I5", plan=a_plan(campaigns=[CampaignPlan(name="c", scheduled_s=30.0)]))
def a_schedule_starts_a_minute_early() -> Iterator[Swap]:
    def wrong(come_due: Any) -> Any:
        return lambda value, *, now, **more: come_due(value, now=now + timedelta(minutes=1), **more)

    yield Swap(time_passes, "come_due", wrong)


@bug("I8", plan=a_plan(campaigns=[MANY], faults=Faults(report_repeated=1.0, pace_s=0.5)))
def an_outcome_is_applied_twice() -> Iterator[Swap]:
    def wrong(receive: Any) -> Any:
        def again(attempt: Attempt, report: Any, now: Any) -> Attempt:
            if isinstance(report, Ended) and not attempt.is_open:
                attempt = evolve(attempt, state=AttemptState.LIVE)
            after: Attempt = receive(attempt, report, now)
            return after

        return again

    yield Swap(settle, "receive", wrong)


@bug("I4", plan=a_plan(Sick(at_s=10.0, for_s=30.0), does(12.0, "c", Operation.PAUSE), campaigns=[MANY]))
def claims_are_made_before_commands_are_heard() -> Iterator[Swap]:
    def wrong_obey(obey: Any) -> Any:
        def late(turn: Any, commands: Any) -> None:
            if any(getattr(each, "operation", None) is Operation.PAUSE for each in commands):
                claim.claim(turn)
                turn.has_claimed = True
            obey(turn, commands)

        return late

    def wrong_claim(right: Any) -> Any:
        return lambda turn: None if hasattr(turn, "has_claimed") else right(turn)

    yield Swap(decide, "obey", wrong_obey)
    yield Swap(decide, "claim", wrong_claim)


@bug("I7", "I12", plan=a_plan(does(7.0, "c", Operation.PAUSE), campaigns=[MANY], phones=evolve(CHATS, talk_s=60.0)))
def a_paused_campaign_keeps_its_slots() -> Iterator[Swap]:
    def wrong(right: Any) -> Any:
        def deaf(turn: Any, view: Any, reports: Any, jitter_s: Any) -> None:
            def is_paused(report: Any) -> bool:
                attempt = view.attempts.get(report.attempt_id)
                status = turn.campaigns[attempt.campaign_id].campaign.status if attempt else None
                return isinstance(report, Ended) and status is CampaignStatus.PAUSED

            right(turn, view, tuple(each for each in reports if not is_paused(each)), jitter_s)

        return deaf

    yield Swap(decide, "settle", wrong)


@bug("I12", plan=a_plan(does(7.0, "c", Operation.STOP), campaigns=[MANY]))
def stop_leaves_contacts_pending() -> Iterator[Swap]:
    def wrong(happen: Any) -> Any:
        def cancel_nobody(*args: Any, **details: Any) -> Any:
            return happen(*args, **(details | ({"cancelled": 0} if CampaignStopped in args else {})))

        return cancel_nobody

    yield Swap(campaign, "_happen", wrong)


@bug("I6", plan=a_plan(does(7.0, "c", Operation.STOP), campaigns=[MANY]))
def stop_counts_contacts_as_cancelled_and_leaves_them() -> Iterator[Swap]:
    def wrong(decision: Any) -> Any:
        return lambda self: evolve(decision(self), cancelled=())

    yield Swap(turn.Turn, "decision", wrong)


@bug("I8", plan=a_plan(campaigns=[MANY], faults=Faults(refused=1.0), calm_s=30.0))
def a_call_that_was_never_sent_is_counted() -> Iterator[Swap]:
    def wrong(add: Any) -> Any:
        def add_(self: Any, event: Any) -> None:
            add(self, event)
            self.attempts += isinstance(event, AttemptEnded) and event.outcome is Outcome.UNSENT

        return add_

    yield Swap(Tally, "add", wrong)


@bug("I12", plan=a_plan(campaigns=[MANY], faults=Faults(refused=1.0), calm_s=30.0))
def a_contact_whose_call_was_never_sent_stays_in_progress() -> Iterator[Swap]:
    def wrong(conclude: Any) -> Any:
        def forget(contact: Any, *, outcome: Outcome, **more: Any) -> Any:
            concluded = conclude(contact, outcome=outcome, **more)
            return evolve(concluded, status=ContactStatus.IN_PROGRESS) if outcome is Outcome.UNSENT else concluded

        return forget

    yield Swap(settle, "conclude", wrong)


@bug("I12", plan=a_plan(campaigns=[MANY], faults=Faults(refused=0.5)))
def whoever_could_not_be_sent_has_failed() -> Iterator[Swap]:
    def wrong(take_back: Any) -> Any:
        return lambda contact, _, now: take_back(contact, ContactStatus.FAILED, now)

    yield Swap(contact, "_take_back", wrong)
