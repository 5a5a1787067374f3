"""The engine as its host sees it: open it around a store and a line, then say what is to be done."""

import asyncio
from collections.abc import AsyncIterable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from types import TracebackType
from typing import BinaryIO, Final, Self

from kataven_core.account import Account
from kataven_core.campaign import Campaign, Operation
from kataven_core.contacts_csv import ContactsParser, CsvOptions, RejectedRow
from kataven_core.cycle import Command, CreateCampaign, Operate, PutAccount
from kataven_core.cycle import decide as decide_purely
from kataven_core.errors import AdapterFault, CommandRefused, InvalidValue, KatavenError, NotFound, Problem
from kataven_core.ports import CampaignRecord, Clock, ContactsPage, Decide, Line, Publisher, Store, Subscription
from kataven_core.settings import CampaignSettings
from kataven_core.snapshot import Snapshot, take_snapshot
from kataven_core.statuses import ContactStatus
from kataven_core.values import AccountId, CampaignId
from kataven_core.values import account_id as read_account_id
from kataven_core.values import campaign_id as read_campaign_id

from .hub import Hub
from .imports import Import, OnProgress
from .inbox import Answer
from .settings import EngineSettings
from .system import SystemClock, new_campaign_id
from .works import Works

_MINUTE: Final = timedelta(minutes=1)
_ENDED: Final = AdapterFault("engine_ended", "the engine is shutting down: ask again when it is up", is_retryable=True)


