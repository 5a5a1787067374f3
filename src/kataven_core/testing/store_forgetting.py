"""Receipts grow old: after a day their keys are free, and they are forgotten."""

# ruff: noqa: D102, S101 - tests assert on plain numbers, and their names are their docstrings

from typing import Final

from kataven_core import RECEIPT_LIFETIME, AccountId

from .host import Host
from .samples import ACME, GLOBEX, create, once, operate
from .store_suite import StoreSuite

DAY_S: Final = RECEIPT_LIFETIME.total_seconds()
SCOPE: Final = "POST /a"
PAUSE: Final = once(operate("a", "pause"))
RESUME: Final = operate("a", "resume")


class ForgettingContract(StoreSuite):
    """What is asked again when it was asked long ago."""

    async def test_after_a_day_the_key_is_free_and_its_receipt_replaced(self, host: Host) -> None:
        await host.begin("a")
        await host.turn(PAUSE)
        await host.turn(RESUME, line_is_up=False)
        host.wait(DAY_S)
        decision = await host.turn(once(operate("a", "pause"), fingerprint="2"))
        assert (await host.campaign("a")).status == "paused"
        assert await host.store.receipt(ACME, SCOPE, "key") == decision.receipts[0]

    async def test_a_clock_that_is_set_back_frees_no_key(self, host: Host) -> None:
        await host.begin("a")
        first = await host.turn(PAUSE)
        host.wait(-2 * DAY_S)
        assert (await host.turn(PAUSE)).answers == first.answers

    async def test_an_account_forgets_what_is_older_than_a_day_when_it_is_asked_something_new(self, host: Host) -> None:
        for name in ("first", "second"):
            await _ask(host, name)
            await _ask(host, name, GLOBEX)
            host.wait(1)
        host.wait(DAY_S - 1)
        assert await _known(host) == ["first", "second"]
        await host.turn(once(operate("first", "delete"), "first"))
        assert await _known(host) == ["first", "second"]
        await _ask(host, "third")
        assert await _known(host) == ["second", "third"]
        assert await _known(host, GLOBEX) == ["first", "second"]


async def _ask(host: Host, name: str, account_id: AccountId = ACME) -> None:
    await host.turn(once(create(f"{account_id}-{name}", 0), name), account_id=account_id)


async def _known(host: Host, account_id: AccountId = ACME) -> list[str]:
    names = ("first", "second", "third")
    return [name for name in names if await host.store.receipt(account_id, SCOPE, name)]
