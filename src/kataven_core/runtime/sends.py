"""Orders on their way to the line, after their commit: each is asked for at most once, and never after a pause."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from kataven_core.cycle import Order
from kataven_core.errors import AdapterFault
from kataven_core.ports import Clock, Line, Meter, Originated
from kataven_core.reports import Doubtful, Report, Unsent
from kataven_core.values import AccountId, CampaignId

from .limits import Limit
from .line_pauses import LinePauses
from .settings import EngineSettings

log = logging.getLogger("kataven_core.line")

Key = tuple[AccountId, CampaignId]

_CANCEL_S: Final = 1.0
"""How long a line may take to let go of a request that was given up."""


class Sends:
    """Sends under way, by campaign. ``report`` takes what became of each."""

    def __init__(
        self,
        *,
        line: Line,
        clock: Clock,
        pauses: LinePauses,
        settings: EngineSettings,
        report: Callable[[AccountId, Report], None],
        meter: Meter,
    ) -> None:
        self._line = line
        self._clock = clock
        self._pauses = pauses
        self._settings = settings
        self._report = report
        self._meter = meter
        self._loop = asyncio.get_running_loop()
        self._limit = Limit(settings.originate_limit_s)
        self._forbidden: set[Key] = set()
        self._under_way: dict[Key, set[asyncio.Task[None]]] = {}
        self._waiting: set[asyncio.Task[None]] = set()

    def begin(self, orders: Iterable[Order], claimed_at: float) -> None:
        """Send what has just been committed, and was claimed at this moment of monotonic time."""
        for order in orders:
            key = order.account_id, order.campaign_id
            task = self._loop.create_task(self._send(order, claimed_at))
            self._limit.begin(task)
            self._under_way.setdefault(key, set()).add(task)
            task.add_done_callback(partial(self._settled, key))

    def forbid(self, key: Key, *, is_forbidden: bool) -> None:
        """Let no send of this campaign begin that has not, or let them again."""
        if is_forbidden:
            if key in self._under_way:
                self._forbidden.add(key)
        else:
            self._forbidden.discard(key)

    def when_settled(self, key: Key, then: Callable[[], None]) -> None:
        """Do something when no send of a campaign is under way any more: at once, or soon, and not never."""
        tasks = self._under_way.get(key)
        if not tasks:
            then()
            return
        waiting = self._loop.create_task(self._wait(tasks))
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)
        waiting.add_done_callback(lambda _: then())

    async def settle(self) -> None:
        """Wait until no send is under way any more, but not for ever."""
        await self._wait({task for tasks in self._under_way.values() for task in tasks} | self._waiting)

    async def stop(self) -> None:
        """Give up on those that have not settled; the next process finds out about them."""
        tasks = {task for each in self._under_way.values() for task in each}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CANCEL_S)

    async def _wait(self, tasks: "set[asyncio.Task[None]]") -> None:
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.settle_limit_s)

    def _settled(self, key: Key, task: "asyncio.Task[None]") -> None:
        tasks = self._under_way[key]
        tasks.discard(task)
        if not tasks:
            del self._under_way[key]
            self._forbidden.discard(key)

    async def _send(self, order: Order, claimed_at: float) -> None:
        """Ask the line for one call. Between the last check and the asking there is no ``await``."""
        if self._may_send(order, claimed_at + self._settings.send_deadline_s):
            await self._originate(order)
            self._meter.sent(self._clock.monotonic() - claimed_at)
        else:
            self._report(order.account_id, Unsent(attempt_id=order.attempt_id, at=self._clock.now()))

    def _may_send(self, order: Order, deadline: float) -> bool:
        return (
            self._clock.monotonic() <= deadline
            and (order.account_id, order.campaign_id) not in self._forbidden
            and self._pauses.is_open(order.account_id)
        )

    async def _originate(self, order: Order) -> None:
        """Ask, and report what came of it: whatever a line raises or gives back, the phone may be ringing."""
        report: Report = Doubtful(attempt_id=order.attempt_id, at=self._clock.now())
        try:
            originated = await self._line.originate(order)
            self._mind_the_pause(order.account_id, originated)
            report = originated.report
        except Exception as error:  # noqa: BLE001 - what a line may raise is not for us to know
            self._doubt(order, error)
        except asyncio.CancelledError:
            if not self._limit.is_over(asyncio.current_task()):
                raise
            self._doubt(order, TimeoutError())
        finally:  # cancelled too: then nobody else will say anything about it
            self._report(order.account_id, report)

    def _mind_the_pause(self, account_id: AccountId, originated: Originated) -> None:
        if not isinstance(originated.report, Unsent):
            self._pauses.end(account_id)
        elif self._line.trouble is None:  # else nobody's calls are placed, and it is not this account's doing
            self._pauses.begin(account_id, originated.retry_after_s)

    def _doubt(self, order: Order, error: Exception) -> None:
        sentence = error.message if isinstance(error, AdapterFault) else f"{type(error).__name__}: {error}"
        log.warning("attempt %s may have been sent, its answer was lost: %s", order.attempt_id, sentence)
