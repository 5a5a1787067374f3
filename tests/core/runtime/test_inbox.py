"""The inbox: takes at any time, gives all at once, and leaves nobody waiting."""

import asyncio
from collections.abc import Awaitable

import pytest
from tests.core.runtime.conftest import NOON, turns_of_the_loop

from kataven_core import (
    AccountId,
    AdapterFault,
    AttemptId,
    CampaignId,
    NotFound,
    Operate,
    Operation,
    PutAccount,
    Ringing,
)
from kataven_core.runtime.inbox import Answer, Asked, Inbox, Waiting, answer_all, give, settle
from kataven_core.testing.samples import ACME, GLOBEX, a_campaign, an_account, operate

A, B = CampaignId("a"), CampaignId("b")
ENDED = AdapterFault("engine_ended", "the engine is shutting down", is_retryable=True)


def ringing(name: str) -> Ringing:
    return Ringing(attempt_id=AttemptId(name), at=NOON)


async def wait_for(what: Awaitable[None]) -> None:
    await what


async def take(inbox: Inbox) -> list[Waiting]:
    batch = await inbox.take()
    assert batch is not None
    return batch.waiting


async def test_all_that_waits_is_given_at_once_by_account_in_the_order_in_which_it_came() -> None:
    inbox = Inbox()
    inbox.report(ACME, [ringing("a.0.1")])
    inbox.look(GLOBEX, [B])
    answer = inbox.ask(ACME, operate("a", "pause"))
    inbox.report(ACME, [ringing("a.1.1")])
    inbox.look(ACME, [A, A])
    assert await take(inbox) == [
        Waiting(
            ACME,
            reports=[ringing("a.0.1"), ringing("a.1.1")],
            asked=[Asked(operate("a", "pause"), answer)],
            campaigns={A},
        ),
        Waiting(GLOBEX, campaigns={B}),
    ]


async def test_whoever_takes_waits_until_something_is_there() -> None:
    inbox = Inbox()
    taking = asyncio.create_task(inbox.take())
    await turns_of_the_loop()
    assert not taking.done()
    inbox.look(ACME, [A])
    batch = await taking
    assert batch is not None
    assert batch.waiting == [Waiting(ACME, campaigns={A})]


async def test_what_was_taken_is_not_given_again() -> None:
    inbox = Inbox()
    inbox.look(ACME, [A])
    await take(inbox)
    inbox.look(ACME, [B])
    assert await take(inbox) == [Waiting(ACME, campaigns={B})]


async def test_a_closed_inbox_gives_what_waits_and_then_no_more() -> None:
    inbox = Inbox()
    inbox.look(ACME, [A])
    inbox.close()
    assert await take(inbox) == [Waiting(ACME, campaigns={A})]
    assert await inbox.take() is None
    assert await inbox.take() is None


async def test_closing_ends_the_wait_of_whoever_takes() -> None:
    inbox = Inbox()
    taking = asyncio.create_task(inbox.take())
    await turns_of_the_loop()
    inbox.close()
    assert await taking is None


async def test_what_is_put_back_comes_before_what_came_since() -> None:
    inbox = Inbox()
    inbox.report(ACME, [ringing("a.0.1")])
    inbox.look(ACME, [A])
    first = inbox.ask(ACME, operate("a", "pause"))
    batch = await inbox.take()
    assert batch is not None
    inbox.report(ACME, [ringing("a.1.1")])
    second = inbox.ask(ACME, operate("b", "stop"))
    inbox.put_back(batch)
    inbox.look(ACME, [B])
    assert await take(inbox) == [
        Waiting(
            ACME,
            reports=[ringing("a.0.1"), ringing("a.1.1")],
            asked=[Asked(operate("a", "pause"), first), Asked(operate("b", "stop"), second)],
            campaigns={A, B},
        )
    ]


async def test_facts_put_back_twice_are_told_durable_when_they_are_at_last() -> None:
    inbox = Inbox()
    inbox.report(ACME, [ringing("a.0.1")])
    durable = asyncio.ensure_future(wait_for(inbox.durable))
    for _ in range(2):
        batch = await inbox.take()
        assert batch is not None
        inbox.put_back(batch)
    batch = await inbox.take()
    assert batch is not None
    await turns_of_the_loop()
    assert not durable.done()
    batch.durable.set_result(None)
    await turns_of_the_loop()
    assert durable.done()


