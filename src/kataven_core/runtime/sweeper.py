"""Deleted campaigns, until their last call has ended and their contacts are removed."""

import asyncio
import logging

from kataven_core.cycle import Decision
from kataven_core.errors import AdapterFault
from kataven_core.ports import Store
from kataven_core.values import AccountId, CampaignId

log = logging.getLogger("kataven_core.engine")


class Sweeper:
    """Removes in the background what nobody can see any more."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._deleted: set[tuple[AccountId, CampaignId]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def take_up(self, account_id: AccountId, campaign_id: CampaignId) -> None:
        """Remove a campaign that was deleted; the store waits for its calls."""
        self._deleted.add((account_id, campaign_id))
        self._sweep(account_id, campaign_id)

    def follow(self, account_id: AccountId, decision: Decision) -> None:
        """Take note of what was deleted, and of the last call's end."""
        self._deleted.update((account_id, campaign.id) for campaign in decision.campaigns if campaign.is_deleted)
        if not self._deleted:
            return
        for counters in decision.counters:
            if (account_id, counters.campaign_id) in self._deleted and not counters.calls_in_flight:
                self._deleted.discard((account_id, counters.campaign_id))
                self._sweep(account_id, counters.campaign_id)

    async def finish(self) -> None:
        """Wait for what is being removed."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def stop(self) -> None:
        """Leave the rest to the next process."""
        for task in self._tasks:
            task.cancel()

    def _sweep(self, account_id: AccountId, campaign_id: CampaignId) -> None:
        task = asyncio.get_running_loop().create_task(self._discard(account_id, campaign_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _discard(self, account_id: AccountId, campaign_id: CampaignId) -> None:
        try:
            await self._store.discard(account_id, campaign_id)
        except AdapterFault as fault:
            log.warning("a deleted campaign's contacts are removed at the next start: %s", fault.message)
