"""The engine inside somebody's own aiohttp server: upload a file, watch it being dialled, stop it. No phone rings.

    python examples/embed_aiohttp.py --port 8080
    curl --data-binary @examples/contacts.csv http://127.0.0.1:8080/campaigns
    curl http://127.0.0.1:8080/campaigns/ID
    curl -X POST http://127.0.0.1:8080/campaigns/ID/stop

ID is the "id" in the answer to the first of these requests.

The engine opens with the server and closes with it; whatever was under way goes on at the next start. For calls that
ring, give it another line; for keys, users and pages, this is your server.
"""

import argparse
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web

import kataven_core as kc
from kataven_adapters.simulated import simulated_line
from kataven_adapters.sqlite import SqliteStore
from kataven_core.codec import campaign_members, to_plain
from kataven_core.runtime import Engine, SystemClock

ENGINE = web.AppKey("engine", Engine)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ME = kc.Account(
    id=kc.account_id("acme"),
    caps=kc.Caps(concurrent_max=10),
    agents=(kc.Agent(id="reminder"),),
    phone_numbers=(kc.OutboundNumber(id="office", e164=kc.PhoneNumber("+12025550100")),),
)


async def create(request: web.Request) -> web.Response:
    """Take a contacts file as the body, as it comes, and begin to dial it."""
    settings = kc.campaign_settings(
        now=datetime.now(UTC),
        name=request.query.get("name", "from the API"),
        agent_id="reminder",
        phone_number_id="office",
        max_concurrent_calls=5,
    )
    engine = request.app[ENGINE]
    campaign = await engine.create(ME.id, settings, contacts=request.content.iter_chunked(64 * 1024))
    return web.json_response(campaign_members(await engine.start(ME.id, campaign.id)), status=201)


async def progress(request: web.Request) -> web.Response:
    """Say how far a campaign has come."""
    return web.json_response(to_plain(await request.app[ENGINE].snapshot(ME.id, request.match_info["id"])))


async def stop(request: web.Request) -> web.Response:
    """End a campaign for good: it is completed at once, while calls in flight end by themselves.

    ``calls_in_flight`` of its progress says how many are still up.
    """
    return web.json_response(campaign_members(await request.app[ENGINE].stop(ME.id, request.match_info["id"])))


@web.middleware
async def errors_as_answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error that is part of the interface has a sentence for whoever made the request."""
    try:
        return await handler(request)
    except kc.KatavenError as error:
        kinds = {kc.NotFound: 404, kc.CommandRefused: 409, kc.AdapterFault: 503}
        status = next((status for kind, status in kinds.items() if isinstance(error, kind)), 400)
        return web.json_response({"code": error.code, "message": error.message}, status=status)


def make_app(store: str, line: str = "simulated://") -> web.Application:
    """Put the engine beside whatever else the server does."""

    async def engine_of(app: web.Application) -> AsyncIterator[None]:
        """Keep the engine open as long as the server runs."""
        async with Engine(store=SqliteStore(store), line=simulated_line(line, SystemClock())) as engine:
            await engine.put_account(ME)
            app[ENGINE] = engine
            yield

    app = web.Application(middlewares=[errors_as_answers])
    app.cleanup_ctx.append(engine_of)
    app.add_routes(
        [
            web.post("/campaigns", create),
            web.get("/campaigns/{id}", progress),
            web.post("/campaigns/{id}/stop", stop),
        ]
    )
    return app


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--port", type=int, default=8080)
    words.add_argument("--store", default="embedded.db")
    chosen = words.parse_args()
    try:
        web.run_app(make_app(chosen.store), host="127.0.0.1", port=chosen.port)
    except kc.AdapterFault as fault:  # the store can't be opened; another process may have it
        sys.exit(fault.message)
