"""Orders on their way to the line: asked for at most once, never too late, never after a pause."""

import asyncio
import logging

import pytest
from attrs import evolve
from tests.core.runtime.conftest import NEVER_S, PATIENT, SOON_S, HandClock, Phone, turns_of_the_loop, until

from kataven_core import AdapterFault, AttemptId, Doubtful, Ended, Order, Outcome, Placed, Report, Unsent
from kataven_core.ports import Originated
from kataven_core.runtime import EngineSettings
from kataven_core.runtime.line_pauses import LinePauses
from kataven_core.runtime.meters import Unmetered
from kataven_core.runtime.sends import Key, Sends
from kataven_core.testing.samples import ACME, GLOBEX, an_order
from kataven_core.values import AccountId, CampaignId

A: Key = (ACME, CampaignId("a"))
B: Key = (ACME, CampaignId("b"))


class Counted(Unmetered):
    """Keeps what a meter is told of sends."""

    def __init__(self) -> None:
        self.took_s: list[float] = []

    def sent(self, took_s: float) -> None:
        self.took_s.append(took_s)


class Desk:
    """Sends, the phone they go to, and what was reported of them."""

    def __init__(self, settings: EngineSettings = PATIENT) -> None:
        self.clock = HandClock()
        self.phone = Phone(self.clock)
        self.pauses = LinePauses(self.clock, settings)
        self.reports: list[tuple[AccountId, Report]] = []
        self.meter = Counted()
        self.sends = Sends(
            line=self.phone,
            clock=self.clock,
            pauses=self.pauses,
            settings=settings,
            report=lambda account_id, it: self.reports.append((account_id, it)),
            meter=self.meter,
        )

    def begin(self, *orders: Order) -> None:
        self.sends.begin(orders or [an_order(0)], self.clock.monotonic())

    async def settled(self) -> list[Report]:
        await self.sends.settle()
        return [report for _, report in self.reports]


def name(index: int, campaign: str = "a") -> AttemptId:
    return an_order(index, campaign_id=campaign).attempt_id


def unsent(index: int, campaign: str = "a") -> Unsent:
    return Unsent(attempt_id=name(index, campaign), at=HandClock().now())


async def test_each_order_is_asked_for_once_and_its_answer_goes_to_its_account() -> None:
    desk = Desk()
    desk.begin(an_order(0), an_order(1, account_id=GLOBEX))
    await desk.settled()
    assert desk.phone.orders == [an_order(0), an_order(1, account_id=GLOBEX)]
    assert sorted((account_id, report.attempt_id, type(report)) for account_id, report in desk.reports) == [
        (ACME, name(0), Placed),
        (GLOBEX, name(1), Placed),
    ]


async def test_a_number_that_the_line_refuses_is_an_end_and_no_pause() -> None:
    desk = Desk()
    ended = Ended(attempt_id=name(0), at=desk.clock.now(), outcome=Outcome.INVALID_NUMBER)

    async def refuse_the_number(_: Order) -> Originated:
        return Originated(report=ended)

    desk.phone.then(refuse_the_number)
    desk.begin()
    assert await desk.settled() == [ended]
    assert desk.pauses.is_open(ACME)


# Before the line is asked.


async def test_a_call_is_sent_up_to_its_deadline() -> None:
    desk = Desk(evolve(PATIENT, send_deadline_s=5.0))
    claimed_at = desk.clock.monotonic()
    desk.clock.seconds += 5.0
    desk.sends.begin([an_order(0)], claimed_at)
    await desk.settled()
    assert desk.phone.dialled == [name(0)]


async def test_a_call_past_its_deadline_is_unsent_and_the_line_is_never_asked() -> None:
    desk = Desk(evolve(PATIENT, send_deadline_s=5.0))
    claimed_at = desk.clock.monotonic()
    desk.clock.seconds += 5.001
    desk.sends.begin([an_order(0)], claimed_at)
    assert await desk.settled() == [unsent(0)]
    assert desk.phone.orders == []


async def test_a_wall_clock_that_jumps_moves_no_deadline() -> None:
    desk = Desk(evolve(PATIENT, send_deadline_s=5.0))
    claimed_at = desk.clock.monotonic()
    desk.clock.jump(3600)
    desk.sends.begin([an_order(0)], claimed_at)
    await desk.settled()
    assert desk.phone.dialled == [name(0)]


