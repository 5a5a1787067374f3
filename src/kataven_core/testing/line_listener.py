"""What listens to a line in its suite, and waits for its calls to end."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence

from kataven_core import AttemptId, Ended, Order, Report
from kataven_core.ports import Line


class Listener:
    """Takes every report that a line delivers, by attempt."""

    def __init__(self, line: Line) -> None:
        self.reports: dict[AttemptId, list[Report]] = {}
        self._news = asyncio.Event()
        self.turns = 0
        """How often the line has said that its trouble has come or gone."""
        line.listen(self._deliver, self._turn)

    def _deliver(self, reports: Sequence[Report]) -> Awaitable[None]:
        for report in reports:
            self.reports.setdefault(report.attempt_id, []).append(report)
        self._news.set()
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        durable.set_result(None)
        return durable

    def _turn(self) -> None:
        self.turns += 1

    @property
    def count(self) -> int:
        """How many reports there were."""
        return sum(map(len, self.reports.values()))

    def strangers(self, orders: Iterable[Order]) -> set[AttemptId]:
        """Give the attempts that were reported on and never asked for."""
        return {*self.reports} - {order.attempt_id for order in orders}

    async def all_end(self, attempts: Iterable[AttemptId], patience_s: float) -> None:
        """Wait until each of these has ended; ``TimeoutError`` when it takes longer."""
        waiting = {*attempts}
        async with asyncio.timeout(patience_s):
            while waiting := {name for name in waiting if not self._has_ended(name)}:
                self._news.clear()
                await self._news.wait()

    def _has_ended(self, name: AttemptId) -> bool:
        return any(isinstance(report, Ended) for report in self.reports.get(name, ()))

    async def rest(self, seconds: float) -> None:
        """Listen for a while."""
        await asyncio.sleep(seconds)
