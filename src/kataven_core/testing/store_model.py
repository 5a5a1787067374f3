"""A store so dumb that it is surely right: dicts that are looked through from end to end. No ``Store`` itself."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from kataven_core import (
    Account,
    AccountId,
    AccountUsage,
    AccountView,
    Attempt,
    AttemptId,
    Campaign,
    CampaignId,
    CampaignStatus,
    CampaignView,
    Contact,
    ContactStatus,
    Counters,
    Decision,
    Outcome,
    PhoneNumber,
    Receipt,
    RejectedRow,
    cancel_contact,
)
from kataven_core.ports import AccountTurn, StagedContact

from .store_duty import at_least


class Kept:
    """One campaign with all its parts."""

    def __init__(self, campaign: Campaign, contacts: list[Contact], rejects: list[RejectedRow]) -> None:
        self.campaign = campaign
        self.counters = Counters(campaign_id=campaign.id)
        self.contacts = contacts
        self.rejects = rejects

    @property
    def is_running(self) -> bool:
        """Whether it dials."""
        return self.campaign.status is CampaignStatus.RUNNING

    @property
    def is_scheduled(self) -> bool:
        """Whether it waits for its time."""
        return self.campaign.status is CampaignStatus.SCHEDULED and not self.campaign.is_deleted

    def has_come(self, now: datetime) -> bool:
        """Whether it waits for a time that has come."""
        return self.is_scheduled and self.campaign.scheduled_at is not None and self.campaign.scheduled_at <= now

    def due(self, now: datetime) -> list[Contact]:
        """Give the contacts that are due: retries by time, then fresh ones in file order."""
        due = [each for each in self.contacts if each.is_due(now)]
        return sorted(due, key=lambda each: (each.next_attempt_at is None, each.next_attempt_at or now, each.position))

    def next_retry_at(self, now: datetime) -> datetime | None:
        """Give the time of the earliest retry to come."""
        times = (each.next_attempt_at for each in self.contacts if each.status is ContactStatus.PENDING)
        return min((at for at in times if at and at > now), default=None)


class AccountModel:
    """One account: all that is kept of it."""

    def __init__(self, account_id: AccountId) -> None:
        self.id = account_id
        self.account: Account | None = None
        self.usage: AccountUsage | None = None
        self.staged: dict[CampaignId, tuple[list[StagedContact], list[RejectedRow]]] = {}
        self.campaigns: dict[CampaignId, Kept] = {}
        self.attempts: dict[AttemptId, Attempt] = {}
        self.receipts: dict[tuple[str, str], Receipt] = {}

    def stage(self, name: CampaignId, contacts: Iterable[StagedContact], rejects: Iterable[RejectedRow] = ()) -> None:
        """Keep rows aside."""
        accepted, refused = self.staged.setdefault(name, ([], []))
        accepted += contacts
        refused += rejects

    def discard(self, name: CampaignId) -> None:
        """Forget what nobody sees."""
        self.staged.pop(name, None)
        kept = self.campaigns.get(name)
        if kept and kept.campaign.is_deleted and not any(each.campaign_id == name for each in self.open_attempts):
            kept.contacts, kept.rejects = [], []

    @property
    def open_attempts(self) -> list[Attempt]:
        """The dials whose end is not known."""
        return [each for each in self.attempts.values() if each.is_open]

    @property
    def busy_numbers(self) -> frozenset[PhoneNumber]:
        """The numbers in an open call."""
        return frozenset(each.phone_number for each in self.open_attempts)

    def dials_since(self, name: CampaignId, since: datetime) -> int:
        """Count the dials of a campaign, but for those never sent."""
        dials = (each for each in self.attempts.values() if each.campaign_id == name and each.claimed_at >= since)
        return sum(each.outcome is not Outcome.UNSENT for each in dials)

    def view(self, turn: AccountTurn, now: datetime) -> AccountView:
        """Read what the turn must see, and nothing besides."""
        named = {each.attempt_id for each in turn.inputs.reports}
        attempts = {name: each for name, each in self.attempts.items() if name in named}
        reports = Counter(
            attempts[each.attempt_id].campaign_id for each in turn.inputs.reports if each.attempt_id in attempts
        )
        shown = [
            kept
            for name, kept in self.campaigns.items()
            if name in turn.named_campaigns
            or name in reports
            or kept.has_come(now)
            or (kept.is_running and turn.puts_account)
        ]
        theirs = (
            self.campaigns[each.campaign_id].contacts[each.position] for each in attempts.values() if each.is_open
        )
        view = AccountView(
            account_id=self.id,
            account=self.account,
            usage=self.usage or AccountUsage.empty(now),
            reserved=sum(kept.campaign.max_concurrent_calls for kept in self.campaigns.values() if kept.is_running),
            campaigns=tuple(_campaign_view(kept, now) for kept in shown),
            attempts=attempts,
            contacts={each.id: each for each in theirs},
            busy_numbers=self.busy_numbers,
            receipts=self.receipts,
        )
        return at_least(view, turn, now)

    def write(self, decision: Decision, now: datetime) -> None:
        """Take over all that was decided, in the order that ``Decision`` names."""
        self.account, self.usage = decision.account or self.account, decision.usage
        for campaign in decision.campaigns:
            self._keep(campaign)
        for counters in decision.counters:
            self.campaigns[counters.campaign_id].counters = counters
        for attempt in decision.attempts:
            self.attempts[attempt.after.id] = attempt.after
        for _, contact in decision.contacts:
            self.campaigns[contact.campaign_id].contacts[contact.position] = contact
        for name in decision.cancelled:
            kept = self.campaigns[name]
            kept.contacts = [
                cancel_contact(each, now) if each.status is ContactStatus.PENDING else each for each in kept.contacts
            ]

        since = decision.receipts_since
        self.receipts = {name: each for name, each in self.receipts.items() if since is None or each.at >= since}
        self.receipts |= {each.once.name: each for each in decision.receipts}

    def _keep(self, campaign: Campaign) -> None:
        if campaign.id in self.campaigns:
            self.campaigns[campaign.id].campaign = campaign
            return
        accepted, refused = self.staged.pop(campaign.id, ([], []))
        contacts = [
            Contact(
                campaign_id=campaign.id,
                position=row.position,
                phone_number=row.phone_number,
                custom_fields=json.loads(row.custom_fields_json),
                updated_at=campaign.created_at,
            )
            for row in accepted
        ]
        self.campaigns[campaign.id] = Kept(campaign, contacts, refused)


def _campaign_view(kept: Kept, now: datetime) -> CampaignView:
    return CampaignView(
        campaign=kept.campaign,
        counters=kept.counters,
        candidates=tuple(kept.due(now)),
        next_retry_at=kept.next_retry_at(now),
    )
