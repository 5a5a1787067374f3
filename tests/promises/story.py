"""The story that is told while calls of the store fail, over as many processes as it takes, and how it must end."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from io import BytesIO
from typing import Any, Final, Protocol

import pytest
from tests.promises.faulty_store import Fail, FaultyStore, Kind, Plan, raise_before
from tests.promises.phones import PhoneLine, Phones

from kataven_core import (
    AdapterFault,
    CampaignId,
    CampaignSettings,
    CampaignStatus,
    CommandRefused,
    Contact,
    ContactStatus,
    Counters,
    NotFound,
    Outcome,
)
from kataven_core.ports import Agenda, Store
from kataven_core.runtime import Engine, EngineSettings
from kataven_core.testing import StillClock
from kataven_core.testing.host import Host
from kataven_core.testing.samples import ACME, a_number, an_account

NEVER_S: Final = 1_000.0
PATIENT: Final = EngineSettings(
    send_deadline_s=NEVER_S,
    originate_limit_s=NEVER_S,
    settle_limit_s=NEVER_S,
    drain_s=NEVER_S,
    reconcile_every_s=NEVER_S,
    lost_after_s=NEVER_S,
    store_pause_s=0.0,
    store_pause_max_s=0.0,
)
"""Nothing expires; a store that failed is tried again at once."""
CAPS: Final = {"a": 2, "b": 1, "c": 1}
NUMBERS: Final = {"a": [0, 1, 2, 3], "b": [4, 0], "c": [5, 6]}
"""Two campaigns share a number; of the last, one contact is called and the other cancelled."""
FATES: Final[dict[str, list[Outcome]]] = {
    a_number(1): [Outcome.BUSY],
    a_number(2): [Outcome.NO_ANSWER, Outcome.FAILED],
}
COMPLETED, FAILED, CANCELLED = ContactStatus.COMPLETED, ContactStatus.FAILED, ContactStatus.CANCELLED
ENDED: Final = {
    "a": [[COMPLETED, COMPLETED, FAILED, COMPLETED]],
    "b": [[COMPLETED, COMPLETED]],
    "c": [[COMPLETED, CANCELLED], [CANCELLED, COMPLETED]],
}
"""What becomes of the contacts; whoever was claimed by a process that died before it called gives way to the next."""
RINGS: Final = {"a": 6, "b": 2, "c": 1}


class Ground(Protocol):
    """Where a store keeps what outlives a process."""

    outlives_processes: bool
    fail: Fail
    """Lets a call fail."""

    def new_store(self) -> Store:
        """Give the next process's way to it."""

    async def after_death(self, store: Store) -> None:
        """Do what the system does for a process that is gone."""

    def attempts(self) -> dict[str, str | None]:
        """Give the outcome of each attempt that was ever claimed."""

    def check(self) -> None:
        """See that it is sound."""


class ProcessDied(Exception):
    """Whoever was asked is no more."""


