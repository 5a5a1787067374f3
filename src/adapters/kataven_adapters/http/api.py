"""The API as one function: a request in, an answer out. Servers carry both."""

import logging
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from random import Random  # noqa: TID251 - the name of a request in a log is chance
from typing import Final, TypedDict, Unpack
from uuid import uuid4  # noqa: TID251 - the name of a request in a log is chance

from attrs import evolve

from kataven_adapters.wire.taking import Take
from kataven_core import AccountId, AdapterFault, KatavenError
from kataven_core.ports import Clock
from kataven_core.runtime import Engine, SystemClock

from .body import Body
from .calls import Call, Services
from .feeds import Feeds
from .fields import ReadRegion
from .keys import Authenticate, Caller
from .messages import Answer, Disconnected, EventStream, Request, Response
from .metrics import Metrics
from .problems import HttpProblem, problem_of, rendered
from .rate_limits import RateLimits
from .routes import ROUTES, Found, find
from .settings import ApiSettings

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_SMALL_BYTES: Final = 256 * 1024
"""A body of a refused request that is rather read than cut off."""
_ALWAYS: Final[Mapping[str, str]] = {"X-Content-Type-Options": "nosniff"}
ANYBODY: Final = Caller(AccountId(""), "")
"""Who asks for what is open to all."""


class ApiOptions(TypedDict, total=False):
    """What an API may be told besides. ``metrics`` are those that the engine was given, so that one page shows all.

    ``read_region`` gives what reads the national numbers of a region: ``kataven_adapters.numbers.national_parser``.
    ``line_reports`` take what is posted to ``/lines/NAME/reports``, by name: for an HTTP line, ``{"http": line.take}``.
    """

    settings: ApiSettings
    metrics: Metrics
    read_region: ReadRegion | None
    line_reports: Mapping[str, Take]
    clock: Clock


class Api:
    """Answers requests for an engine that its host opens and closes. ``authenticate`` says who asks."""

    def __init__(self, engine: Engine, authenticate: Authenticate, **options: Unpack[ApiOptions]) -> None:
        settings, clock = options.get("settings") or ApiSettings(), options.get("clock") or SystemClock()
        self._authenticate = authenticate
        self._limits = RateLimits(settings.requests_per_minute, clock.monotonic)
        self._names = names_of_requests()
        self._services = Services(
            engine=engine,
            settings=settings,
            clock=clock,
            feeds=Feeds(engine, settings),
            metrics=options.get("metrics") or Metrics(),
            routes=ROUTES,
            read_region=options.get("read_region"),
            line_reports=options.get("line_reports") or {},
        )
        self._services.metrics.watch(engine, self._services.feeds)

    def close(self) -> None:
        """Let every event stream end, so that nothing keeps the server from stopping."""
        self._services.feeds.close()

    async def handle(self, request: Request) -> Answer:
        """Answer a request. Raises nothing but ``Disconnected``."""
        body = Body(request.body, self._services.settings)
        turn = Turn(request, body, self._services.clock.monotonic(), next(self._names))
        try:
            answer = await self._answer(turn)
        except HttpProblem as problem:
            answer = rendered(problem, request)
        except KatavenError as error:
            if isinstance(error, AdapterFault):
                log.warning("a request can't be answered: %s", error.message, extra=turn.named)
            answer = rendered(problem_of(error), request)
        except Disconnected:
            log.info("the client has gone in the middle of its request", extra=turn.named)
            raise
        except Exception:
            log.exception("a request has failed", extra=turn.named)
            sentence = f"the server has failed, and its log says why under {turn.request_id}"
            answer = rendered(HttpProblem(500, "internal_error", sentence), request)
        if isinstance(answer, Response) and turn.has_little_more:
            await turn.body.pass_over()
        return self._finished(turn, answer)

    async def _answer(self, turn: "Turn") -> Answer:
        request = turn.request
        found = _found(request)
        turn.route = found.route.template
        caller = ANYBODY if found.route.is_open else await self._caller(request)
        turn.account_id = caller.account_id
        if request.method == "POST" and request.header("content-encoding").strip().lower() not in {"", "identity"}:
            sentence = "the body must not be compressed: send it without Content-Encoding"
            raise HttpProblem(400, "content_encoding", sentence)
        return await found.route.handler(
            Call(request=request, body=turn.body, services=self._services, caller=caller, ids=found.ids)
        )

    async def _caller(self, request: Request) -> Caller:
        """Say who asks, if they may."""
        caller = await self._authenticate(request)
        if caller is None:
            sentence = "the API key is missing or unknown: send Authorization: Bearer sk_live_..."
            raise HttpProblem(401, "unauthenticated", sentence, headers={"WWW-Authenticate": "Bearer"})
        if request.header("x-account-id") not in {"", caller.account_id}:
            sentence = "X-Account-ID names another account than the key's: leave it out, or use that account's key"
            raise HttpProblem(403, "wrong_account", sentence)
        self._limits.take(caller.account_id)
        return caller

    def _finished(self, turn: "Turn", answer: Answer) -> Answer:
        """Say in the log, the figures and the answer what has become of a request."""
        status = answer.status if isinstance(answer, Response) else HTTPStatus.OK
        took_s = self._services.clock.monotonic() - turn.began_at
        self._services.metrics.answered(turn.request.method, turn.route, status, took_s)
        if log.isEnabledFor(logging.INFO):
            facts = {"status": int(status), "took_ms": round(took_s * 1000, 1), "account_id": turn.account_id}
            log.info("%s %s %d", turn.request.method, turn.route, status, extra={**turn.named, **facts})
        headers = {**answer.headers, **_ALWAYS, "X-Request-ID": turn.request_id}
        if isinstance(answer, EventStream):
            return evolve(answer, headers=headers)
        return Response(
            status=answer.status,
            body=answer.body,
            content_type=answer.content_type,
            headers=headers,
            is_last=answer.is_last or turn.has_more,
        )


