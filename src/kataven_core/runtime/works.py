"""What turns inside the engine, put together: one inbox, one dispatcher, and what acts on its decisions."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from attrs import evolve

from kataven_core.account import Account
from kataven_core.cycle import PutAccount
from kataven_core.errors import AdapterFault
from kataven_core.ports import Agenda, Clock, Decide, Line, Meter, Publisher, Store
from kataven_core.reports import Report
from kataven_core.values import AccountId

from .dispatcher import Dispatcher
from .inbox import Answer, Durable, Inbox
from .line_pauses import LinePauses
from .line_watch import LineWatch
from .meters import Harmless
from .open_attempts import OpenAttempts
from .outlook import Outlook
from .reconciler import Reconciler
from .sends import Sends
from .settings import EngineSettings
from .sweeper import Sweeper

log = logging.getLogger("kataven_core.engine")

_LAST_CYCLE_S: Final = 1.0
"""How long a cycle that is under way may still take when the time to drain is over."""


class Works:
    """Lives as long as the engine is entered; store and line are open."""

    def __init__(
        self,
        *,
        store: Store,
        line: Line,
        publisher: Publisher,
        clock: Clock,
        settings: EngineSettings,
        decide: Decide,
        meter: Meter,
        chance: Callable[[], float],
    ) -> None:
        self.inbox = Inbox()
        self.store = store
        self._line = line
        self._settings = settings
        self._meter = meter = Harmless(meter)
        self._reconciler = Reconciler(line, clock, settings, self._report)
        self._attempts = OpenAttempts(self._reconciler)
        self._outlook = Outlook(clock, self.inbox)
        self._watch = LineWatch(
            line,
            settings,
            ask=self._reconciler.ask_about_all,
            is_up_again=self._outlook.look_at_all_that_wait,
        )
        self._pauses = LinePauses(clock, settings, is_up=lambda: self._watch.is_up, chance=chance)
        self._sends = Sends(
            line=line, clock=clock, pauses=self._pauses, settings=settings, report=self._report, meter=meter
        )
        self._sweeper = Sweeper(store)
        self._dispatcher = Dispatcher(
            store=store,
            decide=decide,
            clock=clock,
            publisher=publisher,
            settings=settings,
            inbox=self.inbox,
            pauses=self._pauses,
            sends=self._sends,
            attempts=self._attempts,
            outlook=self._outlook,
            sweeper=self._sweeper,
            meter=meter,
            told=self._hear,
        )
        self._running: asyncio.Task[None] | None = None
        self.failure: AdapterFault | None = None
        self.store_fault: AdapterFault | None = None
        already: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        already.set_result(None)
        self._nothing_new = Durable(already)

    async def start(self, accounts: Sequence[Account] | None) -> None:
        """Take up where an earlier process stood: ask the line about its calls before anything is dialled.

        Where ``accounts`` are given, nothing is dialled before they are put, and of others nobody is.
        """
        agenda = await self.store.agenda()
        self._attempts.take_up(agenda.open_attempts)
        self._line.listen(self._deliver, self._watch.turned)
        await self._reconciler.take_up(agenda.open_attempts)
        if self._line.trouble is not None:
            self._watch.turned()
        put = [] if accounts is None else await self._put(accounts, agenda)
        for account_id, campaign_id in agenda.campaigns:
            self.inbox.look(account_id, (campaign_id,))
        for account_id, campaign_id in agenda.deleted:
            self._sweeper.take_up(account_id, campaign_id)
        self._running = asyncio.get_running_loop().create_task(self._dispatcher.run())
        self._running.add_done_callback(self._ended)
        await asyncio.gather(*put)

    async def _put(self, accounts: Sequence[Account], agenda: Agenda) -> list[Answer]:
        """Have accounts put in the first cycle, in which commands come before dials; let others place no call."""
        others = {account_id for account_id, _ in agenda.campaigns} - {account.id for account in accounts}
        stored = [await self.store.account(account_id) for account_id in sorted(others)]
        for account in stored:
            log.warning("the account %s is not configured any more: its campaigns dial nobody", account.id)
        held = [evolve(account, caps=evolve(account.caps, concurrent_max=0)) for account in stored]
        return [self.inbox.ask(account.id, PutAccount(account=account)) for account in (*accounts, *held)]

    @property
    def calls_in_flight(self) -> int:
        """How many attempts are open."""
        return len(self._attempts)

    async def stop(self, refusal: AdapterFault) -> None:
        """Claim no more; let sends settle, and calls end that would die with the process; store what is known."""
        self.inbox.refuse(refusal)
        self._pauses.close()
        self._outlook.stop()
        try:
            async with asyncio.timeout(self._settings.drain_s):
                await self._sends.settle()
                await self._line.drain()
                self.inbox.close()
                if self._running:
                    await asyncio.wait([self._running])
                await self._sweeper.finish()
        except TimeoutError:
            pass  # what is still up is looked up by the next process
        finally:
            await self._stop_at_once(refusal)

    async def _stop_at_once(self, refusal: AdapterFault) -> None:
        self._watch.stop()
        self._reconciler.stop()
        self._sweeper.stop()
        await self._sends.stop()
        self.inbox.close()
        if self._running:
            await asyncio.wait([self._running], timeout=_LAST_CYCLE_S)
            self._running.cancel()
            await asyncio.wait([self._running], timeout=_LAST_CYCLE_S)
        self.inbox.abandon(refusal)

    def _report(self, account_id: AccountId, report: Report) -> None:
        self.inbox.report(account_id, (report,))

    def _deliver(self, reports: Sequence[Report]) -> Awaitable[None]:
        by_account = self._attempts.by_account(reports)
        for account_id, mine in by_account.items():
            self.inbox.report(account_id, mine)
        if strangers := len(reports) - sum(map(len, by_account.values())):
            self._meter.passed_over(strangers)
        return self.inbox.durable if by_account else self._nothing_new

    def _hear(self, fault: AdapterFault | None) -> None:
        self.store_fault = fault

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """Leave nobody waiting, should the dispatcher ever end before it is told to."""
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        if isinstance(error, AdapterFault):
            log.critical("the engine has stopped: %s", error.message)
            self.failure = error
        else:
            log.critical("the engine has failed", exc_info=error)
            self.failure = AdapterFault("engine_failed", "the engine has failed, and its log says why: start it anew")
        self.inbox.abandon(self.failure)
