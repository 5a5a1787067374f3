"""Bugs in how much may be dialled at once: caps and budgets."""

from collections.abc import Iterator
from typing import Any

from attrs import evolve
from tests.promises.planted_bug import CHATS, TALKS, Swap, Theme, a_plan, at_each_start, does

from kataven_core import (
    NO_LIMIT,
    Account,
    AccountId,
    Attempt,
    AttemptDoubted,
    AttemptId,
    CampaignId,
    Caps,
    Operation,
    budget,
    campaign,
)
from kataven_core.counters import Tally
from kataven_core.cycle import claim, turn
from kataven_core.testing.simulation import CampaignPlan, Crashed, Faults, Put

THEME = Theme()
bug = THEME.bug

MANY = CampaignPlan(name="c", numbers=tuple(range(12)), cap=3)
TWO = CampaignPlan(name="a", numbers=(1, 2, 3), cap=3), CampaignPlan(name="b", numbers=(4, 5, 6), cap=3)
NARROW = (("acme", Caps(concurrent_max=5)),)
LOWERED = a_plan(
    Put(at_s=20.0, caps=Caps(concurrent_max=2)),
    campaigns=[CampaignPlan(name="c", numbers=tuple(range(30)), cap=5)],
    accounts=(("acme", Caps(concurrent_max=10)),),
    phones=evolve(CHATS, talk_s=30.0),
)


@bug("I1", plan=a_plan(Crashed(at_s=20.0), campaigns=[MANY], phones=TALKS))
def the_cap_is_counted_in_memory() -> Iterator[Swap]:
    up: dict[CampaignId, set[AttemptId]] = {}

    def wrong_change(change: Any) -> Any:
        def counted(self: Any, before: Attempt | None, after: Attempt) -> None:
            change(self, before, after)
            mine = up.setdefault(after.campaign_id, set())
            (mine.add if after.is_open else mine.discard)(after.id)

        return counted

    def room(self: Any) -> int:
        return max(int(self.campaign.max_concurrent_calls) - len(up.get(self.campaign.id, ())), 0)

    yield at_each_start(up.clear)
    yield Swap(turn.Turn, "change_attempt", wrong_change)
    yield Swap(turn.CampaignTurn, "room", lambda _: property(room))


@bug("I1", plan=LOWERED)
def the_cap_of_the_account_is_looked_at_only_when_a_campaign_starts() -> Iterator[Swap]:
    def wrong(allowance: Any) -> Any:
        return lambda caps, usage, now: allowance(evolve(caps, concurrent_max=NO_LIMIT), usage, now)

    yield Swap(claim, "account_allowance", wrong)
    yield Swap(budget, "account_allowance", wrong)


@bug("I1", plan=LOWERED)
def the_caps_of_the_account_are_those_of_the_first_decision() -> Iterator[Swap]:
    first: dict[AccountId, Account] = {}

    def wrong(init: Any) -> Any:
        def remembering(self: Any, view: Any, now: Any) -> None:
            if view.account:
                view = evolve(view, account=first.setdefault(view.account_id, view.account))
            init(self, view, now)

        return remembering

    yield at_each_start(first.clear)
    yield Swap(turn.Turn, "__init__", wrong)


@bug("I1", "I8", plan=a_plan(campaigns=[MANY], faults=Faults(answer=1.0, report_delayed=1.0), phones=TALKS))
def a_doubtful_call_frees_its_slot() -> Iterator[Swap]:
    def wrong(add: Any) -> Any:
        def add_(self: Any, event: Any) -> None:
            add(self, event)
            self.calls_in_flight -= isinstance(event, AttemptDoubted)

        return add_

    yield Swap(Tally, "add", wrong)


@bug("I10", plan=a_plan(campaigns=TWO, accounts=NARROW))
def what_is_reserved_is_not_counted() -> Iterator[Swap]:
    yield Swap(campaign, "admit", lambda admit: lambda **parts: admit(**(parts | {"reserved": 0})))


@bug(
    "I10",
    plan=a_plan(
        does(7.0, "a", Operation.PAUSE),
        does(9.0, "b", Operation.START),
        does(11.0, "a", Operation.RESUME),
        campaigns=[TWO[0], evolve(TWO[1], scheduled_s=3_000.0)],
        accounts=NARROW,
        phones=TALKS,
    ),
)
def resume_takes_back_what_another_has_been_given() -> Iterator[Swap]:
    def wrong(admit: Any) -> Any:
        def lenient(value: Any, account: Any, reserved: int, operation: Operation) -> None:
            admit(value, account, 0 if operation is Operation.RESUME else reserved, operation)

        return lenient

    yield Swap(campaign, "_admit", wrong)
