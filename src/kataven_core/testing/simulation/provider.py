"""The dialer on the other side and the phones that it rings: the truth of a run. It outlives every process."""

from collections.abc import Callable
from typing import Any, Protocol

from attrs import define

from kataven_core import Answered, AttemptId, Ended, Order, Outcome, Placed, Report, Ringing

from .chance import Chance
from .clock import VirtualClock
from .loop import VirtualLoop
from .plan import Phones

RING_TIMEOUT_S = 30.0
MAX_DURATION_S = 3_600.0


@define(eq=False)
class Call:
    """One call, as its phone and its dialer know it. ``heard`` are the reports about it, the latest last."""

    order: Order
    outcome: Outcome
    ring_s: float
    talk_s: float
    heard: list[Report]
    is_live: bool = True


class Witness(Protocol):
    """Hears what phones hear; the oracle is one."""

    def rings(self, order: Order) -> None:
        """Hear that a phone begins to ring."""
        ...

    def answers(self, order: Order) -> None:
        """Hear that somebody picks up."""
        ...

    def ends(self, order: Order) -> None:
        """Hear that a call is over."""
        ...


class Provider:
    """Places calls by attempt: the same attempt is one call, however often it is asked for."""

    def __init__(
        self,
        *,
        loop: VirtualLoop,
        clock: VirtualClock,
        seed: int,
        phones: Phones,
        witness: Witness,
        tell: Callable[[Report], None],
    ) -> None:
        self.calls: dict[AttemptId, Call] = {}
        self._loop = loop
        self._clock = clock
        self._seed = seed
        self._phones = phones
        self._witness = witness
        self._tell = tell

    @property
    def live(self) -> list[Order]:
        """The calls whose phones ring, or are talked into."""
        return [call.order for call in self.calls.values() if call.is_live]

    def place(self, order: Order) -> Placed:
        """Let a phone ring, the first time that this attempt is asked for."""
        attempt_id = order.attempt_id
        call = self.calls.get(attempt_id)
        if call is None:
            call = self.calls[attempt_id] = self._fate(order)
            call.heard.append(Placed(attempt_id=attempt_id, at=self._clock.now(), call_id=f"call-{attempt_id}"))
            self._witness.rings(order)
            self._report(call, Ringing)
            is_answered = call.outcome in {Outcome.ANSWERED, Outcome.MACHINE}
            self._loop.outside_in(call.ring_s, self._answer if is_answered else self._end, call)
        placed = call.heard[0]
        assert isinstance(placed, Placed)  # noqa: S101 - it is the first of all
        return placed

    def _fate(self, order: Order) -> Call:
        phones, draw = self._phones, Chance(self._seed, f"fate of {order.attempt_id}")
        point = draw.between(0.0, 1.0)
        outcome = Outcome.FAILED
        for each, likelihood in (
            (Outcome.ANSWERED, phones.answer),
            (Outcome.BUSY, phones.busy),
            (Outcome.NO_ANSWER, phones.no_answer),
        ):
            if point < likelihood:
                outcome = each
                break
            point -= likelihood
        ring_s = min(phones.ring_s * draw.between(0.1, 2.0), RING_TIMEOUT_S)
        return Call(order, outcome, ring_s, min(phones.talk_s * draw.between(0.1, 2.0), MAX_DURATION_S), [])

    def _answer(self, call: Call) -> None:
        self._witness.answers(call.order)
        self._report(call, Answered)
        self._loop.outside_in(call.talk_s, self._end, call)

    def _end(self, call: Call) -> None:
        call.is_live = False
        self._witness.ends(call.order)
        talk_s = call.talk_s if call.outcome in {Outcome.ANSWERED, Outcome.MACHINE} else 0.0
        self._report(call, Ended, outcome=call.outcome, duration_s=talk_s)

    def _report(self, call: Call, kind: Callable[..., Report], **details: Any) -> None:
        report = kind(attempt_id=call.order.attempt_id, at=self._clock.now(), **details)
        call.heard.append(report)
        self._tell(report)
