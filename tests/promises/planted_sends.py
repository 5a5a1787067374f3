"""Bugs between a claim and the line's answer."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve
from tests.promises.planted_bug import TALKS, Swap, Theme, a_plan, does

from kataven_core import Attempt, AttemptState, Decision, Operation, Order, PhoneNumber, Unsent
from kataven_core.runtime import dispatcher, reconciler, sends
from kataven_core.runtime.dispatcher import Dispatcher
from kataven_core.runtime.reconciler import Reconciler
from kataven_core.runtime.sends import Sends
from kataven_core.testing.simulation import CampaignPlan, Crashed, Cut, Faults, Stalled
from kataven_core.testing.simulation.line import SimulatedLine

THEME = Theme()
bug = THEME.bug

MANY = CampaignPlan(name="c", numbers=tuple(range(12)), cap=3)


@bug("I9", plan=a_plan(Crashed(at_s=20.0), campaigns=[MANY]))
def orders_leave_before_their_claim_is_committed() -> Iterator[Swap]:
    def wrong(_: Any) -> Any:
        async def settle_together(self: Any, waiting: Sequence[Any]) -> Any:
            """Send first, by a decision on what is read now."""
            claimed_at = self.clock.monotonic()
            turns = [self._turn(each) for each in waiting]

            def decide(*read: Any) -> Decision:
                decision: Decision = self.decide(*read)
                for order in decision.orders:
                    task = asyncio.get_running_loop().create_task(self.sends._send(order, claimed_at))  # noqa: SLF001 - there is no public way to it
                    with_it.append(task)
                raise _Decided

            with_it: list[asyncio.Task[None]] = []
            try:
                await self.store.settle(turns, decide, self.clock.now())
            except _Decided:
                await asyncio.sleep(0)
            decisions = await self.store.settle(turns, self.decide, self.clock.now())
            without = [evolve(each, orders=()) for each in decisions]
            return vars(dispatcher)["_Settled"](turns, without, claimed_at)

        return settle_together

    yield Swap(Dispatcher, "_settle_together", wrong)


class _Decided(Exception):
    """What is to be done is known, and nothing is written."""


@bug("I2", plan=a_plan(campaigns=[MANY], faults=Faults(answer=1.0)))
def a_call_is_asked_for_again_when_its_answer_is_lost() -> Iterator[Swap]:
    def wrong(originate: Any) -> Any:
        async def insist(self: Any, order: Order) -> None:
            try:
                async with asyncio.timeout(2.0):
                    originated = await self._line.originate(order)
            except Exception:  # noqa: BLE001 - as the engine does
                await originate(self, order)
            else:
                self._report(order.account_id, originated.report)

        return insist

    yield Swap(Sends, "_originate", wrong)


@bug("I2", plan=a_plan(Crashed(at_s=6.0), campaigns=[MANY], faults=Faults(slow=1.0)))
def what_was_claimed_is_sent_at_the_next_start() -> Iterator[Swap]:
    def wrong(take_up: Any) -> Any:
        async def send_all(self: Any, attempts: Sequence[Attempt]) -> None:
            await take_up(self, attempts)
            for each in attempts:
                if each.state is AttemptState.CLAIMED:
                    await self._line.originate(_order_of(each))

        return send_all

    yield Swap(Reconciler, "take_up", wrong)


def _order_of(attempt: Attempt) -> Order:
    return Order(
        attempt_id=attempt.id,
        account_id=attempt.account_id,
        campaign_id=attempt.campaign_id,
        to=attempt.phone_number,
        caller=PhoneNumber("+14155550100"),
        agent_id="agent",
        route="to:agent",
        variables={},
    )


@bug("I3", "I1", plan=a_plan(campaigns=[MANY], faults=Faults(answer=1.0, report_delayed=1.0), phones=TALKS))
def a_call_whose_answer_is_lost_counts_as_unsent() -> Iterator[Swap]:
    yield Swap(sends, "Doubtful", lambda _: Unsent)


@bug("I4", plan=a_plan(does(5.5, "c", Operation.PAUSE), campaigns=[MANY], faults=Faults(slow=1.0)))
def pause_does_not_wait_for_sends_under_way() -> Iterator[Swap]:
    yield Swap(Sends, "when_settled", lambda _: lambda _self, _key, then: then())


@bug(
    "I2",
    "I3",
    "I4",
    plan=a_plan(
        Stalled(at_s=9.0, for_s=100.0, is_replaced=True),
        campaigns=[CampaignPlan(name="c", cap=1)],
        faults=Faults(pace_s=1.0),
        phones=TALKS,
        seed=10,  # by which the process stalls between a claim's commit and its send
    ),
)
def who_wakes_late_sends_all_the_same() -> Iterator[Swap]:
    def wrong(may_send: Any) -> Any:
        return lambda self, order, _: may_send(self, order, float("inf"))

    yield Swap(Sends, "_may_send", wrong)


@bug("I1", plan=a_plan(Cut(at_s=20.0, for_s=300.0), campaigns=[MANY], phones=TALKS, calm_s=400.0))
def a_call_is_given_up_while_the_line_cannot_be_asked() -> Iterator[Swap]:
    def wrong(is_given_up: Any) -> Any:
        return lambda self, silent, **_: is_given_up(self, silent, has_answered=True)

    yield Swap(Reconciler, "_is_given_up", wrong)


@bug("I1", "I3", plan=a_plan(Crashed(at_s=5.3, back_s=0.1), campaigns=[MANY], faults=Faults(late=1.0), phones=TALKS))
def never_placed_is_believed_while_requests_are_under_way() -> Iterator[Swap]:
    yield Swap(SimulatedLine, "_is_settled", lambda _: lambda _self, _attempt_id: True)


@bug(
    "I7",
    "I12",
    plan=a_plan(Crashed(at_s=7.0, back_s=60.0), campaigns=[MANY], phones=evolve(TALKS, talk_s=20.0, insists=False)),
)
def nobody_asks_about_the_calls_of_an_earlier_process() -> Iterator[Swap]:
    def wrong(_: Any) -> Any:
        async def trust(_self: Any, _attempts: Sequence[Attempt]) -> None:
            pass

        return trust

    yield Swap(Reconciler, "take_up", wrong)


@bug(
    "I1",
    "I3",
    plan=a_plan(
        Crashed(at_s=5.3, back_s=0.1), campaigns=[MANY], faults=Faults(late=1.0), phones=evolve(TALKS, knows_all=False)
    ),
)
def the_next_process_calls_a_claim_unsent() -> Iterator[Swap]:
    yield Swap(reconciler, "Doubtful", lambda _: Unsent)