async def test_i4_a_pause_between_commit_and_send_leaves_the_call_unsent() -> None:
    desk = Desk()
    desk.begin(an_order(0), an_order(1, campaign_id="b"))
    desk.sends.forbid(A, is_forbidden=True)
    assert unsent(0) in await desk.settled()
    assert desk.phone.dialled == [name(1, "b")]


async def test_a_campaign_that_is_allowed_again_in_time_is_sent() -> None:
    desk = Desk()
    desk.begin()
    desk.sends.forbid(A, is_forbidden=True)
    desk.sends.forbid(A, is_forbidden=False)
    await desk.settled()
    assert desk.phone.dialled == [name(0)]


async def test_a_pause_is_forgotten_with_the_last_send_that_it_could_stop() -> None:
    desk = Desk()
    desk.begin()
    desk.sends.forbid(A, is_forbidden=True)
    await desk.settled()
    desk.begin(an_order(1))
    await desk.settled()
    assert desk.phone.dialled == [name(1)]


async def test_a_pause_with_nothing_under_way_forbids_nothing_later() -> None:
    desk = Desk()
    desk.sends.forbid(A, is_forbidden=True)
    desk.begin()
    await desk.settled()
    assert desk.phone.dialled == [name(0)]


async def test_after_the_close_nothing_is_sent() -> None:
    desk = Desk()
    desk.begin()
    desk.pauses.close()
    assert await desk.settled() == [unsent(0)]
    assert desk.phone.orders == []


