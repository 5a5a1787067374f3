"""The processes of a run, one after the other: each opens the real engine on the one store, and is followed."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from kataven_core import AccountId, AdapterFault, CampaignEvent, CampaignId, KatavenError
from kataven_core.ports import Subscription
from kataven_core.runtime import Engine, EngineSettings, Hub

from .chance import Chance
from .clock import VirtualClock
from .exchange import Exchange
from .line import SimulatedLine
from .loop import Process, VirtualLoop
from .oracle import Oracle
from .plan import LEASE_S
from .store import SimulatedStore, Vault

MakeEngine = Callable[..., Engine]
"""Makes the engine of a process, unopened, of the parts that ``Engine`` takes."""

_LOOK_S: Final = 60.0
"""So often a process looks whether its engine can go on."""
_START_S: Final = 1.0
"""So soon a process that has left is followed by the next."""


class Processes:
    """Whichever process serves now is ``process``, with its ``engine`` once that is open."""

    def __init__(
        self,
        *,
        loop: VirtualLoop,
        clock: VirtualClock,
        oracle: Oracle,
        vault: Vault,
        exchange: Exchange,
        chance: Chance,
        make_engine: MakeEngine,
        settings: EngineSettings,
    ) -> None:
        self.all: list[Process] = []
        self.process: Process | None = None
        self.engine: Engine | None = None
        self.back_s = _START_S
        """So soon a process that dies is followed by the next."""
        self._loop, self._clock, self._oracle = loop, clock, oracle
        self._vault, self._exchange, self._chance = vault, exchange, chance
        self._make_engine, self._settings = make_engine, settings
        self._leave = asyncio.Event()
        self._is_over = False

    def begin(self) -> None:
        """Let the next process begin, if none is there."""
        if self._is_over or self.process is not None:
            return
        self._leave = asyncio.Event()
        self.process = Process(self._loop, f"process {len(self.all) + 1}", self._died)
        self.all.append(self.process)
        self._oracle.note("begins", self.process.name)
        self.process.spawn(self._serve(self.process, self._leave))

    def leave(self) -> None:
        """Tell the process to end as it should; the next one follows."""
        self._leave.set()

    def replace(self, process: Process) -> None:
        """Let another take the place of one that stands still."""
        if self.process is process:
            self.process = self.engine = None
            self.begin()

    async def close(self) -> None:
        """Let the last one end as it should, and nobody follow; what it has not told its listeners is a breach."""
        self._is_over = True
        self._leave.set()
        process = self.process
        await asyncio.sleep(_LOOK_S)
        if process and not process.is_dead:
            for event in self._oracle.untold(process):
                self._oracle.breach("I9", f"event {event.sequence} of {event.campaign_id} was never told")

    async def _serve(self, process: Process, leave: asyncio.Event) -> None:
        """Be the whole life of a process."""
        engine = self._make_engine(
            store=SimulatedStore(self._vault, process),
            line=SimulatedLine(self._exchange, process),
            clock=self._clock,
            publisher=_Ear(process, self._oracle),
            settings=self._settings,
            chance=lambda: self._chance.between(0.0, 1.0),
        )
        try:
            async with engine:
                if self.process is process:
                    self.engine = engine
                while not leave.is_set() and engine.failure is None:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_S):
                            await leave.wait()
        except KatavenError as error:
            self._oracle.note("can't go on", error.code if isinstance(error, AdapterFault) else error)
        self._loop.outside_in(0.0, self._left, process)

    def _left(self, process: Process) -> None:
        self._oracle.note("left", process.name)
        if self.process is process:
            self.process = self.engine = None
            self._loop.outside_in(_START_S, self.begin)

    def stall_and_replace(self, process: Process, for_s: float) -> None:
        """Let a process stand still for so long, and another take its place when its lease is over."""
        process.stall()
        self._loop.outside_in(for_s, process.wake)
        self._loop.outside_in(LEASE_S, self.replace, process)

    def _died(self) -> None:
        if self.process and self.process.is_dead:
            self._oracle.note("died", self.process.name)
            self.process = self.engine = None
            self._loop.outside_in(self.back_s, self.begin)


class _Ear:
    """The publisher of one process."""

    def __init__(self, process: Process, oracle: Oracle) -> None:
        self._process = process
        self._oracle = oracle
        self._hub = Hub()

    def publish(self, events: Sequence[CampaignEvent]) -> None:
        """Let the oracle hear it too."""
        self._oracle.told(self._process, events)
        self._hub.publish(events)

    def subscribe(self, account_id: AccountId, campaign_id: CampaignId | None = None) -> Subscription:
        """Listen, as ever."""
        return self._hub.subscribe(account_id, campaign_id)
