"""Calls without news: the line is asked about them until it tells, or for long enough.

An attempt that may have been sent is doubted from the start; one that is live is, once nothing was heard of it for a
while, as its end may have been missed.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import NamedTuple

from kataven_core.attempt import Attempt
from kataven_core.errors import AdapterFault
from kataven_core.ports import Clock, Line
from kataven_core.reports import Doubtful, Lost, NeverPlaced, Report
from kataven_core.statuses import AttemptState
from kataven_core.values import AccountId, AttemptId

from .settings import EngineSettings

log = logging.getLogger("kataven_core.line")


class _Silent(NamedTuple):
    """An open attempt, and the last that was heard of it, in monotonic seconds."""

    attempt: Attempt
    heard_at: float

    @property
    def is_live(self) -> bool:
        """Whether the line has said that it has the call."""
        return self.attempt.state is AttemptState.LIVE


class Reconciler:
    """Never sends anything again: it only finds out. ``report`` takes what it learns."""

    def __init__(
        self, line: Line, clock: Clock, settings: EngineSettings, report: Callable[[AccountId, Report], None]
    ) -> None:
        self._line = line
        self._clock = clock
        self._settings = settings
        self._report = report
        self._silent: dict[AttemptId, _Silent] = {}
        self._task: asyncio.Task[None] | None = None

    async def take_up(self, attempts: Iterable[Attempt]) -> None:
        """Ask once about the open attempts of an earlier process; doubt and go on asking where nothing is known."""
        attempts = tuple(attempts)
        told, _ = await self._ask(attempts)
        for attempt in attempts:
            if attempt.id not in told and attempt.state is AttemptState.CLAIMED:
                self._report(attempt.account_id, Doubtful(attempt_id=attempt.id, at=self._clock.now()))
            self.doubt(attempt)

    def doubt(self, attempt: Attempt) -> None:
        """Ask about this attempt from now on."""
        self._silent.setdefault(attempt.id, _Silent(attempt, self._clock.monotonic()))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def hear(self, attempt: Attempt) -> None:
        """Ask about this call only when nothing more is heard of it."""
        self._silent.pop(attempt.id, None)
        self.doubt(attempt)

    async def ask_about_all(self) -> bool:
        """Ask about every call of which something is awaited, as the line was away; say whether it has answered."""
        _, has_answered = await self._ask(tuple(each.attempt for each in self._silent.values()))
        return has_answered

    def settle(self, attempt_id: AttemptId) -> None:
        """Ask no more: it is over."""
        self._silent.pop(attempt_id, None)

    def stop(self) -> None:
        """Ask no more about anything; the next process will."""
        if self._task:
            self._task.cancel()

    async def _run(self) -> None:
        while self._silent:
            await asyncio.sleep(self._settings.reconcile_every_s)
            quiet_since = self._clock.monotonic() - self._settings.reconcile_every_s
            asked = [each for each in self._silent.values() if not each.is_live or each.heard_at <= quiet_since]
            told, has_answered = await self._ask(tuple(each.attempt for each in asked))
            for each in asked:
                if each.attempt.id in told:
                    self._go_on_hearing(each)
                elif self._is_given_up(each, has_answered=has_answered):
                    self._report(each.attempt.account_id, Lost(attempt_id=each.attempt.id, at=self._clock.now()))

    def _go_on_hearing(self, told: _Silent) -> None:
        """Count a live call as heard of; the report itself, where it is new, will do the rest."""
        if self._silent.get(told.attempt.id) is told:
            self._silent[told.attempt.id] = told._replace(heard_at=self._clock.monotonic())

    def _is_given_up(self, silent: _Silent, *, has_answered: bool) -> bool:
        """Whether it is as good as lost: the line does not know of it, or no call lasts that long.

        While the line can't be asked, a call may be up that only it knows of.
        """
        waited_s = self._clock.monotonic() - silent.heard_at
        return waited_s >= (self._settings.lost_after_s if has_answered else self._settings.longest_call_s)

    async def _ask(self, attempts: tuple[Attempt, ...]) -> tuple[set[AttemptId], bool]:
        """Ask the line and pass on what it says; give the attempts that it knows of, and whether it answered at all."""
        if not attempts:
            return set(), True
        try:
            async with asyncio.timeout(self._settings.originate_limit_s):
                reports = await self._line.reconcile(attempts)
        except (AdapterFault, TimeoutError) as fault:
            log.warning("the line can't say what became of %d calls: %s", len(attempts), fault)
            return set(), False
        except Exception:
            log.exception("the line failed when it was asked what became of %d calls", len(attempts))
            return set(), False
        known = {attempt.id: attempt for attempt in attempts}
        return {report.attempt_id for report in reports if self._pass_on(known.get(report.attempt_id), report)}, True

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
