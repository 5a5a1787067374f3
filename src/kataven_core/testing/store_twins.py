"""A store and the dumb model side by side: what is done to one is done to both, and both must say the same."""

# ruff: noqa: S101 - what is told by an assert is the result of a test

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from kataven_core import (
    AccountId,
    AccountView,
    CampaignId,
    Command,
    CommandRefused,
    Decision,
    Inputs,
    Report,
    decide,
)
from kataven_core.ports import AccountTurn, Store

from .samples import ACME, GLOBEX, NOON, a_reject, put, rows_with
from .store_duty import at_least
from .store_likeness import assert_reads_alike
from .store_model import AccountModel
from .store_orders import comparable

T = TypeVar("T")


class StoreTwins(RuleBasedStateMachine):
    """Two accounts, in both; their inputs wait in ``inbox`` until a turn takes them."""

    open_store: ClassVar[Callable[[], Store]]
    is_durable: ClassVar[bool] = False
    """Whether it holds the same when it was closed and is opened again."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = type(self).open_store()
        self.run(self.store.__aenter__())
        self.now = NOON
        self.models = {name: AccountModel(name) for name in (ACME, GLOBEX)}
        self.inbox: dict[AccountId, list[Report | Command]] = {name: [put(name)] for name in self.models}
        self.names_given = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something with the store."""
        return self.runner.run(work)

    def teardown(self) -> None:
        """Close the store."""
        try:
            self.run(self.store.__aexit__(None, None, None))
        finally:
            self.runner.close()

    def wait(self, seconds: float) -> None:
        """Let time pass, or set the clock back."""
        self.now += timedelta(seconds=seconds)

    @property
    def campaigns(self) -> list[tuple[AccountId, CampaignId]]:
        """All that were ever made."""
        return [(account, name) for account, model in self.models.items() for name in model.campaigns]

    def stage(self, account: AccountId, numbers: list[int]) -> CampaignId:
        """Stage rows under a new id, in two steps."""
        self.names_given += 1
        name = CampaignId(f"{account}-{self.names_given}")
        staged, rejects = rows_with(numbers), [a_reject(number + 2) for number in sorted(numbers[:2])]
        half = len(staged) // 2
        for accepted, refused in ((staged[:half], rejects), (staged[half:], [])):
            self.models[account].stage(name, accepted, refused)
            self.run(self.store.stage(account, name, accepted, refused))
        return name

    def discard(self, account: AccountId, name: CampaignId) -> None:
        """Discard, and see that nobody else misses anything."""
        self.models[account].discard(name)
        self.run(self.store.discard(account, name))
        self.compare()

    def is_refused(self, account: AccountId, name: CampaignId) -> None:
        """See that nothing can be staged under an id that is taken, whoever has taken it."""
        told = self.run(_told(self.store.stage(account, name, rows_with([1]), [a_reject(2)])))
        assert isinstance(told, CommandRefused), told
        assert told.code == "campaign_exists"
        self.compare()

    def fail(self, error: Exception) -> None:
        """Let the last decision of a turn fail, all that waits among its inputs, and see that nothing was written."""
        turns = [self._turn(account, [*model.campaigns], line_is_up=True) for account, model in self.models.items()]

        def decide_all_but_the_last(view: AccountView, inputs: Inputs, now: datetime) -> Decision:
            if view.account_id == turns[-1].account_id:
                raise error
            return decide(view, inputs, now)

        told = self.run(_told(self.store.settle(turns, decide_all_but_the_last, self.now)))
        assert told is error
        self.compare()

    def reopen(self) -> None:
        """Close the store and open it again: what was staged, and what waited, is gone."""
        self.run(self.store.__aexit__(None, None, None))
        self.run(self.store.__aenter__())
        for account, model in self.models.items():
            model.staged.clear()
            self.inbox[account].clear()
        self.compare()

    def settle(self, looks: Mapping[AccountId, Iterable[CampaignId]], *, line_is_up: bool = True) -> None:
        """Let the accounts that are named, or else both, take their turn."""
        turns = [self._take(account, looks.get(account, ()), line_is_up=line_is_up) for account in looks or self.models]
        expected = [self._expect(turn) for turn in turns]
        onlooker = _Dutiful(turns)
        decisions = self.run(self.store.settle(turns, onlooker, self.now))
        assert [onlooker.views[turn.account_id] for turn in turns] == [view for view, _ in expected]
        assert [*map(comparable, decisions)] == [comparable(decision) for _, decision in expected]
        for turn, (_, decision) in zip(turns, expected, strict=True):
            self.models[turn.account_id].write(decision, self.now)
        self.compare()

    def _take(self, account: AccountId, looks: Iterable[CampaignId], *, line_is_up: bool) -> AccountTurn:
        """Take all that waits for an account."""
        turn = self._turn(account, looks, line_is_up=line_is_up)
        self.inbox[account] = []
        return turn

    def _turn(self, account: AccountId, looks: Iterable[CampaignId], *, line_is_up: bool) -> AccountTurn:
        inputs = self.inbox[account]
        reports = tuple(each for each in inputs if isinstance(each, Report))
        commands = tuple(each for each in inputs if isinstance(each, Command))
        jitter_s = {each.attempt_id: 0.5 for each in reports[::2]}
        taken = Inputs(reports=reports, commands=commands, line_is_up=line_is_up, retry_jitter_s=jitter_s)
        return AccountTurn(account_id=account, inputs=taken, campaigns=frozenset(looks))

    def _expect(self, turn: AccountTurn) -> tuple[AccountView, Decision]:
        view = self.models[turn.account_id].view(turn, self.now)
        return view, decide(view, turn.inputs, self.now)

    def compare(self) -> None:
        """Read everything there is."""
        self.run(assert_reads_alike(self.store, self.models, self.now))


async def _told(work: Awaitable[object]) -> object:
    """Give what is answered, or raised."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at
        return error


class _Dutiful:
    """``decide`` on no more than a view must hold, so that stores which give more decide alike; it keeps the views."""

    def __init__(self, turns: Iterable[AccountTurn]) -> None:
        self._turns = {turn.account_id: turn for turn in turns}
        self.views: dict[AccountId, AccountView] = {}

    def __call__(self, view: AccountView, inputs: Inputs, now: datetime) -> Decision:
        self.views[view.account_id] = at_least(view, self._turns[view.account_id], now)
        return decide(self.views[view.account_id], inputs, now)
