"""Bugs around the store, the listeners, and what is looked at when."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final

from attrs import evolve
from tests.promises.planted_bug import CHATS, RINGS, Swap, Theme, a_plan, at_each_start, does

from kataven_adapters.memory import MemoryStore
from kataven_core import AccountId, AdapterFault, CampaignId, CreateCampaign, Decision, Operate, Operation
from kataven_core.cycle import obey, turn
from kataven_core.runtime.dispatcher import Dispatcher
from kataven_core.runtime.inbox import Inbox
from kataven_core.runtime.outlook import Outlook
from kataven_core.testing.simulation import NO_CAPS, CampaignPlan, Crashed, Faults, Restarted, Sick, Stalled
from kataven_core.testing.simulation.store import SimulatedStore

THEME = Theme()
bug = THEME.bug

MANY = CampaignPlan(name="c", numbers=tuple(range(12)), cap=3)
BOTH = a_plan(
    campaigns=[CampaignPlan(name="a"), CampaignPlan(name="b", account="globex")],
    accounts=(("acme", NO_CAPS), ("globex", NO_CAPS)),
)
SOON_S: Final = 2.0
"""Calm before anything is started: when it begins, all that runs is looked at, which would hide who is forgotten."""


@bug("I6", "I8", plan=a_plan(Crashed(at_s=6.5), campaigns=[MANY]))
def counters_are_written_after_the_transaction() -> Iterator[Swap]:
    def wrong(settle: Any) -> Any:
        async def settle_in_two(self: Any, *args: Any) -> Sequence[Decision]:
            tenants = vars(self._vault.store)["_tenants"]
            before = {name: each.counters for tenant in tenants.values() for name, each in tenant.campaigns.items()}
            decisions: Sequence[Decision] = await settle(self, *args)
            kept = [each for tenant in tenants.values() for name, each in tenant.campaigns.items() if name in before]
            now = [each.counters for each in kept]
            for each in kept:
                each.counters = evolve(before[each.campaign.id], sequence=each.counters.sequence)
            await asyncio.sleep(1.0)
            for each, counters in zip(kept, now, strict=True):
                each.counters = counters
            return decisions

        return settle_in_two

    yield Swap(SimulatedStore, "settle", wrong)


@bug("I9", plan=a_plan(campaigns=[MANY]))
def events_are_told_before_they_are_committed() -> Iterator[Swap]:
    def wrong(settle_together: Any) -> Any:
        async def tell_first(self: Any, waiting: Any) -> Any:
            def decide(*read: Any) -> Decision:
                decision: Decision = self.decide(*read)
                self.publisher.publish(decision.events)
                return decision

            return await settle_together(evolve(self, decide=decide), waiting)

        return tell_first

    yield Swap(Dispatcher, "_settle_together", wrong)
    yield Swap(Dispatcher, "_publish", lambda _: lambda _self, _decision: None)


@bug("I9", plan=a_plan(campaigns=[MANY], faults=Faults(roll_back=0.3)))
def events_of_what_was_rolled_back_are_told() -> Iterator[Swap]:
    def wrong(settle_together: Any) -> Any:
        async def tell_all(self: Any, waiting: Any) -> Any:
            decided: list[Decision] = []

            def decide(*read: Any) -> Decision:
                decided.append(self.decide(*read))
                return decided[-1]

            try:
                return await settle_together(evolve(self, decide=decide), waiting)
            except AdapterFault:
                for each in decided:
                    self.publisher.publish(each.events)
                raise

        return tell_all

    yield Swap(Dispatcher, "_settle_together", wrong)


@bug("I9", plan=a_plan(campaigns=[MANY]))
def only_decisions_with_an_answer_are_told() -> Iterator[Swap]:
    def wrong(publish: Any) -> Any:
        return lambda self, decision: publish(self, decision) if decision.answers else None

    yield Swap(Dispatcher, "_publish", wrong)


@bug("I9", plan=a_plan(Restarted(at_s=12.0), campaigns=[MANY]))
def events_are_numbered_anew_after_a_restart() -> Iterator[Swap]:
    numbers: dict[CampaignId, int] = {}

    def wrong_init(init: Any) -> Any:
        def count_anew(self: Any, view: Any) -> None:
            init(self, view)
            self.tally.sequence = numbers.get(view.campaign.id, 0)

        return count_anew

    def wrong_happen(happen: Any) -> Any:
        def count(self: Any, campaign: Any, event: Any) -> None:
            happen(self, campaign, event)
            numbers[event.campaign_id] = event.sequence

        return count

    yield at_each_start(numbers.clear)
    yield Swap(turn.CampaignTurn, "__init__", wrong_init)
    yield Swap(turn.Turn, "happen", wrong_happen)


@bug("I11", plan=BOTH)
def a_campaign_is_found_by_its_id_alone() -> Iterator[Swap]:
    owners: dict[CampaignId, AccountId] = {}

    def wrong(ask: Any) -> Any:
        def ask_anybody(self: Any, account_id: AccountId, command: Any) -> Any:
            if isinstance(command, CreateCampaign):
                owners[command.campaign_id] = account_id
            if isinstance(command, Operate):
                account_id = owners.get(command.campaign_id, account_id)
            return ask(self, account_id, command)

        return ask_anybody

    yield Swap(Inbox, "ask", wrong)


@bug("I12", plan=a_plan(campaigns=[CampaignPlan(name="c", retries=1, retry_delay_s=60)], phones=RINGS, calm_s=SOON_S))
def nobody_wakes_for_a_retry() -> Iterator[Swap]:
    def wrong(follow: Any) -> Any:
        return lambda self, account_id, decision: follow(self, account_id, evolve(decision, wakes={}))

    yield Swap(Outlook, "follow", wrong)


@bug(
    "I12",
    plan=a_plan(
        campaigns=[CampaignPlan(name="a"), CampaignPlan(name="b")], phones=evolve(CHATS, talk_s=60.0), calm_s=SOON_S
    ),
)
def nobody_waits_for_a_number_that_is_busy() -> Iterator[Swap]:
    def wrong(follow: Any) -> Any:
        return lambda self, account_id, decision: follow(self, account_id, evolve(decision, waits=()))

    yield Swap(Outlook, "follow", wrong)


@bug("I12", plan=a_plan(campaigns=[MANY], calm_s=SOON_S))
def what_has_begun_is_not_looked_at_again() -> Iterator[Swap]:
    def wrong(follow: Any) -> Any:
        return lambda self, account_id, decision: follow(self, account_id, evolve(decision, again=()))

    yield Swap(Outlook, "follow", wrong)


@bug("I7", "I12", plan=a_plan(Sick(at_s=5.06, for_s=20.0), campaigns=[MANY], faults=Faults(refused=1.0), calm_s=60.0))
def reports_are_dropped_when_the_store_fails() -> Iterator[Swap]:
    def wrong(put_back: Any) -> Any:
        def drop(self: Any, batch: Any) -> None:
            for waiting in batch.waiting:
                waiting.reports.clear()
            put_back(self, batch)

        return drop

    yield Swap(Inbox, "put_back", wrong)


PAUSED = tuple(does(70.0 + 4.0 * n, "c", Operation.PAUSE) for n in range(20))
RESUMED = tuple(does(72.0 + 4.0 * n, "c", Operation.RESUME) for n in range(20))
"""So often that one of the pauses meets a claim of the other process between its commit and its send."""


@bug(
    "I4",
    plan=a_plan(
        Stalled(at_s=45.0, for_s=12.0, is_replaced=True),
        *PAUSED,
        *RESUMED,
        campaigns=[CampaignPlan(name="c", numbers=tuple(range(60)), cap=60, retries=3, retry_delay_s=60)],
        faults=Faults(pace_s=1.0),
        phones=RINGS,
        seed=28,
    ),
)
def a_process_that_was_replaced_may_still_write() -> Iterator[Swap]:
    def wrong(_: Any) -> Any:
        async def before_writing(self: Any) -> None:
            await self._pace()

        return before_writing

    yield Swap(SimulatedStore, "_before_writing", wrong)


@bug("I6", "I12", plan=a_plan(campaigns=[MANY]))
def a_row_too_many_is_counted_as_accepted() -> Iterator[Swap]:
    def wrong(create: Any) -> Any:
        return lambda settings, *, total, **more: create(settings, total=total + 1, **more)

    yield Swap(obey, "create", wrong)


@bug("I11", plan=BOTH)
def the_store_reads_for_whoever_asked_first() -> Iterator[Swap]:
    def wrong(right: Any) -> Any:
        return lambda self, account_id: right(self, next(iter(self._tenants), account_id))

    yield Swap(MemoryStore, "_tenant", wrong)
