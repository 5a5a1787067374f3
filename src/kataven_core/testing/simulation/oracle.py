"""The judge: hears what phones hear and what is committed, and notes every breach of an invariant.

It never raises, as an error in the wrong task would be swallowed: ``violations`` are looked at when the run is over.

===  ===========================================================================================================
I1   more calls that are or may be up than the caps in force at a claim
I2   an attempt that is asked for twice, or rings twice
I3   a contact, or a number of an account, in two calls at once; more dials of a contact than 1 + its retries
I4   a call that is asked for, or is being asked for, after pause, stop or delete was answered
I5   a dial before its campaign's time, or sooner than the retry delay after the last call's end
I6   contacts that do not sum up to the accepted rows
I7   a slot that is held, or a phone that rings, when all is over
I8   an attempt that changes after its end; counters that are not the fold over contacts and attempts
I9   events other than those of what was committed, out of order, or with a gap
I10  running campaigns that are admitted beyond their account's budget
I11  an account that sees, changes or is told what another's is
I12  a campaign that does not go on although nothing is in the way; a contact that comes to no end
===  ===========================================================================================================
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from kataven_core import (
    AccountView,
    AttemptId,
    CampaignEvent,
    CampaignId,
    CampaignStatus,
    Decision,
    Operation,
    Order,
    PutAccount,
)
from kataven_core.ports import AccountTurn

from . import audit
from .clock import VirtualClock
from .ledger import Book, Ledger
from .loop import Process, current_process
from .violation import Violation

_QUIET = (Operation.PAUSE, Operation.STOP, Operation.DELETE)
_INSTANT = timedelta(milliseconds=1)


class Ended(NamedTuple):
    """When a contact's last call was over, by both clocks."""

    at: datetime
    at_s: float


