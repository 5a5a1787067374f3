"""The store port over plain dicts: what ``await`` does not interrupt is one transaction."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from types import TracebackType
from typing import Self

from kataven_core import (
    Account,
    AccountId,
    Campaign,
    CampaignId,
    CommandRefused,
    ContactStatus,
    Decision,
    NotFound,
    Outcome,
    Receipt,
    RejectedRow,
)
from kataven_core.ports import (
    PAGE_SIZE,
    REJECTS_PAGE_SIZE,
    AccountTurn,
    Agenda,
    CampaignRecord,
    ContactsPage,
    Decide,
    StagedContact,
)

from .tenant import Kept, Staged, Tenant


class MemoryStore:
    """Keeps everything in this process's memory, until it is closed."""

    def __init__(self) -> None:
        self._tenants: dict[AccountId, Tenant] = {}

    async def __aenter__(self) -> Self:
        self._tenants.clear()  # whoever still wrote when it was closed wrote into nothing
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._tenants.clear()

    # Writing.

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
        """Decide for all, then write for all."""
        tenants = [self._tenant(turn.account_id) for turn in turns]
        decisions = [
            decide(tenant.view(turn, now), turn.inputs, now) for tenant, turn in zip(tenants, turns, strict=True)
        ]
        for tenant, decision in zip(tenants, decisions, strict=True):
            tenant.check(decision)
        for tenant, decision in zip(tenants, decisions, strict=True):
            tenant.write(decision, now)
        return decisions

    async def stage(
        self,
        account_id: AccountId,
        campaign_id: CampaignId,
        contacts: Sequence[StagedContact],
        rejects: Sequence[RejectedRow] = (),
    ) -> None:
        """Keep rows aside, unless the id is somebody's already."""
        for tenant in self._tenants.values():
            if campaign_id in tenant.campaigns or (tenant.id != account_id and campaign_id in tenant.staged):
                raise CommandRefused("campaign_exists", f"the campaign {campaign_id!r} exists: choose another id")
        staged = self._tenant(account_id).staged.setdefault(campaign_id, Staged())
        staged.contacts += contacts
        staged.rejects += rejects

    async def discard(self, account_id: AccountId, campaign_id: CampaignId) -> None:
        """Drop what nobody sees any more."""
        tenant = self._tenant(account_id)
        tenant.staged.pop(campaign_id, None)
        kept = tenant.campaigns.get(campaign_id)
        if kept and kept.is_to_be_discarded and not kept.counters.calls_in_flight:
            kept.discard()

    # Reading.

    async def agenda(self) -> Agenda:
        """Look through all accounts."""
        tenants = self._tenants.values()
        return Agenda(
            open_attempts=tuple(attempt for tenant in tenants for attempt in tenant.open.values()),
            campaigns=tuple((tenant.id, name) for tenant in tenants for name in tenant.to_go_on_with),
            deleted=tuple(
                (tenant.id, name)
                for tenant in tenants
                for name, kept in tenant.campaigns.items()
                if kept.is_to_be_discarded
            ),
        )

    async def account(self, account_id: AccountId) -> Account:
        """Give what was put last."""
        tenant = self._tenants.get(account_id)
        if tenant is None or tenant.account is None:
            raise NotFound("account")
        return tenant.account

    async def campaign(self, account_id: AccountId, campaign_id: CampaignId) -> CampaignRecord:
        """Give it as it stands."""
        kept = self._kept(account_id, campaign_id)
        return CampaignRecord(kept.campaign, kept.counters)

    async def campaigns(self, account_id: AccountId) -> Sequence[Campaign]:
        """Sort by age; among equals the one that was created later comes first."""
        tenant = self._tenants.get(account_id)
        kept = reversed(tenant.campaigns.values()) if tenant else ()
        seen = [each.campaign for each in kept if not each.campaign.is_deleted]
        return sorted(seen, key=lambda campaign: campaign.created_at, reverse=True)

    async def contacts(
        self, account_id: AccountId, campaign_id: CampaignId, *, status: ContactStatus | None = None, page: int = 0
    ) -> ContactsPage:
        """Look through all of the campaign's contacts."""
        contacts = self._kept(account_id, campaign_id).contacts
        positions = contacts.positions(status)
        shown = positions[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
        return ContactsPage(tuple(contacts[position] for position in shown), page, len(positions))

    async def rejects(self, account_id: AccountId, campaign_id: CampaignId, *, page: int = 0) -> Sequence[RejectedRow]:
        """Give them as they were staged: by line."""
        rejects = self._kept(account_id, campaign_id).rejects
        return rejects[page * REJECTS_PAGE_SIZE : (page + 1) * REJECTS_PAGE_SIZE]

    async def dials_since(self, account_id: AccountId, campaign_id: CampaignId, since: datetime) -> int:
        """Count from the first that is not older."""
        attempts, dials = self._tenant(account_id).attempts, self._kept(account_id, campaign_id).dials
        later = dials[bisect_left(dials, since, key=itemgetter(0)) :]
        return sum(attempts[name].outcome is not Outcome.UNSENT for _, name in later)

    async def receipt(self, account_id: AccountId, scope: str, key: str) -> Receipt | None:
        """Look for it by its name."""
        tenant, name = self._tenants.get(account_id), (scope, key)
        return tenant.receipts.named([name]).get(name) if tenant else None

    def _tenant(self, account_id: AccountId) -> Tenant:
        return self._tenants.setdefault(account_id, Tenant(account_id))

    def _kept(self, account_id: AccountId, campaign_id: CampaignId) -> Kept:
        tenant = self._tenants.get(account_id)
        kept = tenant.campaigns.get(campaign_id) if tenant else None
        if kept is None or kept.campaign.is_deleted:
            raise NotFound("campaign")
        return kept
