"""What the network says of itself: what it is and its figures; and the faults, which can be set while it runs."""

from typing import Final

from aiohttp import web
from attrs import asdict

from kataven_core import InvalidValue

from .calls_api import CallsApi, problem
from .delivery import Delivery
from .faults import Mishaps, changed
from .network import Network
from .phone_log import PhoneLog
from .reporting import Reporting

_ABOUT: Final = """\
A simulated phone network: no phone rings. It is a dialer on Kataven's HTTP line.

POST   /calls               place a call
GET    /calls/ATTEMPT_ID    what became of it
GET    /calls?state=live    the calls that have not ended
DELETE /calls/ATTEMPT_ID    hang up
GET    /faults              what goes wrong on purpose
PUT    /faults              change that: {"lose": 0.1}
GET    /counters            these figures as JSON

"""


class Figures:
    """Answers what is no call."""

    def __init__(
        self,
        *,
        network: Network,
        log: PhoneLog,
        mishaps: Mishaps,
        calls: CallsApi,
        reporting: Reporting,
        delivery: Delivery,
    ) -> None:
        self._network = network
        self._log = log
        self._mishaps = mishaps
        self._calls = calls
        self._reporting = reporting
        self._delivery = delivery

    def routes(self) -> list[web.RouteDef]:
        """Give what is answered here."""
        return [
            web.get("/", self._tell_all),
            web.get("/counters", self._count),
            web.get("/faults", self._show_faults),
            web.put("/faults", self._set_faults),
        ]

    def counters(self) -> dict[str, int]:
        """Give the figures. Calls are all that the log knows of, the rest is of this process."""
        live, ended = len(self._network.live), self._network.ended_calls
        return {
            "placed": live + ended,
            "live": live,
            "ended": ended,
            "reports_delivered": self._delivery.delivered,
            "reports_waiting": self._log.waiting + self._reporting.waiting,
            "reports_lost": self._reporting.lost,
            "reports_dropped": self._delivery.dropped,
            **asdict(self._calls.went_wrong),
        }

    async def _tell_all(self, _: web.Request) -> web.Response:
        lines = [f"{name:<20}{value}\n" for name, value in self.counters().items()]
        return web.Response(text=_ABOUT + "".join(lines))

    async def _count(self, _: web.Request) -> web.Response:
        return web.json_response(self.counters())

    async def _show_faults(self, _: web.Request) -> web.Response:
        return web.json_response(asdict(self._mishaps.faults))

    async def _set_faults(self, request: web.Request) -> web.Response:
        try:
            members = await request.json()
        except ValueError:
            members = None
        try:
            self._mishaps.faults = changed(self._mishaps.faults, members)
        except InvalidValue as error:
            return problem(400, error.code, error.message)
        return await self._show_faults(request)
