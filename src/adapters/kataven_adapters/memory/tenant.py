"""What is kept of one account: everything that one decision reads, and where everything that it writes goes."""

from bisect import insort
from collections import Counter
from datetime import datetime

from kataven_core import (
    Account,
    AccountId,
    AccountUsage,
    AccountView,
    AdapterFault,
    Attempt,
    AttemptId,
    Campaign,
    CampaignId,
    CampaignStatus,
    CampaignView,
    Contact,
    ContactId,
    Counters,
    Decision,
    PhoneNumber,
    RejectedRow,
    candidates_wanted,
)
from kataven_core.ports import AccountTurn, StagedContact

from .queue import ContactQueue
from .receipts import Receipts


class Staged:
    """The rows of an upload that no campaign was made of yet."""

    def __init__(self) -> None:
        self.contacts: list[StagedContact] = []
        self.rejects: list[RejectedRow] = []


class Kept:
    """One campaign with all its parts."""

    def __init__(self, campaign: Campaign, staged: Staged) -> None:
        self.campaign = campaign
        self.counters = Counters(campaign_id=campaign.id)
        self.contacts = ContactQueue(campaign.id, staged.contacts, campaign.created_at)
        self.rejects = staged.rejects
        self.dials: list[tuple[datetime, AttemptId]] = []

    @property
    def is_to_be_discarded(self) -> bool:
        """Whether it is deleted and its contacts are still there."""
        return self.campaign.is_deleted and len(self.contacts) > 0

    def discard(self) -> None:
        """Forget who was in it; the attempts are kept."""
        self.contacts = ContactQueue(self.campaign.id, [], self.campaign.created_at)
        self.rejects = []


class Tenant:
    """One account."""

    def __init__(self, account_id: AccountId) -> None:
        self.id = account_id
        self.account: Account | None = None
        self.usage: AccountUsage | None = None
        self.staged: dict[CampaignId, Staged] = {}
        self.campaigns: dict[CampaignId, Kept] = {}
        self.attempts: dict[AttemptId, Attempt] = {}
        self.open: dict[AttemptId, Attempt] = {}
        self.receipts = Receipts()
        self._running: dict[CampaignId, int] = {}
        self._scheduled: dict[CampaignId, datetime] = {}

    def view(self, turn: AccountTurn, now: datetime) -> AccountView:
        """Give what the turn's decision looks at."""
        attempts = [self.attempts[each.attempt_id] for each in turn.inputs.reports if each.attempt_id in self.attempts]
        ending = turn.inputs.ending
        ends = Counter({each.campaign_id: 0 for each in attempts})
        ends.update(each.campaign_id for each in {each.id: each for each in attempts}.values() if each.id in ending)
        busy = frozenset(each.phone_number for each in self.open.values())
        due = (name for name, at in self._scheduled.items() if at <= now)
        names = dict.fromkeys(
            (*sorted(turn.named_campaigns), *ends, *due, *(self._running if turn.puts_account else ()))
        )
        contacts = [self.campaigns[each.campaign_id].contacts[each.position] for each in attempts if each.is_open]
        views = (self._campaign_view(name, ends[name], busy, now) for name in names)
        return AccountView(
            account_id=self.id,
            account=self.account,
            usage=self.usage or AccountUsage.empty(now),
            reserved=sum(self._running.values()),
            campaigns=tuple(view for view in views if view),
            attempts={each.id: each for each in attempts},
            contacts={each.id: each for each in contacts},
            busy_numbers=busy,
            receipts=self.receipts.named(turn.named_receipts),
        )

    def _campaign_view(
        self, name: CampaignId, ends: int, busy: frozenset[PhoneNumber], now: datetime
    ) -> CampaignView | None:
        kept = self.campaigns.get(name)
        if not kept:
            return None
        campaign, counters = kept.campaign, kept.counters
        if name not in self._running:
            return CampaignView(campaign=campaign, counters=counters)
        wanted = candidates_wanted(campaign, counters, ends)
        return CampaignView(
            campaign=campaign,
            counters=counters,
            candidates=tuple(kept.contacts.due(now, wanted, busy)),
            next_retry_at=kept.contacts.next_retry_at(now),
        )

    def check(self, decision: Decision) -> None:
        """Make sure that all is still as it was when it was decided on."""
        for before, after in decision.attempts:
            if self.attempts.get(after.id) != before:
                raise _stale(after.id)
        for contact, _ in decision.contacts:
            if self._contact(contact) != contact:
                raise _stale(contact.id)

    def _contact(self, of: Contact) -> Contact | None:
        kept = self.campaigns.get(of.campaign_id)
        return kept.contacts[of.position] if kept and of.position < len(kept.contacts) else None

    def write(self, decision: Decision, now: datetime) -> None:
        """Take over all that was decided."""
        self.account, self.usage = decision.account or self.account, decision.usage
        for campaign in decision.campaigns:
            self._keep(campaign)
        for counters in decision.counters:
            self.campaigns[counters.campaign_id].counters = counters
        for before, attempt in decision.attempts:
            if before is None:
                insort(self.campaigns[attempt.campaign_id].dials, (attempt.claimed_at, attempt.id))
            self.attempts[attempt.id] = self.open[attempt.id] = attempt
            if not attempt.is_open:
                del self.open[attempt.id]
        for _, contact in decision.contacts:
            self.campaigns[contact.campaign_id].contacts.put(contact)
        for name in decision.cancelled:
            self.campaigns[name].contacts.cancel_pending(now)
        if decision.receipts_since:
            self.receipts.forget(decision.receipts_since)
        for receipt in decision.receipts:
            self.receipts.put(receipt)

    def _keep(self, campaign: Campaign) -> None:
        if campaign.id in self.campaigns:
            self.campaigns[campaign.id].campaign = campaign
        else:
            self.campaigns[campaign.id] = Kept(campaign, self.staged.pop(campaign.id, Staged()))
        self._running.pop(campaign.id, None)
        self._scheduled.pop(campaign.id, None)
        if campaign.status is CampaignStatus.RUNNING:
            self._running[campaign.id] = campaign.max_concurrent_calls
        elif campaign.status is CampaignStatus.SCHEDULED and campaign.scheduled_at and not campaign.is_deleted:
            self._scheduled[campaign.id] = campaign.scheduled_at

    @property
    def to_go_on_with(self) -> tuple[CampaignId, ...]:
        """The campaigns that run or are scheduled."""
        return (*self._running, *self._scheduled)


def _stale(what: AttemptId | ContactId) -> AdapterFault:
    return AdapterFault("stale", f"{what} is no longer as it was read: read and decide again", is_retryable=True)
