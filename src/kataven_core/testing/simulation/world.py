"""One run: a plan is carried out around the real engine, in virtual time, and judged."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, Protocol

from attrs import frozen

from kataven_core import (
    AccountId,
    AdapterFault,
    CampaignEvent,
    CampaignId,
    CampaignSettings,
    NO_LIMIT,
    Caps,
    CsvOptions,
    Duplicates,
    KatavenError,
    NotFound,
    Operation,
)
from kataven_core.ports import Store, Subscription
from kataven_core.runtime import Engine, EngineSettings
from kataven_core.runtime.hub import Hub
from kataven_core.testing.samples import NOON, a_number, an_account

from .chance import Chance
from .clock import VirtualClock
from .line import Exchange, SimulatedLine
from .loop import Process, VirtualLoop
from .oracle import Oracle, Violation
from .plan import (
    LEASE_S,
    Broken,
    CampaignPlan,
    Crashed,
    Cut,
    Deed,
    Faults,
    Jumped,
    Operated,
    Plan,
    Put,
    Restarted,
    Sick,
    Stalled,
)
from .provider import MAX_DURATION_S, Provider
from .store import SimulatedStore, Vault

CALM: Final = Faults()
NOT_YET: Final = AdapterFault("not_yet", "what this is about is not there yet", is_retryable=True)
_ASK_AGAIN_S: Final = 1.0
_DEAF_S: Final = 30.0
"""So long an answer is waited for, before it is asked for again."""
_LOOK_S: Final = 60.0
"""So often somebody looks whether a process can go on."""
_START_S: Final = 1.0
"""So soon a process that has left is followed by the next."""
_STUCK_S: Final = 900.0
"""In calm times something happens at least so often, besides retries, talks and schedules that are waited for."""


class MakeEngine(Protocol):
    """Makes the engine of a process; ``Engine`` itself is one."""

    def __call__(self, **parts: Any) -> Engine:
        """Give an engine of these parts, unopened."""
        ...


@frozen(kw_only=True)
class Outcome:
    """What came of a run. ``coverage`` says how often each fault met each state."""

    plan: Plan
    violations: tuple[Violation, ...]
    trace_hash: str
    dials: int
    rings: int
    simulated_s: float
    coverage: Counter[tuple[str, str]]


def run(
    plan: Plan,
    *,
    make_store: Callable[[], Store],
    make_engine: MakeEngine = Engine,
    settings: EngineSettings | None = None,
) -> Outcome:
    """Carry a plan out. ``make_store`` gives an empty store that outlives the processes of the run.

    It has to do all in its own callbacks, as virtual time does not wait for threads or sockets.
    """
    loop = VirtualLoop()
    try:
        with _listening() as heard:
            world = World(loop, plan, make_store(), make_engine, settings or EngineSettings())
            loop.set_exception_handler(world.hear_error)
            loop.run_until_complete(world.live())
            for sentence in heard:
                world.oracle.breach("error", sentence)
            loop.run_until_complete(world.clear_away())
    finally:
        loop.close()
    oracle = world.oracle
    return Outcome(
        plan=plan,
        violations=tuple(oracle.violations),
        trace_hash=oracle.trace_hash,
        dials=sum(oracle.asked_for.values()),
        rings=sum(oracle.heard.values()),
        simulated_s=world.ended_s,
        coverage=oracle.coverage,
    )


class _listening(logging.Handler):  # noqa: N801 - it is used like a function
    """Hears what the engine logs as its own failure, which no plan explains; all else it logs goes nowhere."""

    def __enter__(self) -> list[str]:
        self.heard: list[str] = []
        self._logger = logging.getLogger("kataven_core")
        self._before = self._logger.level, self._logger.propagate
        self._logger.setLevel(logging.ERROR)
        self._logger.propagate = False
        self._logger.addHandler(self)
        return self.heard

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.level, self._logger.propagate = self._before

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what is a failure."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, AdapterFault):
            self.heard.append(f"{record.getMessage()}: {error!r}")


class _Ear:
    """The publisher of one process."""

    def __init__(self, process: Process, oracle: Oracle) -> None:
        self._process = process
        self._oracle = oracle
        self._hub = Hub()

    def publish(self, events: Sequence[CampaignEvent]) -> None:
        self._oracle.published(self._process, events)
        self._hub.publish(events)

    def subscribe(self, account_id: AccountId, campaign_id: CampaignId | None = None) -> Subscription:
        return self._hub.subscribe(account_id, campaign_id)


class World:
    """The people, the processes and the phones of one run."""

    def __init__(
        self, loop: VirtualLoop, plan: Plan, store: Store, make_engine: MakeEngine, settings: EngineSettings
    ) -> None:
        self.ended_s = 0.0
        self._loop = loop
        self._plan = plan
        self._make_engine = make_engine
        self._settings = settings
        self._clock = VirtualClock(loop, NOON)
        self.oracle = Oracle(self._clock)
        self._store = store
        self._vault = Vault(store, loop=loop, seed=plan.seed, faults=plan.faults, notes=self.oracle)
        self._exchange = Exchange(
            loop=loop, clock=self._clock, seed=plan.seed, faults=plan.faults, phones=plan.phones, notes=self.oracle
        )
        self._exchange.provider = Provider(
            loop=loop,
            clock=self._clock,
            seed=plan.seed,
            phones=plan.phones,
            witness=self.oracle,
            tell=self._exchange.tell,
        )
        self._chance = Chance(plan.seed, "processes")
        self._accounts: dict[str, Caps] = dict(plan.accounts)
        self._processes: list[Process] = []
        self._process: Process | None = None
        self._engine: Engine | None = None
        self._leave: asyncio.Event = asyncio.Event()
        self._is_calm = self._is_over = False

    # The run as a whole.

    async def live(self) -> None:
        """Carry everything out, and judge what is left."""
        async with self._store:
            self._begin()
            for name, caps in self._plan.accounts:
                self._insist(f"put {name}", lambda engine, name=name, caps=caps: self._put(engine, name, caps))
            for campaign in self._plan.campaigns:
                self._loop.outside_in(campaign.created_s, self._create, campaign)
            for deed in self._plan.deeds:
                self._loop.outside_in(deed.at_s, self._do, deed)
            await asyncio.sleep(self._plan.calm_s)
            self._calm_down()
            await self._until_all_is_done()
            await self._close()
            await self._judge_pages()
            self.oracle.at_the_end()
        self.ended_s = self._loop.time()

    def hear_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Note an error that nobody else would hear of."""
        if not self._is_over:
            self.oracle.breach("error", f"{context.get('message')}: {context.get('exception')!r}")

    async def clear_away(self) -> None:
        """Let the tasks of those that died come to an end, so that none is left behind."""
        self._is_over = True
        mine = asyncio.current_task()
        while tasks := [task for task in asyncio.all_tasks() if task is not mine]:
            for task in tasks:
                task.cancel()
            for process in self._processes:
                process.bury()
            await asyncio.wait(tasks, timeout=1.0)

    def _calm_down(self) -> None:
        """Let nothing go wrong any more."""
        self.oracle.note("calm")
        self._is_calm = True
        self._exchange.faults, self._vault.faults = CALM, CALM
        self._exchange.is_cut = self._exchange.is_refusing = False
        self._exchange.turn()
        self._vault.is_sick = self._vault.is_deaf = False
        for process in self._processes:
            process.wake()
        for name, caps in self._plan.accounts:
            self._insist(f"put {name} again", lambda engine, name=name, caps=caps: self._put(engine, name, caps))

    async def _until_all_is_done(self) -> None:
        """Wait while there is something to wait for; what stands still without a reason is a breach."""
        oracle = self.oracle
        oracle.last_news_s = self._loop.time()
        while any(book.is_awaited for book in oracle.ledger.books.values()) or self._exchange.provider.live:
            quiet_s = self._loop.time() - max(oracle.last_news_s, self._awaited_until_s())
            if quiet_s > _STUCK_S + MAX_DURATION_S:
                oracle.breach("I12", f"nothing has happened for {quiet_s:.0f} s, and nothing is waited for")
                return
            await asyncio.sleep(_STUCK_S / 3)
        await asyncio.sleep(_STUCK_S)  # what is late may still come

    def _awaited_until_s(self) -> float:
        """Say until which second of the run a retry, a schedule or the next day is waited for."""
        now = self._clock.now()
        times = [at for book in self.oracle.ledger.books.values() for at in book.awaited]
        if any(min(caps.daily_calls_max, caps.daily_minutes_max) < NO_LIMIT for _, caps in self._plan.accounts):
            times.append(NOON + timedelta(days=2))
        ahead = [at for at in times if at > now]
        return self._loop.time() + ((min(ahead) - now).total_seconds() if ahead else 0.0)

    async def _close(self) -> None:
        self._leave.set()
        process, self._process = self._process, None
        await asyncio.sleep(_LOOK_S)
        if process and not process.is_dead:
            for event in self.oracle.unpublished(process):
                self.oracle.breach("I9", f"event {event.sequence} of {event.campaign_id} was never told")

    async def _judge_pages(self) -> None:
        """Hold what can be read against the oracle's own books."""
        for name, book in self.oracle.ledger.books.items():
            if book.campaign.is_deleted:
                continue
            statuses: Counter[Any] = Counter()
            page, has_next = 0, True
            while has_next:
                shown = await self._store.contacts(book.campaign.account_id, name, page=page)
                statuses.update(contact.status for contact in shown.contacts)
                page, has_next = page + 1, shown.has_next
            if statuses != +book.statuses:
                self.oracle.breach("I6", f"the contacts of {name} are {dict(statuses)}, not {dict(book.statuses)}")

    # Processes.

    def _begin(self) -> None:
        if self._is_over or (self._process and not self._process.is_dead):
            return
        self._leave = asyncio.Event()
        process = Process(self._loop, f"process {len(self._processes) + 1}", self._died)
        self._processes.append(process)
        self._process, self._engine = process, None
        self.oracle.note("begins", process.name)
        process.spawn(self._serve(process, self._leave))

    async def _serve(self, process: Process, leave: asyncio.Event) -> None:
        """Be the whole life of a process."""
        engine = self._make_engine(
            store=SimulatedStore(self._vault, process),
            line=SimulatedLine(self._exchange, process),
            clock=self._clock,
            publisher=_Ear(process, self.oracle),
            settings=self._settings,
            chance=lambda: self._chance.between(0.0, 1.0),
        )
        try:
            async with engine:
                if self._process is process:
                    self._engine = engine
                while not leave.is_set() and engine.failure is None:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_S):
                            await leave.wait()
        except KatavenError as error:
            self.oracle.note("could not go on", error.code if isinstance(error, AdapterFault) else error)
        self._loop.outside_in(0.0, self._left, process)

    def _left(self, process: Process) -> None:
        self.oracle.note("left", process.name)
        if self._process is process:
            self._process = self._engine = None
            self._loop.outside_in(_START_S, self._begin)

    def _died(self) -> None:
        if self._process and self._process.is_dead:
            self.oracle.note("died", self._process.name)
            self._process = self._engine = None
            self._loop.outside_in(self._back_s, self._begin)

    _back_s: float = 1.0

    # Deeds.

    def _do(self, deed: Deed) -> None:
        self.oracle.note(deed)
        match deed:
            case Operated():
                campaign, operation = CampaignId(deed.campaign), deed.operation
                self._insist(
                    f"{operation} {campaign}", lambda engine: self._operate(engine, deed.account, campaign, operation)
                )
            case Put():
                if not self._is_calm:
                    self._insist(f"put {deed.account}", lambda engine: self._put(engine, deed.account, deed.caps))
            case Crashed():
                self._back_s = deed.back_s
                self._meet("crash")
                if self._process:
                    self._process.crash()
            case Restarted():
                self._meet("restart")
                self._leave.set()
            case Stalled():
                self._stall(deed)
            case Jumped():
                self._meet("jump")
                self._clock.jump(deed.by_s)
            case Cut():
                self._cut(deed)
            case Sick():
                self._fall_sick(deed)
            case Broken():
                self._meet("broken")
                self._vault.is_broken = True
            case _:
                raise TypeError(deed)

    def _meet(self, fault: str) -> None:
        self.oracle.met(fault)

    def _stall(self, deed: Stalled) -> None:
        process = self._process
        if process is None or self._is_calm:
            return
        self._meet("replaced" if deed.is_replaced else "stall")
        process.stall()
        self._loop.outside_in(deed.for_s, process.wake)
        if deed.is_replaced:
            self._loop.outside_in(LEASE_S, self._replace, process)

    def _replace(self, process: Process) -> None:
        if self._process is process:
            self._process = self._engine = None
            self._begin()

    def _cut(self, deed: Cut) -> None:
        if self._is_calm:
            return
        self._meet("refused_all" if deed.is_refused else "cut")
        if deed.is_refused:
            self._exchange.is_refusing = True
        else:
            self._exchange.is_cut = True
        self._exchange.turn()
        self._loop.outside_in(deed.for_s, self._mend)

    def _mend(self) -> None:
        self._exchange.is_cut = self._exchange.is_refusing = False
        self._exchange.turn()

    def _fall_sick(self, deed: Sick) -> None:
        if self._is_calm:
            return
        self._meet("sick")
        self._vault.is_sick, self._vault.is_deaf = True, deed.is_deaf
        self._loop.outside_in(deed.for_s, self._get_well)

    def _get_well(self) -> None:
        self._vault.is_sick = self._vault.is_deaf = False

    # What people ask for.

    def _create(self, campaign: CampaignPlan) -> None:
        scheduled_at = None
        if campaign.scheduled_s is not None:
            scheduled_at = self._clock.now() + timedelta(seconds=campaign.scheduled_s)
        settings = CampaignSettings(
            name=campaign.name,
            agent_id="agent",
            phone_number_id="line",
            max_concurrent_calls=campaign.cap,
            retries_per_contact=campaign.retries,
            retry_delay_seconds=campaign.retry_delay_s,
            scheduled_at=scheduled_at,
        )

        async def create(engine: Engine) -> None:
            try:
                await engine.create(
                    campaign.account,
                    settings,
                    contacts=_file(campaign),
                    options=CsvOptions(duplicates=Duplicates.KEEP),
                    campaign_id=campaign.name,
                )
            except NotFound:
                raise NOT_YET from None

        self._insist(f"create {campaign.name}", create)

    async def _put(self, engine: Engine, name: str, caps: Caps) -> None:
        await engine.put_account(an_account(AccountId(name), **caps_of(caps)))

    async def _operate(self, engine: Engine, account: str, campaign: CampaignId, operation: Operation) -> None:
        for other, _ in self._plan.accounts:
            if other != account:
                await self._try_as_a_stranger(engine, other, campaign, operation)
        if campaign not in self.oracle.ledger.books:
            raise NOT_YET
        self.oracle.demanded(campaign, operation)
        try:
            await engine.operate(account, campaign, operation)
        finally:  # of a process that dies this is never reached: what it was asked for stays in the air
            self.oracle.settled(campaign, operation)
        self.oracle.granted(campaign, operation)

    async def _try_as_a_stranger(self, engine: Engine, other: str, campaign: CampaignId, operation: Operation) -> None:
        try:
            await engine.operate(other, campaign, operation)
        except NotFound:
            return
        self.oracle.breach("I11", f"{other} could {operation} {campaign}")

    def _insist(self, label: str, ask: Callable[[Engine], Coroutine[Any, Any, None]]) -> None:
        """Ask whichever process is there until one answers: with what was asked for, or with a refusal."""
        process, engine = self._process, self._engine
        if self._is_over:
            return
        if process is None or engine is None:
            self._loop.outside_in(_ASK_AGAIN_S, self._insist, label, ask)
            return
        answered: list[bool] = []
        process.spawn(self._ask(label, ask, engine, answered))
        self._loop.outside_in(_DEAF_S, self._ask_again, label, ask, answered)

    async def _ask(
        self, label: str, ask: Callable[[Engine], Coroutine[Any, Any, None]], engine: Engine, answered: list[bool]
    ) -> None:
        try:
            await ask(engine)
        except AdapterFault as fault:
            self.oracle.note("not now", label, fault.code)
            answered.append(False)
            self._loop.outside_in(_ASK_AGAIN_S, self._insist, label, ask)
            return
        except KatavenError as refusal:
            self.oracle.note("refused", label, refusal)
        self.oracle.note("done", label)
        answered.append(True)

    def _ask_again(
        self, label: str, ask: Callable[[Engine], Coroutine[Any, Any, None]], answered: list[bool]
    ) -> None:
        if not answered:
            self._insist(label, ask)


def caps_of(caps: Caps) -> dict[str, int]:
    """Give caps by name."""
    return {
        "concurrent_max": caps.concurrent_max,
        "calls_per_minute": caps.calls_per_minute,
        "daily_calls_max": caps.daily_calls_max,
        "daily_minutes_max": caps.daily_minutes_max,
    }


async def _file(campaign: CampaignPlan) -> AsyncIterator[bytes]:
    rows = "".join(f"{a_number(number)}\n" for number in campaign.numbers)
    yield f"phone_number\n{rows}".encode()
