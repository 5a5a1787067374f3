"""Whole accounts driven at random, with faults, and judged at the phone (no mirror of one module: it tests them all).

The judge knows the settings, the commands and their answers, the orders and the reports, but nothing of what the core
keeps; it counts by itself. That it sees what it must is tested with faults planted in the core.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from attrs import define, evolve
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from kataven_core import campaign as campaign_module
from kataven_core.account import NO_LIMIT, Caps
from kataven_core.attempt import Attempt, receive
from kataven_core.budget import AccountUsage, Allowance, account_allowance
from kataven_core.campaign import Campaign, Operation, Transition, come_due
from kataven_core.contact import Contact, conclude
from kataven_core.cycle import Command, CreateCampaign, Decision, Operate, Order, PutAccount, claim, settle, time_passes
from kataven_core.cycle.turn import CampaignTurn, Turn
from kataven_core.errors import BudgetExhausted
from kataven_core.events import AttemptEnded, CampaignCompleted, CampaignEvent, CampaignFailed, CampaignStarted
from kataven_core.reports import Answered, Doubtful, Ended, Lost, NeverPlaced, Placed, Report, Ringing, Unsent
from kataven_core.retry import RETRYABLE, RetryPolicy
from kataven_core.settings import CampaignSettings
from kataven_core.statuses import CARRIER_OUTCOMES, AttemptState, Outcome
from kataven_core.values import CampaignId

if TYPE_CHECKING:
    from tests.core.cycle.conftest import Desk

ROUNDS_MAX = 300
"""More than any story here can take to its end, once faults stop."""


@define
class Dial:
    """One order: the phone may be ringing until it is told that it is over. ``over_at`` is when it really was."""

    order: Order
    over_at: float
    minute: datetime
    day: datetime
    is_up: bool = False
    outcome: Outcome = Outcome.NO_ANSWER
    ended_at: datetime | None = None
    is_seen: bool = False
    is_doubted: bool = False
    is_told: bool = False
    is_unsent: bool = False

    @property
    def contact(self) -> tuple[str, str]:
        campaign, position, _ = self.order.attempt_id.rsplit(".", 2)
        return campaign, position


class Judge:
    """What may never be, counted from orders, reports, commands and answers alone. ``passed`` is time as it passes."""

    def __init__(self) -> None:
        self.dials: dict[str, Dial] = {}
        self.settings: dict[str, CampaignSettings] = {}
        self.running: set[str] = set()
        self.caps = Caps(concurrent_max=0)
        self.latest: datetime | None = None
        self.seconds: Counter[datetime] = Counter()

    @property
    def open(self) -> list[Dial]:
        return [each for each in self.dials.values() if not each.is_told]

    def hear(self, reports: Iterable[Report]) -> None:
        """Take what the line states, in its order."""
        for report in reports:
            dial = self.dials.get(report.attempt_id)
            if dial is None or dial.is_told:
                continue
            match report:
                case Ended():
                    dial.is_told = True
                    self.seconds[_day(report.at)] += int(report.duration_s or 0)
                case Lost():
                    dial.is_told = True
                case Unsent():
                    dial.is_told = dial.is_unsent = not (dial.is_seen or dial.is_doubted)
                case NeverPlaced():
                    dial.is_told = dial.is_unsent = dial.is_doubted and not dial.is_seen
                case Doubtful():
                    dial.is_doubted = dial.is_doubted or not dial.is_seen
                case Placed() | Ringing() | Answered():
                    dial.is_seen = True

    def follow(self, commands: Iterable[Command], decision: Decision, now: datetime) -> None:
        """I10: keep the books of what runs, move by move, from the answers and then the events of time."""
        for command, answer in zip(commands, decision.answers, strict=True):
            match command, answer:
                case PutAccount(), _:
                    self.caps = command.account.caps
                case CreateCampaign(), Campaign():
                    self.settings[command.campaign_id] = command.settings
                case Operate(operation=Operation.START | Operation.RESUME), Campaign():
                    self._admit(command.campaign_id)
                    if answer.status == "completed":
                        self.running.discard(command.campaign_id)
                case Operate(operation=Operation.PAUSE | Operation.STOP), Campaign():
                    self.running.discard(command.campaign_id)
                case Operate(), BudgetExhausted():
                    wanted = self.settings[command.campaign_id].max_concurrent_calls
                    books = (self.reserved, wanted, self.caps.concurrent_max)
                    assert (answer.reserved, answer.wanted, answer.allowed) == books, "I10: refused by other books"
                    assert self.reserved + wanted > self.caps.concurrent_max, "I10: refused what fits"
        moved = (each for each in decision.answers if isinstance(each, Campaign))
        begun = {each.id for each in moved if each.status == "running"}
        for event in decision.events:
            self._pass(event, begun, now)

    def _pass(self, event: CampaignEvent, begun: set[CampaignId], now: datetime) -> None:
        name = event.campaign_id
        match event:
            case CampaignCompleted() | CampaignFailed():
                self.running.discard(name)
            case CampaignStarted() if name not in begun:
                at = self.settings[name].scheduled_at
                assert at is not None, "I4: started by nobody"
                assert at <= now, "I5: started before its time"
                self._admit(name)

    @property
    def reserved(self) -> int:
        return sum(self.settings[name].max_concurrent_calls for name in self.running)

    def _admit(self, name: str) -> None:
        self.running.add(name)
        assert self.reserved <= self.caps.concurrent_max, "I10: running caps over the budget"

    def see(self, order: Order, now: datetime, passed: float) -> None:
        """Judge a dial at the moment it is ordered."""
        self.latest = max(now, self.latest or now)
        minute = self.latest.replace(second=0)
        dial = Dial(order=order, over_at=passed, minute=minute, day=_day(self.latest))
        rules = self.settings[order.campaign_id]
        assert order.attempt_id not in self.dials, "I2: one attempt, two rings"
        assert order.campaign_id in self.running, "I4: a dial of a campaign that does not run"
        assert all(order.to != each.order.to for each in self.open), "I3: one number in two calls"
        mine = [each for each in self.dials.values() if each.contact == dial.contact]
        assert all(each.is_told for each in mine), "I3: one contact in two calls"
        used = [each for each in mine if not each.is_unsent]
        assert len(used) <= rules.retries_per_contact, "I3: more than 1 + retries dials"
        waits = (passed - each.over_at for each in used)
        assert all(wait >= rules.retry_delay_seconds for wait in waits), "I5: sooner than the retry delay"
        self.dials[order.attempt_id] = dial

    def weigh(self, orders: Iterable[Order]) -> None:
        """I1: hold what is up after these orders against the caps in force."""
        for name in {order.campaign_id for order in orders}:
            up = sum(each.order.campaign_id == name for each in self.open)
            assert up <= self.settings[name].max_concurrent_calls, "I1: over the campaign's cap"
        if orders:
            assert len(self.open) <= self.caps.concurrent_max, "I1: over the account's cap"
            assert self.dials_of("minute") <= self.caps.calls_per_minute, "I1: over the minute's cap"
            assert self.dials_of("day") <= self.caps.daily_calls_max, "I1: over the day's cap"
            assert self.talk_s < self.caps.daily_minutes_max * 60, "I1: over the day's minutes"

    @property
    def talk_s(self) -> int:
        """Count the talk of the calls that ended on the latest day."""
        assert self.latest is not None
        return self.seconds[_day(self.latest)]

    def dials_of(self, window: str) -> int:
        """Count the dials of the latest minute or day, but for the unsent."""
        assert self.latest is not None
        begin = self.latest.replace(second=0) if window == "minute" else _day(self.latest)
        return sum(getattr(each, window) == begin and not each.is_unsent for each in self.dials.values())


def _day(value: datetime) -> datetime:
    return value.replace(hour=0, minute=0, second=0)


FATES = ("placed", "placed", "refused", "doubt, rings", "doubt, silent", "crash before", "crash after")
ENDS = st.sampled_from([Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED, Outcome.CANCELLED, *CARRIER_OUTCOMES])
WHAT_HAPPENS = st.one_of(ENDS, ENDS, st.sampled_from([Ringing, Answered]))
TALKS_S = st.sampled_from([0, 20, 200])
SENSIBLE = {
    "draft": ["start"],
    "running": ["pause", "pause", "stop"],
    "paused": ["resume", "resume", "start", "delete"],
}
NAMES = ("a", "b", "c", "d", "e", "f")


class CampaignMachine(RuleBasedStateMachine):
    new_desk: "type[Desk]"

    def __init__(self) -> None:
        super().__init__()
        self.desk = self.new_desk()
        self.judge = Judge()
        self.names = list(NAMES)
        self.passed = 0.0
        self.was_set_back = False
        self.mail: list[Report] = []
        self.delivered: list[Report] = []
        self.commands: list[Command] = [self.desk.put(concurrent_max=6)]
        self.fates: list[str] = []
        self.is_sound = True
        self.go()

    # What people do.

    @initialize(
        numbers=st.lists(st.integers(0, 7), min_size=3, max_size=6),
        retries=st.integers(0, 2),
        shared=st.integers(0, 3),
    )
    def begin(self, numbers: list[int], retries: int, shared: int) -> None:
        """Begin with three campaigns that share some numbers; the last is scheduled."""
        self.create(3, numbers, retries, None, "agent", starts=True)
        self.create(2, [*numbers[:shared], 8, 9], 2 - retries, None, "other", starts=True)
        self.create(1, numbers[:1], retries, 90, "agent", starts=False)

    @precondition(lambda self: self.names)
    @rule(
        calls=st.integers(1, 4),
        numbers=st.lists(st.integers(0, 7), min_size=1, max_size=6),
        retries=st.integers(0, 2),
        in_s=st.sampled_from([None, None, None, 30, 300]),
        agent=st.sampled_from(["agent", "other"]),
        starts=st.sampled_from([True, True, False]),
    )
    def create(
        self, calls: int, numbers: list[int], retries: int, in_s: int | None, agent: str, *, starts: bool
    ) -> None:
        name = self.names.pop(0)
        command = self.desk.create(
            name,
            numbers,
            max_concurrent_calls=calls,
            retries_per_contact=retries,
            retry_delay_seconds=60,
            scheduled_at=in_s and self.desk.now + timedelta(seconds=in_s),
            agent_id=agent,
        )
        self.commands.append(command)
        if starts:
            self.commands.append(self.desk.operate(name, "start"))
        self.go()

    @rule(which=st.integers(0, 9), nth=st.integers(0, 9), at_once=st.booleans())
    def operate(self, which: int, nth: int, *, at_once: bool) -> None:
        """Do something that makes sense, or now and then anything."""
        names = [*self.desk.campaigns, "nobody"]
        name = names[which % len(names)]
        sensible = SENSIBLE.get(self.desk.status(name), ()) if name != "nobody" else ()
        choices = [*sensible, *sensible, *Operation]
        self.commands.append(self.desk.operate(name, choices[nth % len(choices)]))
        if at_once:
            self.go()

    @rule(
        caps=st.fixed_dictionaries(
            {},
            optional={
                "concurrent_max": st.sampled_from([6, 5, 4, 3, 1, 0]),
                "calls_per_minute": st.sampled_from([4, 3, 2, 1, 0]),
                "daily_calls_max": st.sampled_from([40, 20, 10, 5, 0]),
                "daily_minutes_max": st.sampled_from([9, 5, 0]),
            },
        ),
        paused=st.sampled_from([*[""] * 14, "agent", "other"]),
        at_once=st.booleans(),
    )
    def put(self, caps: dict[str, int], paused: str, *, at_once: bool) -> None:
        self.commands.append(self.desk.put(paused=paused, **caps))
        if at_once:
            self.go()

    # What the line and the phones do.

    @rule(fates=st.lists(st.sampled_from(FATES), min_size=2, max_size=6))
    def trouble(self, fates: list[str]) -> None:
        """Say how the next orders will fare."""
        self.fates = fates

    @rule(calls=st.lists(st.tuples(WHAT_HAPPENS, TALKS_S), min_size=1, max_size=4))
    def phones(self, calls: list[tuple[Outcome | type[Ringing | Answered], int]]) -> None:
        """Let something happen to the calls that are up."""
        for dial, (what, talk_s) in zip(self.calls_up, calls, strict=False):
            if isinstance(what, Outcome):
                self.hang_up(dial, what, talk_s)
            else:
                self.mail.append(what(attempt_id=dial.order.attempt_id, at=self.desk.now))

    @property
    def calls_up(self) -> list[Dial]:
        return [each for each in self.judge.dials.values() if each.is_up]

    def hang_up(self, dial: Dial, outcome: Outcome, talk_s: int) -> None:
        dial.is_up, dial.outcome, dial.ended_at, dial.over_at = False, outcome, self.desk.now, self.passed
        self.mail.append(
            Ended(attempt_id=dial.order.attempt_id, at=self.desk.now, outcome=outcome, duration_s=float(talk_s))
        )

    @rule(which=st.integers(0, 9), forgets=st.booleans())
    def reconcile(self, which: int, *, forgets: bool) -> None:
        if self.judge.open:
            self.mail.append(self.look_up(self.judge.open[which % len(self.judge.open)], forgets=forgets))

    def look_up(self, dial: Dial, *, forgets: bool = False) -> Report:
        """Say what the line knows of a dial that nobody was told the end of."""
        name = dial.order.attempt_id
        if dial.is_up:
            return Placed(attempt_id=name, at=self.desk.now, call_id=f"call {name}")
        if forgets:
            return Lost(attempt_id=name, at=self.desk.now)
        if dial.ended_at:
            return Ended(attempt_id=name, at=dial.ended_at, outcome=dial.outcome, duration_s=0.0)
        return NeverPlaced(attempt_id=name, at=self.desk.now)

    def send(self, order: Order, fate: str) -> None:
        dial, now = self.judge.dials[order.attempt_id], self.desk.now
        if fate in {"placed", "doubt, rings", "crash after"}:
            dial.is_up = True
        match fate:
            case "placed":
                self.mail.append(Placed(attempt_id=order.attempt_id, at=now, call_id=f"call {order.attempt_id}"))
            case "refused":
                self.mail.append(Unsent(attempt_id=order.attempt_id, at=now))
            case "doubt, rings" | "doubt, silent":
                self.mail.append(Doubtful(attempt_id=order.attempt_id, at=now))

    def crash(self) -> None:
        """Forget all that is not stored; doubt all that is open."""
        self.mail = [Doubtful(attempt_id=each.order.attempt_id, at=self.desk.now) for each in self.judge.open]
        self.commands = []

    # What the host does.

    @rule(
        rounds=st.integers(2, 6), ends=st.lists(ENDS, min_size=1, max_size=5), wait_s=st.sampled_from([10, 30, 60, 61])
    )
    def work(self, rounds: int, ends: list[Outcome], wait_s: int) -> None:
        """Let some time pass in which nothing is amiss."""
        for _ in range(rounds):
            self.let_pass(wait_s)
            for dial, outcome in zip(self.calls_up, ends, strict=False):
                self.hang_up(dial, outcome, 10)
            reports, self.mail = self.mail, []
            self.go(reports)

    def let_pass(self, seconds: int) -> None:
        self.desk.wait(seconds)
        self.passed += max(seconds, 0)
        self.was_set_back |= seconds < 0

    @rule(
        wait_s=st.sampled_from([0, 1, 30, 60, 61, 300, 86400, -3]),
        post=st.sampled_from(["all", "all", "looked up", "reversed", "first", "lost", "repeated", "with strangers"]),
        line_is_up=st.sampled_from([True, True, True, False]),
        lean=st.booleans(),
        retry_jitter_s=st.sampled_from([0.0, 0.5]),
    )
    def turn(self, wait_s: int, post: str, **how: Any) -> None:
        self.let_pass(wait_s)
        reports, self.mail = self.mail, []
        match post:
            case "looked up":
                reports += map(self.look_up, self.judge.open)
            case "reversed":
                reports.reverse()
            case "first":
                reports, self.mail = reports[:1], reports[1:]
            case "lost":
                reports = []
            case "repeated":
                reports = [*reports, *self.delivered[-6:], *reports]
            case "with strangers":
                reports = [self.desk.ended("a.99.1"), *reports]
        self.go(reports, **how)

    def go(self, reports: Iterable[Report] = (), **how: Any) -> Decision:
        """Take one turn, judge it, and only then send its orders."""
        self.is_sound = False
        commands, self.commands = self.commands, []
        self.judge.hear(reports)
        decision = self.desk.turn(*reports, *commands, **how)
        self.judge.follow(commands, decision, self.desk.now)
        for order in decision.orders:
            self.judge.see(order, self.desk.now, self.passed)
            self.look_back(order)
        self.judge.weigh(decision.orders)
        assert how.get("line_is_up", True) or not decision.orders, "a dial while the line is down"
        self.compare()
        self.delivered += reports
        for order in decision.orders:
            fate = self.fates.pop() if self.fates else "placed"
            self.send(order, fate)
            if fate.startswith("crash"):
                self.crash()
                break
        self.is_sound = True
        return decision

    def look_back(self, order: Order) -> None:
        """I5: hold the record of a dial against the records of those before it, whatever the clock did."""
        rules, mine = self.judge.settings[order.campaign_id], self.desk.attempts[order.attempt_id]
        for each in self.desk.attempts.values():
            if (each.campaign_id, each.position) == (mine.campaign_id, mine.position) and each.outcome in RETRYABLE:
                assert each.ended_at is not None
                waited = mine.claimed_at - each.ended_at
                assert waited >= timedelta(seconds=rules.retry_delay_seconds), "I5: a record of too early a retry"

    def compare(self) -> None:
        """Hold what the core keeps against what the judge has counted."""
        desk, usage = self.desk, self.desk.usage
        assert usage.calls_in_flight == len(self.judge.open), "I7: other slots are held than may ring"
        running = {name for name in desk.campaigns if desk.status(name) == "running"}
        assert self.judge.running == running, "I4: others run than were told to"
        if self.judge.latest is None:
            return
        self.judge.latest = max(self.judge.latest, desk.now)
        counted = self.judge.dials_of("minute"), self.judge.dials_of("day")
        kept = usage.calls_this_minute, usage.calls_today
        assert all(mine <= theirs for mine, theirs in zip(counted, kept, strict=True)), "I8: dials not counted"
        if not self.was_set_back:
            assert counted == kept, "I8: dials counted wrongly"
            assert usage.seconds_today == self.judge.seconds[_day(desk.now)], "I8: talk counted wrongly"

    # The end.

    def teardown(self) -> None:
        """I12, I7: once faults stop, every contact comes to its end, and no slot is held."""
        if not self.is_sound:
            return
        self.commands, self.fates = [self.desk.put()], []
        for _ in range(ROUNDS_MAX):
            if not self.goes_on():
                break
            for dial in self.judge.open:
                if dial.is_up:
                    self.hang_up(dial, Outcome.BUSY, 0)
            in_doubt = [Doubtful(attempt_id=each.order.attempt_id, at=self.desk.now) for each in self.judge.open]
            self.go([*in_doubt, *map(self.look_up, self.judge.open), *self.mail])
            self.mail = []
            self.let_pass(30)
        assert not self.goes_on(), "I12: no progress once faults have stopped"
        assert self.desk.usage.calls_in_flight == 0, "I7: a slot is still held"

    def goes_on(self) -> bool:
        """Tell whether anything is still to be done: a call, a schedule, a contact of a campaign that is not held."""
        campaigns = self.desk.campaigns.values()
        free = {each.id for each in campaigns if not each.is_deleted and each.status not in {"draft", "paused"}}
        waiting = (each.campaign_id in free and not each.status.is_terminal for each in self.desk.contacts.values())
        return bool(self.commands or self.judge.open or self.judge.running or any(waiting))


def machine(desk: "type[Desk]") -> type[CampaignMachine]:
    class Machine(CampaignMachine):
        new_desk = desk

    return Machine


def test_whatever_happens_no_promise_is_broken(new_desk: "type[Desk]") -> None:
    run_state_machine_as_test(machine(new_desk), settings=settings(stateful_step_count=60))


# Faults in the core itself, each of which must be seen.


def without_cap(cap: str) -> Callable[..., Allowance]:
    return lambda caps, usage, now: account_allowance(evolve(caps, **{cap: NO_LIMIT}), usage, now)


def receive_again(attempt: Attempt, report: Report, now: datetime) -> Attempt:
    return receive(attempt if attempt.is_open else evolve(attempt, state=AttemptState.LIVE), report, now)


def doubt_is_unsent(attempt: Attempt, report: Report, now: datetime) -> Attempt:
    return receive(
        attempt, Unsent(attempt_id=report.attempt_id, at=report.at) if isinstance(report, Doubtful) else report, now
    )


def retry_from_the_claim(contact: Contact, **how: Any) -> Contact:
    return conclude(contact, **how | {"ended_at": contact.last_attempt_at})


def retry_whatever_has_become_of_the_campaign(contact: Contact, **how: Any) -> Contact:
    return conclude(contact, **how | {"policy": how["policy"] or RetryPolicy.fixed(retries=2, delay_s=60)})


def due_whoever_is_on_the_phone(turn: Turn, campaign: CampaignTurn) -> Iterator[Contact]:
    return (each for each in campaign.candidates if each.is_due(turn.now))


def runs_or_ran(campaign: CampaignTurn) -> bool:
    now, before = campaign.campaign.status, campaign.before and campaign.before.status
    return now == "running" or (now == "paused" and before == "running")


def admit_all(**_: int) -> None:
    pass


def come_due_early(campaign: Campaign, *, now: datetime, **how: Any) -> Transition:
    return come_due(campaign, now=max(now, campaign.scheduled_at or now), **how)


def never_finish(campaign: Campaign, **_: object) -> Transition:
    return Transition(campaign, ())


def tell_no_ends(turn: Turn, of: CampaignTurn, event: CampaignEvent) -> None:
    of.tally.add(event)
    turn.events += [] if isinstance(event, AttemptEnded) else [event]


def cancel_nobody(turn: Turn, *, decision: Callable[[Turn], Decision] = Turn.decision) -> Decision:
    return evolve(decision(turn), cancelled=())


def give_nothing_back(usage: AccountUsage, **_: object) -> AccountUsage:
    return evolve(usage, calls_in_flight=usage.calls_in_flight - 1)


class Fault(NamedTuple):
    """What is put where, and the sentence under which it is seen."""

    where: object
    name: str
    fault: object
    seen_as: str


FAULTS = {
    "the account's cap is overlooked": Fault(
        claim, "account_allowance", without_cap("concurrent_max"), "I1: over the account's cap"
    ),
    "the minute's cap is overlooked": Fault(
        claim, "account_allowance", without_cap("calls_per_minute"), "I1: over the minute's cap"
    ),
    "the day's cap is overlooked": Fault(
        claim, "account_allowance", without_cap("daily_calls_max"), "I1: over the day's cap"
    ),
    "the day's minutes are overlooked": Fault(
        claim, "account_allowance", without_cap("daily_minutes_max"), "I1: over the day's minutes"
    ),
    "a retry has the id of the first attempt": Fault(
        claim, "attempt_id", "{}.{}.1".format, "I2: an attempt is not as it was read"
    ),
    "busy numbers are dialled": Fault(claim, "_due", due_whoever_is_on_the_phone, "I3: one number in two calls"),
    "a claim wins over a pause": Fault(
        CampaignTurn, "is_running", property(runs_or_ran), "I4: a dial of a campaign that does not run"
    ),
    "a retry waits from the claim": Fault(settle, "conclude", retry_from_the_claim, "I5: sooner than the retry delay"),
    "a schedule comes due early": Fault(time_passes, "come_due", come_due_early, "I5: started before its time"),
    "a stop leaves contacts pending": Fault(Turn, "decision", cancel_nobody, "I6: contacts counted wrongly"),
    "doubt is taken for unsent": Fault(
        settle, "receive", doubt_is_unsent, "I7: other slots are held than may ring|I8: dials not counted"
    ),
    "an end counts twice": Fault(settle, "receive", receive_again, "I7: other slots are held than attempts are open"),
    "unsent gives nothing back": Fault(AccountUsage, "after_unsent", give_nothing_back, "I8: dials counted wrongly"),
    "an end is not told": Fault(Turn, "happen", tell_no_ends, "I9: events are numbered with a gap"),
    "the budget is overlooked": Fault(campaign_module, "admit", admit_all, "I10: running caps over the budget"),
    "no campaign is ever completed": Fault(time_passes, "finish", never_finish, "I12: no progress"),
    "a stopped campaign's calls are retried": Fault(
        settle, "conclude", retry_whatever_has_become_of_the_campaign, "I12: no progress"
    ),
}


@pytest.mark.parametrize("planted", FAULTS.values(), ids=list(FAULTS))
def test_a_fault_planted_in_the_core_is_seen(
    new_desk: "type[Desk]", monkeypatch: pytest.MonkeyPatch, planted: Fault
) -> None:
    monkeypatch.setattr(planted.where, planted.name, planted.fault)
    quick = settings(
        stateful_step_count=60,
        max_examples=2000,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    with pytest.raises(AssertionError, match=planted.seen_as):
        run_state_machine_as_test(machine(new_desk), settings=quick)
