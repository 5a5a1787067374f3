"""The reconciler: asks until the line knows, or for long enough; never sends anything."""

import asyncio

import pytest
from attrs import evolve
from tests.core.runtime.conftest import NOON, PATIENT, SOON_S, HandClock, Phone, turns_of_the_loop, until

from kataven_core import (
    AccountId,
    AdapterFault,
    Attempt,
    AttemptState,
    Doubtful,
    Lost,
    NeverPlaced,
    Outcome,
    Placed,
    Report,
)
from kataven_core.runtime import EngineSettings
from kataven_core.runtime.reconciler import Reconciler
from kataven_core.testing.samples import ACME, GLOBEX, an_order

OFTEN = evolve(PATIENT, reconcile_every_s=0.001, lost_after_s=120.0)


def attempt(index: int, state: AttemptState = AttemptState.UNKNOWN, account_id: AccountId = ACME) -> Attempt:
    order = an_order(index, account_id=account_id)
    return Attempt(
        id=order.attempt_id,
        account_id=account_id,
        campaign_id=order.campaign_id,
        position=index,
        n=1,
        phone_number=order.to,
        claimed_at=NOON,
        state=state,
    )


class Desk:
    """A reconciler, the phone that it asks, and what it has found out."""

    def __init__(self, settings: EngineSettings = OFTEN) -> None:
        self.clock = HandClock()
        self.phone = Phone(self.clock)
        self.told: list[tuple[AccountId, Report]] = []
        self.reconciler = Reconciler(self.phone, self.clock, settings, self.tell)

    def tell(self, account_id: AccountId, report: Report) -> None:
        self.told.append((account_id, report))

    @property
    def reports(self) -> list[Report]:
        return [report for _, report in self.told]

    async def asked_again(self, times: int = 2) -> None:
        """Wait until the line has been asked so many times more."""
        before = len(self.phone.asked)
        await until(lambda: len(self.phone.asked) >= before + times)


def nothing_is_asked() -> bool:
    """Whether nobody but the test is at work."""
    return len(asyncio.all_tasks()) == 1


# What an earlier process has left.


async def test_with_nothing_left_the_line_is_not_asked() -> None:
    desk = Desk()
    await desk.reconciler.take_up([])
    await turns_of_the_loop()
    assert desk.phone.asked == []


@pytest.mark.parametrize("state", [AttemptState.CLAIMED, AttemptState.UNKNOWN, AttemptState.LIVE])
async def test_what_the_line_knows_is_passed_on_to_its_account(state: AttemptState) -> None:
    desk = Desk(PATIENT)
    attempts = [attempt(0, state), attempt(1, state, GLOBEX)]
    placed, ended = desk.phone.placed(attempts[0].id), desk.phone.ended(attempts[1].id, Outcome.BUSY)
    desk.phone.known = [placed, ended]
    await desk.reconciler.take_up(attempts)
    await turns_of_the_loop()
    assert desk.told == [(ACME, placed), (GLOBEX, ended)]
    assert desk.phone.asked == [[attempts[0].id, attempts[1].id]]
    desk.reconciler.stop()


async def test_a_mere_claim_that_was_never_placed_is_doubted_first() -> None:
    desk = Desk()
    claimed = attempt(0, AttemptState.CLAIMED)
    never = NeverPlaced(attempt_id=claimed.id, at=NOON)
    desk.phone.known = [never]
    await desk.reconciler.take_up([claimed])
    assert desk.reports == [Doubtful(attempt_id=claimed.id, at=NOON), never]


async def test_a_claim_of_which_nothing_is_known_is_doubted_and_asked_about_again() -> None:
    desk = Desk()
    claimed = attempt(0, AttemptState.CLAIMED)
    await desk.reconciler.take_up([claimed])
    assert desk.reports == [Doubtful(attempt_id=claimed.id, at=NOON)]
    await desk.asked_again()
    desk.phone.known = [desk.phone.placed(claimed.id)]
    await until(lambda: desk.phone.known[0] in desk.reports)  # type: ignore[index] # they are reports here
    desk.reconciler.stop()


@pytest.mark.parametrize("state", [AttemptState.UNKNOWN, AttemptState.LIVE])
async def test_any_other_of_which_nothing_is_known_is_only_asked_about_again(state: AttemptState) -> None:
    desk = Desk()
    await desk.reconciler.take_up([attempt(0, state)])
    desk.clock.wait(OFTEN.reconcile_every_s)
    await desk.asked_again()
    assert desk.reports == []
    desk.reconciler.stop()


