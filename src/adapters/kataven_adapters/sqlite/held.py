"""What the writing thread holds beside the file, as it was committed last, so that a cycle reads only what is new.

One process writes the file, and each of its transactions makes sure of that: so what it has written is what is there.
Only the steady state is held: an account whose campaigns move, or a campaign whose status changes, is read again. When
a transaction fails, nothing of it is believed any more. No other thread looks at any of this.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from attrs import evolve

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
"""Accounts, and campaigns."""
_AHEAD_BYTES: Final = 32_000_000
"""What all contacts that are read ahead may take: who is dialled next in the campaigns decided on last."""

Key = tuple[AccountId, CampaignId]


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
        self._sizes_bytes: dict[Key, int] = {}
        self._size_bytes = 0

    def follow(
        self,
        accounts: Iterable[HeldAccount | None],
        campaigns: Mapping[Key, HeldCampaign],
        views: Iterable[AccountView],
        decisions: Iterable[Decision],
    ) -> None:
        """Take note of what is committed: how accounts and campaigns were read, and what was decided."""
        for known, view, decision in zip(accounts, views, decisions, strict=True):
            self.open_calls.follow(decision)
            self._follow_account(known, view.account_id, decision)
            self._follow_campaigns(view, decision, campaigns)
        while len(self.accounts) > _KEPT:
            del self.accounts[next(iter(self.accounts))]
        while self.campaigns and (len(self.campaigns) > _KEPT or self._size_bytes > _AHEAD_BYTES):
            self._drop(next(iter(self.campaigns)))

    def forget(self) -> None:
        """Believe nothing of it any more."""
        self.accounts.clear()
        self.campaigns.clear()
        self.open_calls.forget()
        self._sizes_bytes.clear()
        self._size_bytes = 0

    def _follow_account(self, known: HeldAccount | None, account_id: AccountId, decision: Decision) -> None:
        self.accounts.pop(account_id, None)
        if known and decision.account is None and not decision.campaigns:
            usage, up = decision.usage, len(self.open_calls.numbers(account_id))
            if usage.calls_in_flight != up:  # a host's own `decide` has miscounted: open calls are what counts
                usage = evolve(usage, calls_in_flight=up)
            self.accounts[account_id] = known._replace(usage=usage)

    def _follow_campaigns(self, view: AccountView, decision: Decision, known: Mapping[Key, HeldCampaign]) -> None:
        account_id = view.account_id
        counters = {each.campaign_id: each for each in decision.counters}
        moved = {each.id for each in decision.campaigns}
        for each in view.campaigns:
            key = account_id, each.campaign.id
            self._drop(key)
            if each.campaign.status is CampaignStatus.RUNNING and each.campaign.id not in moved:
                self.campaigns[key] = known[key]._replace(counters=counters.get(each.campaign.id, each.counters))
        for before, after in decision.contacts:
            held = self.campaigns.get((account_id, after.campaign_id))
            if held and held.ahead:
                held.ahead.follow(before, after)
        for each in view.campaigns:
            key = account_id, each.campaign.id
            held = self.campaigns.get(key)
            if held and held.ahead:
                held.ahead.trim()
                self._sizes_bytes[key] = held.ahead.size_bytes
                self._size_bytes += held.ahead.size_bytes

    def _drop(self, key: Key) -> None:
        if self.campaigns.pop(key, None):
            self._size_bytes -= self._sizes_bytes.pop(key)
