"""Whose each open attempt is; doubts go to the reconciler, and leave it when something is known."""

from attrs import evolve
from tests.core.runtime.conftest import NOON, PATIENT, HandClock, Phone, until

from kataven_core import Attempt, AttemptChange, AttemptState, Outcome, Ringing
from kataven_core.runtime.open_attempts import OpenAttempts
from kataven_core.runtime.reconciler import Reconciler
from kataven_core.testing.samples import ACME, GLOBEX, an_order
from kataven_core.values import AccountId


def attempt(index: int, account_id: AccountId = ACME, state: AttemptState = AttemptState.CLAIMED) -> Attempt:
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


def done(before: Attempt) -> Attempt:
    return evolve(before, state=AttemptState.DONE, outcome=Outcome.BUSY, ended_at=NOON, duration_s=0.0)


def ringing(of: Attempt) -> Ringing:
    return Ringing(attempt_id=of.id, at=NOON)


class Desk:
    def __init__(self) -> None:
        clock = HandClock()
        self.phone = Phone(clock)
        self.reconciler = Reconciler(self.phone, clock, evolve(PATIENT, reconcile_every_s=0.001), lambda _, __: None)
        self.attempts = OpenAttempts(self.reconciler)


async def test_reports_are_sorted_by_the_account_of_their_attempt_in_their_order() -> None:
    attempts = Desk().attempts
    a, b, c = attempt(0), attempt(1, GLOBEX), attempt(2)
    attempts.follow([AttemptChange(None, each) for each in (a, b, c)])
    sorted_ = attempts.by_account([ringing(c), ringing(b), ringing(a)])
    assert sorted_ == {ACME: [ringing(c), ringing(a)], GLOBEX: [ringing(b)]}


async def test_attempts_of_an_earlier_process_are_known() -> None:
    attempts = Desk().attempts
    attempts.take_up([attempt(0), attempt(1, GLOBEX)])
    assert attempts.by_account([ringing(attempt(1))]) == {GLOBEX: [ringing(attempt(1))]}


async def test_reports_about_what_is_over_or_nobodys_are_left_out() -> None:
    attempts = Desk().attempts
    attempts.take_up([attempt(0)])
    attempts.follow([AttemptChange(attempt(0), done(attempt(0)))])
    attempts.follow([AttemptChange(None, done(attempt(1)))])
    assert attempts.by_account([ringing(attempt(0)), ringing(attempt(1)), ringing(attempt(2))]) == {}


async def test_an_attempt_that_goes_on_stays_known() -> None:
    attempts = Desk().attempts
    live = evolve(attempt(0), state=AttemptState.LIVE)
    attempts.follow([AttemptChange(None, attempt(0))])
    attempts.follow([AttemptChange(attempt(0), live)])
    assert attempts.by_account([ringing(live)]) == {ACME: [ringing(live)]}


async def test_a_doubt_is_asked_about_until_something_is_known() -> None:
    desk = Desk()
    unknown = evolve(attempt(0), state=AttemptState.UNKNOWN)
    desk.attempts.follow([AttemptChange(None, attempt(0)), AttemptChange(None, attempt(1))])
    desk.attempts.follow(
        [AttemptChange(attempt(0), unknown), AttemptChange(attempt(1), evolve(attempt(1), state=AttemptState.UNKNOWN))]
    )
    await until(lambda: desk.phone.asked)
    assert desk.phone.asked[0] == [attempt(0).id, attempt(1).id]
    desk.attempts.follow([AttemptChange(unknown, evolve(unknown, state=AttemptState.LIVE))])
    await until(lambda: desk.phone.asked[-1] == [attempt(1).id])
    desk.reconciler.stop()
