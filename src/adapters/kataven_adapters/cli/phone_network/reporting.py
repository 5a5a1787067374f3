"""What whoever asked for a call is told of it, and what goes wrong on the way: lost, repeated, late, out of order."""

import asyncio
from typing import Final

from attrs import define, field

from kataven_adapters.wire.http_line import CallReport

from .delivery import Delivery
from .faults import Mishaps
from .network import Step
from .shapes import report_of

_APART_S: Final = 0.001
"""So far apart two late reports of a call are sent at least: timers of the same moment go off in any order."""


@define(eq=False)
class _Told:
    """What has been told of a call that has not ended."""

    sequence: int = 0
    not_before_s: float = 0.0
    """The loop's time before which the next report would overtake one that is late."""
    held: list[CallReport] = field(factory=list)
    """Reports that are sent after the next one, the latest last."""


class Reporting:
    """Tells of each step; a report goes the ways that the mishaps draw for it."""

    def __init__(self, mishaps: Mishaps, delivery: Delivery) -> None:
        self._mishaps = mishaps
        self._delivery = delivery
        self._calls: dict[str, _Told] = {}
        self._late = 0
        self.lost = 0

    @property
    def waiting(self) -> int:
        """How many reports are still to be sent; those that are sent after the next of their call are left out."""
        return self._late + self._delivery.waiting

    def tell(self, step: Step) -> None:
        """Tell of one step, of which the log has it already."""
        attempt_id, url = step.request.attempt_id, step.request.report_url
        told = self._calls.setdefault(attempt_id, _Told())
        told.sequence += 1
        is_last = step.heard == "end"
        if is_last:
            del self._calls[attempt_id]
        report = report_of(step, told.sequence)
        if self._mishaps.meets("lose", attempt_id, told.sequence):
            self.lost += 1
        elif not is_last and self._mishaps.meets("reorder", attempt_id, told.sequence):
            told.held.append(report)
            return
        else:
            self._send(url, told, report)
        while told.held:
            self._send(url, told, told.held.pop())

    def _send(self, url: str, told: _Told, report: CallReport) -> None:
        attempt_id, sequence = report.attempt_id, report.sequence
        now_s = asyncio.get_running_loop().time()
        due_s = now_s + self._mishaps.wait_s("delay_s", attempt_id, sequence)
        told.not_before_s = due_s = max(due_s, told.not_before_s + _APART_S)
        if due_s > now_s:
            self._send_at(due_s, url, report)
        else:
            self._delivery.add(url, report)
        if self._mishaps.meets("repeat", attempt_id, sequence):
            self._send_at(due_s + self._mishaps.echo_s(attempt_id, sequence), url, report)

    def _send_at(self, due_s: float, url: str, report: CallReport) -> None:
        self._late += 1
        asyncio.get_running_loop().call_at(due_s, self._send_late, url, report)

    def _send_late(self, url: str, report: CallReport) -> None:
        self._late -= 1
        self._delivery.add(url, report)
