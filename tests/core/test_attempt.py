from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.attempt import Attempt, apply, receive
from kataven_core.events import (
    AttemptAnswered,
    AttemptClaimed,
    AttemptDoubted,
    AttemptEnded,
    AttemptEvent,
    AttemptLive,
)
from kataven_core.phone_number import PhoneNumber
from kataven_core.reports import Answered, Doubtful, Ended, Lost, NeverPlaced, Placed, Report, Ringing, Unsent
from kataven_core.statuses import CARRIER_OUTCOMES, AttemptState, ContactStatus, Outcome
from kataven_core.values import AccountId, AttemptId, CampaignId

CLAIMED_AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
ID = AttemptId("spring.4.1")


def after(seconds: float) -> datetime:
    return CLAIMED_AT + timedelta(seconds=seconds)


CLAIMED = Attempt(
    id=ID,
    account_id=AccountId("acme"),
    campaign_id=CampaignId("spring"),
    position=4,
    n=1,
    phone_number=PhoneNumber("+14155550123"),
    claimed_at=CLAIMED_AT,
)
UNKNOWN = evolve(CLAIMED, state=AttemptState.UNKNOWN)
RINGING = evolve(CLAIMED, state=AttemptState.LIVE)
TALKING = evolve(CLAIMED, state=AttemptState.LIVE, call_id="line-7", answered_at=after(6))
DONE = evolve(TALKING, state=AttemptState.DONE, outcome=Outcome.ANSWERED, ended_at=after(9), duration_s=3.0)
ATTEMPTS = {"claimed": CLAIMED, "unknown": UNKNOWN, "ringing": RINGING, "talking": TALKING, "done": DONE}

AT = after(10)
NOW = after(12)
REPORTS: dict[str, Report] = {
    "placed": Placed(attempt_id=ID, at=AT, call_id="line-8"),
    "ringing": Ringing(attempt_id=ID, at=AT),
    "answered": Answered(attempt_id=ID, at=AT),
    "ended": Ended(attempt_id=ID, at=AT, outcome=Outcome.BUSY),
    "unsent": Unsent(attempt_id=ID, at=AT),
    "doubtful": Doubtful(attempt_id=ID, at=AT),
    "never placed": NeverPlaced(attempt_id=ID, at=AT),
    "lost": Lost(attempt_id=ID, at=AT),
}


def done(outcome: Outcome, duration_s: float = 0.0) -> dict[str, Any]:
    return {"state": AttemptState.DONE, "outcome": outcome, "ended_at": AT, "duration_s": duration_s}


LIVE = {"state": AttemptState.LIVE}
NOTHING: dict[str, Any] = {}
TABLE: dict[tuple[str, str], dict[str, Any]] = {
    ("claimed", "placed"): LIVE | {"call_id": "line-8"},
    ("claimed", "ringing"): LIVE,
    ("claimed", "answered"): LIVE | {"answered_at": AT},
    ("claimed", "ended"): done(Outcome.BUSY),
    ("claimed", "unsent"): done(Outcome.UNSENT),
    ("claimed", "doubtful"): {"state": AttemptState.UNKNOWN},
    ("claimed", "never placed"): NOTHING,
    ("claimed", "lost"): done(Outcome.LOST),
    ("unknown", "placed"): LIVE | {"call_id": "line-8"},
    ("unknown", "ringing"): LIVE,
    ("unknown", "answered"): LIVE | {"answered_at": AT},
    ("unknown", "ended"): done(Outcome.BUSY),
    ("unknown", "unsent"): NOTHING,
    ("unknown", "doubtful"): NOTHING,
    ("unknown", "never placed"): done(Outcome.UNSENT),
    ("unknown", "lost"): done(Outcome.LOST),
    ("ringing", "placed"): {"call_id": "line-8"},
    ("ringing", "ringing"): NOTHING,
    ("ringing", "answered"): {"answered_at": AT},
    ("ringing", "ended"): done(Outcome.BUSY),
    ("ringing", "unsent"): NOTHING,
    ("ringing", "doubtful"): NOTHING,
    ("ringing", "never placed"): NOTHING,
    ("ringing", "lost"): done(Outcome.LOST),
    ("talking", "placed"): NOTHING,
    ("talking", "ringing"): NOTHING,
    ("talking", "answered"): NOTHING,
    ("talking", "ended"): done(Outcome.BUSY, duration_s=4.0),
    ("talking", "unsent"): NOTHING,
    ("talking", "doubtful"): NOTHING,
    ("talking", "never placed"): NOTHING,
    ("talking", "lost"): done(Outcome.LOST),
    ("done", "placed"): NOTHING,
    ("done", "ringing"): NOTHING,
    ("done", "answered"): NOTHING,
    ("done", "ended"): NOTHING,
    ("done", "unsent"): NOTHING,
    ("done", "doubtful"): NOTHING,
    ("done", "never placed"): NOTHING,
    ("done", "lost"): NOTHING,
}


