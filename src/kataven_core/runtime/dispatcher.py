"""The one task that writes: takes all that waits, has it settled in one transaction, and acts on what was decided.

Orders to the line, events to listeners and answers to callers leave only when the transaction is committed. All that
is held here can be thrown away at any moment: it is derived from the store again at the next start.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from attrs import frozen

from kataven_core.account import Account
from kataven_core.campaign import Campaign, Operation
from kataven_core.cycle import Decision, Inputs, Operate
from kataven_core.errors import AdapterFault, KatavenError
from kataven_core.ports import AccountTurn, Clock, Decide, Meter, Publisher, Store
from kataven_core.reports import ENDING
from kataven_core.statuses import CampaignStatus
from kataven_core.values import AccountId

from .inbox import Asked, Batch, Inbox, Waiting, answer_all, give, settle
from .line_pauses import LinePauses
from .open_attempts import OpenAttempts
from .outlook import Outlook
from .sends import Sends
from .settings import EngineSettings
from .sweeper import Sweeper

log = logging.getLogger("kataven_core.engine")

_QUIETING: Final = (Operation.PAUSE, Operation.STOP, Operation.DELETE)
"""Operations that are answered only when no send of the campaign is under way."""


class _Settled(NamedTuple):
    """What was decided on these turns, and the moment of monotonic time at which it was begun."""

    turns: Sequence[AccountTurn]
    decisions: Sequence[Decision]
    claimed_at: float


@frozen(kw_only=True)
class Dispatcher:
    """Runs until its inbox is closed and empty. Raises what it can't go on after: the store is gone for good."""

    store: Store
    decide: Decide
    clock: Clock
    publisher: Publisher
    settings: EngineSettings
    inbox: Inbox
    pauses: LinePauses
    sends: Sends
    attempts: OpenAttempts
    outlook: Outlook
    sweeper: Sweeper
    meter: Meter
    told: Callable[[AdapterFault | None], None]
    """Hears why nothing can be written, and that all is well again."""

    async def run(self) -> None:
        """Settle what comes, as it comes. What the store can't write now stays in the inbox."""
        pause_s = self.settings.store_pause_s
        while batch := await self.inbox.take():
            try:
                await self._settle(batch.waiting)
            except AdapterFault as fault:
                self._refuse(batch, fault)
                if not fault.is_retryable:
                    raise
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self.settings.store_pause_max_s)
            except BaseException:
                self.inbox.put_back(batch)  # so that whoever asked is found and answered
                raise
            else:
                self.told(None)
                settle(batch.durable, None)
                pause_s = self.settings.store_pause_s
                await asyncio.sleep(0)  # a store that never waits must not keep all others from running

    def _refuse(self, batch: Batch, fault: AdapterFault) -> None:
        """Nothing was written: say so to whoever asked, keep the facts, dial nobody meanwhile."""
        log.warning("nothing is dialled until the store can be written again: %s", fault.message)
        self.told(fault)
        for waiting in batch.waiting:
            answer_all(waiting.asked, fault)
            waiting.asked.clear()
        self.inbox.put_back(batch)

    async def _settle(self, waiting: Sequence[Waiting]) -> None:
        """Settle all in one transaction, or in smaller ones where something in it can't be settled.

        What fails alone is logged and set aside, so that the rest goes on. A fault that may pass is raised, with all
        that is not settled still in ``waiting``.
        """
        try:
            settled = await self._settle_together(waiting)
        except Exception as error:
            if isinstance(error, AdapterFault) and error.is_retryable:
                raise
            await self._settle_apart(waiting, error)
        else:
            self._follow_all(waiting, settled)

    async def _settle_together(self, waiting: Sequence[Waiting]) -> _Settled:
        """Settle all in one transaction; when this raises, nothing has changed."""
        claimed_at = self.clock.monotonic()
        turns = [self._turn(each) for each in waiting]
        return _Settled(turns, await self.store.settle(turns, self.decide, self.clock.now()), claimed_at)

    def _follow_all(self, waiting: Sequence[Waiting], settled: _Settled) -> None:
        """Act on what is committed."""
        turns, decisions, claimed_at = settled
        took_s = self.clock.monotonic() - claimed_at
        for turn, each, decision in zip(turns, waiting, decisions, strict=True):
            self._follow(each, decision, claimed_at)
            each.clear()
            if self.pauses.is_open(turn.account_id) and not turn.inputs.line_is_up:  # it has come up meanwhile
                self.inbox.look(turn.account_id, self.outlook.take_those_that_wait(turn.account_id))
        self.meter.settled(decisions, took_s)

    async def _settle_apart(self, waiting: Sequence[Waiting], error: Exception) -> None:
        if len(waiting) > 1:
            for each in waiting:
                await self._settle([each])
            return
        (whole,) = waiting
        parts = whole.take_apart()
        try:
            if len(parts) == 1:
                await self._set_aside(parts[0], error)
                return
            while parts:
                await self._settle(parts[:1])
                del parts[0]
        except BaseException:
            whole.take_back(parts)
            raise

    async def _set_aside(self, waiting: Waiting, error: Exception) -> None:
        """Leave out what can't be settled even alone, though nothing at all can be: else the store is to blame.

        What the store says of it counts only if it says so again: a store that has failed once may be well by now, and
        a campaign that is left out is looked at by nobody.
        """
        if isinstance(error, AdapterFault):
            await self._try_nothing(waiting.account_id)
            try:
                settled = await self._settle_together([waiting])
            except AdapterFault as again:
                if again.is_retryable:
                    raise
                error = again
            else:
                self._follow_all([waiting], settled)
                return
        log.error("set aside, as it can't be settled: %s", waiting.named(), exc_info=error)
        answer_all(waiting.asked, error)

    async def _try_nothing(self, account_id: AccountId) -> None:
        """Settle a turn in which nothing has come in; raises when the store can't do even that."""
        claimed_at = self.clock.monotonic()
        turn = AccountTurn(account_id=account_id)
        (decision,) = await self.store.settle([turn], self.decide, self.clock.now())
        self._follow(Waiting(account_id), decision, claimed_at)

    def _turn(self, waiting: Waiting) -> AccountTurn:
        account_id = waiting.account_id
        if waiting.asked or any(isinstance(report, ENDING) for report in waiting.reports):
            waiting.campaigns |= self.outlook.take_those_that_wait(account_id)
        inputs = Inputs(
            reports=tuple(waiting.reports),
            commands=tuple(each.command for each in waiting.asked),
            line_is_up=self.pauses.is_open(account_id),
            line_opens_at=self.pauses.until(account_id),
        )
        return AccountTurn(account_id=account_id, inputs=inputs, campaigns=frozenset(waiting.campaigns))

    def _follow(self, waiting: Waiting, decision: Decision, claimed_at: float) -> None:
        """Act on what is committed."""
        account_id = waiting.account_id
        self.attempts.follow(decision.attempts)
        for campaign in decision.campaigns:
            is_running = campaign.status is CampaignStatus.RUNNING and not campaign.is_deleted
            self.sends.forbid((account_id, campaign.id), is_forbidden=not is_running)
        self.sends.begin(decision.orders, claimed_at)
        self._publish(decision)
        self.outlook.follow(account_id, decision)
        self.sweeper.follow(account_id, decision)
        for asked, answer in zip(waiting.asked, decision.answers, strict=True):
            self._answer(asked, answer)

    def _publish(self, decision: Decision) -> None:
        try:
            self.publisher.publish(decision.events)
        except Exception:
            log.exception("%d events were not published; dialling goes on", len(decision.events))

    def _answer(self, asked: Asked, answer: Campaign | Account | KatavenError) -> None:
        command = asked.command
        if isinstance(command, Operate) and isinstance(answer, Campaign) and command.operation in _QUIETING:
            self.sends.when_settled((answer.account_id, answer.id), lambda: give(asked.answer, answer))
        else:
            give(asked.answer, answer)
