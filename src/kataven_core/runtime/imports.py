"""A contacts file on its way into the store: parsed as it comes, staged a thousand rows at a time, seen by nobody."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from functools import partial
from typing import BinaryIO, Final, NamedTuple

from kataven_core.contacts_csv import AcceptedRow, Batch, ContactsParser, RejectedRow
from kataven_core.ports import MAX_STAGED_ROWS, StagedContact, Store
from kataven_core.values import AccountId, CampaignId

_CHUNK_BYTES: Final = 64 * 1024
_NAMES_CHARS: Final = 4 * 1024 * 1024
"""Of the columns' names, which are stored with each contact: so many are written out at once, however long they are."""
_make_contact = partial(tuple.__new__, StagedContact)
"""Past what Python does for each of them."""


class ImportProgress(NamedTuple):
    """How far an import has come, in rows."""

    accepted: int
    rejected: int


OnProgress = Callable[[ImportProgress], None]


class Import:
    """One file for one campaign to be."""

    def __init__(self, store: Store, account_id: AccountId, campaign_id: CampaignId, parser: ContactsParser) -> None:
        self._store = store
        self._account_id = account_id
        self._campaign_id = campaign_id
        self._parser = parser
        self._accepted: list[AcceptedRow] = []
        self._rejected: list[RejectedRow] = []

    async def run(self, contacts: BinaryIO | AsyncIterable[bytes], on_progress: OnProgress | None) -> int:
        """Stage all that can be dialled and all that was rejected; give the number of contacts.

        Raises ``ContactsFileError`` where the file as a whole can't be used.
        """
        chunks = contacts if isinstance(contacts, AsyncIterable) else _read(contacts)
        async for chunk in chunks:
            await self._take(self._parser.feed(chunk), on_progress)
        await self._take(self._parser.finish(), on_progress, is_last=True)
        return self._parser.accepted_rows

    async def _take(self, batch: Batch, on_progress: OnProgress | None, *, is_last: bool = False) -> None:
        """Collect rows, and stage them in batches of as many as may be brought at once."""
        at_once = self._at_once
        at_least = 1 if is_last else at_once
        self._accepted += batch.accepted
        self._rejected += batch.rejected
        while max(len(self._accepted), len(self._rejected)) >= at_least:
            accepted, self._accepted = self._accepted[:at_once], self._accepted[at_once:]
            rejected, self._rejected = self._rejected[:at_once], self._rejected[at_once:]
            await self._store.stage(self._account_id, self._campaign_id, self._staged(accepted), rejected)
        if on_progress:
            on_progress(ImportProgress(self._parser.accepted_rows, self._parser.rejected_rows))

    def _staged(self, rows: Sequence[AcceptedRow]) -> list[StagedContact]:
        positions, numbers = [row.position for row in rows], [row.phone_number for row in rows]
        return [*map(_make_contact, zip(positions, numbers, self._parser.encoded_fields(rows), strict=True))]

    @property
    def _at_once(self) -> int:
        """How many rows are staged together."""
        header = self._parser.header
        names_chars = sum(map(len, header.names)) if header else 1
        return max(1, min(MAX_STAGED_ROWS, _NAMES_CHARS // names_chars))


async def _read(file: BinaryIO) -> AsyncIterator[bytes]:
    """Read a file without holding up everything else: a pipe or a slow disk may take its time."""
    while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
        yield chunk
