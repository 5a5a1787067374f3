"""Any store against the dumb model, under random stories: what is decided and what is read must be equal throughout."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, TypeVar

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from kataven_core import (
    AccountId,
    AccountView,
    Answered,
    AttemptId,
    CampaignId,
    Command,
    Decision,
    Doubtful,
    Ended,
    Inputs,
    KatavenError,
    Lost,
    NeverPlaced,
    Operation,
    Outcome,
    Placed,
    Report,
    Ringing,
    Unsent,
    decide,
)
from kataven_core.ports import AccountTurn, Store

from .samples import ACME, AGENTS, GLOBEX, NOON, a_reject, create, operate, put, rows_with
from .store_likeness import assert_reads_alike
from .store_model import AccountModel, at_least

T = TypeVar("T")

NUMBERS: Final = st.lists(st.integers(0, 7), max_size=6)
"""So few numbers that campaigns and accounts share them."""
CAPS: Final = st.fixed_dictionaries(
    {},
    optional={
        "concurrent_max": st.sampled_from([9, 6, 4, 2, 0]),
        "calls_per_minute": st.sampled_from([6, 3, 1, 0]),
        "daily_calls_max": st.sampled_from([30, 10, 5]),
        "daily_minutes_max": st.sampled_from([5, 1]),
    },
)
ENDS: Final = st.sampled_from([Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED, Outcome.ANSWERED, Outcome.DECLINED])
KINDS: Final = st.one_of(ENDS, st.sampled_from([Placed, Ringing, Answered, Unsent, Doubtful, NeverPlaced, Lost]))
SENSIBLE: Final[Mapping[str, tuple[str, ...]]] = {
    "draft": ("start", "start"),
    "scheduled": ("start", "stop", "delete"),
    "running": ("pause", "pause", "stop"),
    "paused": ("resume", "start", "delete"),
    "completed": ("delete",),
    "failed": ("delete",),
}
"""What makes sense to do in each status; now and then it is something else."""


class StoreMachine(RuleBasedStateMachine):
    """The stories: two accounts whose inputs wait until a turn takes them."""

    open_store: ClassVar[Callable[[], Store]]

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

    # What people do.

    @initialize(numbers=st.lists(NUMBERS, min_size=2, max_size=3), retries=st.integers(0, 2))
    def begin(self, numbers: list[list[int]], retries: int) -> None:
        """Let campaigns of both accounts run from the start."""
        for account in self.models:
            for each in numbers:
                self.upload(account, each, 2, retries, None, AGENTS[0], starts=True)
        self.settle({})

    @rule(
        account=st.sampled_from([ACME, ACME, GLOBEX]),
        numbers=NUMBERS,
        calls=st.integers(1, 4),
        retries=st.integers(0, 2),
        in_s=st.sampled_from([None, None, 30, 300]),
        agent=st.sampled_from(AGENTS),
        starts=st.booleans(),
    )
    def upload(
        self,
        account: AccountId,
        numbers: list[int],
        calls: int,
        retries: int,
        in_s: int | None,
        agent: str,
        *,
        starts: bool,
    ) -> None:
        """Stage a file in two steps, and have a campaign made of it."""
        name = self.stage(account, numbers)
        self.inbox[account].append(
            create(
                name,
                len(numbers),
                agent_id=agent,
                max_concurrent_calls=calls,
                retries_per_contact=retries,
                retry_delay_seconds=60,
                scheduled_at=self.now + timedelta(seconds=in_s) if in_s else None,
            )
        )
        if starts:
            self.inbox[account].append(operate(name, "start"))

    @rule(account=st.sampled_from([ACME, GLOBEX]), numbers=NUMBERS)
    def give_up(self, account: AccountId, numbers: list[int]) -> None:
        """Stage a file of which nothing comes."""
        self.discard(account, self.stage(account, numbers))
        self.compare()

    def stage(self, account: AccountId, numbers: list[int]) -> CampaignId:
        """Stage rows under a new id."""
        self.names_given += 1
        name = CampaignId(f"{account}-{self.names_given}")
        staged, rejects = rows_with(numbers), [a_reject(number + 2) for number in numbers[:2]]
        half = len(staged) // 2
        for accepted, refused in ((staged[:half], rejects), (staged[half:], [])):
            self.models[account].stage(name, accepted, refused)
            self.run(self.store.stage(account, name, accepted, refused))
        return name

    @precondition(lambda self: self.campaigns)
    @rule(which=st.integers(0, 19), by=st.sampled_from([None, None, None, ACME, GLOBEX]), nth=st.integers(0, 15))
    def operate(self, which: int, by: AccountId | None, nth: int) -> None:
        """Do something to a campaign, whoever asks."""
        owner, name = self.pick(which)
        sensible = SENSIBLE[self.models[owner].campaigns[name].campaign.status]
        choices = (*sensible * 3, *Operation)
        self.inbox[by or owner].append(operate(name, choices[nth % len(choices)]))

    @rule(
        account=st.sampled_from([ACME, GLOBEX]),
        caps=CAPS,
        paused=st.sampled_from([(), (), (), (), AGENTS[:1], AGENTS[1:]]),
    )
    def put(self, account: AccountId, caps: dict[str, int], paused: tuple[str, ...]) -> None:
        """Change an account."""
        self.inbox[account].append(put(account, paused=paused, **caps))

    @precondition(lambda self: self.campaigns)
    @rule(which=st.integers(0, 19), by=st.sampled_from([None, None, ACME, GLOBEX]))
    def clear_away(self, which: int, by: AccountId | None) -> None:
        """Discard a campaign, whether it is deleted or not, and whoever asks."""
        owner, name = self.pick(which)
        self.discard(by or owner, name)
        self.compare()

    def discard(self, account: AccountId, name: CampaignId) -> None:
        """Discard in both."""
        self.models[account].discard(name)
        self.run(self.store.discard(account, name))

    @property
    def campaigns(self) -> list[tuple[AccountId, CampaignId]]:
        """All that were ever made."""
        return [(account, name) for account, model in self.models.items() for name in model.campaigns]

    def pick(self, which: int) -> tuple[AccountId, CampaignId]:
        """Choose a campaign, the newest more often."""
        return self.campaigns[-1 - which % len(self.campaigns)]

    # What the line does.

    @rule(
        account=st.sampled_from([ACME, ACME, GLOBEX]),
        what=st.lists(st.tuples(st.integers(0, 9), KINDS, st.sampled_from([0, 20, 200])), min_size=1, max_size=5),
        is_astray=st.sampled_from([False, False, False, True]),
    )
    def report(self, account: AccountId, what: list[tuple[int, Any, int]], *, is_astray: bool) -> None:
        """Report on calls that are up, on some that have ended, on one that nobody knows, or to the wrong account."""
        model = self.models[account]
        known = [*model.open_attempts, *list(model.attempts.values())[-2:]]
        names = [*(each.id for each in known), AttemptId("nobody.0.1")]
        to = GLOBEX if is_astray else account
        self.inbox[to] += [_a_report(names[index % len(names)], kind, self.now, talk_s) for index, kind, talk_s in what]

    # What the host does.

    @rule(
        wait_s=st.sampled_from([0, 1, 30, 60, 61, 300, 86_400, -3, -90]),
        who=st.sampled_from([(ACME, GLOBEX), (GLOBEX, ACME), (ACME,), (GLOBEX,), ()]),
        looks=st.integers(0, 2**12 - 1),
        line_is_up=st.sampled_from([True, True, True, False]),
    )
    def turn(self, wait_s: int, who: tuple[AccountId, ...], looks: int, *, line_is_up: bool) -> None:
        """Settle what waits, and decide on any campaigns besides."""
        self.now += timedelta(seconds=wait_s)
        seen = [name for index, (_, name) in enumerate(self.campaigns) if looks >> index % 12 & 1]
        self.settle({account: seen for account in who}, line_is_up=line_is_up)

    @rule(rounds=st.integers(1, 4), ends=st.lists(ENDS, min_size=1, max_size=4))
    def work(self, rounds: int, ends: list[Outcome]) -> None:
        """Let time pass in which all goes well."""
        for _ in range(rounds):
            self.now += timedelta(seconds=60)
            for account, model in self.models.items():
                calls = zip(model.open_attempts, ends, strict=False)
                self.inbox[account] += [_a_report(call.id, outcome, self.now, 20) for call, outcome in calls]
            self.settle({account: [name for _, name in self.campaigns] for account in self.models})

    def settle(self, looks: Mapping[AccountId, Iterable[CampaignId]], *, line_is_up: bool = True) -> None:
        """Let the accounts that are named, or else both, take their turn, in the store and in the model."""
        turns = [self.take(account, looks.get(account, ()), line_is_up=line_is_up) for account in looks or self.models]
        expected = [self.expect(turn) for turn in turns]
        normalized = _Normalized(turns)
        decisions = self.run(self.store.settle(turns, normalized, self.now))
        views = [normalized.views[turn.account_id] for turn in turns]
        assert views == [view for view, _ in expected], "the store gave another view than the model"
        assert [*map(_plain, decisions)] == [_plain(decision) for _, decision in expected]
        for turn, (_, decision) in zip(turns, expected, strict=True):
            self.models[turn.account_id].write(decision, self.now)
        self.compare()

    def take(self, account: AccountId, looks: Iterable[CampaignId], *, line_is_up: bool) -> AccountTurn:
        """Take all that waits for an account."""
        inputs, self.inbox[account] = self.inbox[account], []
        reports = tuple(each for each in inputs if isinstance(each, Report))
        commands = tuple(each for each in inputs if isinstance(each, Command))
        jitter_s = {each.attempt_id: 0.5 for each in reports[::2]}
        taken = Inputs(reports=reports, commands=commands, line_is_up=line_is_up, retry_jitter_s=jitter_s)
        return AccountTurn(account_id=account, inputs=taken, campaigns=frozenset(looks))

    def expect(self, turn: AccountTurn) -> tuple[AccountView, Decision]:
        """Read and decide in the model."""
        view = self.models[turn.account_id].view(turn, self.now)
        return view, decide(view, turn.inputs, self.now)

    def compare(self) -> None:
        """Read everything there is."""
        self.run(assert_reads_alike(self.store, self.models, self.now))


class _Normalized:
    """``decide`` on no more than a view must hold, so that stores which give more decide alike; it keeps the views."""

    def __init__(self, turns: Iterable[AccountTurn]) -> None:
        self._turns = {turn.account_id: turn for turn in turns}
        self.views: dict[AccountId, AccountView] = {}

    def __call__(self, view: AccountView, inputs: Inputs, now: datetime) -> Decision:
        self.views[view.account_id] = at_least(view, self._turns[view.account_id], now)
        return decide(self.views[view.account_id], inputs, now)


def _a_report(name: AttemptId, kind: Any, now: datetime, talk_s: int) -> Report:
    if isinstance(kind, Outcome):
        return Ended(attempt_id=name, at=now - timedelta(seconds=3), outcome=kind, duration_s=float(talk_s))
    if kind is Placed:
        return Placed(attempt_id=name, at=now, call_id=f"call {name}")
    report: Report = kind(attempt_id=name, at=now)
    return report


def _plain(decision: Decision) -> object:
    """Give a decision with its errors in a form that can be compared."""
    answers = [
        (type(each), each.code, each.message) if isinstance(each, KatavenError) else each for each in decision.answers
    ]
    return evolve(decision, answers=()), answers


def store_machine(open_store: Callable[[], Store]) -> type[StoreMachine]:
    """Give the machine for one kind of store; ``open_store`` makes one that is not open yet, and empty.

    Run it with ``hypothesis.stateful.run_state_machine_as_test``.
    """
    return type("StoreMachineOfOneKind", (StoreMachine,), {"open_store": staticmethod(open_store)})
