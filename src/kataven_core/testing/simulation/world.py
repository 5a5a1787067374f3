"""One run: a plan is carried out around the real engine, in virtual time, and judged."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, Self

from attrs import frozen

from kataven_core import NO_LIMIT, AdapterFault, ContactStatus
from kataven_core.ports import Store
from kataven_core.runtime import Engine, EngineSettings
from kataven_core.testing.samples import NOON
from kataven_core.values import floor_day

from .chance import Chance
from .clock import VirtualClock
from .deeds import Deeds
from .exchange import Exchange
from .loop import Deadlock, Endless, VirtualLoop
from .oracle import Oracle
from .people import People
from .plan import Faults, Plan
from .processes import MakeEngine, Processes
from .provider import MAX_DURATION_S, Provider
from .store import Vault
from .violation import Violation

_CALM: Final = Faults()
_STUCK_S: Final = 900.0
"""In calm times something happens at least so often, besides talks, and retries and schedules that are waited for."""


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
    tell: Callable[[str], None] | None = None,
) -> Outcome:
    """Carry a plan out. ``make_store`` gives an empty store, which outlives the processes of the run.

    ``tell`` hears all that happens in it, line by line.

    The store has to do all in its own callbacks, as virtual time does not wait for threads or sockets.
    """
    loop = VirtualLoop()
    try:
        with _Failures() as failures:
            world = World(
                loop=loop,
                plan=plan,
                store=make_store(),
                make_engine=make_engine,
                settings=settings or EngineSettings(),
                tell=tell,
            )
            loop.set_exception_handler(world.hear_error)
            try:
                loop.run_until_complete(world.live())
            except (Deadlock, Endless) as error:
                world.oracle.breach("I12", str(error))
            for sentence in failures.heard:
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


class _Failures(logging.Handler):
    """Hears what the engine logs as its own failure, which no plan explains; all else it logs goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self._logger = logging.getLogger("kataven_core")
        self._before = self._logger.level, self._logger.propagate

    def __enter__(self) -> Self:
        self._logger.setLevel(logging.ERROR)
        self._logger.propagate = False
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        level, self._logger.propagate = self._before
        self._logger.setLevel(level)  # set as an attribute, loggers below would go on by what they have cached

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what is a failure."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, AdapterFault):
            self.heard.append(f"{record.getMessage()}: {error!r}")


class World:
    """The people, the processes and the phones of one run."""

    def __init__(
        self,
        *,
        loop: VirtualLoop,
        plan: Plan,
        store: Store,
        make_engine: MakeEngine,
        settings: EngineSettings,
        tell: Callable[[str], None] | None,
    ) -> None:
        self.ended_s = 0.0
        self._loop, self._plan, self._store = loop, plan, store
        self._clock = clock = VirtualClock(loop, NOON)
        self.oracle = oracle = Oracle(clock, tell)
        self._vault = Vault(store, loop=loop, seed=plan.seed, faults=plan.faults, notes=oracle)
        self._exchange = Exchange(
            loop=loop, clock=clock, seed=plan.seed, faults=plan.faults, phones=plan.phones, notes=oracle
        )
        self._exchange.provider = Provider(
            loop=loop, clock=clock, seed=plan.seed, phones=plan.phones, witness=oracle, tell=self._exchange.tell
        )
        self._processes = Processes(
            loop=loop,
            clock=clock,
            oracle=oracle,
            vault=self._vault,
            exchange=self._exchange,
            chance=Chance(plan.seed, "processes"),
            make_engine=make_engine,
            settings=settings,
        )
        self._vault.stall = self._processes.stall_and_replace
        self._people = People(loop, clock, oracle, self._processes, tuple(name for name, _ in plan.accounts))
        self._deeds = Deeds(
            loop=loop,
            clock=clock,
            oracle=oracle,
            people=self._people,
            processes=self._processes,
            exchange=self._exchange,
            vault=self._vault,
        )
        self._is_over = False

    async def live(self) -> None:
        """Carry everything out, and judge what is left."""
        plan = self._plan
        async with self._store:
            self._processes.begin()
            self._put_accounts()
            for campaign in plan.campaigns:
                self._loop.outside_in(campaign.created_s, self._people.create, campaign)
            for deed in plan.deeds:
                self._loop.outside_in(deed.at_s, self._deeds.do, deed)
            await asyncio.sleep(plan.calm_s)
            self.oracle.note("calm")
            self._exchange.faults = self._vault.faults = _CALM
            self._deeds.calm_down()
            self._put_accounts()
            await self._until_all_is_done()
            self._people.leave()
            await self._processes.close()
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
            for process in self._processes.all:
                process.bury()
            await asyncio.wait(tasks, timeout=1.0)

    def _put_accounts(self) -> None:
        """Have each account as the plan has it. One that is so already is let be: to put it wakes all that it has."""
        for name, caps in self._plan.accounts:
            if not self._people.wants(name, caps):
                self._people.put(name, caps)

    async def _until_all_is_done(self) -> None:
        """Wait while there is something to wait for; what stands still without a reason is a breach.

        What was asked for last may still be on its way, and give somebody something to do: caps that are put, say.
        """
        oracle = self.oracle
        oracle.last_news_s = self._loop.time()
        last_s = max([self._loop.time(), *(each.at_s for each in self._plan.deeds)]) + _STUCK_S
        while oracle.ledger.is_going_on() or self._exchange.provider.live or self._loop.time() < last_s:
            quiet_s = self._loop.time() - max(oracle.last_news_s, self._awaited_until_s())
            if quiet_s > _STUCK_S + MAX_DURATION_S:
                oracle.breach("I12", f"nothing has happened for {quiet_s:.0f} s, and nothing is waited for")
                return
            oracle.look_for_idlers()
            await asyncio.sleep(_STUCK_S / 3)
        await asyncio.sleep(_STUCK_S)  # what is late may still come

    def _awaited_until_s(self) -> float:
        """Say until which second of the run a retry, a schedule or the next day is waited for, or was at the latest.

        What has just come may take its time: the process that it wakes may be one that has to be replaced.
        """
        now = self._clock.now()
        times = [at for book in self.oracle.ledger.books.values() for at in book.awaited]
        if any(min(caps.daily_calls_max, caps.daily_minutes_max) < NO_LIMIT for _, caps in self._plan.accounts):
            news = now - timedelta(seconds=self._loop.time() - self.oracle.last_news_s)
            times.append(floor_day(news) + timedelta(days=1))
        minutes = self.oracle.ledger.minutes.values()  # a clock that was set back has its minute's cap wait
        ahead = [at for at in (*times, *minutes) if at > now]
        if not ahead and not times:
            return 0.0
        until = min(ahead) if ahead else max(times)
        return self._loop.time() + (until - now).total_seconds()

    async def _judge_pages(self) -> None:
        """Hold what can be read against the oracle's own books."""
        for name, book in self.oracle.ledger.books.items():
            if book.campaign.is_deleted:
                continue
            statuses: Counter[ContactStatus] = Counter()
            page, has_next = 0, True
            while has_next:
                shown = await self._store.contacts(book.campaign.account_id, name, page=page)
                statuses.update(contact.status for contact in shown.contacts)
                page, has_next = page + 1, shown.has_next
            if statuses != +book.statuses:
                self.oracle.breach("I6", f"the contacts of {name} are {dict(statuses)}, not {dict(book.statuses)}")
