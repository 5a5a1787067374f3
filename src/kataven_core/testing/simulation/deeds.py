"""A plan's deeds, done."""

from .clock import VirtualClock
from .exchange import Exchange
from .loop import VirtualLoop
from .oracle import Oracle
from .people import People
from .plan import Broken, Crashed, Cut, Deed, Jumped, Operated, Put, Restarted, Sick, Stalled
from .processes import Processes
from .store import Vault


class Deeds:
    """Does what a plan says, until it is told to calm down."""

    def __init__(
        self,
        *,
        loop: VirtualLoop,
        clock: VirtualClock,
        oracle: Oracle,
        people: People,
        processes: Processes,
        exchange: Exchange,
        vault: Vault,
    ) -> None:
        self._loop, self._clock, self._oracle = loop, clock, oracle
        self._people, self._processes = people, processes
        self._exchange, self._vault = exchange, vault
        self._is_calm = False

    def calm_down(self) -> None:
        """Let all be well from now on; what is still to be done by people is done, nothing else."""
        self._is_calm = True
        self._mend()
        self._get_well()
        for process in self._processes.all:
            process.wake()

    def do(self, deed: Deed) -> None:
        """Do one of them, now."""
        self._oracle.note(deed)
        match deed:
            case Operated():
                self._people.operate(deed.account, deed.campaign, deed.operation)
            case _ if self._is_calm:
                pass
            case Put():
                self._people.put(deed.account, deed.caps)
            case _:
                self._befall(deed)

    def _befall(self, deed: Deed) -> None:
        """Let something befall the process, its clock, its line or its store."""
        match deed:
            case Crashed():
                self._crash(deed)
            case Restarted():
                self._oracle.met("restart")
                self._processes.leave()
            case Stalled():
                self._stall(deed)
            case Jumped():
                self._oracle.met("jump")
                self._clock.jump(deed.by_s)
            case Cut():
                self._cut(deed)
            case Sick():
                self._fall_sick(deed)
            case Broken():
                self._oracle.met("broken")
                self._vault.is_broken = True
            case _:
                raise TypeError(deed)

    def _crash(self, deed: Crashed) -> None:
        self._oracle.met("crash")
        self._processes.back_s = deed.back_s
        if self._processes.process:
            self._processes.process.crash()

    def _stall(self, deed: Stalled) -> None:
        process = self._processes.process
        if process is None:
            return
        self._oracle.met("replaced" if deed.is_replaced else "stall")
        if deed.is_replaced:
            self._processes.stall_and_replace(process, deed.for_s)
        else:
            process.stall()
            self._loop.outside_in(deed.for_s, process.wake)

    def _cut(self, deed: Cut) -> None:
        self._oracle.met("refused_all" if deed.is_refused else "cut")
        self._exchange.is_cut, self._exchange.is_refusing = not deed.is_refused, deed.is_refused
        self._exchange.turn()
        self._loop.outside_in(deed.for_s, self._mend)

    def _mend(self) -> None:
        self._exchange.is_cut = self._exchange.is_refusing = False
        self._exchange.turn()

    def _fall_sick(self, deed: Sick) -> None:
        self._oracle.met("sick")
        self._vault.is_sick, self._vault.is_deaf = True, deed.is_deaf
        self._loop.outside_in(deed.for_s, self._get_well)

    def _get_well(self) -> None:
        self._vault.is_sick = self._vault.is_deaf = False
