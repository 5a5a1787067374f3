"""Phones that outlive every process, and the line over which one process reaches them: what they hear is the truth."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from kataven_core import Answered, Attempt, AttemptId, Ended, NeverPlaced, Order, Outcome, Placed, Report
from kataven_core.ports import Deliver, Originated
from kataven_core.testing.samples import NOON


class Phones:
    """Ring, and end as ``fates`` say: what comes of a number's first call, of its second, …; then it is answered."""

    def __init__(self, fates: dict[str, list[Outcome]], caps: dict[str, int]) -> None:
        self.rings: list[Order] = []
        self.up: dict[AttemptId, Order] = {}
        self.over: dict[AttemptId, Ended] = {}
        self.violations: list[str] = []
        self.is_holding = False
        """Whether calls last until they are let go."""
        self._fates = fates
        self._caps = caps
        self._deliver: Callable[[Sequence[Report]], object] | None = None

    def listen(self, deliver: Callable[[Sequence[Report]], object]) -> None:
        """Tell whoever is there now."""
        self._deliver = deliver

    def ring(self, order: Order) -> None:
        """Let a phone ring, and see that it may."""
        if order.attempt_id in {each.attempt_id for each in self.rings}:
            self.violations.append(f"{order.attempt_id} rang twice")
        if order.to in {each.to for each in self.up.values()}:
            self.violations.append(f"{order.to} rang in two calls at once")
        self.rings.append(order)
        self.up[order.attempt_id] = order
        calls = Counter(each.campaign_id for each in self.up.values())
        self.violations += [f"{name} has {count} calls" for name, count in calls.items() if count > self._caps[name]]
        if not self.is_holding:
            asyncio.get_running_loop().call_soon(self.end, order.attempt_id)

    def hold(self) -> None:
        """Let calls last from now on."""
        self.is_holding = True

    def let_go(self) -> None:
        """Let calls end, those that are up and those to come."""
        self.is_holding = False
        for name in [*self.up]:
            self.end(name)

    def end(self, attempt_id: AttemptId) -> None:
        """Let a call be over, and tell it, should anybody be there to hear."""
        order = self.up.pop(attempt_id, None)
        if order is None:
            return
        heard = sum(each.to == order.to for each in self.rings)
        fates = self._fates.get(order.to, [])
        outcome = fates[heard - 1] if heard <= len(fates) else Outcome.ANSWERED
        self.over[attempt_id] = Ended(attempt_id=attempt_id, at=NOON, outcome=outcome, duration_s=1.0)
        if self._deliver:
            self._deliver([self.over[attempt_id]])

    def rung(self, campaign_id: str) -> list[AttemptId]:
        """Give what rang of a campaign, in order."""
        return [each.attempt_id for each in self.rings if each.campaign_id == campaign_id]

    def know(self, attempt_id: AttemptId) -> Report:
        """Say what is known of an attempt; all is."""
        if attempt_id in self.up:
            return Answered(attempt_id=attempt_id, at=NOON)
        return self.over.get(attempt_id) or NeverPlaced(attempt_id=attempt_id, at=NOON)


class PhoneLine:
    """One process's line. Of a process that is dead nothing comes any more, and it learns nothing."""

    trouble: str | None = None

    def __init__(self, phones: Phones) -> None:
        self.is_dead = False
        self._phones = phones

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.is_dead = True

    def listen(self, deliver: Deliver, _turned: Callable[[], None]) -> None:
        self._phones.listen(lambda reports: None if self.is_dead else deliver(reports))

    async def originate(self, order: Order) -> Originated:
        if self.is_dead:
            await asyncio.get_running_loop().create_future()
        self._phones.ring(order)
        return Originated(report=Placed(attempt_id=order.attempt_id, at=NOON, call_id=f"call {order.attempt_id}"))

    async def reconcile(self, attempts: Sequence[Attempt]) -> Sequence[Report]:
        return [self._phones.know(each.id) for each in attempts]

    async def drain(self) -> None:
        pass
