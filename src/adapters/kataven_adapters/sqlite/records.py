"""Campaigns and their counters as they were committed last: what users ask for most, without a hop to a thread.

One process writes the file, so what it has written is what is there. An entry is replaced in the moment of the commit
that changes it, and dropped when a commit fails. The writing thread follows, and the loop's asks and remembers.
"""

from collections.abc import Sequence
from threading import Lock
from typing import Final

from kataven_core import AccountId, AccountView, Campaign, CampaignId, Counters, Decision
from kataven_core.ports import CampaignRecord

_KEPT: Final = 1_000

Key = tuple[AccountId, CampaignId]


class Records:
    """The records of the campaigns that were decided on or asked for last."""

    def __init__(self) -> None:
        self._records: dict[Key, CampaignRecord] = {}
        self._lock = Lock()
        self.commits = 0
        """What was read from the file while this has grown may be older than what is there."""

    def find(self, account_id: AccountId, campaign_id: CampaignId) -> CampaignRecord | None:
        """Give the record of a campaign of this account, if it is held."""
        return self._records.get((account_id, campaign_id))

    def follow(self, views: Sequence[AccountView], decisions: Sequence[Decision]) -> None:
        """Take note of what is committed."""
        with self._lock:
            self.commits += 1
            for view, decision in zip(views, decisions, strict=True):
                campaigns = {each.campaign.id: each.campaign for each in view.campaigns}
                counters = {each.campaign.id: each.counters for each in view.campaigns}
                campaigns |= {each.id: each for each in decision.campaigns}
                counters |= {each.campaign_id: each for each in decision.counters}
                for name, campaign in campaigns.items():
                    self._keep(campaign, counters[name])

    def remember(self, record: CampaignRecord, commits: int) -> None:
        """Keep what was read, unless something was committed since."""
        with self._lock:  # else a commit may come between the two, and what it has made would be lost
            if commits == self.commits:
                self._keep(*record)

    def forget(self) -> None:
        """Believe nothing of it any more."""
        with self._lock:
            self.commits += 1
            self._records.clear()

    def _keep(self, campaign: Campaign, counters: Counters) -> None:
        key = campaign.account_id, campaign.id
        self._records.pop(key, None)
        if campaign.is_deleted:
            return
        self._records[key] = CampaignRecord(campaign, counters)
        if len(self._records) > _KEPT:
            del self._records[next(iter(self._records))]
