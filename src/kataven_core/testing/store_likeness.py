"""Every read of a store, held against the model."""

# ruff: noqa: S101 - what is told by an assert is the result of a test

from collections.abc import Awaitable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from kataven_core import AccountId, Campaign, CampaignId, ContactStatus, KatavenError, NotFound
from kataven_core.ports import PAGE_SIZE, CampaignRecord, ContactsPage, Store

from .store_model import AccountModel, Kept


async def assert_reads_alike(store: Store, models: Mapping[AccountId, AccountModel], now: datetime) -> None:
    """Read all that the model knows, each account also what is another's."""
    names = [name for model in models.values() for name in (*model.campaigns, *model.staged)]
    asked = {name for model in models.values() for name in model.receipts}
    for account, model in models.items():
        assert await told(store.account(account)) == (model.account or missing("account"))
        await _compare_list(store, account, model)
        for scope, key in [*asked, ("nothing", "")]:
            assert await store.receipt(account, scope, key) == model.receipts.get((scope, key))
        for name in [*names, CampaignId("nobody")]:
            await _compare_campaign(store, account, name, model, now)
    await _compare_agenda(store, models)


async def _compare_list(store: Store, account: AccountId, model: AccountModel) -> None:
    """Newest first; those of the same moment in whatever order."""
    listed = await store.campaigns(account)
    seen = [kept.campaign for kept in model.campaigns.values() if not kept.campaign.is_deleted]
    assert [each.created_at for each in listed] == sorted((each.created_at for each in seen), reverse=True)
    assert _by_id(listed) == _by_id(seen)


async def _compare_campaign(
    store: Store, account: AccountId, name: CampaignId, model: AccountModel, now: datetime
) -> None:
    kept = model.campaigns.get(name)
    if kept is None or kept.campaign.is_deleted:
        gone = missing("campaign")
        assert await told(store.campaign(account, name)) == gone
        assert await told(store.contacts(account, name)) == gone
        assert await told(store.rejects(account, name)) == gone
        assert await told(store.dials_since(account, name, now)) == gone
        return
    assert await store.campaign(account, name) == CampaignRecord(kept.campaign, kept.counters)
    assert [*await store.rejects(account, name)] == kept.rejects
    for status in (None, *ContactStatus):
        assert await store.contacts(account, name, status=status) == page_of(kept, status)
    assert await store.contacts(account, name, page=1) == ContactsPage((), 1, len(kept.contacts))
    assert [*await store.rejects(account, name, page=1)] == []
    for since in (now, now - timedelta(minutes=1), now - timedelta(days=9)):
        assert await store.dials_since(account, name, since) == model.dials_since(name, since)


async def _compare_agenda(store: Store, models: Mapping[AccountId, AccountModel]) -> None:
    agenda = await store.agenda()
    dials = [each for model in models.values() for each in model.open_attempts]
    assert sorted(agenda.open_attempts, key=lambda each: each.id) == sorted(dials, key=lambda each: each.id)
    kept = [(account, name, kept) for account, model in models.items() for name, kept in model.campaigns.items()]
    goes_on = [(account, name) for account, name, each in kept if each.is_running or each.is_scheduled]
    to_clear = [(account, name) for account, name, each in kept if each.campaign.is_deleted and each.contacts]
    assert sorted(agenda.campaigns) == sorted(goes_on)
    assert sorted(agenda.deleted) == sorted(to_clear)


async def told(read: Awaitable[object]) -> object:
    """Give what a read gives, or how it refuses."""
    try:
        return await read
    except KatavenError as error:
        return type(error), error.code, error.message


def missing(kind: str) -> object:
    """Give how a read refuses what is not there."""
    error = NotFound(kind)
    return type(error), error.code, error.message


def page_of(kept: Kept, status: ContactStatus | None) -> ContactsPage:
    """Give the first page of a campaign's contacts in a status, or of all."""
    those = tuple(each for each in kept.contacts if status in {None, each.status})
    return ContactsPage(those[:PAGE_SIZE], 0, len(those))


def _by_id(campaigns: Iterable[Campaign]) -> dict[str, Any]:
    return {each.id: each for each in campaigns}
