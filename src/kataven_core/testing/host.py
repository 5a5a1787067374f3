"""What drives a store in the suites: it keeps the time, takes turns, and looks at what the store gave to decide on."""

# ruff: noqa: S101 - what is told by an assert is the result of a test

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from kataven_core import (
    AccountId,
    AccountView,
    Attempt,
    AttemptId,
    Campaign,
    CampaignId,
    CampaignView,
    Command,
    Contact,
    Counters,
    CreateCampaign,
    Decision,
    Inputs,
    Operate,
    PutAccount,
    RejectedRow,
    Report,
    Unsent,
    decide,
)
from kataven_core.ports import MAX_STAGED_ROWS, PAGE_SIZE, AccountTurn, Decide, StagedContact, Store

from .samples import ACME, NOON, create, operate, rows

T = TypeVar("T")


class Host:
    """One store that is open, and the time."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now: datetime = NOON

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    # Turns.

    async def turn(
        self,
        *inputs: Report | Command,
        account_id: AccountId = ACME,
        look_at: Iterable[str] = (),
        line_is_up: bool = True,
        decide: Decide = decide,
    ) -> Decision:
        """Settle these inputs for one account, deciding also on the campaigns in ``look_at``."""
        taken = a_turn(*inputs, account_id=account_id, look_at=look_at, line_is_up=line_is_up)
        (decision,) = await self.store.settle([taken], decide, self.now)
        return decision

    async def view(
        self, *inputs: Report | Command, account_id: AccountId = ACME, look_at: Iterable[str] = ()
    ) -> AccountView:
        """Give the view that these inputs are decided on, and decide nothing."""
        onlooker = Onlooker()
        await self.turn(*inputs, account_id=account_id, look_at=look_at, decide=onlooker)
        return onlooker.views[-1]

    async def campaign_view(self, name: str, *inputs: Report | Command) -> CampaignView:
        """Give one campaign of the view when it is looked at."""
        view = await self.view(*inputs, look_at=[name])
        return next(each for each in view.campaigns if each.campaign.id == name)

    # Stories.

    async def stage(
        self,
        name: str,
        contacts: Sequence[StagedContact],
        rejects: Sequence[RejectedRow] = (),
        *,
        account_id: AccountId = ACME,
    ) -> None:
        """Stage rows in as many steps as they take."""
        refused = _in_steps(rejects)
        for accepted in _in_steps(contacts):
            await self.store.stage(account_id, CampaignId(name), accepted, next(refused, ()))
        for rest in refused:
            await self.store.stage(account_id, CampaignId(name), (), rest)

    async def create(
        self, name: str, contacts: int | Sequence[StagedContact] = 1, *, account_id: AccountId = ACME, **settings: Any
    ) -> Campaign:
        """Make a campaign of so many contacts, or of these rows."""
        staged = rows(contacts) if isinstance(contacts, int) else contacts
        await self.stage(name, staged, account_id=account_id)
        decision = await self.turn(create(name, len(staged), **settings), account_id=account_id)
        (answer,) = decision.answers
        assert isinstance(answer, Campaign), answer
        return answer

    async def begin(
        self, name: str, contacts: int | Sequence[StagedContact] = 1, *, account_id: AccountId = ACME, **settings: Any
    ) -> None:
        """Have a campaign running that has dialled nobody yet."""
        await self.create(name, contacts, account_id=account_id, **settings)
        await self.turn(operate(name, "start"), account_id=account_id, line_is_up=False)

    async def dial(self, *names: str, account_id: AccountId = ACME) -> list[str]:
        """Let running campaigns dial; give the attempts."""
        decision = await self.turn(account_id=account_id, look_at=names)
        return [order.attempt_id for order in decision.orders]

    async def take_back(self, attempt_id: str) -> None:
        """Report that a call was never sent, while the line is down."""
        await self.turn(Unsent(attempt_id=AttemptId(attempt_id), at=self.now), line_is_up=False)

    # Reads.

    async def campaign(self, name: str, account_id: AccountId = ACME) -> Campaign:
        """Read a campaign."""
        return (await self.store.campaign(account_id, CampaignId(name))).campaign

    async def counters(self, name: str, account_id: AccountId = ACME) -> Counters:
        """Read where a campaign stands."""
        return (await self.store.campaign(account_id, CampaignId(name))).counters

    async def contacts(self, name: str, account_id: AccountId = ACME) -> list[Contact]:
        """Read all contacts of a campaign, page by page."""
        found: list[Contact] = []
        while True:
            page = await self.store.contacts(account_id, CampaignId(name), page=len(found) // PAGE_SIZE)
            found += page.contacts
            if not page.contacts or not page.has_next:
                return found

    async def open_attempts(self) -> dict[str, Attempt]:
        """Read the dials whose end is not known."""
        return {each.id: each for each in (await self.store.agenda()).open_attempts}


class Onlooker:
    """A ``decide`` that changes nothing, and keeps the views that it was given."""

    def __init__(self) -> None:
        self.views: list[AccountView] = []

    def __call__(self, view: AccountView, _inputs: Inputs, _now: datetime) -> Decision:
        """Look, and leave all as it is."""
        self.views.append(view)
        return Decision(account=None, usage=view.usage)


def a_turn(
    *inputs: Report | Command, account_id: AccountId = ACME, look_at: Iterable[str] = (), line_is_up: bool = True
) -> AccountTurn:
    """Give a turn with reports and commands, each in their order."""
    commands = tuple(each for each in inputs if isinstance(each, CreateCampaign | Operate | PutAccount))
    reports = tuple(each for each in inputs if not isinstance(each, CreateCampaign | Operate | PutAccount))
    return AccountTurn(
        account_id=account_id,
        inputs=Inputs(reports=reports, commands=commands, line_is_up=line_is_up),
        campaigns=frozenset(map(CampaignId, look_at)),
    )


def _in_steps(those: Sequence[T]) -> Iterator[Sequence[T]]:
    left = iter(those)
    while step := list(islice(left, MAX_STAGED_ROWS)):
        yield step
