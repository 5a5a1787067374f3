"""The store as the processes of a run see it: one outlives them all, and only the latest of them may write."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Final, Protocol, Self

from kataven_core import (
    Account,
    AccountId,
    AccountView,
    AdapterFault,
    AttemptId,
    Campaign,
    CampaignId,
    ContactStatus,
    Decision,
    Inputs,
    Receipt,
    RejectedRow,
)
from kataven_core.ports import (
    AccountTurn,
    Agenda,
    CampaignRecord,
    ContactsPage,
    Decide,
    StagedContact,
    Store,
)

from .chance import Chance
from .loop import Process, VirtualLoop
from .plan import Faults

LOCKED: Final = AdapterFault("store_locked", "the store is locked by something else", is_retryable=True)
BROKEN: Final = AdapterFault("store_corrupt", "the store is damaged")
TAKEN: Final = AdapterFault("store_taken", "the store was taken over by another process")
_STALL_S: Final = (5.0, 60.0)


class Notes(Protocol):
    """Hears what is written, by whom, and what goes wrong."""

    def saw(self, turn: AccountTurn, view: AccountView) -> None:
        """Hear that a decision is being made on this view."""
        ...

    def committed(
        self, process: Process, turns: Sequence[AccountTurn], decisions: Sequence[Decision], now: datetime
    ) -> None:
        """Hear that this is durable, since now."""
        ...

    def met(self, fault: str, attempt_id: AttemptId | None) -> None:
        """Hear that a fault has met an attempt, or everything."""
        ...


class Vault:
    """What outlives the processes: the store, who owns it, and what was staged in it and never used."""

    def __init__(self, store: Store, *, loop: VirtualLoop, seed: int, faults: Faults, notes: Notes) -> None:
        self.store, self.loop, self.faults, self.notes = store, loop, faults, notes
        self.chance = Chance(seed, "store")
        self.epoch = 0
        self.stall: Callable[[Process, float], None]
        self.is_sick = self.is_deaf = self.is_broken = False
        self.staged: dict[tuple[AccountId, CampaignId], None] = {}


class SimulatedStore:
    """The store in the hands of one process."""

    def __init__(self, vault: Vault, process: Process) -> None:
        self._vault = vault
        self._process = process
        self._epoch = 0
        self._is_broken = False

    async def __aenter__(self) -> Self:
        vault = self._vault
        await self._pace()
        vault.epoch += 1
        self._epoch, vault.is_broken = vault.epoch, False
        for account_id, campaign_id in [*vault.staged]:
            await vault.store.discard(account_id, campaign_id)
        vault.staged.clear()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    # Writing.

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
        """Settle in the one store, if this process may and nothing is in the way."""
        vault = self._vault
        await self._before_writing()
        if vault.chance.meets(vault.faults.crash_before):
            await self._die("crash_before")

        def watched(view: AccountView, inputs: Inputs, now: datetime) -> Decision:
            vault.notes.saw(named[view.account_id], view)
            decision = decide(view, inputs, now)
            if vault.chance.meets(vault.faults.roll_back):
                vault.notes.met("roll_back", None)
                raise LOCKED
            return decision

        named = {turn.account_id: turn for turn in turns}
        decisions = await vault.store.settle(turns, watched, now)
        for decision in decisions:
            for campaign in decision.campaigns:
                vault.staged.pop((campaign.account_id, campaign.id), None)
        vault.notes.committed(self._process, turns, decisions, now)
        if vault.chance.meets(vault.faults.crash_after):
            await self._die("crash_after")
        if vault.chance.meets(vault.faults.stall_after):
            vault.notes.met("stall_after", None)
            vault.stall(self._process, vault.chance.between(*_STALL_S))
        await self._pace()
        return decisions

    async def stage(
        self,
        account_id: AccountId,
        campaign_id: CampaignId,
        contacts: Sequence[StagedContact],
        rejects: Sequence[RejectedRow] = (),
    ) -> None:
        """Stage in the one store."""
        await self._before_writing()
        await self._vault.store.stage(account_id, campaign_id, contacts, rejects)
        self._vault.staged[account_id, campaign_id] = None
        await self._pace()

    async def discard(self, account_id: AccountId, campaign_id: CampaignId) -> None:
        """Discard in the one store."""
        await self._before_writing()
        await self._vault.store.discard(account_id, campaign_id)
        self._vault.staged.pop((account_id, campaign_id), None)
        await self._pace()

    async def _before_writing(self) -> None:
        vault = self._vault
        await self._pace()
        if self._is_broken or vault.is_broken:
            self._is_broken = True
            raise BROKEN
        if vault.is_sick or vault.chance.meets(vault.faults.write):
            vault.notes.met("write", None)
            raise LOCKED
        if self._epoch != vault.epoch:
            raise TAKEN

    async def _die(self, fault: str) -> None:
        self._vault.notes.met(fault, None)
        self._process.crash()
        await self._vault.loop.create_future()

    async def _pace(self) -> None:
        await asyncio.sleep(self._vault.chance.between(0.0, self._vault.faults.pace_s))

    # Reading.

    async def agenda(self) -> Agenda:
        """Read the agenda."""
        await self._before_reading()
        return await self._vault.store.agenda()

    async def account(self, account_id: AccountId) -> Account:
        """Read an account."""
        await self._before_reading()
        return await self._vault.store.account(account_id)

    async def campaign(self, account_id: AccountId, campaign_id: CampaignId) -> CampaignRecord:
        """Read a campaign."""
        await self._before_reading()
        return await self._vault.store.campaign(account_id, campaign_id)

    async def campaigns(self, account_id: AccountId) -> Sequence[Campaign]:
        """Read campaigns."""
        await self._before_reading()
        return await self._vault.store.campaigns(account_id)

    async def contacts(
        self, account_id: AccountId, campaign_id: CampaignId, *, status: ContactStatus | None = None, page: int = 0
    ) -> ContactsPage:
        """Read contacts."""
        await self._before_reading()
        return await self._vault.store.contacts(account_id, campaign_id, status=status, page=page)

    async def rejects(self, account_id: AccountId, campaign_id: CampaignId, *, page: int = 0) -> Sequence[RejectedRow]:
        """Read rejected rows."""
        await self._before_reading()
        return await self._vault.store.rejects(account_id, campaign_id, page=page)

    async def dials_since(self, account_id: AccountId, campaign_id: CampaignId, since: datetime) -> int:
        """Count dials."""
        await self._before_reading()
        return await self._vault.store.dials_since(account_id, campaign_id, since)

    async def receipt(self, account_id: AccountId, scope: str, key: str) -> Receipt | None:
        """Read a receipt."""
        await self._before_reading()
        return await self._vault.store.receipt(account_id, scope, key)

    async def _before_reading(self) -> None:
        vault = self._vault
        await self._pace()
        if vault.is_deaf or vault.chance.meets(vault.faults.read):
            vault.notes.met("read", None)
            raise LOCKED
