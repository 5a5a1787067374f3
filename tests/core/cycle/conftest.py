"""What the tests of the cycle share: one account's store, in plain dicts, that takes decisions to the letter."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from attrs import evolve

from kataven_core import attempt, campaign, contact, counters
from kataven_core.account import Account, Agent, AgentStatus, Caps, OutboundNumber
from kataven_core.attempt import Attempt
from kataven_core.budget import AccountUsage
from kataven_core.campaign import Campaign, Operation
from kataven_core.contact import Contact
from kataven_core.counters import Counters
from kataven_core.cycle import (
    AccountView,
    CampaignView,
    Command,
    CreateCampaign,
    Decision,
    Inputs,
    Operate,
    PutAccount,
    candidates_wanted,
    decide,
)
from kataven_core.errors import KatavenError
from kataven_core.events import AttemptEvent, CampaignEvent
from kataven_core.phone_number import PhoneNumber
from kataven_core.receipts import Once, Receipt
from kataven_core.reports import Ended, Report
from kataven_core.settings import campaign_settings
from kataven_core.statuses import CampaignStatus, ContactStatus, Outcome
from kataven_core.values import AccountId, AttemptId, CampaignId, ContactId, contact_id

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
COMMANDS = (PutAccount, CreateCampaign, Operate)


class Desk:
    """One account: what is stored of it, its clock, and the events that were told.

    ``turn`` reads, decides twice (the same must come of it), writes what was decided only where the store still holds
    what was before, and checks the laws that hold at any moment.
    """

    def __init__(self) -> None:
        self.now = NOON
        self.account: Account | None = None
        self.usage = AccountUsage.empty(self.now)
        self.campaigns: dict[CampaignId, Campaign] = {}
        self.tallies: dict[CampaignId, Counters] = {}
        self.contacts: dict[ContactId, Contact] = {}
        self.staged: dict[ContactId, Contact] = {}
        self.attempts: dict[AttemptId, Attempt] = {}
        self.receipts: dict[tuple[str, str], Receipt] = {}
        self.events: list[CampaignEvent] = []
        self.dialled: list[str] = []
        self._told = Told()
        self._numbers = 0

    # What may come in.

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def put(self, **changes: Any) -> PutAccount:
        """Give the account two agents and a number, but for one that is gone, paused, or closed to calls; and caps."""
        gone, paused, closed = (changes.pop(how, "") for how in ("gone", "paused", "closed"))
        agents = (
            Agent(id=name, status=AgentStatus.PAUSED if name == paused else AgentStatus.ACTIVE, route=f"sip:{name}")
            for name in ("agent", "other")
            if name != gone
        )
        numbers = (
            OutboundNumber(id=name, e164=PhoneNumber("+14155550100"), outbound_enabled=name != closed)
            for name in ("line",)
            if name != gone
        )
        account = Account(
            id=AccountId("acme"), caps=Caps(**changes), agents=tuple(agents), phone_numbers=tuple(numbers)
        )
        return PutAccount(account=account)

    def create(self, name: str, contacts: int | Iterable[int] = 1, **settings: Any) -> CreateCampaign:
        """Stage the contacts of a campaign: so many with numbers of their own, or one with each of these."""
        numbers = range(self._numbers, self._numbers + contacts) if isinstance(contacts, int) else list(contacts)
        self._numbers = max([self._numbers, *(number + 1 for number in numbers)])
        for position, number in enumerate(numbers):
            row = Contact(
                campaign_id=CampaignId(name),
                position=position,
                phone_number=PhoneNumber(f"+1415{number:07}"),
                custom_fields={"row": str(position)},
                updated_at=self.now,
            )
            self.contacts[row.id] = self.staged[row.id] = row
        return CreateCampaign(
            campaign_id=CampaignId(name),
            settings=campaign_settings(
                now=self.now, **{"name": name, "agent_id": "agent", "phone_number_id": "line"} | settings
            ),
            total=len(numbers),
            created_by="key",
        )

    def operate(self, name: str, operation: str) -> Operate:
        return Operate(campaign_id=CampaignId(name), operation=Operation(operation))

    def once(self, key: str = "k", *, scope: str = "POST", fingerprint: str = "f", note: str = "") -> Once:
        return Once(scope=scope, key=key, fingerprint=fingerprint, note=note)

    def ended(self, name: str, outcome: Outcome = Outcome.ANSWERED, duration_s: float | None = 0.0) -> Ended:
        return Ended(attempt_id=AttemptId(name), at=self.now, outcome=outcome, duration_s=duration_s)

    # One turn.

    def turn(
        self,
        *inputs: Report | Command,
        line_is_up: bool = True,
        retry_jitter_s: float = 0.0,
        lean: bool = False,
        only: Iterable[str] | None = None,
    ) -> Decision:
        """Decide on all; ``lean``: on all that run, read sparingly; ``only``: on these and those that inputs name."""
        taken = Inputs(
            reports=tuple(each for each in inputs if not isinstance(each, COMMANDS)),
            commands=tuple(each for each in inputs if isinstance(each, COMMANDS)),
            line_is_up=line_is_up,
            retry_jitter_s={each.attempt_id: retry_jitter_s for each in inputs if not isinstance(each, COMMANDS)},
        )
        if lean:
            only = [name for name, each in self.campaigns.items() if each.status is CampaignStatus.RUNNING]
        view = self.view() if only is None else self.lean_view(taken, only)
        decision = decide(view, taken, self.now)
        assert _plain(decide(view, taken, self.now)) == _plain(decision), "the same arguments, another decision"
        self.write(decision)
        self.check()
        return decision

    def begin(self, name: str, contacts: int | Iterable[int] = 1, **settings: Any) -> None:
        """Have a campaign running that has dialled nobody yet."""
        self.turn(self.create(name, contacts, **settings), self.operate(name, "start"), line_is_up=False)

    def view(self) -> AccountView:
        """Read all there is."""
        return AccountView(
            account_id=AccountId("acme"),
            account=self.account,
            usage=self.usage,
            reserved=self.reserved,
            campaigns=tuple(
                CampaignView(
                    campaign=each,
                    counters=self.tallies[each.id],
                    candidates=self.due(each),
                    next_retry_at=self.next_retry_at(each),
                )
                for each in self.campaigns.values()
            ),
            attempts=MappingProxyType(self.attempts),
            contacts=MappingProxyType(self.contacts),
            busy_numbers=self.busy_numbers,
            receipts=self.receipts,
        )

    def lean_view(self, inputs: Inputs, named_besides: Iterable[str] = ()) -> AccountView:
        """Read no more than a view must hold."""
        named = [self.attempts[each.attempt_id] for each in inputs.reports if each.attempt_id in self.attempts]
        theirs = {each.campaign_id for each in named}
        ends = Counter(self.attempts[name].campaign_id for name in inputs.ending & self.attempts.keys())
        asked = {each.campaign_id for each in inputs.commands if not isinstance(each, PutAccount)} | {*named_besides}
        account_changes = any(isinstance(each, PutAccount) for each in inputs.commands)
        views = []
        for each in self.campaigns.values():
            tally, runs = self.tallies[each.id], each.status is CampaignStatus.RUNNING
            has_come = each.status is CampaignStatus.SCHEDULED and each.scheduled_at and each.scheduled_at <= self.now
            if each.id in asked or each.id in theirs or has_come or (runs and account_changes):
                wanted = candidates_wanted(each, tally, ends[each.id])
                candidates = self.first_due(each, wanted) if runs else ()
                retry_at = self.next_retry_at(each) if runs else None
                views.append(CampaignView(campaign=each, counters=tally, candidates=candidates, next_retry_at=retry_at))
        keys = {each.once.name for each in inputs.commands if not isinstance(each, PutAccount) and each.once}
        seen = {row.phone_number for view in views for row in view.candidates}
        return AccountView(
            account_id=AccountId("acme"),
            account=self.account,
            usage=self.usage,
            reserved=self.reserved,
            campaigns=tuple(views),
            attempts={each.id: each for each in named},
            contacts={
                row.id: row for row in (self.contacts[contact_id(each.campaign_id, each.position)] for each in named)
            },
            busy_numbers=self.busy_numbers & seen,
            receipts={name: each for name, each in self.receipts.items() if name in keys},
        )

    def due(self, of: Campaign) -> tuple[Contact, ...]:
        """Give the contacts that are due: retries by time, then fresh ones in file order."""
        due = [each for each in self.contacts.values() if each.campaign_id == of.id and each.is_due(self.now)]
        due.sort(key=lambda each: (each.next_attempt_at is None, each.next_attempt_at or self.now, each.position))
        return tuple(due)

    def first_due(self, of: Campaign, wanted: int) -> tuple[Contact, ...]:
        due = self.due(of)
        free = [each for each in due if each.phone_number not in self.busy_numbers][:wanted]
        return tuple(each for index, each in enumerate(due) if index < wanted or each in free)

    def next_retry_at(self, of: Campaign) -> datetime | None:
        """Give the time of the earliest retry to come."""
        times = (each.next_attempt_at for each in self.contacts.values() if each.campaign_id == of.id)
        return min((at for at in times if at and at > self.now), default=None)

    @property
    def reserved(self) -> int:
        running = (each for each in self.campaigns.values() if each.status is CampaignStatus.RUNNING)
        return sum(each.max_concurrent_calls for each in running)

    @property
    def busy_numbers(self) -> frozenset[PhoneNumber]:
        return frozenset(each.phone_number for each in self.attempts.values() if each.is_open)

    def write(self, decision: Decision) -> None:
        """Write in the order that ``Decision`` names, each change only where the store holds what was before."""
        for attempt_change in decision.attempts:
            assert self.attempts.get(attempt_change.after.id) == attempt_change.before, (
                "I2: an attempt is not as it was read"
            )
            self.attempts[attempt_change.after.id] = attempt_change.after
        for contact_change in decision.contacts:
            assert self.contacts[contact_change.after.id] == contact_change.before, (
                "I3: a contact is not as it was read"
            )
            self.contacts[contact_change.after.id] = contact_change.after
        for each in self.contacts.values():
            if each.campaign_id in decision.cancelled and each.status is ContactStatus.PENDING:
                self.contacts[each.id] = contact.cancel(each, self.now)
        self.account, self.usage = decision.account or self.account, decision.usage
        self.campaigns |= {each.id: each for each in decision.campaigns}
        self.tallies |= {each.campaign_id: each for each in decision.counters}
        since = decision.receipts_since
        self.receipts = {name: each for name, each in self.receipts.items() if since is None or each.at >= since}
        self.receipts |= {each.once.name: each for each in decision.receipts}
        self.events.extend(decision.events)
        self.dialled = [order.attempt_id for order in decision.orders]
        for event in decision.events:
            self._told.add(event, self.staged)

    # What holds at any moment.

    def check(self) -> None:
        """I6, I7, I8, I9: the sums are right, and the events tell all."""
        up = sum(each.is_open for each in self.attempts.values())
        assert self.usage.calls_in_flight == up, "I7: other slots are held than attempts are open"
        for name, tally in self.tallies.items():
            rows = Counter(each.status for each in self.contacts.values() if each.campaign_id == name)
            counted = {status: getattr(tally, status) for status in ContactStatus}
            assert counted == {status: rows[status] for status in ContactStatus}, "I6: contacts counted wrongly"
            assert tally.total == rows.total(), "I6: contacts lost"
            tries = [each for each in self.attempts.values() if each.campaign_id == name]
            outcomes = Counter(each.outcome for each in tries if each.outcome)
            assert tally.attempts == len(tries) - outcomes.pop(Outcome.UNSENT, 0), "I8: attempts counted wrongly"
            assert tally.calls_in_flight == sum(each.is_open for each in tries), "I8: calls counted wrongly"
            assert dict(tally.outcomes) == outcomes, "I8: outcomes counted wrongly"
        self._told.check(self)

    def status(self, name: str) -> str:
        return self.campaigns[CampaignId(name)].status

    def rows(self, name: str) -> list[str]:
        """Say how the contacts of a campaign stand, in file order."""
        return [each.status.value for each in self.contacts.values() if each.campaign_id == name]

    def row(self, name: str, position: int = 0) -> Contact:
        return self.contacts[contact_id(CampaignId(name), position)]


class Told:
    """All that can be known from the events alone."""

    def __init__(self) -> None:
        self.campaigns: dict[CampaignId, Campaign] = {}
        self.tallies: dict[CampaignId, Counters] = {}
        self.contacts: dict[ContactId, Contact] = {}
        self.attempts: dict[AttemptId, Attempt] = {}

    def add(self, event: CampaignEvent, staged: dict[ContactId, Contact]) -> None:
        """Fold the next event in; the contacts of a new campaign are those that were staged for it."""
        name = event.campaign_id
        before = self.tallies.get(name) or Counters(campaign_id=name)
        assert event.sequence == before.sequence + 1, "I9: events are numbered with a gap"
        if name not in self.campaigns:
            self.contacts |= {row.id: row for row in staged.values() if row.campaign_id == name}
        folded = campaign.apply(self.campaigns.get(name), event)
        assert folded is not None
        self.campaigns[name] = folded
        self.tallies[name] = counters.fold(before, [event])
        if isinstance(event, AttemptEvent):
            dial = attempt.apply(self.attempts.get(event.attempt_id), event)
            assert dial is not None
            self.attempts[event.attempt_id] = dial
            mine = contact_id(name, event.position)
            self.contacts[mine] = contact.apply(self.contacts[mine], event)
        else:
            rows = [row for row in self.contacts.values() if row.campaign_id == name]
            self.contacts |= {row.id: contact.apply(row, event) for row in rows}

    def check(self, desk: Desk) -> None:
        made = {row.id: row for row in desk.contacts.values() if row.campaign_id in self.campaigns}
        assert self.campaigns == desk.campaigns, "I9: campaigns were not told right"
        assert self.tallies == desk.tallies, "I9: counters were not told right"
        assert self.attempts == desk.attempts, "I9: attempts were not told right"
        assert self.contacts == made, "I9: contacts were not told right"


def _plain(decision: Decision) -> object:
    """Give a decision with its errors in a form that can be compared."""
    answers = [
        (type(each), each.code, str(each)) if isinstance(each, KatavenError) else each for each in decision.answers
    ]
    return evolve(decision, answers=()), answers


@pytest.fixture(scope="session")
def new_desk() -> type[Desk]:
    return Desk


@pytest.fixture
def desk() -> Desk:
    """Give a desk whose account has no caps."""
    desk = Desk()
    desk.turn(desk.put())
    return desk
