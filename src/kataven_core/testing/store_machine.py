"""Any store against the dumb model, under random stories: what is decided and what is read must be equal throughout."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from kataven_core import AccountId, AttemptId, CampaignId, Operation, Outcome
from kataven_core.ports import Store

from .samples import ACME, AGENTS, GLOBEX, create, once, operate, put
from .store_inputs import ACCOUNTS, CAPS, ENDS, KEYS, KINDS, NUMBERS, SENSIBLE, a_report
from .store_model import Kept
from .store_twins import StoreTwins


class StoreMachine(StoreTwins):
    """The stories: what people, the line and the host may do, in any order."""

    # What people do.

    @initialize(numbers=st.lists(NUMBERS, min_size=2, max_size=3), retries=st.integers(0, 2))
    def begin(self, numbers: list[list[int]], retries: int) -> None:
        """Let campaigns of both accounts run from the start."""
        for account in self.models:
            for each in numbers:
                self._create(account, each, max_concurrent_calls=2, retries_per_contact=retries)
                self._operate_newest(account)
        self.settle({})

    @rule(
        account=ACCOUNTS,
        numbers=NUMBERS,
        calls=st.integers(1, 4),
        retries=st.integers(0, 2),
        in_s=st.sampled_from([None, None, 30, 300]),
        agent=st.sampled_from(AGENTS),
        key=KEYS,
    )
    def upload(
        self,
        account: AccountId,
        numbers: list[int],
        *,
        calls: int,
        retries: int,
        in_s: int | None,
        agent: str,
        key: str | None,
    ) -> None:
        """Have a campaign made of a file, at once or for later."""
        at = self.now + timedelta(seconds=in_s) if in_s else None
        self._create(
            account,
            numbers,
            key,
            agent_id=agent,
            max_concurrent_calls=calls,
            retries_per_contact=retries,
            scheduled_at=at,
        )

    @rule(account=ACCOUNTS)
    def start_what_was_uploaded(self, account: AccountId) -> None:
        """Start the newest campaign, perhaps in the turn that makes it."""
        self._operate_newest(account)

    def _create(self, account: AccountId, numbers: list[int], key: str | None = None, **settings: Any) -> None:
        command = create(self.stage(account, numbers), len(numbers), retry_delay_seconds=60, **settings)
        self.inbox[account].append(once(command, key, scope="create") if key else command)

    def _operate_newest(self, account: AccountId) -> None:
        self.inbox[account].append(operate(f"{account}-{self.names_given}", "start"))

    @rule(account=ACCOUNTS, numbers=NUMBERS)
    def give_up(self, account: AccountId, numbers: list[int]) -> None:
        """Stage a file of which nothing comes."""
        self.discard(account, self.stage(account, numbers))

    @precondition(lambda self: self.campaigns)
    @rule(
        which=st.integers(0, 19),
        by=st.sampled_from([None, None, None, ACME, GLOBEX]),
        nth=st.integers(0, 15),
        key=KEYS,
    )
    def operate(self, which: int, by: AccountId | None, nth: int, key: str | None) -> None:
        """Do something to a campaign, whoever asks, and perhaps once only."""
        owner, name = self._pick(which)
        sensible = SENSIBLE[self._kept(owner, name).campaign.status]
        choices = (*sensible * 3, *Operation)
        command = operate(name, choices[nth % len(choices)])
        if key:
            command = once(command, key, scope=command.operation, fingerprint=name)
        self.inbox[by or owner].append(command)

    @rule(account=ACCOUNTS, caps=CAPS, paused=st.sampled_from([(), (), (), (), AGENTS[:1], AGENTS[1:]]))
    def put(self, account: AccountId, caps: dict[str, int], paused: tuple[str, ...]) -> None:
        """Change an account."""
        self.inbox[account].append(put(account, paused=paused, **caps))

    @precondition(lambda self: self.campaigns)
    @rule(which=st.integers(0, 19), clears=st.booleans())
    def take_down(self, which: int, *, clears: bool) -> None:
        """Delete a campaign, one with calls up if there is any, and perhaps try at once to clear it away."""
        calling = [each for each in self.campaigns if self._kept(*each).counters.calls_in_flight]
        owner, name = calling[which % len(calling)] if calling else self._pick(which)
        self.inbox[owner] += [operate(name, "stop"), operate(name, "delete")]
        self.settle({owner: []}, line_is_up=False)
        if clears:
            self.discard(owner, name)

    @precondition(lambda self: self.campaigns)
    @rule(which=st.integers(0, 19), by=st.sampled_from([None, None, ACME, GLOBEX]), is_deleted=st.booleans())
    def clear_away(self, which: int, by: AccountId | None, *, is_deleted: bool) -> None:
        """Discard a campaign, whether it is deleted or not, and whoever asks."""
        deleted = [(owner, name) for owner, name in self.campaigns if self._kept(owner, name).campaign.is_deleted]
        owner, name = deleted[which % len(deleted)] if deleted and is_deleted else self._pick(which)
        self.discard(by or owner, name)

    @precondition(lambda self: self.campaigns)
    @rule(which=st.integers(0, 19))
    def create_again(self, which: int) -> None:
        """Ask for a campaign under an id that is taken; nothing is staged for it."""
        owner, name = self._pick(which)
        self.inbox[owner].append(create(name, 0))

    @precondition(lambda self: self.campaigns)
    @rule(which=st.integers(0, 19), by=ACCOUNTS)
    def upload_again(self, which: int, by: AccountId) -> None:
        """Upload under an id that is a campaign's, whoever has it, or that is another's upload's."""
        uploads = [name for owner, model in self.models.items() if owner != by for name in model.staged]
        taken = [*uploads, *(name for _, name in self.campaigns)]
        self.is_refused(by, taken[which % len(taken)])

    def _pick(self, which: int) -> tuple[AccountId, CampaignId]:
        """Choose a campaign."""
        return self.campaigns[-1 - which % len(self.campaigns)]

    def _kept(self, owner: AccountId, name: CampaignId) -> Kept:
        return self.models[owner].campaigns[name]

    # What the line does.

    @rule(
        account=ACCOUNTS,
        what=st.lists(st.tuples(st.integers(0, 9), KINDS, st.sampled_from([0, 20, 200])), min_size=1, max_size=5),
        is_astray=st.sampled_from([False, False, False, True]),
    )
    def report(self, account: AccountId, what: list[tuple[int, Any, int]], *, is_astray: bool) -> None:
        """Report on calls that are up, on some that have ended, on one that nobody knows, or to the wrong account."""
        model = self.models[account]
        known = [*model.open_attempts, *list(model.attempts.values())[-2:]]
        names = [*(each.id for each in known), AttemptId("nobody.0.1")]
        to = GLOBEX if is_astray else account
        self.inbox[to] += [a_report(names[index % len(names)], kind, self.now, talk_s) for index, kind, talk_s in what]

    # What the host does.

    @rule(
        wait_s=st.sampled_from([0, 1, 30, 60, 61, 300, 86_400, -3, -90]),
        who=st.sampled_from([(ACME, GLOBEX), (GLOBEX, ACME), (ACME,), (GLOBEX,)]),
        looks=st.integers(0, 2**12 - 1),
        line_is_up=st.sampled_from([True, True, True, False]),
    )
    def turn(self, wait_s: int, who: tuple[AccountId, ...], looks: int, *, line_is_up: bool) -> None:
        """Settle what waits, and decide on any campaigns besides, those of others among them."""
        self.wait(wait_s)
        seen = [name for index, (_, name) in enumerate(self.campaigns) if looks >> index % 12 & 1]
        self.settle(dict.fromkeys(who, seen), line_is_up=line_is_up)

    @rule()
    def fall(self) -> None:
        """Fail in the middle of a turn of both."""
        self.fail(KeyError("what decides has failed"))

    @precondition(lambda self: self.is_durable)
    @rule()
    def begin_anew(self) -> None:
        """End, and begin anew with what is stored."""
        self.reopen()

    @rule(rounds=st.integers(1, 4), ends=st.lists(ENDS, min_size=1, max_size=4), talk_s=st.sampled_from([0, 20]))
    def work(self, rounds: int, ends: list[Outcome], talk_s: int) -> None:
        """Let time pass in which all goes well."""
        for _ in range(rounds):
            self.wait(60)
            for account, model in self.models.items():
                calls = zip(model.open_attempts, ends, strict=False)
                self.inbox[account] += [a_report(call.id, outcome, self.now, talk_s) for call, outcome in calls]
            self.settle({account: list(model.campaigns) for account, model in self.models.items()})


def store_machine(open_store: Callable[[], Store], *, is_durable: bool = False) -> type[StoreMachine]:
    """Give the machine for one kind of store; ``open_store`` makes one that is not open yet, and empty.

    One that ``is_durable`` is closed and opened again now and then: the same object is entered anew.
    Run it with ``hypothesis.stateful.run_state_machine_as_test``.
    """
    return type(
        "StoreMachineOfOneKind", (StoreMachine,), {"open_store": staticmethod(open_store), "is_durable": is_durable}
    )
