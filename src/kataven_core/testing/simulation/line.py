"""The way between a process and the dialer, on which all may go wrong that does on a network."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from math import inf
from types import TracebackType
from typing import Final, Self

from kataven_core import (
    AdapterFault,
    Answered,
    Attempt,
    AttemptId,
    Ended,
    NeverPlaced,
    Order,
    Outcome,
    Placed,
    Report,
    Ringing,
    Unsent,
)
from kataven_core.ports import Deliver, Originated

from .exchange import TRIP_S, Exchange
from .loop import Process

LATE_S: Final = 9.5
"""So long after it was sent a request still arrives: its sender has given up after 5 s, and 5 s more may pass."""
SETTLED_S: Final = 10.0
"""So long after the last moment at which a request may have been sent, none is under way any more."""


class SimulatedLine:
    """The line of one process."""

    def __init__(self, exchange: Exchange, process: Process) -> None:
        self.process = process
        self.trouble: str | None = None
        self._exchange = exchange
        self._loop = exchange.loop
        self._deliver: Deliver | None = None
        self._turned: Callable[[], None] = lambda: None
        self._opened_s = 0.0
        self._asked_until_s: dict[AttemptId, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._opened_s = self._loop.time()
        self.trouble = self._exchange.trouble
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exchange.disconnect(self)

    def listen(self, deliver: Deliver, turned: Callable[[], None]) -> None:
        """Report to ``deliver``."""
        self._deliver, self._turned = deliver, turned
        self._exchange.connect(self)

    async def drain(self) -> None:
        """Return at once: calls live elsewhere."""

    # What comes in.

    def hear(self, report: Report, taken: list[bool]) -> None:
        """Pass a report on; it is taken when it is durable."""
        if self._deliver is None or taken:
            return
        durable = self._deliver([report])
        task = self._loop.create_task(self._thank(durable, taken))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _thank(self, durable: Awaitable[None], taken: list[bool]) -> None:
        try:
            await durable
        except AdapterFault:
            return
        taken.append(True)

    def look(self) -> None:
        """Notice whether the dialer can be reached."""
        trouble = self._exchange.trouble
        if trouble != self.trouble:
            self.trouble = trouble
            self._turned()

    # What goes out.

    async def originate(self, order: Order) -> Originated:
        """Ask for a call. What is sent arrives, whatever becomes of this process."""
        exchange, draw, faults = self._exchange, self._exchange.chance, self._exchange.faults
        exchange.notes.asked(order)
        self._asked_until_s[order.attempt_id] = inf
        try:
            for fault, answer in (
                ("lost", self._lose),
                ("late", self._send_late),
                ("answer", self._lose_answer),
                ("slow", self._send_slowly),
                ("refused", self._be_refused),
                ("number", self._be_refused_for_good),
            ):
                if draw.meets(getattr(faults, fault)):
                    exchange.notes.met(fault, order.attempt_id)
                    return await answer(order)
            return await self._send(order, draw.between(0.0, TRIP_S), draw.between(0.0, TRIP_S))
        finally:
            self._asked_until_s[order.attempt_id] = self._loop.time()
            exchange.notes.answered(order)

    async def _send(self, order: Order, there_s: float, back_s: float) -> Originated:
        """Send a request that arrives after ``there_s``, and wait for its answer."""
        if self._exchange.trouble:
            await asyncio.sleep(there_s)
            self.look()
            return self._unsent(order)
        answer: asyncio.Future[Originated] = self._loop.create_future()
        self._loop.outside_in(there_s, self._place, order, answer, back_s)
        return await answer

    def _place(self, order: Order, answer: "asyncio.Future[Originated]", back_s: float) -> None:
        """Let a request have arrived."""
        exchange = self._exchange
        if exchange.is_cut:  # it has just been cut off: nobody knows whether the request was read
            self._loop.outside_in(back_s, self.process.call, _fail, answer)
        elif exchange.is_refusing:
            self._loop.outside_in(back_s, self.process.call, self._hear_refusal, order, answer)
        else:
            originated = Originated(report=exchange.provider.place(order))
            self._loop.outside_in(back_s, self.process.call, _give, answer, originated)

    def _hear_refusal(self, order: Order, answer: "asyncio.Future[Originated]") -> None:
        self.look()
        _give(answer, self._unsent(order))

    async def _lose(self, _: Order) -> Originated:
        return await self._never()

    async def _lose_answer(self, order: Order) -> Originated:
        if not self._exchange.trouble:
            self._loop.outside_in(self._exchange.chance.between(0.0, TRIP_S), self._exchange.provider.place, order)
        return await self._never()

    async def _send_late(self, order: Order) -> Originated:
        if not self._exchange.trouble:
            self._loop.outside_in(self._exchange.chance.between(0.0, LATE_S), self._exchange.provider.place, order)
        return await self._never()

    async def _send_slowly(self, order: Order) -> Originated:
        draw = self._exchange.chance
        return await self._send(order, draw.between(0.0, 2.0), draw.between(0.0, 8.0))

    async def _be_refused(self, order: Order) -> Originated:
        draw = self._exchange.chance
        await asyncio.sleep(draw.between(0.0, TRIP_S))
        return Originated(report=self._unsent(order).report, retry_after_s=draw.one_of((None, 1.0, 20.0)))

    async def _be_refused_for_good(self, order: Order) -> Originated:
        await asyncio.sleep(self._exchange.chance.between(0.0, TRIP_S))
        ended = Ended(
            attempt_id=order.attempt_id, at=self._exchange.clock.now(), outcome=Outcome.INVALID_NUMBER, duration_s=0.0
        )
        return Originated(report=ended)

    async def _never(self) -> Originated:
        """Hear that the connection broke, or nothing ever."""
        if self._exchange.chance.meets(0.5):
            await asyncio.sleep(self._exchange.chance.between(0.0, 4.0))
            raise AdapterFault("reset", "the connection broke", is_retryable=True)
        nothing: asyncio.Future[Originated] = self._loop.create_future()
        return await nothing

    def _unsent(self, order: Order) -> Originated:
        return Originated(report=Unsent(attempt_id=order.attempt_id, at=self._exchange.clock.now()))

    # What is asked about.

    async def reconcile(self, attempts: Sequence[Attempt]) -> Sequence[Report]:
        """Ask what became of calls; of some, nothing may come back."""
        exchange = self._exchange
        await asyncio.sleep(exchange.chance.between(0.0, 0.5))
        fault = exchange.chance.one_of(("fails", "hangs", "partial")) if self._goes_wrong() else ""
        if fault:
            for attempt in attempts:
                exchange.notes.met(f"look_up_{fault}", attempt.id)
        if fault == "hangs":
            await self._loop.create_future()
        if fault == "fails" or exchange.trouble:
            raise AdapterFault("unreachable", "the dialer can't be asked", is_retryable=True)
        if fault == "partial":
            known = list(self._known(attempts[: len(attempts) // 2]))
            if self._deliver and known:
                await self._deliver(known)
            raise AdapterFault("unreachable", "the dialer could not be asked about all", is_retryable=True)
        return list(self._known(attempts))

    def _goes_wrong(self) -> bool:
        return self._exchange.chance.meets(self._exchange.faults.look_up)

    def _known(self, attempts: Iterable[Attempt]) -> Iterable[Report]:
        for attempt in attempts:
            call = self._exchange.provider.calls.get(attempt.id)
            if call is not None:
                yield from _last_of_each_kind(call.heard)
            elif self._exchange.phones.knows_all and self._is_settled(attempt.id):
                yield NeverPlaced(attempt_id=attempt.id, at=self._exchange.clock.now())

    def _is_settled(self, attempt_id: AttemptId) -> bool:
        """Whether no request for it can be under way, neither this process's nor one of another before it."""
        since_s = max(self._opened_s, self._asked_until_s.get(attempt_id, self._opened_s))
        return self._loop.time() - since_s >= SETTLED_S


def _last_of_each_kind(heard: Sequence[Report]) -> list[Report]:
    """Give what is known of a call, without the ringing: what lives is placed."""
    return [
        report for report in heard if isinstance(report, Placed | Answered | Ended) and not isinstance(report, Ringing)
    ]


def _give(answer: "asyncio.Future[Originated]", originated: Originated) -> None:
    if not answer.done():
        answer.set_result(originated)


def _fail(answer: "asyncio.Future[Originated]") -> None:
    if not answer.done():
        answer.set_exception(AdapterFault("reset", "the connection broke", is_retryable=True))
