"""A SQLite file with one campaign of as many contacts as wanted, and the store that has it open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.ground import ACCOUNT, settings

import kataven_core as kc
from kataven_adapters.sqlite import SqliteStore
from kataven_core.ports import AccountTurn, StagedContact

CAMPAIGN = kc.CampaignId("big")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_CHUNK = 10_000


async def turn(store: SqliteStore, *commands: kc.Command, reports: tuple[kc.Report, ...] = ()) -> kc.Decision:
    """Have the store settle one turn, decided on by the real core."""
    inputs = kc.Inputs(commands=commands, reports=reports)
    campaigns = frozenset({CAMPAIGN}) if not commands else frozenset()
    (decision,) = await store.settle(
        [AccountTurn(account_id=ACCOUNT.id, inputs=inputs, campaigns=campaigns)], kc.decide, NOON
    )
    return decision


async def build(path: Path, contacts: int, cap: int) -> None:
    """Store a draft with so many contacts."""
    async with SqliteStore(path) as store:
        await turn(store, kc.PutAccount(account=ACCOUNT))
        for begin in range(0, contacts, _CHUNK):
            rows = [
                StagedContact(n, kc.PhoneNumber(f"+1{2_125_000_000 + n}"), f'{{"first_name": "First{n % 977}"}}')
                for n in range(begin, min(begin + _CHUNK, contacts))
            ]
            await store.stage(ACCOUNT.id, CAMPAIGN, rows)
        create = kc.CreateCampaign(campaign_id=CAMPAIGN, settings=settings(cap), total=contacts, created_by="bench")
        await turn(store, create)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteStore]:
    """Open it again."""
    async with SqliteStore(path) as store:
        yield store
