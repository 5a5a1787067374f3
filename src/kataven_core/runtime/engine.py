"""The engine as its host sees it: open it around a store and a line, then say what is to be done."""

from collections.abc import AsyncIterable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple, Self

from kataven_core.account import Account
from kataven_core.campaign import Campaign, Operation
from kataven_core.contacts_csv import CsvOptions, RejectedRow
from kataven_core.cycle import Command, Operate, PutAccount
from kataven_core.cycle import decide as decide_purely
from kataven_core.errors import AdapterFault, InvalidValue, NotFound, Problem
from kataven_core.ports import CampaignRecord, Clock, ContactsPage, Decide, Line, Meter, Publisher, Store, Subscription
from kataven_core.receipts import Once, Receipt
from kataven_core.settings import CampaignSettings
from kataven_core.snapshot import Snapshot, take_snapshot
from kataven_core.statuses import ContactStatus
from kataven_core.values import AccountId, CampaignId
from kataven_core.values import account_id as read_account_id
from kataven_core.values import campaign_id as read_campaign_id

from .hub import Hub
from .imports import OnProgress
from .meters import Unmetered
from .settings import EngineSettings
from .system import SystemClock, chance, new_campaign_id
from .uploads import UnderWay, Upload
from .works import Works

_MINUTE: Final = timedelta(minutes=1)
_NOBODY: Final = AccountId("nobody")
"""Whose campaigns are asked for where only the store's answering counts."""
_ENDED: Final = AdapterFault("engine_ended", "the engine is shutting down: ask again when it is up", is_retryable=True)


class Progress(NamedTuple):
    """Where a campaign stands, after ``sequence`` events."""

    snapshot: Snapshot
    sequence: int


class Engine:
    """Runs all campaigns of all accounts in ``store``, over ``line``, while it is entered.

    It opens and closes both. What a store or a line of another kind needs is said in ``kataven_core.ports``.

    ``accounts`` are put before anything is dialled, and what runs or is scheduled of others dials nobody; without them,
    all are as they were put last. ``meter`` counts what is done; ``chance`` gives numbers from 0 up to 1, which spread
    pauses.

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
        accounts: Sequence[Account] | None = None,
        meter: Meter | None = None,
        decide: Decide = decide_purely,
        chance: Callable[[], float] = chance,
    ) -> None:
        self._store = store
        self._line = line
        self._hub = Hub()
        self._publisher = publisher or self._hub
        self._clock = clock or SystemClock()
        self._settings = settings or EngineSettings()
        self._accounts = accounts
        self._meter = meter or Unmetered()
        self._decide = decide
        self._chance = chance
        self._uploads: UnderWay = set()
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
                meter=self._meter,
                chance=self._chance,
            )
            opening.push_async_callback(works.stop, _ENDED)
            await works.start(self._accounts)
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

    async def troubles(self) -> Sequence[Problem]:
        """Say what keeps it from dialling: the engine itself, its store or its line; nothing while all is well."""
        if self._works is None:
            return [Problem("engine", "the engine is not open")]
        engine, store, line = self._works.failure, self._works.store_fault, self._line.trouble
        try:
            await self._store.campaigns(_NOBODY)
        except AdapterFault as fault:
            store = fault
        return [
            *([Problem("engine", engine.message)] if engine else ()),
            *([Problem("store", store.message)] if store else ()),
            *([Problem("line", line)] if line else ()),
        ]

    @property
    def calls_in_flight(self) -> int:
        """How many calls of all accounts are claimed and have not ended."""
        return self._works.calls_in_flight if self._works else 0

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
        problems = (await self.account(account_id)).obstacles(settings.agent_id, settings.phone_number_id)
        if problems:  # before a long upload; the decision that creates it asks again
            raise InvalidValue.of("invalid_settings", problems)
        async with self.upload(account_id, options=options, campaign_id=campaign_id) as upload:
            await upload.read(contacts, on_progress)
            return await upload.create(settings, created_by=created_by)

    def upload(self, account_id: str, *, options: CsvOptions | None = None, campaign_id: str | None = None) -> Upload:
        """Begin to make a campaign of a file whose settings come later: ``async with`` what this gives."""
        works = self._open_works
        name = new_campaign_id() if campaign_id is None else read_campaign_id(campaign_id)
        return Upload(
            store=works.store,
            inbox=works.inbox,
            under_way=self._uploads,
            account_id=_known_account(account_id),
            campaign_id=name,
            options=options,
        )

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

    async def operate(
        self, account_id: str, campaign_id: str, operation: Operation, *, once: Once | None = None
    ) -> Campaign:
        """Do to a campaign what somebody asks for; give it as the operation left it.

        With ``once``, asking again within a day gives the same answer, and does nothing.
        """
        account, name = _known(account_id, campaign_id)
        answer = await self._ask(account, Operate(campaign_id=name, operation=operation, once=once))
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
        return (await self.progress(account_id, campaign_id)).snapshot

    async def progress(self, account_id: str, campaign_id: str) -> Progress:
        """Give a campaign's progress, and how many events it had by then."""
        account, name = _known(account_id, campaign_id)
        now = self._clock.now()
        campaign, counters = await self._open_works.store.campaign(account, name)
        dials = await self._open_works.store.dials_since(account, name, now - _MINUTE)
        snapshot = take_snapshot(
            campaign.status, counters, calls_per_minute=dials, now=now, started_at=campaign.started_at
        )
        return Progress(snapshot, counters.sequence)

    async def receipt(self, account_id: str, scope: str, key: str) -> Receipt | None:
        """Give what was answered to a request that was made before, under this key."""
        return await self._open_works.store.receipt(_known_account(account_id), scope, key)

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