async def test_a_line_that_can_not_say_now_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    desk.phone.known = AdapterFault("line_down", "the line is down", is_retryable=True)
    await desk.reconciler.take_up([attempt(0), attempt(1)])
    await desk.asked_again()
    ended = desk.phone.ended(attempt(0).id)
    desk.phone.known = [ended]
    await until(lambda: ended in desk.reports)
    desk.reconciler.stop()
    assert "the line can't say what became of 2 calls: the line is down" in caplog.text


async def test_a_line_that_fails_in_its_own_way_is_asked_again() -> None:
    desk = Desk()
    desk.phone.known = RuntimeError("a driver's own error")
    desk.reconciler.doubt(attempt(0))
    await desk.asked_again()
    ended = desk.phone.ended(attempt(0).id)
    desk.phone.known = [ended]
    await until(lambda: ended in desk.reports)
    desk.reconciler.stop()


async def test_a_line_that_fails_in_its_own_way_keeps_nobody_from_starting() -> None:
    desk = Desk()
    desk.phone.known = RuntimeError("a driver's own error")
    await desk.reconciler.take_up([attempt(0, AttemptState.CLAIMED)])
    assert desk.reports == [Doubtful(attempt_id=attempt(0).id, at=NOON)]
    desk.reconciler.stop()


# Doubts of this process.


async def test_a_doubt_is_asked_about_until_it_is_settled() -> None:
    desk = Desk()
    desk.reconciler.doubt(attempt(0))
    await desk.asked_again()
    desk.reconciler.settle(attempt(0).id)
    await until(nothing_is_asked)
    assert {*map(tuple, desk.phone.asked)} == {(attempt(0).id,)}


async def test_a_doubt_after_all_was_settled_is_asked_about_too() -> None:
    desk = Desk()
    desk.reconciler.doubt(attempt(0))
    await desk.asked_again(1)
    desk.reconciler.settle(attempt(0).id)
    desk.reconciler.doubt(attempt(1))
    await until(lambda: desk.phone.asked[-1] == [attempt(1).id])
    desk.reconciler.settle(attempt(1).id)
    await until(nothing_is_asked)
    desk.reconciler.doubt(attempt(2))
    await until(lambda: desk.phone.asked[-1] == [attempt(2).id])
    desk.reconciler.stop()


async def test_what_was_settled_and_never_doubted_is_nothing() -> None:
    desk = Desk()
    desk.reconciler.settle(attempt(0).id)
    desk.reconciler.stop()
    assert desk.phone.asked == []


async def test_a_call_is_given_up_as_lost_after_long_enough_and_not_before() -> None:
    desk = Desk()
    desk.reconciler.doubt(attempt(0))
    desk.clock.seconds += 119.9
    await desk.asked_again(3)
    assert desk.reports == []
    desk.clock.seconds += 0.1
    await until(lambda: desk.reports)
    desk.reconciler.settle(attempt(0).id)
    desk.reconciler.stop()
    assert desk.reports[0] == Lost(attempt_id=attempt(0).id, at=NOON)


async def test_long_enough_is_counted_from_the_first_doubt() -> None:
    desk = Desk()
    desk.reconciler.doubt(attempt(0))
    desk.clock.seconds += 60
    desk.reconciler.doubt(attempt(0))
    desk.clock.seconds += 60
    await until(lambda: desk.reports)
    desk.reconciler.stop()


async def test_a_wall_clock_that_jumps_gives_no_call_up() -> None:
    desk = Desk()
    desk.reconciler.doubt(attempt(0))
    desk.clock.jump(86_400)
    await desk.asked_again(3)
    desk.reconciler.stop()
    assert desk.reports == []


async def test_a_call_of_which_the_line_knows_something_is_not_given_up() -> None:
    desk = Desk()
    placed = desk.phone.placed(attempt(0).id)
    desk.phone.known = [placed]
    desk.reconciler.doubt(attempt(0))
    desk.clock.seconds += 1_000
    await desk.asked_again(3)
    desk.reconciler.stop()
    assert set(map(type, desk.reports)) == {type(placed)}


async def test_after_the_stop_the_line_is_not_asked() -> None:
    desk = Desk()
    desk.reconciler.doubt(attempt(0))
    desk.reconciler.stop()
    await until(nothing_is_asked)
    assert desk.phone.asked == []


async def test_a_line_that_never_answers_keeps_no_call_from_being_given_up_when_none_lasts_that_long() -> None:
    desk = Desk()

    class Silent(Phone):
        async def reconcile(self, attempts: object) -> list[Report]:  # noqa: ARG002 - it says nothing whatever is asked
            await self.over.wait()
            return []

    settings = evolve(OFTEN, originate_limit_s=SOON_S)
    desk.reconciler = Reconciler(Silent(desk.clock), desk.clock, settings, desk.tell)
    desk.reconciler.doubt(attempt(0))
    desk.clock.seconds += OFTEN.longest_call_s
    async with asyncio.timeout(5):
        await until(lambda: desk.reports)
    desk.reconciler.stop()
    assert desk.reports[0] == Lost(attempt_id=attempt(0).id, at=NOON)