# What the line answers.


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (RuntimeError("reset"), "RuntimeError: reset"),
        (AdapterFault("line_down", "the line is down"), "the line is down"),
        (TimeoutError(), "TimeoutError"),
    ],
)
async def test_whatever_a_line_raises_the_phone_may_be_ringing(
    error: Exception, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk()
    desk.phone.then(desk.phone.fail(error))
    desk.begin()
    assert await desk.settled() == [Doubtful(attempt_id=name(0), at=desk.clock.now())]
    assert desk.pauses.is_open(ACME)
    assert f"attempt {name(0)} may have been sent, its answer was lost: {sentence}" in caplog.text


async def test_a_line_that_does_not_answer_in_time_leaves_open_whether_the_phone_rings() -> None:
    desk = Desk(evolve(PATIENT, originate_limit_s=SOON_S))
    desk.phone.then(desk.phone.hang)
    desk.begin()
    assert await desk.settled() == [Doubtful(attempt_id=name(0), at=desk.clock.now())]
    assert desk.phone.dialled == [name(0)]


async def test_a_refused_call_is_unsent_and_pauses_its_account_alone() -> None:
    desk = Desk()
    desk.phone.then(desk.phone.refuse())
    desk.begin(an_order(0), an_order(1, account_id=GLOBEX))
    assert unsent(0) in await desk.settled()
    assert desk.phone.dialled == [name(0), name(1)]
    assert (desk.pauses.is_open(ACME), desk.pauses.is_open(GLOBEX)) == (False, True)


async def test_a_line_says_itself_for_how_long_it_is_left_alone() -> None:
    desk = Desk()
    desk.phone.then(desk.phone.refuse(retry_after_s=7.0))
    desk.begin()
    await desk.settled()
    desk.clock.wait(6.5)
    assert not desk.pauses.is_open(ACME)
    desk.clock.wait(0.5)
    assert desk.pauses.is_open(ACME)


async def test_orders_of_a_burst_that_come_after_a_refusal_are_not_sent() -> None:
    desk = Desk()
    desk.phone.then(desk.phone.refuse())
    desk.begin(*(an_order(index) for index in range(5)))
    assert await desk.settled() == [unsent(index) for index in range(5)]
    assert desk.phone.dialled == [name(0)]


async def test_a_call_that_is_taken_ends_the_row_of_refusals() -> None:
    desk = Desk()
    pauses_s = []
    for index, step in enumerate([desk.phone.refuse(), desk.phone.refuse(), desk.phone.place, desk.phone.refuse()]):
        desk.phone.then(step)
        desk.begin(an_order(index))
        await desk.settled()
        until_ = desk.pauses.until(ACME)
        pauses_s.append((until_ - desk.clock.now()).total_seconds() if until_ else 0)
        desk.clock.wait(pauses_s[-1])
    assert pauses_s == [60, 120, 0, 60]


# Whoever waits until sends have settled.


async def test_what_is_to_follow_follows_at_once_where_nothing_is_under_way() -> None:
    desk = Desk()
    done: list[str] = []
    desk.sends.when_settled(A, lambda: done.append("now"))
    assert done == ["now"]


async def test_i4_what_is_to_follow_a_campaigns_sends_waits_for_all_of_them_and_for_no_other() -> None:
    desk = Desk()
    (first, release_first), (second, release_second) = desk.phone.hold(), desk.phone.hold()
    desk.phone.then(first, second, desk.phone.hang)
    desk.begin(an_order(0), an_order(1), an_order(2, campaign_id="b"))
    done: list[int] = []
    desk.sends.when_settled(A, lambda: done.append(len(desk.reports)))
    release_first.set()
    await until(lambda: len(desk.reports) == 1)
    await turns_of_the_loop()
    assert done == []
    release_second.set()
    await until(lambda: done)
    assert done == [2]


async def test_what_is_to_follow_waits_no_longer_than_the_limit() -> None:
    desk = Desk(evolve(PATIENT, settle_limit_s=SOON_S))
    desk.phone.then(desk.phone.hang)
    desk.begin()
    done: list[str] = []
    desk.sends.when_settled(A, lambda: done.append("then"))
    await until(lambda: done)
    assert desk.reports == []


async def test_sends_begun_later_are_not_waited_for() -> None:
    desk = Desk()
    step, release = desk.phone.hold()
    desk.phone.then(step, desk.phone.hang)
    desk.begin(an_order(0))
    done: list[str] = []
    desk.sends.when_settled(A, lambda: done.append("then"))
    await turns_of_the_loop()
    desk.begin(an_order(1))
    release.set()
    await until(lambda: done)


async def test_settling_waits_for_everything_and_for_whoever_waits_too() -> None:
    desk = Desk()
    (first, release_first), (second, release_second) = desk.phone.hold(), desk.phone.hold()
    desk.phone.then(first, second)
    desk.begin(an_order(0), an_order(1, campaign_id="b"))
    done: list[str] = []
    desk.sends.when_settled(B, lambda: done.append("then"))
    settling = asyncio.create_task(desk.sends.settle())
    release_first.set()
    await turns_of_the_loop()
    assert not settling.done()
    release_second.set()
    await settling
    await turns_of_the_loop()
    assert (len(desk.reports), done) == (2, ["then"])


async def test_settling_waits_no_longer_than_the_limit() -> None:
    desk = Desk(evolve(PATIENT, settle_limit_s=SOON_S))
    desk.phone.then(desk.phone.hang)
    desk.begin()
    await desk.sends.settle()
    assert desk.reports == []


async def test_with_nothing_under_way_everything_has_settled() -> None:
    desk = Desk(evolve(PATIENT, settle_limit_s=NEVER_S))
    await desk.sends.settle()
    assert desk.reports == []


async def test_a_doubt_is_logged_as_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    desk.phone.then(desk.phone.fail(RuntimeError()))
    with caplog.at_level(logging.WARNING):
        desk.begin()
        await desk.settled()
    assert [record.name for record in caplog.records] == ["kataven_core.line"]


async def test_what_has_not_settled_when_it_is_stopped_is_given_up_and_doubted() -> None:
    desk = Desk(evolve(PATIENT, settle_limit_s=SOON_S))
    desk.phone.then(desk.phone.hang)
    desk.begin()
    await turns_of_the_loop()
    await desk.sends.stop()
    assert desk.phone.dialled == [name(0)]
    assert [type(report) for _, report in desk.reports] == [Doubtful]
    await desk.sends.stop()


async def test_a_line_that_cancels_itself_or_answers_nonsense_leaves_a_doubt() -> None:
    async def cancel(_: Order) -> Originated:
        raise asyncio.CancelledError

    async def answer_nonsense(_: Order) -> Originated:
        return None  # type: ignore[return-value] # nonsense is the point

    desk = Desk()
    desk.phone.then(cancel, answer_nonsense)
    desk.begin(an_order(0), an_order(1))
    assert [type(report) for report in await desk.settled()] == [Doubtful, Doubtful]
