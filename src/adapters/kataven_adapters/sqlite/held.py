"""What the writing thread holds beside the file, as it was committed last, so that a cycle reads only what is new.

One process writes the file, and each of its transactions makes sure of that: so what it has written is what is there.
Only the steady state is held: an account whose campaigns move, or a campaign whose status changes, is read again. When
a transaction fails, nothing of it is believed any more. No other thread looks at any of this.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from kataven_core import (
    Account,
    AccountId,
    AccountUsage,
    AccountView,
    Campaign,
    CampaignId,
    CampaignStatus,
    Counters,
    Decision,
)

from .ahead import Ahead
from .open_calls import OpenCalls

_KEPT: Final = 1_000

Key = tuple[AccountId, CampaignId]
K = TypeVar("K")
V = TypeVar("V")


class HeldAccount(NamedTuple):
    """An account, what it has used, what its running campaigns reserve, and when the next of its schedules comes."""

    account: Account
    usage: AccountUsage
    reserved: int
    next_schedule_at: datetime | None

    def comes_due(self, now: datetime) -> bool:
        """Whether the time of a schedule has come."""
        return self.next_schedule_at is not None and self.next_schedule_at <= now


class HeldCampaign(NamedTuple):
    """A campaign by its number in the tables, its counters, and who is dialled next where it runs."""

    no: int
    campaign: Campaign
    counters: Counters
    ahead: Ahead | None


class Held:
    """Accounts and running campaigns, the last ones that were decided on, and all open calls."""

    def __init__(self) -> None:
        self.accounts: dict[AccountId, HeldAccount] = {}
        self.campaigns: dict[Key, HeldCampaign] = {}
        self.open_calls = OpenCalls()

    def follow(
        self,
        accounts: Iterable[HeldAccount | None],
        campaigns: Mapping[Key, HeldCampaign],
        views: Iterable[AccountView],
        decisions: Iterable[Decision],
    ) -> None:
        """Take note of what is committed: how accounts and campaigns were read, and what was decided."""
        for known, view, decision in zip(accounts, views, decisions, strict=True):
            self._follow_account(known, view.account_id, decision)
            self._follow_campaigns(view, decision, campaigns)
            self.open_calls.follow(decision)
        _drop_first(self.accounts)
        _drop_first(self.campaigns)

    def forget(self) -> None:
        """Believe nothing of it any more."""
        self.accounts.clear()
        self.campaigns.clear()
        self.open_calls.forget()

    def _follow_account(self, known: HeldAccount | None, account_id: AccountId, decision: Decision) -> None:
        self.accounts.pop(account_id, None)
        if known and decision.account is None and not decision.campaigns:
            self.accounts[account_id] = known._replace(usage=decision.usage)

    def _follow_campaigns(self, view: AccountView, decision: Decision, known: Mapping[Key, HeldCampaign]) -> None:
        account_id = view.account_id
        counters = {each.campaign_id: each for each in decision.counters}
        moved = {each.id for each in decision.campaigns}
        for each in view.campaigns:
            key = account_id, each.campaign.id
            self.campaigns.pop(key, None)
            if each.campaign.status is CampaignStatus.RUNNING and each.campaign.id not in moved:
                self.campaigns[key] = known[key]._replace(counters=counters.get(each.campaign.id, each.counters))
        for before, after in decision.contacts:
            held = self.campaigns.get((account_id, after.campaign_id))
            if held and held.ahead:
                held.ahead.follow(before, after)
        for each in view.campaigns:
            held = self.campaigns.get((account_id, each.campaign.id))
            if held and held.ahead:
                held.ahead.trim()


def _drop_first(held: dict[K, V]) -> None:
    """Let go of those that were decided on longest ago."""
    for key in [*held][: len(held) - _KEPT] if len(held) > _KEPT else ():
        del held[key]