def names_of_requests() -> Iterator[str]:
    """Yield names in the form of UUIDs; only their seed is drawn from the system, which is slow to ask each time."""
    chance = Random(uuid4().int)  # noqa: S311 - it keeps no secret
    while True:
        digits = f"{chance.getrandbits(128):032x}"
        yield f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Turn:
    """One request from its beginning to its answer, as logs and figures know it."""

    def __init__(self, request: Request, body: Body, began_at: float, name: str) -> None:
        given = request.header("x-request-id")
        self.request = request
        self.body = body
        self.began_at = began_at
        self.route = "unknown"
        self.account_id = ""
        self.request_id = given if given and _REQUEST_ID.fullmatch(given) else name

    @property
    def named(self) -> dict[str, str]:
        """Say in a log which request it is."""
        return {"request_id": self.request_id}

    @property
    def has_more(self) -> bool:
        """Whether more of the request may still come."""
        is_empty = self.request.header("content-length") in {"", "0"} and not self.request.header("transfer-encoding")
        return not is_empty and not self.body.is_read

    @property
    def has_little_more(self) -> bool:
        """Whether what may still come is soon passed over, and not waiting to be asked for."""
        if not self.has_more:
            return False
        length = self.request.header("content-length")
        is_small = length.isdecimal() and len(length) < len(str(_SMALL_BYTES)) + 1 and int(length) <= _SMALL_BYTES
        is_plain = not self.request.header("content-encoding")  # else a server may unpack a small one to a large one
        return is_small and is_plain and not self.request.header("expect")


def _found(request: Request) -> Found:
    """Give the route that is asked for; ``HttpProblem`` where there is none."""
    routes = find(request.path)
    if not routes:
        raise HttpProblem(404, "no_such_path", "there is nothing at this path: GET /docs lists what there is")
    found = routes.get("GET" if request.method == "HEAD" else request.method)
    if found is None or (found.route.is_stream and request.method == "HEAD"):
        allowed = ", ".join(sorted(routes))
        raise HttpProblem(405, "method_not_allowed", f"this path takes {allowed}", headers={"Allow": allowed})
    return found