async def test_what_the_line_says_about_others_calls_is_passed_over() -> None:
    desk = Desk()
    stranger = desk.phone.placed("somebody.0.1")
    placed = desk.phone.placed(attempt(0).id)

    class Talkative(Phone):
        async def reconcile(self, attempts: object) -> list[Report]:  # noqa: ARG002 - it says the same whatever is asked
            return [stranger, placed]

    desk.reconciler = Reconciler(Talkative(desk.clock), desk.clock, OFTEN, desk.tell)
    await desk.reconciler.take_up([attempt(0)])
    desk.reconciler.stop()
    assert desk.reports == [placed]


async def test_i7_a_live_call_that_nothing_is_heard_of_is_asked_about_and_given_up_when_the_line_does_not_know_it() -> (
    None
):
    desk = Desk()
    live = attempt(0, AttemptState.LIVE)
    desk.reconciler.hear(live)
    desk.clock.wait(OFTEN.reconcile_every_s)
    await desk.asked_again()
    assert desk.reports == []
    desk.clock.wait(OFTEN.lost_after_s)
    await until(lambda: {type(report) for report in desk.reports} == {Lost})
    desk.reconciler.settle(live.id)


async def test_a_live_call_whose_end_was_missed_is_told_of_by_the_line() -> None:
    desk = Desk()
    live = attempt(0, AttemptState.LIVE)
    desk.reconciler.hear(live)
    ended = desk.phone.ended(live.id)
    desk.phone.known = [ended]
    desk.clock.wait(OFTEN.reconcile_every_s)
    await until(lambda: ended in desk.reports)
    desk.reconciler.stop()


@pytest.mark.parametrize("state", [AttemptState.UNKNOWN, AttemptState.LIVE])
async def test_i1_a_call_that_may_be_up_is_not_given_up_while_the_line_can_not_be_asked(state: AttemptState) -> None:
    desk = Desk()
    desk.phone.known = AdapterFault("line_down", "the line is down", is_retryable=True)
    desk.reconciler.doubt(attempt(0, state))
    desk.clock.wait(OFTEN.longest_call_s - 0.1)
    await desk.asked_again()
    assert desk.reports == []
    desk.clock.wait(0.1)
    await until(lambda: desk.reports)
    assert desk.reports[0] == Lost(attempt_id=attempt(0).id, at=desk.clock.now())
    desk.reconciler.stop()


async def test_all_calls_that_are_awaited_are_asked_about_at_once_when_the_line_is_back() -> None:
    desk = Desk(PATIENT)
    desk.reconciler.doubt(attempt(0))
    desk.reconciler.hear(attempt(1, AttemptState.LIVE))
    desk.phone.known = [desk.phone.ended(attempt(1).id)]
    assert await desk.reconciler.ask_about_all()
    assert (desk.reports, desk.phone.asked) == (desk.phone.known, [[attempt(0).id, attempt(1).id]])
    desk.phone.known = AdapterFault("line_down", "the line is down", is_retryable=True)
    assert not await desk.reconciler.ask_about_all()
    desk.reconciler.stop()


async def test_a_live_call_that_the_line_knows_is_not_given_up_however_long_it_lasts() -> None:
    desk = Desk()
    live = attempt(0, AttemptState.LIVE)
    desk.reconciler.hear(live)
    desk.phone.known = [desk.phone.placed(live.id)]
    for _ in range(3):
        desk.clock.wait(OFTEN.lost_after_s)
        await desk.asked_again(1)
        await turns_of_the_loop()
    assert {type(report) for report in desk.reports} == {Placed}
    desk.reconciler.stop()


async def test_a_call_that_ends_while_the_line_is_asked_about_it_is_not_taken_up_again() -> None:
    desk = Desk()
    live = attempt(0, AttemptState.LIVE)
    placed = desk.phone.placed(live.id)

    class Crossing(Phone):
        async def reconcile(self, attempts: object) -> list[Report]:  # noqa: ARG002 - it says the same whatever is asked
            desk.reconciler.settle(live.id)
            return [placed]

    desk.reconciler = Reconciler(Crossing(desk.clock), desk.clock, OFTEN, desk.tell)
    desk.reconciler.hear(live)
    desk.clock.wait(OFTEN.reconcile_every_s)
    await until(lambda: desk.reports == [placed])
    await until(nothing_is_asked)