def test_the_table_is_whole() -> None:
    assert set(TABLE) == {(attempt, report) for attempt in ATTEMPTS for report in REPORTS}
    assert {attempt.state for attempt in ATTEMPTS.values()} == set(AttemptState)


@pytest.mark.parametrize(("attempt", "report"), TABLE)
def test_what_a_report_changes(attempt: str, report: str) -> None:
    changes = TABLE[attempt, report]
    before = ATTEMPTS[attempt]
    received = receive(before, REPORTS[report], NOW)
    assert received == evolve(before, **changes)
    assert (received is before) == (changes == NOTHING)


@pytest.mark.parametrize("outcome", sorted(CARRIER_OUTCOMES))
def test_the_outcome_is_what_the_carrier_says(outcome: Outcome) -> None:
    ended = receive(TALKING, Ended(attempt_id=ID, at=AT, outcome=outcome), NOW)
    assert (ended.outcome, ended.is_open) == (outcome, False)


@pytest.mark.parametrize(
    ("attempt", "is_open"),
    [("claimed", True), ("unknown", True), ("ringing", True), ("talking", True), ("done", False)],
)
def test_what_holds_a_slot(attempt: str, is_open: bool) -> None:  # noqa: FBT001 - a column of the table
    assert ATTEMPTS[attempt].is_open is is_open


@pytest.mark.parametrize(
    ("reported", "now", "taken"),
    [
        (after(3), after(5), after(3)),
        (after(0), after(5), after(0)),
        (after(-3), after(5), after(5)),
        (after(8), after(5), after(5)),
        (after(3), after(-9), after(0)),
        (after(-3), after(-9), after(0)),
    ],
    ids=["as it is", "with the claim", "before the claim", "in the future", "clock set back", "both"],
)
def test_a_time_before_the_claim_or_after_now_is_taken_as_now(
    reported: datetime, now: datetime, taken: datetime
) -> None:
    answered = receive(CLAIMED, Answered(attempt_id=ID, at=reported), now)
    ended = receive(CLAIMED, Ended(attempt_id=ID, at=reported, outcome=Outcome.BUSY), now)
    lost = receive(CLAIMED, Lost(attempt_id=ID, at=reported), now)
    assert (answered.answered_at, ended.ended_at, lost.ended_at) == (taken, taken, taken)


@pytest.mark.parametrize(
    ("attempt", "duration_s", "talk_s"),
    [
        (TALKING, 2.5, 2.5),
        (RINGING, 2.5, 2.5),
        (TALKING, 0.0, 0.0),
        (TALKING, None, 4.0),
        (RINGING, None, 0.0),
        (evolve(TALKING, answered_at=after(11)), None, 0.0),
    ],
    ids=["said", "said, never answered", "none", "not said", "never answered", "answered after the end"],
)
def test_the_talk_is_what_the_line_says_or_the_time_since_the_answer(
    attempt: Attempt, duration_s: float | None, talk_s: float
) -> None:
    report = Ended(attempt_id=ID, at=AT, outcome=Outcome.ANSWERED, duration_s=duration_s)
    assert receive(attempt, report, NOW).duration_s == talk_s


def test_an_attempt_is_hashable_and_never_changes() -> None:
    assert {CLAIMED: 1}[evolve(CLAIMED)] == 1
    with pytest.raises(FrozenInstanceError):
        CLAIMED.state = AttemptState.DONE  # type: ignore[misc] # that it can't be set is the point


times = st.floats(-20, 40).map(after)
any_report = st.one_of(
    st.builds(Placed, attempt_id=st.just(ID), at=times, call_id=st.sampled_from(["line-7", "line-8"])),
    st.builds(
        Ended,
        attempt_id=st.just(ID),
        at=times,
        outcome=st.sampled_from(sorted(CARRIER_OUTCOMES)),
        duration_s=st.none() | st.floats(0, 60),
    ),
    *[
        st.builds(kind, attempt_id=st.just(ID), at=times)
        for kind in (Ringing, Answered, Unsent, Doubtful, NeverPlaced, Lost)
    ],
)
any_reports = st.lists(st.tuples(any_report, times), max_size=12)
RANK = list(AttemptState)


def course(reports: list[tuple[Report, datetime]]) -> list[Attempt]:
    """Give the attempt at its claim and after each report."""
    attempts = [CLAIMED]
    for report, now in reports:
        attempts.append(receive(attempts[-1], report, now))
    return attempts


def steps(reports: list[tuple[Report, datetime]]) -> list[tuple[Attempt, Attempt]]:
    return list(pairwise(course(reports)))


@given(any_reports)
def test_states_only_move_right(reports: list[tuple[Report, datetime]]) -> None:
    for before, later in steps(reports):
        assert RANK.index(later.state) >= RANK.index(before.state)


