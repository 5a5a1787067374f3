"""The dialer's end of the lines of all processes: what it is asked for arrives here, and its reports set out."""

from typing import Final, Protocol

from kataven_core import AttemptId, Order, Report

from .chance import Chance
from .clock import VirtualClock
from .loop import Process, VirtualLoop
from .plan import Faults, Phones
from .provider import Provider

TRIP_S: Final = 0.05
"""So long at most a message is on its way, if nothing holds it up."""
_AGAIN_S: Final = 5.0
_NOTICE_S: Final = 2.0


class Notes(Protocol):
    """Hears what goes over the line, and what goes wrong there."""

    def asked(self, order: Order) -> None:
        """Hear that a process asks for a call, now."""
        ...

    def answered(self, order: Order) -> None:
        """Hear that a process waits no longer for the answer: it has one, or has given up."""
        ...

    def met(self, fault: str, attempt_id: AttemptId | None) -> None:
        """Hear that a fault has met an attempt, or everything."""
        ...


class Receiver(Protocol):
    """One process's end of the line."""

    process: Process

    def hear(self, report: Report, taken: list[bool]) -> None:
        """Take a report, and say in ``taken`` when it is durable."""
        ...

    def look(self) -> None:
        """Notice whether the dialer can be reached."""
        ...


class Exchange:
    """The dialer's side of all lines: it knows which process is connected, and sends reports there."""

    def __init__(
        self,
        *,
        loop: VirtualLoop,
        clock: VirtualClock,
        seed: int,
        faults: Faults,
        phones: Phones,
        notes: Notes,
    ) -> None:
        self.loop, self.clock, self.notes = loop, clock, notes
        self.faults, self.phones = faults, phones
        self.chance = Chance(seed, "line")
        self.provider: Provider
        self.is_cut = False
        self.is_refusing = False
        self._reports = Chance(seed, "reports")
        self._line: Receiver | None = None

    @property
    def trouble(self) -> str | None:
        """What a process hears that asks for a call now; None: it may have one."""
        if self.is_cut:
            return "the dialer can't be reached"
        return "the dialer refuses us" if self.is_refusing else None

    def connect(self, line: Receiver | None) -> None:
        """Send reports there from now on."""
        self._line = line

    def disconnect(self, line: Receiver) -> None:
        """Send nothing there any more."""
        if self._line is line:
            self._line = None

    def turn(self) -> None:
        """Let the process that is connected notice, soon, that all is otherwise."""
        self.loop.outside_in(self.chance.between(0.0, _NOTICE_S), self._turn)

    def _turn(self) -> None:
        if self._line:
            self._line.process.call(self._line.look)

    # Reports on their way.

    def tell(self, report: Report) -> None:
        """Send a report; what goes wrong with it is drawn."""
        attempt_id, draw = report.attempt_id, self._reports
        copies = 1
        if draw.meets(self.faults.report_repeated):
            self.notes.met("report_repeated", attempt_id)
            copies = 2
        for _ in range(copies):
            wait_s = draw.between(0.0, TRIP_S)
            if draw.meets(self.faults.report_delayed):
                self.notes.met("report_delayed", attempt_id)
                wait_s += draw.between(1.0, 120.0)
            if draw.meets(self.faults.report_lost):
                self.notes.met("report_lost", attempt_id)
            else:
                self.loop.outside_in(wait_s, self._arrive, report, [])

    def _arrive(self, report: Report, taken: list[bool]) -> None:
        if taken:
            return
        line = self._line
        if self.phones.insists:
            self.loop.outside_in(_AGAIN_S, self._arrive, report, taken)
        if line is not None and not self.is_cut:
            line.process.call(line.hear, report, taken)
