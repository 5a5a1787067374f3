"""The campaigns API inside somebody's own FastAPI application, under /voice. No phone rings.

    pip install uvicorn fastapi
    uvicorn --app-dir examples --timeout-graceful-shutdown 3 mount_in_fastapi:app
    export KATAVEN_API_KEY=sk_live_acme_example KATAVEN_BASE_URL=http://127.0.0.1:8000/voice
    kataven campaigns create examples/contacts.csv --name March --agent reminder --number office --start

The same goes for Starlette, and for Django where it is served over ASGI. An application that is mounted hears nothing
of the server's start and end: the engine opens and closes in the host's own lifespan.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

import kataven_core as kc
from kataven_adapters.http import Caller, Metrics, Request, create_asgi_app
from kataven_adapters.simulated import simulated_line
from kataven_adapters.sqlite import SqliteStore
from kataven_core.runtime import Engine, SystemClock

ACME = kc.Account(
    id=kc.account_id("acme"),
    caps=kc.Caps(concurrent_max=10),
    agents=(kc.Agent(id="reminder"),),
    phone_numbers=(kc.OutboundNumber(id="office", e164=kc.PhoneNumber("+12025550100")),),
)


async def who_asks(request: Request) -> Caller | None:
    """Say whose request it is, by whatever the host knows its users by: here by one token."""
    if request.header("authorization") != "Bearer sk_live_acme_example":
        return None
    return Caller(ACME.id, "example")


metrics = Metrics()
engine = Engine(
    store=SqliteStore(os.environ.get("STORE", "mounted.db")),
    line=simulated_line(os.environ.get("LINE", "simulated://"), SystemClock()),
    accounts=[ACME],
    meter=metrics,
)
voice = create_asgi_app(engine, who_asks, metrics=metrics)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Keep the engine open as long as the server runs."""
    async with engine:
        yield


app = FastAPI(lifespan=lifespan)
app.mount("/voice", voice)


@app.get("/")
async def hello() -> dict[str, str]:
    """Stand for all that the application does besides."""
    return {"host": "is here", "api": "is under /voice"}
