"""What an error leaves behind: nothing of what was decided, for any account."""

# ruff: noqa: D102, PLR2004, S101 - tests assert on plain numbers, and their names are their docstrings

from collections.abc import Callable
from datetime import datetime

import pytest
from attrs import evolve

from kataven_core import (
    AccountView,
    AdapterFault,
    AttemptChange,
    ContactChange,
    Decision,
    Inputs,
    NotFound,
    decide,
)
from kataven_core.ports import Decide

from .host import Host, Onlooker, a_turn
from .samples import ACME, GLOBEX, NOON, an_account, create, ended, operate, put, rows_with
from .store_suite import StoreSuite


class Whim(Exception):
    """An error that no store has ever heard of."""


class AllOrNothingContract(StoreSuite):
    """What an error leaves behind."""

    async def test_what_decide_raises_is_raised_as_it_is(self, host: Host) -> None:
        for error in (Whim("no"), AdapterFault("of_another", "not the store's"), NotFound("campaign")):
            with pytest.raises(type(error)) as raised:
                await host.turn(decide=_raise(error))
            assert raised.value is error

    async def test_an_error_for_one_account_leaves_all_unchanged(self, host: Host) -> None:
        await host.begin("a", 2)
        turns = [a_turn(operate("a", "pause"), put(concurrent_max=1)), a_turn(account_id=GLOBEX)]
        before = await host.store.campaign(ACME, (await host.campaign("a")).id)
        for order in (turns, turns[::-1]):
            with pytest.raises(Whim):
                await host.store.settle(order, _unless(GLOBEX, _raise(Whim())), NOON)
            assert await host.store.campaign(ACME, before.campaign.id) == before
            assert await host.store.account(ACME) == an_account()

    async def test_an_error_leaves_what_was_staged_staged(self, host: Host) -> None:
        await host.stage("a", rows_with([1, 2]))
        with pytest.raises(Whim):
            await host.store.settle(
                [a_turn(create("a", 2)), a_turn(account_id=GLOBEX)], _unless(GLOBEX, _raise(Whim())), NOON
            )
        await host.turn(create("a", 2))
        assert len(await host.contacts("a")) == 2

    async def test_a_store_works_on_after_an_error(self, host: Host) -> None:
        with pytest.raises(Whim):
            await host.turn(decide=_raise(Whim()))
        await host.begin("a", 2)
        assert await host.dial("a") == ["a.0.1", "a.1.1"]

    async def test_a_contact_that_is_not_as_it_was_read_is_not_written(self, host: Host) -> None:
        await host.begin("a", 2)
        first, second = await host.contacts("a")
        stale = evolve(second, claims=9)
        changes = (ContactChange(first, evolve(first, attempts=1)), ContactChange(stale, evolve(stale, attempts=1)))
        await _is_refused(host, contacts=changes)
        assert await host.contacts("a") == [first, second]

    async def test_an_attempt_that_is_not_as_it_was_read_is_not_written(self, host: Host) -> None:
        await host.begin("a")
        await host.dial("a")
        (held,) = (await host.open_attempts()).values()
        over = (await host.turn(ended("a.0.1"))).attempts[0].after
        await _is_refused(host, attempts=(AttemptChange(held, evolve(held, call_id="new")),))
        assert (await host.view(ended("a.0.1"))).attempts == {over.id: over}

    async def test_an_attempt_that_is_there_is_not_made_anew(self, host: Host) -> None:
        await host.begin("a")
        await host.dial("a")
        (held,) = (await host.open_attempts()).values()
        await _is_refused(host, attempts=(AttemptChange(None, evolve(held, call_id="new")),))
        assert await host.open_attempts() == {held.id: held}

    async def test_a_stale_change_of_one_account_leaves_the_others_unchanged(self, host: Host) -> None:
        await host.begin("a")
        await host.dial("a")
        (held,) = (await host.open_attempts()).values()
        refused = _deciding(attempts=(AttemptChange(None, held),))
        with pytest.raises(AdapterFault):
            await host.store.settle(
                [a_turn(put(GLOBEX, concurrent_max=1), account_id=GLOBEX), a_turn(look_at=["a"])],
                _unless(ACME, refused),
                NOON,
            )
        assert await host.store.account(GLOBEX) == an_account(GLOBEX)


def _raise(error: Exception) -> Decide:
    def refuse(_: AccountView, __: Inputs, ___: datetime) -> Decision:
        raise error

    return refuse


def _unless(account_id: str, otherwise: Decide) -> Decide:
    """Decide for all accounts but one."""

    def choose(view: AccountView, inputs: Inputs, now: datetime) -> Decision:
        return (otherwise if view.account_id == account_id else decide)(view, inputs, now)

    return choose


def _deciding(
    *, attempts: tuple[AttemptChange, ...] = (), contacts: tuple[ContactChange, ...] = ()
) -> Callable[[AccountView, Inputs, datetime], Decision]:
    """Decide on these changes, whatever is read."""
    onlooker = Onlooker()
    return lambda view, inputs, now: evolve(onlooker(view, inputs, now), attempts=attempts, contacts=contacts)


async def _is_refused(
    host: Host, *, attempts: tuple[AttemptChange, ...] = (), contacts: tuple[ContactChange, ...] = ()
) -> None:
    with pytest.raises(AdapterFault):
        await host.turn(look_at=["a"], decide=_deciding(attempts=attempts, contacts=contacts))
