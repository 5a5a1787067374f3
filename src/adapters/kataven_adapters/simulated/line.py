"""The line port over made-up calls: a call is a value and one timer of the event loop, no task.

A call goes its way in steps, each of which writes down what the phone hears, sets the timer of the next and then
reports: placed → rings → (answered →) ended. Nothing is reported before ``originate`` has returned. A busy or failed
phone counts as one that rang, as it was reached out for; a number that is refused does not.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from attrs import define, field

from kataven_core import Answered, Attempt, AttemptId, Ended, Lost, Order, Outcome, Placed, Report, Ringing, Unsent
from kataven_core.ports import Clock, Deliver, Originated

from .fate import Fate, Fates
from .phone_log import PhoneLog
from .settings import SimulatedSettings

KEPT_ENDS: Final = 10_000
"""Ends that are still known when they are asked about.

An end is delivered before it is asked about, and ``deliver`` never refuses one: only a question that crosses it needs
an answer, and that comes within seconds. So a line may run for months and remember no more than its last calls.
"""


@define(eq=False)
class _Call:
    """A call that is up."""

    order: Order
    fate: Fate
    deliver: Deliver
    placed_at: datetime
    answered_at: datetime | None = None
    timer: asyncio.Handle = field(init=False)
    """What takes the next step; there always is one."""


class SimulatedLine:
    """Places calls on which no phone rings. They live in this process: of one before it, every call is lost."""

    def __init__(self, settings: SimulatedSettings, clock: Clock) -> None:
        self._fates = Fates(settings)
        self._log = PhoneLog(settings.log)
        self._clock = clock
        self._deliver: Deliver | None = None
        self._is_open = False
        self._up: set[_Call] = set()
        self._ends: dict[AttemptId, Ended] = {}
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    @property
    def calls_up(self) -> int:
        """How many calls are placed and have not ended."""
        return len(self._up)

    async def __aenter__(self) -> Self:
        self._log.open()
        self._is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Hang up on everyone: no report comes any more."""
        self._is_open = False
        for call in self._up:
            call.timer.cancel()
        self._up.clear()
        self._ends.clear()
        self._is_idle.set()
        self._log.close()

    def listen(self, deliver: Deliver, turned: Callable[[], None]) -> None:  # noqa: ARG002 - it is in no trouble
        """Report to ``deliver``; what it returns is not waited for."""
        self._deliver = deliver

    async def originate(self, order: Order) -> Originated:
        """Place a call at once. It is unsent where the line is not open, or nobody listens."""
        attempt_id, at = order.attempt_id, self._clock.now()
        if not self._is_open or self._deliver is None:
            return Originated(report=Unsent(attempt_id=attempt_id, at=at))
        fate = self._fates.of(attempt_id)
        if fate.outcome is Outcome.INVALID_NUMBER:
            return Originated(report=self._remember(Ended(attempt_id=attempt_id, at=at, outcome=fate.outcome)))
        call = _Call(order=order, fate=fate, deliver=self._deliver, placed_at=at)
        self._up.add(call)
        self._is_idle.clear()
        _then(call, 0, self._ring)
        return Originated(report=_placed(call))

    async def reconcile(self, attempts: Sequence[Attempt]) -> Sequence[Report]:
        """Say all about the calls that are up, how the last ones ended, and that any other is lost."""
        calls = {call.order.attempt_id: call for call in self._up}
        return [report for attempt in attempts for report in self._known(attempt.id, calls.get(attempt.id))]

    async def drain(self) -> None:
        """Wait until no call is up, or the line is closed."""
        while self._up:
            await self._is_idle.wait()

    @property
    def trouble(self) -> str | None:
        """Nothing ever is in the way of calls that are made up."""
        return None if self._is_open else "the simulated line is not open"

    # The steps of a call.

    def _ring(self, call: _Call) -> None:
        at = self._clock.now()
        self._log.write("ring", call.order, at)
        _then(call, call.fate.ring_s, self._answer if call.fate.is_answered else self._end)
        call.deliver([Ringing(attempt_id=call.order.attempt_id, at=at)])

    def _answer(self, call: _Call) -> None:
        call.answered_at = at = self._clock.now()
        self._log.write("answer", call.order, at)
        _then(call, call.fate.talk_s, self._end)
        call.deliver([Answered(attempt_id=call.order.attempt_id, at=at)])

    def _end(self, call: _Call) -> None:
        at, outcome = self._clock.now(), call.fate.outcome
        self._log.write("end", call.order, at, outcome)
        self._up.discard(call)
        if not self._up:
            self._is_idle.set()
        duration_s = call.fate.talk_s if call.fate.is_answered else 0.0
        ended = Ended(attempt_id=call.order.attempt_id, at=at, outcome=outcome, duration_s=duration_s)
        call.deliver([self._remember(ended)])

    # What is known.

    def _remember(self, ended: Ended) -> Ended:
        self._ends[ended.attempt_id] = ended
        if len(self._ends) > KEPT_ENDS:
            del self._ends[next(iter(self._ends))]
        return ended

    def _known(self, attempt_id: AttemptId, call: _Call | None) -> Iterator[Report]:
        if call is not None:
            yield _placed(call)
            if call.answered_at is not None:
                yield Answered(attempt_id=attempt_id, at=call.answered_at)
        elif attempt_id in self._ends:
            yield self._ends[attempt_id]
        else:
            yield Lost(attempt_id=attempt_id, at=self._clock.now())


def _then(call: _Call, delay_s: float, step: Callable[[_Call], None]) -> None:
    """Set the timer of the next step; without a delay it comes as soon as the loop gets to it."""
    loop = asyncio.get_running_loop()
    call.timer = loop.call_later(delay_s, step, call) if delay_s else loop.call_soon(step, call)


def _placed(call: _Call) -> Placed:
    attempt_id = call.order.attempt_id
    return Placed(attempt_id=attempt_id, at=call.placed_at, call_id=f"simulated-{attempt_id}")
