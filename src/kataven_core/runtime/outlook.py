"""When each campaign is to be looked at again, as decisions have said: at once, at a time, or when a call has ended."""

from collections.abc import Iterable

from kataven_core.cycle import Decision
from kataven_core.ports import Clock
from kataven_core.statuses import CampaignStatus
from kataven_core.values import AccountId, CampaignId

from .inbox import Inbox
from .timers import Key, Timers


class Outlook:
    """Nobody polls: what is not named here is not looked at."""

    def __init__(self, clock: Clock, inbox: Inbox) -> None:
        self._inbox = inbox
        self._timers = Timers(clock, self._look)
        self._waiting: dict[AccountId, set[CampaignId]] = {}

    def follow(self, account_id: AccountId, decision: Decision) -> None:
        """Take note of when to look again."""
        for campaign in decision.campaigns:
            if campaign.status is not CampaignStatus.RUNNING:
                self._timers.set((account_id, campaign.id), None)
        for name, at in decision.wakes.items():
            self._timers.set((account_id, name), at)
        if decision.waits:
            self._waiting.setdefault(account_id, set()).update(decision.waits)
        if decision.again:
            self._inbox.look(account_id, decision.again)

    def take_those_that_wait(self, account_id: AccountId) -> set[CampaignId]:
        """Give the campaigns of an account that wait for any of its calls to end; one has."""
        return self._waiting.pop(account_id, set())

    def look_at_all_that_wait(self) -> None:
        """Look at every campaign that something other than its own calls holds back: the line is up again."""
        for account_id in [*self._waiting]:
            self._inbox.look(account_id, self.take_those_that_wait(account_id))

    def stop(self) -> None:
        """Look at nothing any more."""
        self._timers.stop()

    def _look(self, keys: Iterable[Key]) -> None:
        for account_id, campaign_id in keys:
            self._inbox.look(account_id, (campaign_id,))
