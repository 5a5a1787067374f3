"""The machine sees what it must: each of these stores breaks one promise."""

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from attrs import evolve
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from kataven_adapters.memory import MemoryStore
from kataven_core import AccountUsage, AccountView, CampaignStatus, CampaignView, Decision, Inputs
from kataven_core.ports import AccountTurn, Decide
from kataven_core.testing import store_machine

Fault = Callable[[AccountView], AccountView]


def faulty(fault: Fault) -> type[MemoryStore]:
    """Give a store whose views have this fault."""

    class FaultyStore(MemoryStore):
        async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
            def misled(view: AccountView, inputs: Inputs, at: datetime) -> Decision:
                return decide(fault(view), inputs, at)

            return await super().settle(turns, misled, now)

    return FaultyStore


def in_each(change: Callable[[CampaignView], CampaignView]) -> Fault:
    return lambda view: evolve(view, campaigns=tuple(map(change, view.campaigns)))


def reserved_in_view(view: AccountView) -> AccountView:
    running = (each.campaign for each in view.campaigns if each.campaign.status is CampaignStatus.RUNNING)
    return evolve(view, reserved=sum(each.max_concurrent_calls for each in running))


def without_scheduled(view: AccountView) -> AccountView:
    kept = (each for each in view.campaigns if each.campaign.status is not CampaignStatus.SCHEDULED)
    return evolve(view, campaigns=tuple(kept))


FAULTS = {
    "numbers in a call are not shown": lambda view: evolve(view, busy_numbers=frozenset()),
    "a candidate is missing": in_each(lambda each: evolve(each, candidates=each.candidates[:-1])),
    "candidates come in another order": in_each(lambda each: evolve(each, candidates=each.candidates[::-1])),
    "the next retry is not shown": in_each(lambda each: evolve(each, next_retry_at=None)),
    "only campaigns in the view reserve": reserved_in_view,
    "schedules never come": without_scheduled,
    "what was used is forgotten": lambda view: evolve(view, usage=AccountUsage.empty(view.usage.minute)),
    "attempts are not looked up": lambda view: evolve(view, attempts={}),
    "receipts are not looked up": lambda view: evolve(view, receipts={}),
    "the account is not shown": lambda view: evolve(view, account=None),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_faulty_store_is_seen(fault: Fault) -> None:
    quick = settings(
        max_examples=200,
        stateful_step_count=30,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(store_machine(faulty(fault)), settings=quick)
