"""What the API costs beside bare servers: one campaign, and a page of a hundred contacts.

All servers run in turn in processes of their own and answer the same requests of one client over keep-alive
connections; CPU seconds of the server's process for each request. The whole application knows keys, accounts, routes
and metrics; nobody has set logging up, in none of them.

- One campaign with the read stubbed, as it is shipped, where a campaign that was read lately is held, and read from the
  file each time, beside a bare aiohttp handler that answers with the same bytes. Its JSON is written when it has
  changed, and not for each answer.
- A page of 100 contacts with the read stubbed, and with the read from SQLite, beside Starlette's ``JSONResponse`` of
  the same rows on uvicorn with httptools, which reads nothing; requests a second. All but the read is done each time.
"""

import json
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from aiohttp import web
from bench.big_file import CAMPAIGN, build
from bench.figures import Figure, at_least, at_most, compared
from bench.ground import ACCOUNT, BenchLine
from bench.measuring import Sample, alone, in_turn, run_async
from bench.served import ask_again_and_again, get, on_aiohttp, server

import kataven_core as kc
from kataven_adapters.http import ApiKey, ApiKeys, create_app
from kataven_adapters.sqlite import SqliteStore
from kataven_core.ports import CampaignRecord, ContactsPage
from kataven_core.runtime import Engine

KEY = "sk_live_acme_0123456789abcdef"
ROWS, CONTACTS = 100, 10_000
REQUESTS = 8_000
PAGES = 3_000
KEYS = ApiKeys([ApiKey(sha256(KEY.encode()).hexdigest(), ACCOUNT.id, "bench")])
ONE = get(f"/api/v1/campaigns/{CAMPAIGN}", KEY)
PAGE = get(f"/api/v1/campaigns/{CAMPAIGN}/contacts?page=7", KEY)


class Stubbed(SqliteStore):
    """Reads a campaign and a page once, and remembers them."""

    _record: CampaignRecord | None = None
    _page: ContactsPage | None = None

    async def campaign(self, account_id: kc.AccountId, campaign_id: kc.CampaignId) -> CampaignRecord:
        """Answer from memory."""
        if self._record is None:
            self._record = await super().campaign(account_id, campaign_id)
        return self._record

    async def contacts(
        self,
        account_id: kc.AccountId,
        campaign_id: kc.CampaignId,
        *,
        status: kc.ContactStatus | None = None,
        page: int = 0,
    ) -> ContactsPage:
        """Answer from memory."""
        if self._page is None:
            self._page = await super().contacts(account_id, campaign_id, status=status, page=page)
        return self._page


class Forgetful(SqliteStore):
    """Reads a campaign from the file each time."""

    async def campaign(self, account_id: kc.AccountId, campaign_id: kc.CampaignId) -> CampaignRecord:
        """Read it anew."""
        self._writer.records.forget()
        return await super().campaign(account_id, campaign_id)


@asynccontextmanager
async def application(listening: socket.socket, path: Path, store: type[SqliteStore]) -> AsyncIterator[None]:
    """Serve the whole application."""
    engine = Engine(store=store(path), line=BenchLine(lambda: 0.0), accounts=[ACCOUNT])
    async with engine, on_aiohttp(create_app(engine, KEYS), listening):
        yield


@asynccontextmanager
async def bare(listening: socket.socket, body: bytes) -> AsyncIterator[None]:
    """Serve these bytes, whatever is asked for."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with on_aiohttp(app, listening):
        yield


@asynccontextmanager
async def starlette(listening: socket.socket, body: bytes) -> AsyncIterator[None]:
    """Serve these rows as Starlette writes them."""
    import asyncio  # noqa: PLC0415 - beside what is installed for the bench only

    import uvicorn  # noqa: PLC0415 - the same
    from starlette.applications import Starlette  # noqa: PLC0415 - the same
    from starlette.responses import JSONResponse  # noqa: PLC0415 - the same
    from starlette.routing import Route  # noqa: PLC0415 - the same

    rows = json.loads(body)

    async def answer(_: object) -> JSONResponse:
        return JSONResponse(rows)

    app = Starlette(routes=[Route("/{path:path}", answer)])
    config = uvicorn.Config(app, log_level="error", access_log=False, http="httptools")
    serving = uvicorn.Server(config)
    task = asyncio.create_task(serving.serve(sockets=[listening]))
    yield
    serving.should_exit = True
    await task


def busy(serve: Any, args: tuple[Any, ...], request: bytes, count: int) -> Sample:
    """Have a server answer so often; give CPU microseconds a request."""
    with server(serve, *args) as running:
        ask_again_and_again(running.port, request, count // 10)
        running.taken()
        begun = time.perf_counter()
        ask_again_and_again(running.port, request, count)
        wall_s, taken = time.perf_counter() - begun, running.taken()
    return Sample(1e6 * taken.cpu_s / count, wall_s, taken.cpu_s, taken.held_mb + taken.growth_mb)


def once(path: Path, request: bytes) -> bytes:
    """Ask the application once."""
    with server(application, path, SqliteStore) as running:
        return ask_again_and_again(running.port, request, 1, 1)


def figures(repeats: int) -> Iterator[Figure]:
    """Compare."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kataven.db")
        alone(run_async, build, path, CONTACTS, 50)
        one, page = once(path, ONE), once(path, PAGE)
        runs = in_turn(
            repeats,
            {
                "stubbed": lambda: busy(application, (path, Stubbed), ONE, REQUESTS),
                "held": lambda: busy(application, (path, SqliteStore), ONE, REQUESTS),
                "sqlite": lambda: busy(application, (path, Forgetful), ONE, REQUESTS),
                "bare": lambda: busy(bare, (one,), ONE, REQUESTS),
                "page stubbed": lambda: busy(application, (path, Stubbed), PAGE, PAGES),
                "page": lambda: busy(application, (path, SqliteStore), PAGE, PAGES),
                "starlette": lambda: busy(starlette, (page,), PAGE, PAGES),
            },
        )
    bare_ones = (runs["bare"], "bare aiohttp")
    yield compared("GET of a campaign, the read stubbed, CPU", (runs["stubbed"], "µs"), bare_ones, at_most(1.5))
    yield compared("GET of a campaign, SQLite as it is shipped, CPU", (runs["held"], "µs"), bare_ones, at_most(4))
    yield compared("GET of a campaign, SQLite read each time, CPU", (runs["sqlite"], "µs"), bare_ones, at_most(4))
    theirs = (_per_second(runs["starlette"]), "Starlette's JSONResponse")
    ours = _per_second(runs["page stubbed"])
    yield compared("GET of 100 contacts, the read stubbed", (ours, "/s"), theirs, at_least(3))
    yield compared("GET of 100 contacts, SQLite", (_per_second(runs["page"]), "/s"), theirs, at_least(3))


def _per_second(samples: list[Sample]) -> list[Sample]:
    return [each._replace(value=PAGES / each.wall_s) for each in samples]
