"""The campaigns API inside somebody's own aiohttp server, under /voice. No phone rings.

    python examples/mount_in_aiohttp.py --port 8080
    export KATAVEN_API_KEY=sk_live_acme_example KATAVEN_BASE_URL=http://127.0.0.1:8080/voice
    kataven campaigns create examples/contacts.csv --name March --agent reminder --number office --start

Everything else that the server does stays as it is; the engine opens and closes with it.
"""

import argparse
import sys
from collections.abc import AsyncIterator
from hashlib import sha256

from aiohttp import web

import kataven_core as kc
from kataven_adapters.http import ApiKey, ApiKeys, Metrics, create_app
from kataven_adapters.numbers import national_parser
from kataven_adapters.simulated import simulated_line
from kataven_adapters.sqlite import SqliteStore
from kataven_core.runtime import Engine, SystemClock

ACME = kc.Account(
    id=kc.account_id("acme"),
    caps=kc.Caps(concurrent_max=10),
    agents=(kc.Agent(id="reminder"),),
    phone_numbers=(kc.OutboundNumber(id="office", e164=kc.PhoneNumber("+12025550100")),),
)
KEY = "sk_live_acme_example"  # yours comes from `kataven keys new acme`, and only its hash is kept


async def hello(_: web.Request) -> web.Response:
    """Stand for all that the server does besides."""
    return web.Response(text="the host is here; the API is under /voice\n")


def make_host(store: str, line: str = "simulated://") -> web.Application:
    """Put the API beside whatever else the server does."""
    metrics = Metrics()
    engine = Engine(store=SqliteStore(store), line=simulated_line(line, SystemClock()), accounts=[ACME], meter=metrics)
    keys = ApiKeys([ApiKey(sha256=sha256(KEY.encode()).hexdigest(), account_id=ACME.id, key_id="example")])

    async def open_engine(_: web.Application) -> AsyncIterator[None]:
        """Keep the engine open as long as the server runs."""
        async with engine:
            yield

    host = web.Application()
    host.router.add_get("/", hello)
    host.cleanup_ctx.append(open_engine)
    host.add_subapp("/voice", create_app(engine, keys, metrics=metrics, read_region=national_parser))
    return host


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--port", type=int, default=8080)
    words.add_argument("--store", default="mounted.db")
    chosen = words.parse_args()
    try:
        web.run_app(make_host(chosen.store), host="127.0.0.1", port=chosen.port)
    except kc.AdapterFault as fault:  # the store can't be opened; another process may have it
        sys.exit(fault.message)
