"""A phone network as a process: what it consists of, from the first port to the last line of its log."""

import asyncio
import hmac
import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from attrs import field, frozen

from kataven_adapters.cli.failure import CommandFailure
from kataven_adapters.cli.listening import allow_many, bound, listening, url_of
from kataven_adapters.simulated import SimulatedSettings
from kataven_adapters.simulated.fate import Fates
from kataven_core.runtime import SystemClock

from .calls_api import CallsApi, problem
from .delivery import Delivery
from .faults import Faults, Mishaps
from .figures import Figures
from .network import Network
from .phone_log import PhoneLog
from .reporting import Reporting

_MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""A contact's custom fields may be as large as a contacts file."""
_IDLE_S: Final = 3_600.0
"""How long a connection may be idle: one that is closed just when the next request comes leaves that one in doubt."""
_FINISH_S: Final = 0.05
"""How long requests under way may take when the network stops."""
_OPEN_PATHS: Final = {"/", "/counters"}
"""What needs no token: it tells of no call."""

_log = logging.getLogger(__name__)
_log.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))


@frozen(kw_only=True)
class Plan:
    """What network to be, and where. ``world`` says what becomes of calls, and its seed draws the faults too."""

    host: str
    port: int
    log: str
    world: SimulatedSettings
    faults: Faults
    token: str | None = field(default=None, repr=False)
    signing_key: bytes | None = field(default=None, repr=False)


async def serve(plan: Plan, tell: Callable[[str], None], complain: Callable[[str], None]) -> None:
    """Be a network; ``tell`` hears where it listens, ``complain`` what people should know.

    ``CommandFailure`` where it can't begin, or its log can't be written. At the end all calls are cut off, and the log
    says so.
    """
    await _Serving(plan, tell, complain).run()


class _Serving:
    """What the network consists of, each part given those it works with."""

    def __init__(self, plan: Plan, tell: Callable[[str], None], complain: Callable[[str], None]) -> None:
        self._plan = plan
        self._tell = tell
        self._told_to_stop = asyncio.Event()
        self._broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        clock = SystemClock()
        self._log = PhoneLog(plan.log, self._break_off)
        self._delivery = Delivery(plan.signing_key, clock, complain)
        mishaps = Mishaps(plan.world.seed, plan.faults)
        reporting = Reporting(mishaps, self._delivery)
        self._network = Network(Fates(plan.world), self._log, clock, reporting.tell)
        self._calls = CallsApi(self._network, self._log, mishaps)
        self._figures = Figures(
            network=self._network,
            log=self._log,
            mishaps=mishaps,
            calls=self._calls,
            reporting=reporting,
            delivery=self._delivery,
        )

    async def run(self) -> None:
        allow_many()
        asyncio.get_running_loop().set_exception_handler(self._step_failed)
        plan = self._plan
        with _signals_heard(self._told_to_stop), closing(self._log), bound(plan.host, plan.port) as sockets:
            self._network.remember(self._log.open())
            await self._unless_broken(self._log.durable())
            async with self._delivery, self._listening(sockets):
                self._tell(f"listening on {url_of(plan.host, sockets[0].getsockname()[1])}")
                await self._unless_broken(self._told_to_stop.wait())
            self._network.cut_all()
            await self._unless_broken(self._log.durable())

    def _listening(self, sockets: Sequence[socket.socket]) -> AbstractAsyncContextManager[None]:
        """Answer; on leaving all are cut off."""
        return listening(self._app(), sockets, head_s=_IDLE_S, finish_s=_FINISH_S, cancels=True, logger=_log)

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[_opened_by(self._plan.token)])
        app.add_routes([*self._calls.routes(), *self._figures.routes()])
        return app

    async def _unless_broken(self, waited_for: Coroutine[Any, Any, object]) -> None:
        """Wait for this, or raise ``CommandFailure`` as soon as the log can't be written."""
        waiting = asyncio.create_task(waited_for)
        either: list[asyncio.Future[Any]] = [waiting, self._broken]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._broken.done():
            waiting.cancel()
            raise CommandFailure(self._broken.result())

    def _break_off(self, sentence: str) -> None:
        if not self._broken.done():
            self._broken.set_result(sentence)

    def _step_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End the network with a call that could not take its next step: its phone would be silent for ever."""
        loop.default_exception_handler(context)
        if "handle" in context:
            self._break_off("a call could not take its next step: the network ends here, its log would have holes")


def _opened_by(token: str | None) -> Middleware:
    expected = f"Bearer {token}".encode()

    @web.middleware
    async def opened(request: web.Request, handler: Handler) -> web.StreamResponse:
        shown = request.headers.get("Authorization", "").encode(errors="replace")
        if token is None or request.path in _OPEN_PATHS or hmac.compare_digest(shown, expected):
            return await handler(request)
        message = "the network was given a token: send Authorization: Bearer with it"
        return problem(401, "unauthorized", message, {"WWW-Authenticate": "Bearer"})

    return opened


@contextmanager
def _signals_heard(told_to_stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told_to_stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
