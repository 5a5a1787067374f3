import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import evolve

from kataven_adapters.wire.http_line import (
    MAX_REPORTS,
    CallReport,
    CallState,
    PlacedCall,
    read_live,
    read_placed,
    read_reports,
    read_request,
    read_state,
    request_of,
    write_live,
    write_placed,
    write_reports,
    write_request,
    write_state,
)
from kataven_core import Answered, AttemptId, Ended, InvalidValue, Outcome, Ringing
from kataven_core.testing.samples import an_order

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REQUEST = request_of(an_order(1), ring_timeout_s=30, max_duration_s=3600, report_url="http://e.test/reports")
RINGING = CallState(attempt_id="a.1.1", call_id="c", state="ringing")
ANSWERED = CallState(attempt_id="a.2.1", call_id="d", state="answered", answered_at=NOON)
OVER = evolve(ANSWERED, state="ended", outcome=Outcome.MACHINE, ended_at=NOON, duration_s=1.5)
END = CallReport(attempt_id="a.1.1", sequence=2, type="ended", outcome=Outcome.BUSY, at=NOON, duration_s=0.0)


def changed(members: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Give the members with others in their place; ``...`` leaves one out."""
    return {name: value for name, value in {**members, **changes}.items() if value is not ...}


def test_a_request_is_written_as_the_contract_says() -> None:
    assert json.loads(write_request(REQUEST)) == {
        "attempt_id": "a.1.1",
        "campaign_id": "a",
        "account_id": "acme",
        "to": "+14150000001",
        "from": "+14155550100",
        "agent_id": "agent",
        "route": "to:agent",
        "variables": {"row": "1"},
        "ring_timeout_s": 30,
        "max_duration_s": 3600,
        "report_url": "http://e.test/reports",
    }


def test_all_that_is_written_is_read_back() -> None:
    assert read_request(write_request(REQUEST)) == REQUEST
    placed = PlacedCall(attempt_id="a.1.1", call_id="c")
    assert read_placed(write_placed(placed)) == placed
    assert [read_state(write_state(each)) for each in (RINGING, ANSWERED, OVER)] == [RINGING, ANSWERED, OVER]
    assert read_live(write_live([RINGING, ANSWERED])) == (RINGING, ANSWERED)
    assert read_reports(write_reports([END, evolve(END, detail="486")])) == (END, evolve(END, detail="486"))
    assert read_reports(b'{"reports": []}') == ()


def test_reports_are_told_in_the_words_of_the_engine() -> None:
    name = AttemptId("a.1.1")
    assert evolve(END, type="ringing", outcome=None).to_core() == Ringing(attempt_id=name, at=NOON)
    assert evolve(END, type="answered", outcome=None).to_core() == Answered(attempt_id=name, at=NOON)
    assert END.to_core() == Ended(attempt_id=name, at=NOON, outcome=Outcome.BUSY, duration_s=0.0)
    with pytest.raises(InvalidValue, match="outcome: is missing"):
        evolve(END, outcome=None).to_core()


def test_what_may_be_null_may_be_missing_and_what_nobody_knows_passes() -> None:
    short = {"attempt_id": "a.1.1", "sequence": 0, "type": "ringing", "at": "2026-03-02T14:00:00+02:00", "x": [1]}
    [report] = read_reports(json.dumps({"reports": [short], "y": {}}).encode())
    assert report == CallReport(attempt_id="a.1.1", sequence=0, type="ringing", at=NOON)
    assert read_state(b'{"attempt_id": "a", "call_id": "c", "state": "ringing"}').outcome is None


def test_times_are_written_in_utc() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=2)))
    assert b"2026-03-02T12:00:00Z" in write_reports([evolve(END, at=elsewhere)])


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"reports"', b"\xff\xfe", b"[" * 100_000, b'{"reports": ' + b"9" * 5_000 + b"}"],
)
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    for read in (read_request, read_placed, read_state, read_live, read_reports):
        with pytest.raises(InvalidValue, match="the body is no JSON object"):
            read(body)


WRONG_REPORTS = [
    ({"attempt_id": ...}, "reports[0].attempt_id: is missing"),
    ({"attempt_id": None}, "reports[0].attempt_id: must not be null"),
    ({"attempt_id": 7}, "reports[0].attempt_id: must be a string"),
    ({"attempt_id": ""}, "reports[0].attempt_id: must have 1 to 200 characters, all of them printable"),
    ({"attempt_id": "a" * 201}, "reports[0].attempt_id: must have 1 to 200 characters, all of them printable"),
    ({"attempt_id": "a\0"}, "reports[0].attempt_id: must have 1 to 200 characters, all of them printable"),
    ({"attempt_id": "\ud800"}, "reports[0].attempt_id: must have 1 to 200 characters, all of them printable"),
    ({"sequence": "1"}, "reports[0].sequence: must be a whole number, 0 or more"),
    ({"sequence": True}, "reports[0].sequence: must be a whole number, 0 or more"),
    ({"sequence": -1}, "reports[0].sequence: must be a whole number, 0 or more"),
    ({"sequence": 2**53}, "reports[0].sequence: must be a whole number, 0 or more"),
    ({"type": "done"}, "reports[0].type: must be one of ringing, answered, ended"),
    ({"type": ["ended"]}, "reports[0].type: must be one of ringing, answered, ended"),
    ({"outcome": None}, "reports[0].outcome: must not be null"),
    ({"outcome": "lost"}, "reports[0].outcome: must be one of answered, machine, no_answer, busy, declined, "),
    ({"outcome": "unsent"}, "reports[0].outcome: must be one of"),
    ({"at": "2026-03-02T12:00:00"}, "reports[0].at: '2026-03-02T12:00:00' is no RFC 3339 time"),
    ({"at": 1}, "reports[0].at: must be a string"),
    ({"duration_s": -0.1}, "reports[0].duration_s: must be a number of seconds from 0 to 604,800"),
    ({"duration_s": 10**400}, "reports[0].duration_s: must be a number of seconds from 0 to 604,800"),
    ({"duration_s": float("nan")}, "reports[0].duration_s: must be a number of seconds from 0 to 604,800"),
    ({"duration_s": "1"}, "reports[0].duration_s: must be a number of seconds from 0 to 604,800"),
    ({"duration_s": False}, "reports[0].duration_s: must be a number of seconds from 0 to 604,800"),
]


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        ({"detail": 1}, {"detail": None}),
        ({"detail": "x" * 10_001}, {"detail": "x" * 10_000}),
        ({"type": "ringing", "outcome": "who knows"}, {"outcome": None}),
    ],
)
def test_what_nothing_depends_on_refuses_no_report(members: dict[str, Any], kept: dict[str, Any]) -> None:
    report = {"attempt_id": "a.1.1", "sequence": 1, "type": "ended", "outcome": "busy", "at": "2026-03-02T12:00:00Z"}
    (read,) = read_reports(json.dumps({"reports": [report | members]}).encode())
    assert {name: getattr(read, name) for name in kept} == kept


@pytest.mark.parametrize(("changes", "message"), WRONG_REPORTS)
def test_a_report_that_is_wrong_is_refused_by_the_name_of_its_member(changes: dict[str, Any], message: str) -> None:
    [good] = json.loads(write_reports([END]))["reports"]
    with pytest.raises(InvalidValue) as caught:
        read_reports(json.dumps({"reports": [changed(good, **changes), good]}).encode())
    assert caught.value.message.startswith(message)
    assert caught.value.problems[0].field == message.partition(":")[0]


def test_all_that_is_wrong_in_a_report_is_said_and_which_it_is() -> None:
    [good] = json.loads(write_reports([END]))["reports"]
    with pytest.raises(InvalidValue) as caught:
        read_reports(json.dumps({"reports": [good, changed(good, at=..., sequence=None)]}).encode())
    assert [each.field for each in caught.value.problems] == ["reports[1].sequence", "reports[1].at"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "reports: is missing"),
        ({"reports": {}}, "reports: must be an array"),
        ({"reports": ["x"]}, "reports[0]: must be an object"),
        ({"reports": [{}] * (MAX_REPORTS + 1)}, "reports: has 1,001 items: send at most 1,000 at a time"),
    ],
)
def test_what_is_no_list_of_reports_is_refused(members: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_reports(json.dumps(members).encode())
    assert caught.value.message == message


def test_so_many_reports_are_read_at_once() -> None:
    assert len(read_reports(write_reports([END] * MAX_REPORTS))) == MAX_REPORTS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"to": "0301234"}, "to: "),
        ({"from": ...}, "from: is missing"),
        ({"variables": {"a": 1}}, "variables: must be an object of strings"),
        ({"variables": []}, "variables: must be an object of strings"),
        ({"ring_timeout_s": 0}, "ring_timeout_s: must be more than 0 seconds"),
        ({"max_duration_s": "60"}, "max_duration_s: must be a number of seconds from 0 to 604,800"),
        ({"report_url": None}, "report_url: must not be null"),
    ],
)
def test_a_request_that_is_wrong_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_request(json.dumps(changed(json.loads(write_request(REQUEST)), **changes)).encode())
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"state": "up"}, "calls[1].state: must be one of ringing, answered, ended"),
        ({"call_id": 7}, "calls[1].call_id: must be a string"),
        ({"state": "answered", "answered_at": None}, "calls[1].answered_at: is missing"),
        ({"outcome": None}, "calls[1].outcome: is missing"),
        ({"ended_at": ...}, "calls[1].ended_at: is missing"),
        ({"ended_at": "yesterday"}, "calls[1].ended_at: 'yesterday' is no RFC 3339 time"),
    ],
)
def test_a_call_that_is_shown_wrong_is_refused(changes: dict[str, Any], message: str) -> None:
    good, over = json.loads(write_live([RINGING, OVER]))["calls"]
    with pytest.raises(InvalidValue) as caught:
        read_live(json.dumps({"calls": [good, changed(over, **changes)]}).encode())
    assert caught.value.message.startswith(message)
    with pytest.raises(InvalidValue) as caught:
        read_state(json.dumps(changed(over, **changes)).encode())
    assert caught.value.message.startswith(message.removeprefix("calls[1]."))
