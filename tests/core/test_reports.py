from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError

from kataven_core import reports
from kataven_core.errors import InvalidValue
from kataven_core.reports import Answered, Doubtful, Ended, Lost, NeverPlaced, Placed, Report, Ringing, Unsent
from kataven_core.statuses import Outcome
from kataven_core.values import AttemptId

AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
ID = AttemptId("spring.0.1")
ONE_OF_EACH: list[Report] = [
    Placed(attempt_id=ID, at=AT, call_id="line-7"),
    Ringing(attempt_id=ID, at=AT),
    Answered(attempt_id=ID, at=AT),
    Ended(attempt_id=ID, at=AT, outcome=Outcome.BUSY),
    Unsent(attempt_id=ID, at=AT),
    Doubtful(attempt_id=ID, at=AT),
    NeverPlaced(attempt_id=ID, at=AT),
    Lost(attempt_id=ID, at=AT),
]


def test_a_report_is_one_of_these() -> None:
    kinds = {type(report) for report in ONE_OF_EACH}
    assert set(get_args(Report)) == kinds
    assert {kind for kind in vars(reports).values() if hasattr(kind, "__attrs_attrs__")} == kinds


@pytest.mark.parametrize("report", ONE_OF_EACH, ids=lambda report: type(report).__name__)
def test_a_report_is_hashable_and_never_changes(report: Any) -> None:
    assert {report: 1}[evolve(report)] == 1
    with pytest.raises(FrozenInstanceError):
        report.at = AT


@pytest.mark.parametrize("kind", get_args(Report))
def test_a_report_names_its_parts(kind: Any) -> None:
    with pytest.raises(TypeError):
        kind(ID, AT)


def test_alike_reports_of_different_kinds_differ() -> None:
    assert len({Ringing(attempt_id=ID, at=AT), Unsent(attempt_id=ID, at=AT), Lost(attempt_id=ID, at=AT)}) == 3


@pytest.mark.parametrize(
    "outcome", ["answered", "machine", "no_answer", "busy", "declined", "invalid_number", "failed", "cancelled"]
)
def test_a_line_can_report_what_a_carrier_knows(outcome: str) -> None:
    assert Ended(attempt_id=ID, at=AT, outcome=Outcome(outcome)).outcome == outcome


@pytest.mark.parametrize("outcome", [Outcome.LOST, Outcome.UNSENT])
def test_a_line_cannot_report_our_own_conclusions(outcome: Outcome) -> None:
    with pytest.raises(InvalidValue, match=f"^{outcome} is no outcome that a line can report$") as caught:
        Ended(attempt_id=ID, at=AT, outcome=outcome)
    assert caught.value.code == "invalid_outcome"


def test_the_talk_may_be_unknown_or_none_at_all() -> None:
    assert Ended(attempt_id=ID, at=AT, outcome=Outcome.ANSWERED).duration_s is None
    assert Ended(attempt_id=ID, at=AT, outcome=Outcome.ANSWERED, duration_s=0.0).duration_s == 0


@pytest.mark.parametrize("kind", get_args(Report))
def test_a_time_of_any_zone_is_kept_in_utc_and_a_naive_one_refused(kind: Any) -> None:
    rest = {"call_id": "x"} if kind is Placed else {"outcome": Outcome.BUSY} if kind is Ended else {}
    there = AT.astimezone(timezone(timedelta(hours=2)))
    assert kind(attempt_id=ID, at=there, **rest).at.utcoffset() == timedelta(0)
    with pytest.raises(InvalidValue):
        kind(attempt_id=ID, at=AT.replace(tzinfo=None), **rest)


@pytest.mark.parametrize("duration_s", [-1.0, float("nan"), float("inf")])
def test_a_talk_is_so_many_seconds(duration_s: float) -> None:
    with pytest.raises(InvalidValue, match="is no duration") as caught:
        Ended(attempt_id=ID, at=AT, outcome=Outcome.ANSWERED, duration_s=duration_s)
    assert caught.value.code == "invalid_duration"
