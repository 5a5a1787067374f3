"""The working state of one decision: what was read, moved on step by step; gone when the decision is made."""

from collections.abc import Callable
from datetime import datetime

from kataven_core.account import Account
from kataven_core.attempt import Attempt
from kataven_core.budget import Allowance
from kataven_core.campaign import Campaign, Transition
from kataven_core.contact import Contact
from kataven_core.counters import Counters, Tally
from kataven_core.errors import KatavenError
from kataven_core.events import AttemptEvent, CampaignEvent, CampaignFailed, CampaignStopped
from kataven_core.receipts import RECEIPT_LIFETIME, Once, Receipt
from kataven_core.statuses import CampaignStatus
from kataven_core.values import AttemptId, CampaignId

from .decision import AttemptChange, ContactChange, Decision, Order
from .view import AccountView, CampaignView


class CampaignTurn:
    """One campaign in the making: its value, its counters, what may be dialled."""

    def __init__(self, view: CampaignView) -> None:
        self.before: Campaign | None = view.campaign
        self.campaign = view.campaign
        self.tally = Tally(view.counters)
        self.candidates = view.candidates
        self.next_retry_at = view.next_retry_at
        self.dials = 0
        self._sequence_before = view.counters.sequence

    @classmethod
    def created(cls, campaign: Campaign) -> "CampaignTurn":
        """Take up a campaign that this decision makes."""
        turn = cls(CampaignView(campaign=campaign, counters=Counters(campaign_id=campaign.id)))
        turn.before = None
        return turn

    @property
    def is_running(self) -> bool:
        """Whether it may dial."""
        return self.campaign.status is CampaignStatus.RUNNING

    @property
    def room(self) -> int:
        """How many slots of its own it has left."""
        return max(self.campaign.max_concurrent_calls - self.tally.calls_in_flight, 0)

    @property
    def has_begun(self) -> bool:
        """Whether it runs and did not before."""
        return self.is_running and (self.before is None or self.before.status is not CampaignStatus.RUNNING)

    @property
    def has_news(self) -> bool:
        """Whether anything happened in it."""
        return self.tally.sequence != self._sequence_before


class Turn:
    """One account in the making."""

    def __init__(self, view: AccountView, now: datetime) -> None:
        self.now = now
        self.account_id = view.account_id
        self.account: Account | None = view.account
        self.usage = view.usage.rolled(now)
        self.reserved = view.reserved
        self.campaigns = {each.campaign.id: CampaignTurn(each) for each in view.campaigns}
        self.attempts: dict[AttemptId, AttemptChange] = {}
        self.talks: list[tuple[datetime, float]] = []
        self.contacts: dict[tuple[CampaignId, int], ContactChange] = {}
        self.busy_numbers = set(view.busy_numbers)
        self.cancelled: list[CampaignId] = []
        self.orders: list[Order] = []
        self.events: list[CampaignEvent] = []
        self.answers: list[Campaign | Account | KatavenError] = []
        self.holds: dict[CampaignId, Allowance] = {}
        self.again: list[CampaignId] = []
        self.wakes: dict[CampaignId, datetime] = {}
        self.waits: list[CampaignId] = []
        self.unrecognized: list[AttemptId] = []
        self.receipts = {name: each for name, each in view.receipts.items() if each.counts_at(now)}
        self._noted: list[Receipt] = []
        self._account_before = view.account

    def change_attempt(self, before: Attempt | None, after: Attempt) -> None:
        """Take note of an attempt's next state."""
        name = after.id
        first = self.attempts.get(name)
        self.attempts[name] = AttemptChange(first.before if first else before, after)

    def change_contact(self, before: Contact, after: Contact) -> None:
        """Take note of a contact's next state."""
        self.contacts[after.campaign_id, after.position] = ContactChange(before, after)

    def note(self, once: Once, answer: Campaign) -> None:
        """Take note of the answer to a command that is to be done once."""
        self.receipts[once.name] = Receipt(once=once, answer=answer, at=self.now)
        self._noted.append(self.receipts[once.name])

    def happen(self, turn: CampaignTurn, event: CampaignEvent) -> None:
        """Let something have happened in a campaign."""
        turn.tally.add(event)
        self.events.append(event)

    def attempt_happened(
        self, turn: CampaignTurn, kind: Callable[..., AttemptEvent], attempt: Attempt, **details: object
    ) -> None:
        """Let something have happened to an attempt, by the kind of event and what it holds besides."""
        event = kind(
            account_id=attempt.account_id,
            campaign_id=attempt.campaign_id,
            sequence=turn.tally.sequence + 1,
            at=self.now,
            attempt_id=attempt.id,
            position=attempt.position,
            **details,
        )
        self.happen(turn, event)

    def move(self, turn: CampaignTurn, moved: Transition) -> None:
        """Let a campaign have moved; its reservation follows its status."""
        was_running = turn.campaign.status is CampaignStatus.RUNNING
        turn.campaign = moved.campaign
        is_running = moved.campaign.status is CampaignStatus.RUNNING
        self.reserved += (is_running - was_running) * moved.campaign.max_concurrent_calls
        for event in moved.events:
            self.happen(turn, event)
            if isinstance(event, CampaignStopped | CampaignFailed) and event.cancelled:
                self.cancelled.append(turn.campaign.id)

    def decision(self) -> Decision:
        """Give what has come of it."""
        touched = [turn for turn in self.campaigns.values() if turn.has_news]
        return Decision(
            account=self.account if self.account is not self._account_before else None,
            usage=self.usage,
            campaigns=tuple(turn.campaign for turn in touched if turn.campaign is not turn.before),
            counters=tuple(turn.tally.counters() for turn in touched),
            attempts=tuple(self.attempts.values()),
            contacts=tuple(self.contacts.values()),
            cancelled=tuple(self.cancelled),
            orders=tuple(self.orders),
            events=tuple(self.events),
            answers=tuple(self.answers),
            holds=self.holds,
            again=tuple(self.again),
            wakes=self.wakes,
            waits=tuple(self.waits),
            unrecognized=tuple(self.unrecognized),
            receipts=tuple(self._noted),
            receipts_since=self.now - RECEIPT_LIFETIME if self._noted else None,
        )