class World:
    """The processes of one run, one after the other, and the phones."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self.phones = Phones(FATES, CAPS)
        self.plan = plan
        self.complaints: list[str] = []
        """What the loop was told that nobody else was."""
        self._ground = ground
        self._deaths = 0
        self._dead: list[FaultyStore] = []
        self._left_behind: list[asyncio.Future[Any]] = []

    # Processes.

    async def open(self) -> None:
        """Have a process begin, as often as it takes."""
        while True:
            self.plan.begin_anew()
            self._inner = self._ground.new_store()
            store, self._store = FaultyStore.over(self._inner, self.plan, outlives_it=self._ground.outlives_processes)
            self._line = PhoneLine(self.phones)
            self.engine = Engine(store=store, line=self._line, clock=StillClock(), settings=PATIENT)
            try:
                await self._while_alive(self.engine.__aenter__())
            except AdapterFault:
                continue
            except ProcessDied:
                await self._die()
                continue
            return

    async def close(self) -> None:
        try:
            await self._while_alive(self.engine.__aexit__(None, None, None))
        except ProcessDied:
            await self._die()

    async def restart(self) -> None:
        await self.close()
        await self.open()

    async def _while_alive(self, work: Awaitable[Any]) -> Any:
        """Wait for something that the process does, as long as there is one."""
        doing, died = asyncio.ensure_future(work), asyncio.ensure_future(self.plan.died.wait())
        await asyncio.wait([doing, died], return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            died.cancel()
            return doing.result()
        self._left_behind.append(doing)
        raise ProcessDied

    async def _die(self) -> None:
        self._line.is_dead = True
        self._deaths += 1
        self._dead.append(self._store)
        await self._ground.after_death(self._inner)

    async def _go_on(self) -> None:
        """Have another process take over from one that is dead or can't go on."""
        if self.plan.died.is_set():
            await self._die()
            await self.open()
        elif self.engine.failure:
            await self.restart()

    async def bury_the_dead(self) -> None:
        for store in self._dead:
            store.bury()
        for told in await asyncio.gather(*self._left_behind, return_exceptions=True):
            assert not isinstance(told, Exception) or isinstance(told, AdapterFault)

    # What people do, who ask again where they are told that it was not done.

    async def insist(self, do: Callable[[Engine], Awaitable[Any]]) -> None:
        deaths = self._deaths
        for _ in range(4):
            await self._go_on()
            try:
                await self._while_alive(do(self.engine))
            except AdapterFault as fault:
                if not fault.code.startswith("store"):
                    raise
                if not fault.is_retryable:
                    await self.restart()
            except ProcessDied:
                pass
            except (CommandRefused, NotFound):
                if self._deaths == deaths:  # else it was done, and only the answer is missing
                    raise
                return
            else:
                return
        pytest.fail("asked too often")

    async def ask(self, do: Callable[[Engine, str, str], Awaitable[Any]], name: str) -> None:
        """Ask for something to be done to a campaign, or for what there is to know of it."""
        await self.insist(lambda engine: do(engine, ACME, name))

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait for what the phones or the store show, whoever has to take over meanwhile."""
        while not await condition():
            assert not self.phones.violations, self.phones.violations
            await self._go_on()
            await asyncio.sleep(0)

    async def upload(self, name: str) -> None:
        numbers, settings = (
            NUMBERS[name],
            CampaignSettings(
                name=name,
                agent_id="agent",
                phone_number_id="line",
                max_concurrent_calls=CAPS[name],
                retries_per_contact=1,
                retry_delay_seconds=0,
            ),
        )
        file = "\n".join(["phone_number", *map(a_number, numbers), "nobody", ""]).encode()
        await self.insist(lambda engine: engine.create(ACME, settings, contacts=BytesIO(file), campaign_id=name))

    async def rings(self, name: str, count: int) -> None:
        async def do_they() -> bool:
            return sum(each.campaign_id == name for each in self.phones.up.values()) >= count

        await self.until(do_they)

    async def has_finished(self, name: str) -> None:
        async def has_it() -> bool:
            try:
                _, counters = await self._while_alive(self._store.beside("campaign", ACME, name))
            except ProcessDied:
                return False
            return bool(counters.is_finished and not counters.calls_in_flight)

        await self.until(has_it)

    # The story.

    async def happen(self) -> None:
        """Two campaigns with retries, a pause, an upload meanwhile, a restart with calls up, a stop, a removal."""
        self.phones.hold()
        await self.open()
        await self.insist(lambda engine: engine.put_account(an_account(concurrent_max=sum(CAPS.values()))))
        for name in "ab":
            await self.upload(name)
            await self.ask(Engine.start, name)
            await self.rings(name, CAPS[name])
        await self.ask(Engine.pause, "a")
        before = self.phones.rung("a")
        self.phones.let_go()
        await self.upload("c")
        assert self.phones.rung("a") == before, "a campaign that is paused dialled"
        self.phones.hold()
        await self.ask(Engine.resume, "a")
        await self.rings("a", CAPS["a"])
        await self.restart()
        await self.ask(Engine.start, "c")
        await self.rings("c", CAPS["c"])
        await self.ask(Engine.stop, "c")
        self.phones.let_go()
        await self.has_finished("c")
        await self.judge("c")
        await self.ask(Engine.delete, "c")
        for name in "ab":
            await self.has_finished(name)
            await self.ask(Engine.progress, name)
            await self.ask(Engine.rejects, name)
        await self.insist(lambda engine: engine.campaigns(ACME))
        await self.insist(lambda engine: engine.receipt(ACME, "nothing", ""))
        await self.close()

    # What came of it.

    async def judge(self, name: str) -> None:
        """Hold a campaign against what was to become of it."""
        campaign, counters = await self._inner.campaign(ACME, CampaignId(name))
        contacts: Sequence[Contact] = (await self._inner.contacts(ACME, campaign.id)).contacts
        assert campaign.status is CampaignStatus.COMPLETED
        assert [each.status for each in contacts] in ENDED[name]
        assert counters == Counters(
            campaign_id=campaign.id,
            **Counter(each.status.value for each in contacts),
            attempts=len(self.phones.rung(name)),
            outcomes=Counter(self.phones.over[each].outcome for each in self.phones.rung(name)),
            last_dial_at=counters.last_dial_at,
            sequence=counters.sequence,
        )

    async def judge_all(self) -> None:
        """Hold what is stored against what the phones have heard."""
        self._inner = self._ground.new_store()
        line = PhoneLine(self.phones)
        if self._ground.outlives_processes:
            store, _ = FaultyStore.over(self._inner, Plan(Kind.LOCKED, "none", 0, raise_before), outlives_it=True)
        else:
            store = self._inner
        async with Engine(store=store, line=line, clock=StillClock(), settings=PATIENT) as engine:
            while (await store.agenda()).deleted:  # noqa: ASYNC110 - the sweeper has no event for it
                await asyncio.sleep(0)
            for name in "ab":
                await self.judge(name)
            assert await store.agenda() == Agenda()
            view = await Host(store).view()
            assert (view.usage.calls_in_flight, view.reserved, view.busy_numbers) == (0, 0, frozenset())
            assert engine.calls_in_flight == 0
        assert not self.phones.violations + self.complaints, self.phones.violations + self.complaints
        assert {name: len(self.phones.rung(name)) for name in "abc"} == RINGS
        attempts = self._ground.attempts()
        rung = {name: outcome for name, outcome in attempts.items() if outcome != Outcome.UNSENT}
        assert rung == {name: ended.outcome for name, ended in self.phones.over.items()}
        assert set(self.phones.rung("a") + self.phones.rung("b") + self.phones.rung("c")) == {*rung}
        self._ground.check()
