"""From a contacts file to a campaign: whole, or not at all."""

import asyncio
from collections.abc import AsyncIterable
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Final, Self

from kataven_core.campaign import Campaign, Operation
from kataven_core.contacts_csv import ContactsParser, CsvOptions
from kataven_core.cycle import CreateCampaign, Operate
from kataven_core.errors import AdapterFault, CommandRefused, KatavenError
from kataven_core.ports import Store
from kataven_core.receipts import Once
from kataven_core.settings import CampaignSettings
from kataven_core.values import AccountId, CampaignId

from .imports import Import, ImportProgress, OnProgress
from .inbox import Answer, Inbox

UnderWay = set[tuple[AccountId, CampaignId]]
"""The uploads of this process that have begun and not ended."""


class Upload:
    """A contacts file on its way: ``read`` it, then ``create`` its campaign. Left without, nothing of it stays.

    In between the rest of what makes a campaign may still come in. Made by ``Engine.upload``.
    """

    def __init__(
        self,
        *,
        store: Store,
        inbox: Inbox,
        under_way: UnderWay,
        account_id: AccountId,
        campaign_id: CampaignId,
        options: CsvOptions | None,
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._under_way = under_way
        self._key: Final = (account_id, campaign_id)
        self._parser = ContactsParser(options)
        self._asked: Answer | None = None
        self._is_kept = self._is_created = False

    async def __aenter__(self) -> Self:
        if self._key in self._under_way:
            sentence = f"the campaign {self._key[1]!r} is being uploaded: choose another id, or wait"
            raise CommandRefused("campaign_exists", sentence)
        self._under_way.add(self._key)
        try:
            await self._store.discard(*self._key)  # what an upload that failed could not remove
        except BaseException:
            self._under_way.discard(self._key)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if not self._is_created:
                await asyncio.shield(self._give_up())
        finally:
            self._under_way.discard(self._key)

    @property
    def progress(self) -> ImportProgress:
        """How many rows were accepted and rejected so far."""
        return ImportProgress(self._parser.accepted_rows, self._parser.rejected_rows)

    async def read(self, contacts: BinaryIO | AsyncIterable[bytes], on_progress: OnProgress | None = None) -> None:
        """Read the file as it comes, and never hold it whole; ``ContactsFileError`` when it can't be used."""
        await Import(self._store, *self._key, self._parser).run(contacts, on_progress)

    async def create(self, settings: CampaignSettings, *, created_by: str = "", once: Once | None = None) -> Campaign:
        """Make the campaign of what was read: a draft, or scheduled when its settings name a time.

        Cancelled, it is gone again; with ``once`` it stays, as whoever asks again is answered with it.
        """
        account_id, campaign_id = self._key
        total = self._parser.accepted_rows
        command = CreateCampaign(
            campaign_id=campaign_id, settings=settings, total=total, created_by=created_by, once=once
        )
        self._asked, self._is_kept = self._inbox.ask(account_id, command), once is not None
        created = await asyncio.shield(self._asked)
        assert isinstance(created, Campaign)  # noqa: S101 - what a creation is answered with
        self._is_created = created.id == campaign_id  # else it was created before, by the same request
        return created

    async def _give_up(self) -> None:
        """Remove what was staged, and the campaign too, should it have come into being: first let that be known."""
        account_id, campaign_id = self._key
        if self._asked:
            await asyncio.wait([self._asked])
            if not self._asked.exception() and not self._is_kept:
                with suppress(KatavenError):
                    await self._inbox.ask(account_id, Operate(campaign_id=campaign_id, operation=Operation.DELETE))
        with suppress(AdapterFault):  # else it is swept when the store is opened
            await self._store.discard(account_id, campaign_id)
