"""The API without a server: requests made by hand, in front of an engine whose clock stands still."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import kataven_core as kc
from kataven_adapters.http import Api, Request
from kataven_adapters.http.body import Body
from kataven_adapters.http.messages import Response
from kataven_adapters.http.settings import ApiSettings
from kataven_adapters.memory import MemoryStore
from kataven_adapters.simulated import simulated_line
from kataven_core.runtime import Engine
from kataven_core.testing.clocks import StillClock

from .asking import multipart, of_form
from .conftest import ACME, GLOBEX, SLOW, auth, keys


async def pieces_of(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Yield what comes, piece by piece."""
    for each in chunks:
        yield each


def body_of(*chunks: bytes, settings: ApiSettings | None = None) -> Body:
    """Give a body that comes in pieces."""
    return Body(pieces_of(chunks), settings or ApiSettings())


def request(
    method: str = "GET",
    path: str = "/api/v1/campaigns",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | AsyncIterator[bytes] = b"",
    account: kc.Account = ACME,
    **changed: Any,
) -> Request:
    """Make a request with the key of an account."""
    given = {name.lower(): value for name, value in {**auth(account), **(headers or {})}.items()}
    if isinstance(body, bytes):
        given |= {"content-length": str(len(body))} if body else {}
        body = pieces_of([body])
    return Request(method=method, path=path, headers=given, body=body, **changed)


class Inside(NamedTuple):
    """An API and what is behind it."""

    api: Api
    engine: Engine
    clock: StillClock

    async def ask(self, method: str, path: str, **details: Any) -> Response:
        """Ask; a path begins below the canonical prefix."""
        return await self.root(f"/api/v1{path}", method, **details)

    async def root(self, path: str, method: str = "GET", **details: Any) -> Response:
        """Ask; a path is the whole of it."""
        answer = await self.api.handle(request(method, path, **details))
        assert isinstance(answer, Response)
        return answer

    async def send(
        self, parts: Iterable[tuple[str, str | bytes]], headers: Mapping[str, str], **details: Any
    ) -> Response:
        """Send a form."""
        given = {**of_form(), **headers}
        return await self.ask("POST", "/campaigns", headers=given, body=multipart(parts), **details)


@asynccontextmanager
async def inside(**options: Any) -> AsyncIterator[Inside]:
    """Open an engine, and put the API in front of it."""
    clock = StillClock()
    line = simulated_line(SLOW, clock)
    async with Engine(store=MemoryStore(), line=line, clock=clock, accounts=[ACME, GLOBEX]) as engine:
        yield Inside(Api(engine, keys(), clock=clock, **options), engine, clock)