class Oracle:
    """Judges one run; ``tell`` hears all that happens in it, line by line."""

    def __init__(self, clock: VirtualClock, tell: Callable[[str], None] | None = None) -> None:
        self._tell = tell
        self.ledger = Ledger()
        self.violations: list[Violation] = []
        self.coverage: Counter[tuple[str, str]] = Counter()
        self.heard: Counter[AttemptId] = Counter()
        """How often phones have rung for each attempt."""
        self.last_news_s = 0.0
        self._clock = clock
        self._trace = sha256()
        self.asked_for: Counter[AttemptId] = Counter()
        self._live: dict[AttemptId, Order] = {}
        self._dials: Counter[tuple[CampaignId, int]] = Counter()
        self._ended: dict[tuple[CampaignId, int], Ended] = {}
        self._quiet: dict[CampaignId, str] = {}
        self._starting: Counter[CampaignId] = Counter()
        self._started_by_hand: set[CampaignId] = set()
        self._sequences: dict[CampaignId, int] = {}
        self._under_way: dict[AttemptId, tuple[CampaignId, Process | None]] = {}
        self._idlers: dict[CampaignId, int] = {}
        self._to_publish: dict[Process, list[CampaignEvent]] = {}

    @property
    def trace_hash(self) -> str:
        """What happened, in which order and when, as one hash."""
        return self._trace.hexdigest()

    def note(self, *what: object) -> None:
        """Take something into the trace."""
        line = " ".join((f"{self._clock.monotonic():.6f}", *map(str, what)))
        self._trace.update(f"{line}\n".encode())
        if self._tell:
            self._tell(line)

    def breach(self, invariant: str, sentence: str) -> None:
        """Note a breach."""
        self.violations.append(Violation(invariant, sentence, self._clock.monotonic()))

    def _breach_each(self, breaches: Iterator[audit.Breach]) -> None:
        for invariant, sentence in breaches:
            self.breach(invariant, sentence)

    def met(self, fault: str, attempt_id: AttemptId | None = None) -> None:
        """Note which states a fault has met: the attempt's, or those of all that are open."""
        self.note("fault", fault, attempt_id)
        if attempt_id is not None:
            attempt = self.ledger.attempt(attempt_id)
            self.coverage[fault, attempt.state if attempt else "none"] += 1
            return
        states = {each.state.value for each in self.ledger.open()}
        for state in sorted(states) or ["idle"]:
            self.coverage[fault, state] += 1

    # What phones hear.

    def asked(self, order: Order) -> None:
        """Judge a process that asks for a call."""
        self.note("asked", order.attempt_id)
        self._under_way[order.attempt_id] = order.campaign_id, current_process()
        self.asked_for[order.attempt_id] += 1
        if self.asked_for[order.attempt_id] > 1:
            self.breach("I2", f"{order.attempt_id} is asked for {self.asked_for[order.attempt_id]} times")
        if order.campaign_id in self._quiet:
            self.breach("I4", f"{order.attempt_id} is asked for after {self._quiet[order.campaign_id]} was answered")
        attempt = self.ledger.attempt(order.attempt_id)
        if attempt is None or attempt.phone_number != order.to or attempt.account_id != order.account_id:
            self.breach("I9", f"{order.attempt_id} is asked for, and no such claim is durable")

    def answered(self, order: Order) -> None:
        """Hear that a process waits no longer for what became of a call that it has asked for."""
        self._under_way.pop(order.attempt_id, None)

    def rings(self, order: Order) -> None:
        """Judge a phone that begins to ring."""
        self.last_news_s = self._clock.monotonic()
        self.note("ring", order.attempt_id)
        self._dials[_contact(order)] += 1
        self.heard[order.attempt_id] += 1
        if self.heard[order.attempt_id] > 1:
            self.breach("I2", f"{order.attempt_id} rings {self.heard[order.attempt_id]} times")
        for other in self._live.values():
            if (other.account_id, other.to) == (order.account_id, order.to):
                self.breach("I3", f"{order.attempt_id} rings while {other.attempt_id} is in a call to this number")
        book = self.ledger.books.get(order.campaign_id)
        if book and self._dials[_contact(order)] > 1 + book.campaign.retries_per_contact:
            self.breach("I3", f"{order.attempt_id} is dial {self._dials[_contact(order)]} of its contact")
        self._judge_delay(order, book)
        self._live[order.attempt_id] = order

    def _judge_delay(self, order: Order, book: Book | None) -> None:
        """Judge how long after its contact's last call a phone rings. One clock may have been set, not both."""
        last = self._ended.get(_contact(order))
        attempt = self.ledger.attempt(order.attempt_id)
        if last is None or book is None or attempt is None:
            return
        delay = timedelta(seconds=book.campaign.retry_delay_seconds) - _INSTANT
        passed = timedelta(seconds=self._clock.monotonic() - last.at_s)
        if attempt.claimed_at < last.at + delay and passed < delay:
            self.breach("I5", f"{order.attempt_id} rings {passed.total_seconds():.1f} s after its contact's last call")

    def answers(self, order: Order) -> None:
        """Hear that somebody picks up."""
        self.last_news_s = self._clock.monotonic()
        self.note("answer", order.attempt_id)

    def ends(self, order: Order) -> None:
        """Hear that a call is over."""
        self.last_news_s = self._clock.monotonic()
        self.note("end", order.attempt_id)
        self._live.pop(order.attempt_id, None)
        self._ended[_contact(order)] = Ended(self._clock.now(), self._clock.monotonic())

    # What people do.

    def demanded(self, campaign_id: CampaignId, operation: Operation) -> None:
        """Hear what somebody asks for: from now on it may happen, until it is ``granted`` or ``refused``."""
        self.note("demand", campaign_id, operation)
        book = self.ledger.books.get(campaign_id)
        self.coverage[operation.value, book.campaign.status if book else "none"] += 1
        if operation not in _QUIET:
            self._quiet.pop(campaign_id, None)
            self._starting[campaign_id] += 1
            self._started_by_hand.add(campaign_id)

    def settled(self, campaign_id: CampaignId, operation: Operation) -> None:
        """Hear that what was asked for will not happen any more, if it has not."""
        if operation not in _QUIET:
            self._starting[campaign_id] -= 1

    def granted(self, campaign_id: CampaignId, operation: Operation) -> None:
        """Hear what somebody was answered."""
        self.note("answered", campaign_id, operation)
        book = self.ledger.books.get(campaign_id)
        is_quiet = book is None or book.campaign.status is not CampaignStatus.RUNNING
        if operation in _QUIET and is_quiet and not self._starting[campaign_id]:
            self._quiet[campaign_id] = operation.value
            mine = campaign_id, current_process()  # requests of a process that is gone may still be on their way
            for name in (name for name, whose in self._under_way.items() if whose == mine):
                self.breach("I4", f"{name} is being asked for when {operation} is answered")

    # What is decided.

    def saw(self, turn: AccountTurn, view: AccountView) -> None:
        """Judge what a decision is made on."""
        strangers = {each.campaign.account_id for each in view.campaigns} | {
            each.account_id for each in view.attempts.values()
        }
        if view.account_id != turn.account_id or strangers - {turn.account_id}:
            self.breach("I11", f"a decision for {turn.account_id} sees what is {strangers}'s")

    def committed(
        self, process: Process, turns: Sequence[AccountTurn], decisions: Sequence[Decision], now: datetime
    ) -> None:
        """Judge what is durable now."""
        for turn, decision in zip(turns, decisions, strict=True):
            if decision.counters or decision.account:
                self.last_news_s = self._clock.monotonic()
            self.note("commit", turn.account_id, *(each.after.id + each.after.state for each in decision.attempts))
            self._breach_each(audit.foreign(self.ledger, turn.account_id, decision))
            self._breach_each(audit.undone(self.ledger, decision))
            were_running = {name for name, book in self.ledger.books.items() if book.is_running}
            most = self._largest_budget(turn)
            self.ledger.write(turn.account_id, decision)
            begun = [each for each in decision.campaigns if self.ledger.books[each.id].is_running]
            begun = [each for each in begun if each.id not in were_running]
            self._breach_each(audit.admitted(self.ledger, begun, most, now, self._started_by_hand))
            self._breach_each(audit.claimed(self.ledger, turn.account_id, decision, [*self._live.values()]))
            for counters in decision.counters:
                self._breach_each(audit.miscounted(self.ledger.books[counters.campaign_id]))
            self._judge_events(decision)
            self._to_publish.setdefault(process, []).extend(decision.events)

    def _largest_budget(self, turn: AccountTurn) -> int:
        """Give the most that the account may reserve at any moment of this turn: before it, and after each put."""
        puts = [each.account for each in turn.inputs.commands if isinstance(each, PutAccount)]
        known = self.ledger.accounts.get(turn.account_id)
        return max((each.caps.concurrent_max for each in [*puts, *([known] if known else ())]), default=0)

    # What is told.

    def _judge_events(self, decision: Decision) -> None:
        for event in decision.events:
            last = self._sequences.get(event.campaign_id, 0)
            if event.sequence != last + 1:
                self.breach("I9", f"event {event.sequence} of {event.campaign_id} follows {last}")
            self._sequences[event.campaign_id] = event.sequence
        for counters in decision.counters:
            if counters.sequence != self._sequences.get(counters.campaign_id, 0):
                self.breach("I9", f"{counters.campaign_id} counts {counters.sequence} events")

    def told(self, process: Process, events: Sequence[CampaignEvent]) -> None:
        """Judge what a process tells its listeners: all of what it has committed, and nothing else."""
        waiting = self._to_publish.get(process, [])
        for event in events:
            if not waiting or waiting[0] != event:
                self.breach("I9", f"event {event.sequence} of {event.campaign_id} is told, and was not committed next")
                return
            waiting.pop(0)

    # The end.

    def at_the_end(self) -> None:
        """Judge what is left when nothing is to come any more."""
        for name in self._live:
            self.breach("I7", f"the phone of {name} still rings in the end")
        for book in self.ledger.books.values():
            self._breach_each(audit.left_over(book))

    def look_for_idlers(self) -> None:
        """Judge who could dial, in calm times, and has not since this was looked at before."""
        idlers = {book.campaign.id: book.dials for book in self.ledger.idlers(self._clock.now())}
        for name, dials in idlers.items():
            if self._idlers.get(name) == dials:
                self.breach("I12", f"{name} has somebody to dial and a slot to do it with, and dials nobody")
        self._idlers = idlers

    def untold(self, process: Process) -> Iterator[CampaignEvent]:
        """Give what a process that lives has committed and not told."""
        yield from self._to_publish.get(process, [])


def _contact(order: Order) -> tuple[CampaignId, int]:
    """Give whose phone it is: an attempt's id ends with the position of its contact and a count."""
    return order.campaign_id, int(order.attempt_id.rsplit(".", 2)[1])