async def test_who_has_gone_is_not_told_and_disturbs_nobody() -> None:
    inbox = Inbox()
    inbox.report(ACME, [ringing("a.0.1")])
    gone, stays = (asyncio.ensure_future(wait_for(inbox.durable)) for _ in range(2))
    await turns_of_the_loop()
    gone.cancel()
    batch = await inbox.take()
    assert batch is not None
    settle(batch.durable, None)
    await stays
    assert gone.cancelled()


async def test_whoever_waits_for_what_will_never_be_durable_is_told() -> None:
    inbox = Inbox()
    inbox.report(ACME, [ringing("a.0.1")])
    waits = asyncio.ensure_future(wait_for(inbox.durable))
    batch = await inbox.take()
    assert batch is not None
    inbox.put_back(batch)
    inbox.abandon(ENDED)
    inbox.abandon(ENDED)
    with pytest.raises(AdapterFault, match="shutting down"):
        await waits


async def test_what_comes_after_a_batch_was_taken_is_durable_only_later() -> None:
    inbox = Inbox()
    inbox.report(ACME, [ringing("a.0.1")])
    first = asyncio.ensure_future(wait_for(inbox.durable))
    batch = await inbox.take()
    assert batch is not None
    later = asyncio.ensure_future(wait_for(inbox.durable))
    settle(batch.durable, None)
    await first
    await turns_of_the_loop()
    assert not later.done()
    later.cancel()


async def test_a_refusing_inbox_answers_requests_and_still_takes_facts() -> None:
    inbox = Inbox()
    inbox.refuse(ENDED)
    with pytest.raises(AdapterFault) as raised:
        await inbox.ask(ACME, operate("a", "pause"))
    assert raised.value is ENDED
    inbox.report(ACME, [ringing("a.0.1")])
    assert await take(inbox) == [Waiting(ACME, reports=[ringing("a.0.1")])]


async def test_abandoning_answers_everybody_who_waits_and_who_comes_later() -> None:
    inbox = Inbox()
    waits = [inbox.ask(ACME, operate("a", "pause")), inbox.ask(GLOBEX, operate("b", "stop"))]
    inbox.abandon(ENDED)
    for answer in (*waits, inbox.ask(ACME, operate("a", "pause"))):
        with pytest.raises(AdapterFault, match="shutting down"):
            await answer


async def test_an_answer_is_given_once_and_to_nobody_who_has_gone() -> None:
    loop = asyncio.get_running_loop()
    answered, gone, refused = (loop.create_future() for _ in range(3))
    gone.cancel()
    campaign = a_campaign()
    give(answered, campaign)
    give(answered, ENDED)
    answer_all([Asked(operate("a", "pause"), gone), Asked(operate("a", "pause"), refused)], NotFound("campaign"))
    assert await answered is campaign
    assert gone.cancelled()
    with pytest.raises(NotFound):
        await refused


async def test_what_waits_comes_apart_in_the_order_in_which_it_counts() -> None:
    answers: list[Answer] = [asyncio.get_running_loop().create_future() for _ in range(2)]
    asked = [Asked(Operate(campaign_id=A, operation=Operation.PAUSE), answers[0])]
    asked.append(Asked(PutAccount(account=an_account()), answers[1]))
    whole = Waiting(ACME, reports=[ringing("a.1.1"), ringing("a.0.1")], asked=[*asked], campaigns={B, A})
    parts = whole.take_apart()
    assert parts == [
        Waiting(ACME, reports=[ringing("a.1.1")]),
        Waiting(ACME, reports=[ringing("a.0.1")]),
        Waiting(ACME, asked=[asked[0]]),
        Waiting(ACME, asked=[asked[1]]),
        Waiting(ACME, campaigns={A}),
        Waiting(ACME, campaigns={B}),
    ]
    assert whole == Waiting(ACME)
    assert whole.take_apart() == []
    whole.take_back(parts[1:])
    assert whole == Waiting(ACME, reports=[ringing("a.0.1")], asked=asked, campaigns={A, B})


async def test_what_waits_is_named_without_a_phone_number() -> None:
    answer: Answer = asyncio.get_running_loop().create_future()
    whole = Waiting(
        AccountId("acme"), reports=[ringing("a.1.1")], asked=[Asked(operate("a", "pause"), answer)], campaigns={B, A}
    )
    assert whole.named() == "Ringing of a.1.1, Operate, a, b in account acme"
