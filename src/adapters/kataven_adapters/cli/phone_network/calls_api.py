"""The dialer's side of the HTTP line: calls are placed, looked up and hung up.

No answer tells of anything that the log does not have on disk.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, NoReturn

from aiohttp import web
from attrs import define

from kataven_adapters.wire.http_line import CallRequest, PlacedCall, write_live, write_placed, write_state
from kataven_core import InvalidValue

from .call_request import read_call_request
from .faults import Mishaps
from .network import Network
from .phone_log import PhoneLog
from .shapes import call_id_of, state_of

_TURNS: Final = 3
"""Turns of the loop after which it has noticed that a client had gone before its request was read."""


@define
class WentWrong:
    """How many requests went wrong on purpose."""

    refused: int = 0
    failed: int = 0
    never_answered: int = 0
    look_ups_failed: int = 0


def problem(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with what is wrong."""
    return web.json_response({"code": code, "message": message}, status=status, headers=headers)


class CallsApi:
    """Answers the requests of the HTTP line."""

    def __init__(self, network: Network, log: PhoneLog, mishaps: Mishaps) -> None:
        self._network = network
        self._log = log
        self._mishaps = mishaps
        self.went_wrong = WentWrong()

    def routes(self) -> list[web.RouteDef]:
        """Give what is answered here."""
        return [
            web.post("/calls", self._place),
            web.get("/calls", self._list_live, allow_head=False),
            web.get("/calls/{attempt_id:.+}", self._look_up, allow_head=False),
            web.delete("/calls/{attempt_id:.+}", self._hang_up),
        ]

    # Placing.

    async def _place(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            wanted = read_call_request(body, request.headers.get("Idempotency-Key"))
        except InvalidValue as error:
            return problem(400, "invalid_request", error.message)
        if not await _is_waited_for(request):
            return problem(408, "too_late", "whoever asked for the call has gone: it is not placed")
        # Nothing is awaited from here on until the call is placed: so none is when nobody waits any more.
        case = self._mishaps.count_try(wanted.attempt_id)
        answer = self._answer(wanted, case)
        await asyncio.sleep(self._mishaps.wait_s("slow_s", wanted.attempt_id, case))
        await self._log.durable()
        return answer or await _no_answer()

    def _answer(self, wanted: CallRequest, case: int) -> web.Response | None:
        """Place the call, unless a fault comes before; None: there is no answer."""
        attempt_id, mishaps = wanted.attempt_id, self._mishaps
        for fault in ("never", "fail"):
            if mishaps.meets(fault, attempt_id, case):
                if mishaps.is_placed_before(fault, attempt_id, case):
                    self._placed(wanted)
                if fault == "never":
                    self.went_wrong.never_answered += 1
                    return None
                self.went_wrong.failed += 1
                return problem(500, "failed", "it fails on purpose: the call may have been placed, or not")
        if not self._network.knows(attempt_id) and mishaps.meets("refuse", attempt_id, case):
            self.went_wrong.refused += 1
            return problem(429, "too_many_calls", "refused on purpose: the call is not placed", {"Retry-After": "1"})
        return self._placed(wanted)

    def _placed(self, wanted: CallRequest) -> web.Response:
        is_known = self._network.knows(wanted.attempt_id)
        if not is_known and self._network.refuses(wanted.attempt_id):
            return problem(422, "invalid_number", "the number is refused: no call is placed")
        self._network.place(wanted)
        placed = PlacedCall(attempt_id=wanted.attempt_id, call_id=call_id_of(wanted.attempt_id))
        return _said(write_placed(placed), 200 if is_known else 201)

    # Looking up and hanging up.

    async def _list_live(self, request: web.Request) -> web.Response:
        if self._fails("list", "live"):
            return _failed()
        if request.query.get("state") != "live":
            return problem(400, "invalid_state", "only the calls that have not ended are listed: write ?state=live")
        calls = [state_of(attempt_id, call) for attempt_id, call in self._network.live.items()]
        await self._log.durable()
        return _said(write_live(calls))

    async def _look_up(self, request: web.Request) -> web.Response:
        attempt_id = request.match_info["attempt_id"]
        if self._fails("look up", attempt_id):
            return _failed()
        call = self._network.find(attempt_id)
        if call is None:
            return _unknown()
        state = state_of(attempt_id, call)  # as it is now: what comes meanwhile may not be on disk
        await self._log.durable()
        return _said(write_state(state))

    async def _hang_up(self, request: web.Request) -> web.Response:
        attempt_id = request.match_info["attempt_id"]
        if self._fails("hang up", attempt_id):
            return _failed()
        if not self._network.knows(attempt_id):
            return _unknown()
        self._network.hang_up(attempt_id)
        await self._log.durable()
        return web.Response(status=204)

    def _fails(self, what: str, attempt_id: str) -> bool:
        """Say whether this look-up or hang-up fails on purpose; the next one of the attempt may get through."""
        if not self._mishaps.faults.fail_look_up:
            return False
        case = self._mishaps.count_try(f"{attempt_id}, {what}")
        fails = self._mishaps.meets("fail_look_up", attempt_id, f"{what}, {case}")
        self.went_wrong.look_ups_failed += fails
        return fails


async def _is_waited_for(request: web.Request) -> bool:
    """Let the loop hear of all that has arrived, and say whether whoever asked is still there."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    return request.transport is not None and not request.transport.is_closing()


async def _no_answer() -> NoReturn:
    """Wait for the client to go, which cancels this."""
    while True:
        await asyncio.Event().wait()


def _said(body: bytes, status: int = 200) -> web.Response:
    return web.Response(status=status, body=body, content_type="application/json")


def _unknown() -> web.Response:
    return problem(404, "unknown_call", "no call was ever placed for this attempt")


def _failed() -> web.Response:
    return problem(503, "failed", "it fails on purpose: ask again")
