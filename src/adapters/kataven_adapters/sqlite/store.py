"""The store port over one file: a thread that writes, and connections that read and never wait for it."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from kataven_core import (
    Account,
    AccountId,
    AdapterFault,
    Campaign,
    CampaignId,
    ContactRows,
    ContactStatus,
    Decision,
    NotFound,
    Receipt,
    RejectCode,
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

from . import queries
from .readers import Readers
from .rows import (
    CAMPAIGN,
    Row,
    account_from,
    attempt_from,
    campaign_from,
    counters_from,
    receipt_from,
    stamp,
)
from .staging import discard_step, stage, uploads
from .writer import Writer


class SqliteStore:
    """Keeps everything in the SQLite file ``path``, which is made when it is not there.

    Durable when a call returns, through a crash of the process and of the machine. One process at a time.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._opened: tuple[Writer, Readers] | None = None
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            writer = Writer(self._path)
            opening.push_async_callback(writer.close)
            await writer.open()
            readers = await opening.enter_async_context(Readers(self._path))
            for account_id, campaign_id in await writer.run(uploads):
                while await writer.run(discard_step, account_id, campaign_id):
                    pass
            self._opened = writer, readers
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._opened = None
        await self._open.aclose()

    @property
    def _writer(self) -> Writer:
        return self._both[0]

    @property
    def _readers(self) -> Readers:
        return self._both[1]

    @property
    def _both(self) -> tuple[Writer, Readers]:
        if self._opened is None:
            raise AdapterFault("store_closed", f"the store {self._path} is not open: use it inside `async with`")
        return self._opened

    # Writing.

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
        """Read, decide and write in one transaction, in one hop to the writing thread."""
        return await self._writer.settle(turns, decide, now)

    async def stage(
        self,
        account_id: AccountId,
        campaign_id: CampaignId,
        contacts: Sequence[StagedContact],
        rejects: Sequence[RejectedRow] = (),
    ) -> None:
        """Write rows under an upload that no read looks at."""
        await self._writer.run(stage, account_id, campaign_id, contacts, rejects)

    async def discard(self, account_id: AccountId, campaign_id: CampaignId) -> None:
        """Delete step by step."""
        while await self._writer.run(discard_step, account_id, campaign_id):
            pass

    # Reading.

    async def agenda(self) -> Agenda:
        """Ask three indexes."""
        attempts = await self._readers.fetch(queries.OPEN_ATTEMPTS)
        campaigns = await self._readers.fetch(queries.TO_GO_ON_WITH)
        deleted = await self._readers.fetch(queries.DELETED)
        return Agenda(
            open_attempts=tuple(attempt_from(CampaignId(row[0]), row[1:]) for row in attempts),
            campaigns=tuple((row[0], row[1]) for row in campaigns),
            deleted=tuple((row[0], row[1]) for row in deleted),
        )

    async def account(self, account_id: AccountId) -> Account:
        """Read it."""
        rows = await self._readers.fetch(queries.ACCOUNT, account_id=account_id)
        if not rows:
            raise NotFound("account")
        return account_from(rows[0][0])

    async def campaign(self, account_id: AccountId, campaign_id: CampaignId) -> CampaignRecord:
        """Read campaign and counters in one statement, where they are not held."""
        records = self._writer.records
        if (held := records.find(account_id, campaign_id)) is not None:
            return held
        commits = records.commits
        rows = await self._readers.fetch(queries.RECORD, account_id=account_id, campaign_id=campaign_id)
        if not rows:
            raise NotFound("campaign")
        record = _record(rows[0])
        records.remember(record, commits)
        return record

    async def campaigns(self, account_id: AccountId) -> Sequence[Campaign]:
        """Read them along their index."""
        return [campaign_from(row) for row in await self._readers.fetch(queries.NEWEST, account_id=account_id)]

    async def contacts(
        self, account_id: AccountId, campaign_id: CampaignId, *, status: ContactStatus | None = None, page: int = 0
    ) -> ContactsPage:
        """Read a page by position; one of those in a status counts through all before it."""
        query, more = (queries.PAGE, {}) if status is None else (queries.PAGE_IN_STATUS, {"status": status.value})
        first = min(page, queries.LAST_PAGE) * PAGE_SIZE
        rows = await self._readers.fetch(
            query, account_id=account_id, campaign_id=campaign_id, first=first, count=PAGE_SIZE, **more
        )
        if not rows:
            raise NotFound("campaign")
        total, contacts = rows[0]
        return ContactsPage(ContactRows(campaign_id, sorted(orjson.loads(contacts))), page, total)

    async def rejects(self, account_id: AccountId, campaign_id: CampaignId, *, page: int = 0) -> Sequence[RejectedRow]:
        """Read them in the order in which they were staged: by line."""
        first = min(page, queries.LAST_PAGE) * REJECTS_PAGE_SIZE
        rows = await self._readers.fetch(
            queries.REJECTS, account_id=account_id, campaign_id=campaign_id, first=first, count=REJECTS_PAGE_SIZE
        )
        if not rows:
            raise NotFound("campaign")
        return [
            RejectedRow(line, column, RejectCode(code), message, value)
            for line, column, code, message, value in rows
            if line is not None
        ]

    async def dials_since(self, account_id: AccountId, campaign_id: CampaignId, since: datetime) -> int:
        """Count along the index of claims."""
        rows = await self._readers.fetch(
            queries.DIALS, account_id=account_id, campaign_id=campaign_id, since=stamp(since)
        )
        if not rows:
            raise NotFound("campaign")
        count: int = rows[0][0]
        return count

    async def receipt(self, account_id: AccountId, scope: str, key: str) -> Receipt | None:
        """Read it by its key."""
        rows = await self._readers.fetch(queries.RECEIPT_OF, account_id=account_id, scope=scope, key=key)
        return receipt_from(rows[0]) if rows else None


def _record(row: Row) -> CampaignRecord:
    campaign = campaign_from(row)
    return CampaignRecord(campaign, counters_from(campaign.id, row[len(CAMPAIGN) :]))
