"""Commands that are done once: the answer is kept with what was done, and given again for a day."""

# ruff: noqa: D102, S101 - tests assert on plain numbers, and their names are their docstrings

import asyncio
from datetime import datetime, timedelta
from typing import Final

import pytest

from kataven_core import (
    RECEIPT_LIFETIME,
    AccountId,
    AccountView,
    Campaign,
    CampaignId,
    CommandRefused,
    CreateCampaign,
    Decision,
    Inputs,
    Operate,
    Receipt,
    decide,
)

from .host import Host, a_turn
from .samples import ACME, GLOBEX, NOON, create, once, operate, rows_with
from .store_suite import StoreSuite

DAY_S: Final = RECEIPT_LIFETIME.total_seconds()
SCOPE: Final = "POST /a"
PAUSE: Final = once(operate("a", "pause"))
RESUME: Final = operate("a", "resume")


class Whim(Exception):
    """An error that no store has ever heard of."""


class ReceiptsContract(StoreSuite):
    """What was done once, and what is asked again."""

    async def test_a_receipt_is_read_as_it_was_decided(self, host: Host) -> None:
        await host.begin("a")
        host.wait(1.000001)
        asked = once(operate("a", "pause"), fingerprint="f", note='{"Location": "/a"}')
        decision = await host.turn(asked)
        (answer,) = decision.answers
        assert isinstance(answer, Campaign)
        assert asked.once
        assert decision.receipts == (Receipt(once=asked.once, answer=answer, at=host.now),)
        assert await host.store.receipt(ACME, SCOPE, "key") == decision.receipts[0]

    async def test_a_receipt_comes_back_to_the_last_letter(self, host: Host) -> None:
        odd, key = "Zoë \N{LINE SEPARATOR}\0 😀", "Zoë '; -- 😀 %s \\"
        at = NOON + timedelta(days=1, microseconds=3)
        asked = once(create("a", 0, name=key, scheduled_at=at), key, scope=key, fingerprint=odd, note=odd)
        for _ in range(2):
            decision = await host.turn(asked)
            receipt = await host.store.receipt(ACME, key, key)
            assert receipt
            assert (receipt.once, receipt.answer) == (asked.once, decision.answers[0])

    async def test_what_was_never_asked_has_no_receipt(self, host: Host) -> None:
        await host.begin("a")
        await host.turn(PAUSE)
        for scope, key in ((SCOPE, "other"), ("POST /b", "key"), ("key", SCOPE)):
            assert await host.store.receipt(ACME, scope, key) is None
        assert await host.store.receipt(AccountId("nobody"), SCOPE, "key") is None

    async def test_a_command_without_a_key_leaves_no_receipt(self, host: Host) -> None:
        await host.create("a")
        assert (await host.turn(operate("a", "start"))).receipts == ()

    async def test_asked_again_it_is_answered_the_same_and_nothing_happens(self, host: Host) -> None:
        await host.begin("a")
        first = await host.turn(PAUSE)
        await host.turn(RESUME, line_is_up=False)
        host.wait(DAY_S - 0.000001)
        again = await host.turn(PAUSE, line_is_up=False)
        assert again.answers == first.answers
        assert (again.events, again.receipts) == ((), ())
        assert (await host.campaign("a")).status == "running"
        assert await host.store.receipt(ACME, SCOPE, "key") == first.receipts[0]

    async def test_a_campaign_is_created_once_whatever_id_the_second_would_get(self, host: Host) -> None:
        await host.stage("a", rows_with([1, 2]))
        await host.stage("b", rows_with([3]))
        first = await host.turn(once(create("a", 2)))
        again = await host.turn(once(create("b", 1)))
        assert again.answers == first.answers
        assert [each.id for each in await host.store.campaigns(ACME)] == ["a"]
        await host.store.discard(ACME, CampaignId("b"))
        await host.create("b", rows_with([3]))

    async def test_another_payload_under_the_key_is_refused(self, host: Host) -> None:
        await host.begin("a")
        first = await host.turn(PAUSE)
        await host.turn(RESUME, line_is_up=False)
        (answer,) = (await host.turn(once(operate("a", "pause"), fingerprint="2"), line_is_up=False)).answers
        assert isinstance(answer, CommandRefused)
        assert answer.code == "idempotency_key_reused"
        assert (await host.campaign("a")).status == "running"
        assert await host.store.receipt(ACME, SCOPE, "key") == first.receipts[0]

    async def test_the_key_of_one_scope_is_free_in_another(self, host: Host) -> None:
        await host.begin("a")
        await host.turn(PAUSE, once(RESUME, scope="POST /resume", fingerprint="2"), line_is_up=False)
        assert (await host.campaign("a")).status == "running"
        second = await host.store.receipt(ACME, "POST /resume", "key")
        assert second
        assert second.answer.status == "running"

    async def test_the_key_of_another_account_is_free_and_its_receipt_unseen(self, host: Host) -> None:
        await host.begin("a")
        await host.begin("g", account_id=GLOBEX)
        await host.turn(PAUSE)
        assert await host.store.receipt(GLOBEX, SCOPE, "key") is None
        (answer,) = (await host.turn(once(operate("g", "pause"), fingerprint="2"), account_id=GLOBEX)).answers
        assert isinstance(answer, Campaign)
        assert answer.id == "g"
        mine = await host.store.receipt(ACME, SCOPE, "key")
        assert mine
        assert mine.answer.id == "a"

    async def test_accounts_that_take_their_turn_together_each_have_their_own(self, host: Host) -> None:
        names = {ACME: "a", GLOBEX: "g"}
        turns = [a_turn(once(create(name, 0)), account_id=account) for account, name in names.items()]
        for _ in range(2):
            decisions = await host.store.settle(turns, decide, host.now)
            assert [each.answers[0].id for each in decisions if isinstance(each.answers[0], Campaign)] == ["a", "g"]

    async def test_what_is_refused_leaves_no_receipt_and_may_be_asked_again(self, host: Host) -> None:
        await host.create("a")
        assert (await host.turn(PAUSE)).receipts == ()
        assert await host.store.receipt(ACME, SCOPE, "key") is None
        await host.turn(operate("a", "start"), line_is_up=False)
        await host.turn(PAUSE)
        assert (await host.campaign("a")).status == "paused"

    async def test_what_fails_leaves_no_receipt(self, host: Host) -> None:
        await host.begin("a")
        with pytest.raises(Whim):
            await host.store.settle([a_turn(PAUSE), a_turn(account_id=GLOBEX)], _whimsical, host.now)
        assert await host.store.receipt(ACME, SCOPE, "key") is None
        await host.turn(PAUSE)
        assert (await host.campaign("a")).status == "paused"

    async def test_of_two_at_the_same_moment_one_is_done(self, host: Host) -> None:
        asked = [once(create(name, 0)) for name in ("a", "b")]
        one, other = await asyncio.gather(*map(host.turn, asked))
        assert one.answers == other.answers
        assert len(await host.store.campaigns(ACME)) == 1

    async def test_the_receipt_of_a_deleted_campaign_stays(self, host: Host) -> None:
        asked = once(create("a", 1)), once(operate("a", "delete"), "delete")
        await host.stage("a", rows_with([1]))
        first = await host.turn(*asked)
        await host.store.discard(ACME, CampaignId("a"))
        assert (await host.turn(*asked)).answers == first.answers
        kept = await host.store.receipt(ACME, SCOPE, "delete")
        assert kept
        assert kept.answer.is_deleted

    async def test_a_view_holds_old_receipts_too_and_none_that_are_not_named(self, host: Host) -> None:
        await host.begin("a")
        decision = await host.turn(PAUSE, once(RESUME, "other"), line_is_up=False)
        host.wait(2 * DAY_S)
        for command, receipt in zip((PAUSE, once(RESUME, "other")), decision.receipts, strict=True):
            receipts = (await host.view(command)).receipts
            assert receipts[receipt.once.name] == receipt

    async def test_a_turn_may_name_hundreds_of_keys(self, host: Host) -> None:
        asked: list[CreateCampaign | Operate] = [once(create(f"c{n}", 0), f"k{n}") for n in range(300)]
        first = await host.turn(*asked)
        again = await host.turn(*asked)
        assert (len(first.receipts), again.receipts, again.answers) == (300, (), first.answers)


def _whimsical(view: AccountView, inputs: Inputs, now: datetime) -> Decision:
    if view.account_id == GLOBEX:
        raise Whim
    return decide(view, inputs, now)
