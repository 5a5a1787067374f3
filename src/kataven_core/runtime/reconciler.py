"""Attempts of which it is not known whether a phone rings: the line is asked until it knows, or for long enough."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from kataven_core.attempt import Attempt
from kataven_core.errors import AdapterFault
from kataven_core.ports import Clock, Line
from kataven_core.reports import Doubtful, Lost, NeverPlaced, Report
from kataven_core.statuses import AttemptState
from kataven_core.values import AccountId, AttemptId

from .settings import EngineSettings

log = logging.getLogger("kataven_core.line")


class Reconciler:
    """Never sends anything again: it only finds out. ``report`` takes what it learns."""

    def __init__(
        self, line: Line, clock: Clock, settings: EngineSettings, report: Callable[[AccountId, Report], None]
    ) -> None:
        self._line = line
        self._clock = clock
        self._settings = settings
        self._report = report
        self._since: dict[AttemptId, tuple[Attempt, float]] = {}
        self._task: asyncio.Task[None] | None = None

    async def take_up(self, attempts: Iterable[Attempt]) -> None:
        """Ask once about the open attempts of an earlier process; doubt and go on asking where nothing is known."""
        attempts = tuple(attempts)
        told = await self._ask(attempts)
        for attempt in attempts:
            if attempt.id not in told:
                if attempt.state is AttemptState.CLAIMED:
                    self._report(attempt.account_id, Doubtful(attempt_id=attempt.id, at=self._clock.now()))
                self.doubt(attempt)

    def doubt(self, attempt: Attempt) -> None:
        """Ask about this attempt from now on."""
        self._since.setdefault(attempt.id, (attempt, self._clock.monotonic()))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def settle(self, attempt_id: AttemptId) -> None:
        """Ask no more: it is known."""
        self._since.pop(attempt_id, None)

    def stop(self) -> None:
        """Ask no more about anything; the next process will."""
        if self._task:
            self._task.cancel()

    async def _run(self) -> None:
        while self._since:
            await asyncio.sleep(self._settings.reconcile_every_s)
            asked = dict(self._since)
            told = await self._ask(tuple(attempt for attempt, _ in asked.values()))
            given_up = self._clock.monotonic() - self._settings.lost_after_s
            for attempt, since in asked.values():
                if attempt.id not in told and since <= given_up:
                    self._report(attempt.account_id, Lost(attempt_id=attempt.id, at=self._clock.now()))

    async def _ask(self, attempts: tuple[Attempt, ...]) -> set[AttemptId]:
        """Ask the line and pass on what it says; give the attempts of which it said anything."""
        if not attempts:
            return set()
        try:
            async with asyncio.timeout(self._settings.originate_limit_s):
                reports = await self._line.reconcile(attempts)
        except (AdapterFault, TimeoutError) as fault:
            log.warning("the line can't say what became of %d calls: %s", len(attempts), fault)
            return set()
        except Exception:
            log.exception("the line failed when it was asked what became of %d calls", len(attempts))
            return set()
        known = {attempt.id: attempt for attempt in attempts}
        return {report.attempt_id for report in reports if self._pass_on(known.get(report.attempt_id), report)}

    def _pass_on(self, attempt: Attempt | None, report: Report) -> bool:
        """Pass a report on, if it says anything about a call that was asked about.

        Never placed is no news of a call that was up: then the line has forgotten it, and it is asked about until it is
        given up. It ends only what is doubted, so that a mere claim is doubted first.
        """
        if attempt is None:
            return False
        if isinstance(report, NeverPlaced):
            if attempt.state is AttemptState.LIVE:
                return False
            self._report(attempt.account_id, Doubtful(attempt_id=report.attempt_id, at=report.at))
        self._report(attempt.account_id, report)
        return True