@given(any_reports)
def test_what_is_done_stays_as_it_is(reports: list[tuple[Report, datetime]]) -> None:
    for before, later in steps(reports):
        if not before.is_open:
            assert later is before


@given(any_reports)
def test_an_outcome_comes_once_with_its_end_and_its_talk(reports: list[tuple[Report, datetime]]) -> None:
    for attempt in course(reports):
        ending = {attempt.outcome is None, attempt.ended_at is None, attempt.duration_s is None, attempt.is_open}
        assert len(ending) == 1


@given(any_reports)
def test_what_is_known_is_kept(reports: list[tuple[Report, datetime]]) -> None:
    for before, later in steps(reports):
        for name in ("call_id", "answered_at", "outcome", "ended_at", "duration_s"):
            assert getattr(before, name) in (None, getattr(later, name))


@given(any_reports)
def test_whose_dial_it_is_never_changes(reports: list[tuple[Report, datetime]]) -> None:
    unset = {"call_id": None, "answered_at": None, "ended_at": None, "outcome": None, "duration_s": None}
    for attempt in course(reports):
        assert evolve(attempt, state=AttemptState.CLAIMED, **unset) == CLAIMED  # type: ignore[arg-type] # they are given by their names


@given(any_reports)
def test_a_repeated_report_changes_nothing(reports: list[tuple[Report, datetime]]) -> None:
    doubled = [each for each in reports for _ in range(2)]
    attempts = course(doubled)
    assert all(first is second for first, second in zip(attempts[1::2], attempts[2::2], strict=True))
    assert attempts[::2] == course(reports)


@given(any_reports)
def test_what_the_line_once_had_is_never_unsent(reports: list[tuple[Report, datetime]]) -> None:
    attempts = course(reports)
    if any(attempt.state is AttemptState.LIVE for attempt in attempts):
        assert attempts[-1].outcome is not Outcome.UNSENT


@given(any_reports)
def test_no_time_lies_before_the_claim(reports: list[tuple[Report, datetime]]) -> None:
    for attempt in course(reports):
        assert all(at >= CLAIMED_AT for at in (attempt.answered_at, attempt.ended_at) if at)


DIAL: dict[str, Any] = {
    "account_id": AccountId("acme"),
    "campaign_id": CampaignId("spring"),
    "attempt_id": ID,
    "position": 4,
}
CLAIM = AttemptClaimed(**DIAL, sequence=9, at=CLAIMED_AT, n=1, phone_number=PhoneNumber("+14155550123"))
DOUBT = AttemptDoubted(**DIAL, sequence=10, at=NOW)
LIVENESS = AttemptLive(**DIAL, sequence=10, at=NOW, call_id="line-8")
ANSWER = AttemptAnswered(**DIAL, sequence=10, at=NOW, answered_at=AT)
END = AttemptEnded(
    **DIAL,
    sequence=10,
    at=NOW,
    outcome=Outcome.ANSWERED,
    ended_at=AT,
    duration_s=4.0,
    contact_status=ContactStatus.COMPLETED,
    next_attempt_at=None,
)


def test_the_first_event_of_an_attempt_is_its_claim() -> None:
    assert apply(None, CLAIM) == CLAIMED


@pytest.mark.parametrize("event", [DOUBT, LIVENESS, ANSWER, END], ids=lambda event: type(event).__name__)
def test_without_a_claim_there_is_no_attempt(event: AttemptEvent) -> None:
    assert apply(None, event) is None


@pytest.mark.parametrize(
    ("before", "event", "changes"),
    [
        (CLAIMED, DOUBT, {"state": AttemptState.UNKNOWN}),
        (CLAIMED, LIVENESS, LIVE | {"call_id": "line-8"}),
        (UNKNOWN, evolve(LIVENESS, call_id=None), LIVE),
        (RINGING, LIVENESS, {"call_id": "line-8"}),
        (RINGING, ANSWER, {"answered_at": AT}),
        (UNKNOWN, ANSWER, LIVE | {"answered_at": AT}),
        (TALKING, END, done(Outcome.ANSWERED, duration_s=4.0)),
        (UNKNOWN, evolve(END, outcome=Outcome.LOST, duration_s=0.0), done(Outcome.LOST)),
    ],
)
def test_an_event_is_folded_in(before: Attempt, event: AttemptEvent, changes: dict[str, Any]) -> None:
    assert apply(before, event) == evolve(before, **changes)


def test_a_whole_course_is_folded() -> None:
    attempt = None
    for event in (CLAIM, DOUBT, LIVENESS, ANSWER, END):
        attempt = apply(attempt, event)
    assert attempt == evolve(
        CLAIMED,
        state=AttemptState.DONE,
        call_id="line-8",
        answered_at=AT,
        outcome=Outcome.ANSWERED,
        ended_at=AT,
        duration_s=4.0,
    )