class Engine:
    """Runs all campaigns of all accounts in ``store``, over ``line``, while it is entered.

    It opens and closes both. What a store or a line of another kind needs is said in ``kataven_core.ports``.

    Every method raises ``NotFound`` for what this account does not have, ``InvalidValue`` for what can't be used,
    ``CommandRefused`` for what can't be done now, and ``AdapterFault`` when the store can't do it.
    """

    def __init__(
        self,
        *,
        store: Store,
        line: Line,
        publisher: Publisher | None = None,
        clock: Clock | None = None,
        settings: EngineSettings | None = None,
        decide: Decide = decide_purely,
    ) -> None:
        self._store = store
        self._line = line
        self._hub = Hub()
        self._publisher = publisher or self._hub
        self._clock = clock or SystemClock()
        self._settings = settings or EngineSettings()
        self._decide = decide
        self._uploads: set[tuple[AccountId, CampaignId]] = set()
        self._works: Works | None = None
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            await opening.enter_async_context(self._store)
            await opening.enter_async_context(self._line)
            works = Works(
                store=self._store,
                line=self._line,
                publisher=self._publisher,
                clock=self._clock,
                settings=self._settings,
                decide=self._decide,
            )
            opening.push_async_callback(works.stop, _ENDED)
            await works.start()
            self._works = works
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop claiming, let sends settle and calls end that would die with the process, store what is known."""
        try:
            await self._open.aclose()
        finally:
            self._works = None
            self._hub.close()

    @property
    def failure(self) -> AdapterFault | None:
        """Why the engine dials nobody any more, where it had to stop by itself; None while all is well."""
        return self._open_works.failure

    # Commands.

    async def put_account(self, account: Account) -> Account:
        """Make an account, or change its caps, agents and numbers; its running campaigns follow at once."""
        answer = await self._ask(read_account_id(account.id), PutAccount(account=account))
        assert isinstance(answer, Account)  # noqa: S101 - what a put is answered with
        return answer

    async def create(
        self,
        account_id: str,
        settings: CampaignSettings,
        *,
        contacts: BinaryIO | AsyncIterable[bytes],
        options: CsvOptions | None = None,
        created_by: str = "",
        campaign_id: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> Campaign:
        """Make a campaign of a contacts file: a draft, or scheduled when its settings name a time.

        The file is read as it comes, and never held whole; the campaign is there whole, or not at all. ``options`` say
        how to read it, ``on_progress`` hears how far that has come. ``ContactsFileError`` when it can't be used.
        """
        account = _known_account(account_id)
        name = new_campaign_id() if campaign_id is None else read_campaign_id(campaign_id)
        problems = (await self._open_works.store.account(account)).obstacles(
            settings.agent_id, settings.phone_number_id
        )
        if problems:  # before a long upload; the decision that creates it asks again
            raise InvalidValue.of("invalid_settings", problems)
        if (account, name) in self._uploads:
            raise CommandRefused(
                "campaign_exists", f"the campaign {name!r} is being uploaded: choose another id, or wait"
            )
        self._uploads.add((account, name))
        upload = Import(self._open_works.store, account, name, ContactsParser(options))
        asked: Answer | None = None
        try:
            await self._open_works.store.discard(account, name)  # what an upload that failed could not remove
            total = await upload.run(contacts, on_progress)
            command = CreateCampaign(campaign_id=name, settings=settings, total=total, created_by=created_by)
            asked = self._open_works.inbox.ask(account, command)
            created = await asyncio.shield(asked)
        except BaseException:
            await asyncio.shield(self._give_up(account, name, asked))
            raise
        finally:
            self._uploads.discard((account, name))
        assert isinstance(created, Campaign)  # noqa: S101 - what a creation is answered with
        return created

    async def _give_up(self, account_id: AccountId, campaign_id: CampaignId, asked: Answer | None) -> None:
        """Remove what was staged, and the campaign too, should it have come into being: first let that be known."""
        if asked:
            await asyncio.wait([asked])
            if not asked.exception():
                with suppress(KatavenError):
                    await self._ask(account_id, Operate(campaign_id=campaign_id, operation=Operation.DELETE))
        with suppress(AdapterFault):  # else it is swept when the store is opened
            await self._open_works.store.discard(account_id, campaign_id)

    async def start(self, account_id: str, campaign_id: str) -> Campaign:
        """Let a draft, scheduled or paused campaign dial, if it fits into the account's budget."""
        return await self.operate(account_id, campaign_id, Operation.START)

    async def pause(self, account_id: str, campaign_id: str) -> Campaign:
        """Begin no new dial; when this returns, none will. Calls in flight go on, and their outcomes count."""
        return await self.operate(account_id, campaign_id, Operation.PAUSE)

    async def resume(self, account_id: str, campaign_id: str) -> Campaign:
        """Let a paused campaign go on."""
        return await self.operate(account_id, campaign_id, Operation.RESUME)

    async def stop(self, account_id: str, campaign_id: str) -> Campaign:
        """End a campaign for good: whoever is pending is cancelled, calls in flight end by themselves."""
        return await self.operate(account_id, campaign_id, Operation.STOP)

    async def delete(self, account_id: str, campaign_id: str) -> None:
        """Remove a campaign that does not run; calls in flight keep their slots until they end."""
        await self.operate(account_id, campaign_id, Operation.DELETE)

    async def operate(self, account_id: str, campaign_id: str, operation: Operation) -> Campaign:
        """Do to a campaign what somebody asks for; give it as the operation left it."""
        account, name = _known(account_id, campaign_id)
        answer = await self._ask(account, Operate(campaign_id=name, operation=operation))
        assert isinstance(answer, Campaign)  # noqa: S101 - what an operation is answered with
        return answer

    # Reads.

    async def account(self, account_id: str) -> Account:
        """Give an account as it was put last."""
        return await self._open_works.store.account(_known_account(account_id))

    async def campaign(self, account_id: str, campaign_id: str) -> CampaignRecord:
        """Give a campaign and its counters."""
        return await self._open_works.store.campaign(*_known(account_id, campaign_id))

    async def campaigns(self, account_id: str) -> Sequence[Campaign]:
        """Give an account's campaigns, the newest first."""
        return await self._open_works.store.campaigns(_known_account(account_id))

    async def contacts(
        self, account_id: str, campaign_id: str, *, status: ContactStatus | None = None, page: int = 0
    ) -> ContactsPage:
        """Give a page of a campaign's contacts, in file order."""
        return await self._open_works.store.contacts(*_known(account_id, campaign_id), status=status, page=_page(page))

    async def rejects(self, account_id: str, campaign_id: str, *, page: int = 0) -> Sequence[RejectedRow]:
        """Give a page of the rows of a campaign's file that can't be dialled."""
        return await self._open_works.store.rejects(*_known(account_id, campaign_id), page=_page(page))

    async def snapshot(self, account_id: str, campaign_id: str) -> Snapshot:
        """Give a campaign's progress at a glance."""
        account, name = _known(account_id, campaign_id)
        now = self._clock.now()
        campaign, counters = await self._open_works.store.campaign(account, name)
        dials = await self._open_works.store.dials_since(account, name, now - _MINUTE)
        return take_snapshot(campaign.status, counters, calls_per_minute=dials, now=now, started_at=campaign.started_at)

    def events(self, account_id: str, campaign_id: str | None = None) -> Subscription:
        """Listen to what happens, once it is durable: ``async with engine.events("acme") as events``."""
        account = _known_account(account_id)
        return self._publisher.subscribe(account, None if campaign_id is None else CampaignId(campaign_id))

    async def _ask(self, account_id: AccountId, command: Command) -> Account | Campaign:
        return await self._open_works.inbox.ask(account_id, command)

    @property
    def _open_works(self) -> Works:
        if self._works is None:
            raise AdapterFault("engine_not_open", "the engine is not open: use it inside `async with Engine(...)`")
        return self._works


def _known_account(account_id: str) -> AccountId:
    """Read an account's id; what can't be one is nobody's."""
    try:
        return read_account_id(account_id)
    except InvalidValue:
        raise NotFound("account") from None


def _known(account_id: str, campaign_id: str) -> tuple[AccountId, CampaignId]:
    """Read a campaign's ids; what can't be one is nobody's."""
    try:
        return read_account_id(account_id), read_campaign_id(campaign_id)
    except InvalidValue:
        raise NotFound("campaign") from None


def _page(page: int) -> int:
    if page < 0:
        raise InvalidValue.of("invalid_page", [Problem("page", f"page is {page}: pages are counted from 0")])
    return page
