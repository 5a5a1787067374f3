"""The server as it runs: an engine behind the API, from the first address that is bound to the last call that ends."""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

from aiohttp import web
from attrs import frozen

from kataven_adapters.cli.line_reports import OVER_HTTP, line_reports
from kataven_adapters.cli.listening import allow_many, bound, listening, url_from_elsewhere, url_of
from kataven_adapters.config import Config
from kataven_adapters.http import ApiSettings, Metrics, create_app
from kataven_adapters.http.fields import ReadRegion
from kataven_adapters.registry import line_from_url, store_from_url
from kataven_core import KatavenError
from kataven_core.ports import Line
from kataven_core.runtime import Engine, EngineSettings, SystemClock

from .accounts import Accounts
from .leaving import Leaving

log = logging.getLogger(__name__)

_DRAIN_S: Final = 6.0
"""How long calls may take to end when the server stops; requests have had two seconds before that."""


@frozen(kw_only=True)
class Plan:
    """What to serve, and where. ``file`` is read again at SIGHUP; ``key`` opens the account for trials."""

    config: Config
    file: str | None = None
    store_url: str
    line_url: str
    host: str
    port: int
    key: str | None = None


class Serving:
    """Serves what the plan says; ``tell`` hears, on a line each, what whoever has started it waits for."""

    def __init__(self, plan: Plan, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._tell = tell
        self._clock = SystemClock()
        self._metrics = Metrics()
        self._accounts = Accounts(plan.config.accounts, plan.file)
        self._leaving = Leaving()
        self._hung_up = asyncio.Event()

    async def run(self) -> None:
        """Serve until somebody says to stop; ``KatavenError`` or ``CommandFailure`` where it can't begin."""
        with self._leaving.heard(), self._reloads_heard():
            try:
                await self._serve()
            except asyncio.CancelledError:
                if not self._leaving.is_told:
                    raise
            except KatavenError as error:
                if not self._leaving.is_told:
                    raise
                log.error("stopped with something left undone: %s", error.message)  # noqa: TRY400 - it says all

    def done(self) -> None:
        """Say that the loop is closed, and nothing hangs."""
        self._leaving.done()

    async def _serve(self) -> None:
        plan = self._plan
        allow_many()
        with bound(plan.host, plan.port) as sockets:
            port = sockets[0].getsockname()[1]
            url = url_of(plan.host, port)
            line = self._line(port)
            async with self._engine(line) as engine, listening(self._app(engine, line), sockets):
                self._tell_how_to_begin(url)
                self._tell(f"listening on {url}")
                log.info("listening on %s", url)
                async with self._reloading(engine):
                    with loaded_left_alone():
                        await self._leaving.wait()

    def _line(self, port: int) -> Line:
        """Give the line, which reports to this server where it reports over HTTP."""
        plan, config = self._plan, self._plan.config
        where = url_from_elsewhere if plan.line_url.startswith(OVER_HTTP) else url_of
        options = config.line.options(config.server.public_url or where(plan.host, port))
        return line_from_url(plan.line_url, self._clock, options)

    def _engine(self, line: Line) -> Engine:
        config = self._plan.config.line
        return Engine(
            store=store_from_url(self._plan.store_url),
            line=line,
            clock=self._clock,
            accounts=self._accounts.values,
            meter=self._metrics,
            settings=EngineSettings(
                reconcile_every_s=config.reconcile_every_s,
                lost_after_s=config.lost_after_s,
                longest_call_s=config.longest_call_s,
                drain_s=_DRAIN_S,
            ),
        )

    def _app(self, engine: Engine, line: Line) -> web.Application:
        server = self._plan.config.server
        settings = ApiSettings(
            max_body_bytes=server.max_body_bytes,
            max_streams=server.max_streams,
            requests_per_minute=server.requests_per_minute,
            retry_delay_min_s=server.retry_delay_min_s,
        )
        return create_app(
            engine,
            self._accounts.keys,
            settings=settings,
            metrics=self._metrics,
            read_region=_national_numbers(),
            line_reports=line_reports(line, log.warning, self._clock),
            clock=self._clock,
        )

    def _tell_how_to_begin(self, url: str) -> None:
        """Give whoever tries it out a key, and the first thing to do with it."""
        if self._plan.key is None:
            return
        self._tell(f"KATAVEN_API_KEY={self._plan.key}")
        self._tell(f'try: curl -H "Authorization: Bearer {self._plan.key}" {url}/api/v1/call-limits')

    @contextmanager
    def _reloads_heard(self) -> Iterator[None]:
        """Take SIGHUP as a request, from the first moment on."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._hung_up.set)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGHUP)

    @asynccontextmanager
    async def _reloading(self, engine: Engine) -> AsyncIterator[None]:
        """Read the accounts again whenever somebody asks for it, one time after the other."""
        task = asyncio.create_task(self._reload(engine))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _reload(self, engine: Engine) -> None:
        while True:
            await self._hung_up.wait()
            self._hung_up.clear()
            await self._accounts.read_again(engine)


def _national_numbers() -> ReadRegion | None:
    """Give what reads the national numbers of a region; None where its library is not installed."""
    try:
        from kataven_adapters.numbers import national_parser  # noqa: PLC0415 - an extra of its own
    except ModuleNotFoundError:
        return None
    return national_parser


@contextmanager
def loaded_left_alone() -> Iterator[None]:
    """Let the collector pass over what is loaded by now: to look through all of it again keeps everybody waiting."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
