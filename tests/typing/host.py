"""What a host that imports us sees: checked by mypy and by pyright, never run."""

from collections.abc import AsyncIterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO, assert_type

from aiohttp import web

import kataven_core as kc
from kataven_adapters.client import AsyncKatavenClient, ConflictError, KatavenClient
from kataven_adapters.http import (
    ApiKey,
    ApiKeys,
    ApiSettings,
    AsgiApp,
    Caller,
    Metrics,
    Request,
    create_app,
    create_asgi_app,
)
from kataven_adapters.numbers import national_parser
from kataven_adapters.registry import line_from_url, store_from_url
from kataven_adapters.simulated import SimulatedLine, SimulatedSettings
from kataven_adapters.sqlite import SqliteStore
from kataven_core.codec import campaign_members, from_plain, to_plain
from kataven_core.ports import CampaignRecord, ContactsPage, Line, Store
from kataven_core.runtime import Engine, Hub, SystemClock

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read(data: bytes) -> list[kc.Contact]:
    """Read a file."""
    parser = kc.ContactsParser(kc.CsvOptions(national=national_parser("US"), duplicates=kc.Duplicates.KEEP))
    batch = assert_type(parser.feed(data), kc.Batch)
    row = assert_type(batch.accepted[0], kc.AcceptedRow)
    assert_type(row.phone_number, kc.PhoneNumber)
    assert_type(batch.rejected[0].code, kc.RejectCode)
    assert_type(parser.header, kc.Header | None)
    return [
        kc.Contact(
            campaign_id=kc.CampaignId("c"),
            position=row.position,
            phone_number=row.phone_number,
            custom_fields=parser.custom_fields(row),
            updated_at=NOW,
        )
        for row in (*batch.accepted, *parser.finish().accepted)
    ]


def turn(view: kc.AccountView, reports: tuple[kc.Report, ...]) -> Mapping[kc.CampaignId, kc.Allowance]:
    """Make a decision and look at all of it."""
    commands = (kc.Operate(campaign_id=kc.CampaignId("c"), operation=kc.Operation.START),)
    decision = assert_type(kc.decide(view, kc.Inputs(reports=reports, commands=commands), NOW), kc.Decision)
    for order in decision.orders:
        assert_type(order.to, kc.PhoneNumber)
        assert_type(order.variables, Mapping[str, str])
    for change in decision.contacts:
        assert_type(change.before, kc.Contact)
    for attempt in decision.attempts:
        assert_type(attempt.before, kc.Attempt | None)
    for answer in decision.answers:
        assert_type(answer, kc.Campaign | kc.Account | kc.KatavenError)
    return decision.holds


def settings() -> kc.CampaignSettings:
    """Choose settings, or learn what is wrong with them."""
    try:
        return kc.campaign_settings(now=NOW, name="Reminders", agent_id="a", phone_number_id="n")
    except kc.InvalidValue as error:
        for problem in error.problems:
            assert_type(problem.field, str)
        raise


def keep(account: kc.Account, campaign: kc.Campaign) -> dict[str, object]:
    """Turn values into plain forms and back."""
    assert_type(from_plain(to_plain(account), kc.Account), kc.Account)
    return campaign_members(campaign)


def engines() -> list[Engine]:
    """Put engines together, by hand and by URL."""
    clock = SystemClock()
    by_hand = Engine(store=SqliteStore("calls.db"), line=SimulatedLine(SimulatedSettings(), clock), publisher=Hub())
    store = assert_type(store_from_url("memory://"), Store)
    line = assert_type(line_from_url("simulated://", clock), Line)
    return [by_hand, Engine(store=store, line=line)]


async def embed(engine: Engine, file: BinaryIO, body: AsyncIterable[bytes]) -> kc.Snapshot:
    """Use everything that a host calls."""
    seen: list[int] = []
    async with engine as opened:
        assert_type(opened, Engine)
        campaign = assert_type(await engine.create("acme", settings(), contacts=file), kc.Campaign)
        await engine.create("acme", settings(), contacts=body, on_progress=lambda now: seen.append(now.accepted))
        assert_type(await engine.start("acme", campaign.id), kc.Campaign)
        assert_type(await engine.campaign("acme", campaign.id), CampaignRecord)
        page = assert_type(await engine.contacts("acme", campaign.id, status=kc.ContactStatus.PENDING), ContactsPage)
        assert_type(page.contacts, Sequence[kc.Contact])
        async with engine.events("acme") as events:
            async for event in events:
                assert_type(event, kc.CampaignEvent)
        return assert_type(await engine.snapshot("acme", campaign.id), kc.Snapshot)


async def who_asks(request: Request) -> Caller | None:
    """Know a user of one's own."""
    return Caller(kc.account_id("acme"), "user") if assert_type(request.header("x-user"), str) else None


def mounted(engine: Engine) -> tuple[web.Application, AsgiApp]:
    """Mount the API, with keys or users of one's own."""
    metrics, keys = Metrics(), ApiKeys([ApiKey(sha256="0" * 64, account_id=kc.account_id("acme"), key_id="ops")])
    app = create_app(engine, keys, settings=ApiSettings(max_streams=10), metrics=metrics, read_region=national_parser)
    return assert_type(app, web.Application), assert_type(create_asgi_app(engine, who_asks), AsgiApp)


def call(file: BinaryIO) -> dict[str, Any]:
    """Use the client."""
    with KatavenClient("sk_live_acme_1", "http://127.0.0.1:8080", retry=True) as client:
        created = client.campaigns.create("March", "agent", "number", file, scheduled_at=NOW, idempotency_key="1")
        for item in client.campaigns.stream_events(created["id"]):
            assert_type(item, dict[str, Any] | str)
        try:
            return client.campaigns.start(created["id"])
        except ConflictError as error:
            assert_type(error.status_code, int)
            raise


async def call_async(file: BinaryIO) -> None:
    """Use the client that waits for nobody."""
    async with AsyncKatavenClient() as client:
        created = await client.campaigns.create("March", "agent", "number", file)
        async for item in client.campaigns.stream_events(created["id"]):
            assert_type(item, dict[str, Any] | str)
        await client.campaigns.delete(created["id"])
