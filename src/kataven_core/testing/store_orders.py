"""Whether what a store answered to calls that overlapped could have come of one call after the other.

The search of Wing and Gong: of the calls that are left, one that began before any other of them had ended may have been
the first; it was if the dumb model, asked the same, says the same. What has led nowhere once is not tried again.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import NamedTuple, Protocol

from attrs import evolve, frozen

from kataven_core import AccountId, AccountView, CampaignId, ContactStatus, Decision, Inputs, KatavenError, decide
from kataven_core.ports import AccountTurn, CampaignRecord, Store

from .host import Onlooker
from .store_duty import at_least
from .store_likeness import missing, page_of, told
from .store_model import AccountModel, Kept

Models = Mapping[AccountId, AccountModel]


class Operation(Protocol):
    """One call of a store, and what the model says to it."""

    async def ask(self, store: Store) -> object:
        """Do it to a store; give the answer in a form that can be compared."""
        ...

    def expect(self, models: Models) -> object:
        """Do it to the models; give the same."""
        ...


class Call(NamedTuple):
    """An operation that was asked of a store: when it began and ended, in moments that are counted, and the answer."""

    operation: Operation
    begun: int
    ended: int
    answer: object


@frozen(kw_only=True)
class Settle:
    """Turns that are settled together."""

    turns: tuple[AccountTurn, ...]
    now: datetime

    async def ask(self, store: Store) -> object:
        """Decide on no more than a view must hold, so that stores which give more decide alike."""
        turns = {turn.account_id: turn for turn in self.turns}

        def dutifully(view: AccountView, inputs: Inputs, now: datetime) -> Decision:
            return decide(at_least(view, turns[view.account_id], now), inputs, now)

        return [*map(comparable, await store.settle(self.turns, dutifully, self.now))]

    def expect(self, models: Models) -> object:
        """Decide for all, then write for all."""
        views = [models[turn.account_id].view(turn, self.now) for turn in self.turns]
        decisions = [decide(view, turn.inputs, self.now) for view, turn in zip(views, self.turns, strict=True)]
        for turn, decision in zip(self.turns, decisions, strict=True):
            models[turn.account_id].write(decision, self.now)
        return [*map(comparable, decisions)]


@frozen(kw_only=True)
class ReadCampaign:
    """A campaign and its counters, as of one moment."""

    account_id: AccountId
    campaign_id: CampaignId

    async def ask(self, store: Store) -> object:
        """Read it."""
        return await told(store.campaign(self.account_id, self.campaign_id))

    def expect(self, models: Models) -> object:
        """Look it up."""
        kept = models[self.account_id].campaigns[self.campaign_id]
        return missing("campaign") if kept.campaign.is_deleted else CampaignRecord(kept.campaign, kept.counters)


@frozen(kw_only=True)
class ReadPending:
    """Who of a campaign is still pending, and how many, as of one moment."""

    account_id: AccountId
    campaign_id: CampaignId

    async def ask(self, store: Store) -> object:
        """Read the first page."""
        return await told(store.contacts(self.account_id, self.campaign_id, status=ContactStatus.PENDING))

    def expect(self, models: Models) -> object:
        """Look them up."""
        kept = models[self.account_id].campaigns[self.campaign_id]
        return missing("campaign") if kept.campaign.is_deleted else page_of(kept, ContactStatus.PENDING)


@frozen(kw_only=True)
class ReadAll:
    """All that accounts with these campaigns are left with, read when nothing else goes on."""

    campaigns: Mapping[AccountId, frozenset[CampaignId]]
    now: datetime

    async def ask(self, store: Store) -> object:
        """Look, and read all contacts and open attempts."""
        onlooker = Onlooker()
        await store.settle(self._turns, onlooker, self.now)
        views = [at_least(view, turn, self.now) for view, turn in zip(onlooker.views, self._turns, strict=True)]
        names = [(view.account_id, each.campaign.id) for view in views for each in view.campaigns]
        contacts = [await told(store.contacts(*name)) for name in names]
        agenda = await store.agenda()
        return views, contacts, {each.id: each for each in agenda.open_attempts}, sorted(agenda.campaigns)

    def expect(self, models: Models) -> object:
        """Look all of it up."""
        views = [models[turn.account_id].view(turn, self.now) for turn in self._turns]
        campaigns = [models[view.account_id].campaigns[each.campaign.id] for view in views for each in view.campaigns]
        contacts = [missing("campaign") if each.campaign.is_deleted else page_of(each, None) for each in campaigns]
        attempts = {each.id: each for model in models.values() for each in model.open_attempts}
        goes_on = ((each.campaign.account_id, each.campaign.id) for each in campaigns if each.is_running)
        return views, contacts, attempts, sorted(goes_on)

    @property
    def _turns(self) -> list[AccountTurn]:
        return [AccountTurn(account_id=name, campaigns=campaigns) for name, campaigns in self.campaigns.items()]


def comparable(decision: Decision) -> object:
    """Give a decision with its errors in a form that can be compared."""
    answers = [
        (type(each), each.code, each.message) if isinstance(each, KatavenError) else each for each in decision.answers
    ]
    return evolve(decision, answers=()), answers


def in_some_order(calls: Sequence[Call], models: Models) -> bool:
    """Whether some order of these calls, in which none comes before one that had ended when it began, explains all."""
    led_nowhere: set[tuple[frozenset[int], str]] = set()

    def goes_on(left: frozenset[int], models: Models) -> bool:
        if not left:
            return True
        if (left, state := _written_out(models)) in led_nowhere:
            return False
        first_end = min(calls[index].ended for index in left)
        for index in sorted(left):
            call, after = calls[index], {name: _copied(model) for name, model in models.items()}
            may_be_first = call.begun < first_end
            if may_be_first and call.operation.expect(after) == call.answer and goes_on(left - {index}, after):
                return True
        led_nowhere.add((left, state))
        return False

    return goes_on(frozenset(range(len(calls))), models)


def _copied(model: AccountModel) -> AccountModel:
    """Give a model that can be written to without changing this one."""
    other = copy(model)
    other.staged, other.attempts, other.receipts = {**model.staged}, {**model.attempts}, {**model.receipts}
    other.campaigns = {name: _copied_campaign(kept) for name, kept in model.campaigns.items()}
    return other


def _copied_campaign(kept: Kept) -> Kept:
    other = copy(kept)
    other.contacts = [*kept.contacts]
    return other


def _written_out(models: Models) -> str:
    """Give all that decides what the models will say."""
    return repr([(model.account, model.usage, _campaigns(model), model.attempts) for model in models.values()])


def _campaigns(model: AccountModel) -> Iterable[object]:
    return [(kept.campaign, kept.counters, kept.contacts) for _, kept in sorted(model.campaigns.items())]
