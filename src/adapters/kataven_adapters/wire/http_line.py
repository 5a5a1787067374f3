"""The JSON of the HTTP line, both ways: what the engine asks a dialer for, and what the dialer says of its calls.

Readers take what strangers send: ``InvalidValue`` names every member that is missing or wrong; members that nobody
knows pass. Where a member may be null, it may be missing as well.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from attrs import frozen

from kataven_core import Answered, AttemptId, Ended, Order, Outcome, PhoneNumber, Ringing, format_rfc3339

from .members import (
    Member,
    a_duration,
    a_limit,
    a_name,
    a_number,
    a_remark,
    a_sequence,
    a_text,
    a_time,
    an_outcome,
    one_of,
    read_array,
    read_members,
    read_object,
    texts,
    wrong,
)

MAX_REPORTS: Final = 1_000
"""Reports in one body."""

_NAMES: Final = ("attempt_id", "campaign_id", "account_id", "agent_id")
_REQUEST: Final = {
    **{name: Member(a_name) for name in _NAMES},
    "to": Member(a_number),
    "from": Member(a_number),
    "route": Member(a_text),
    "variables": Member(texts),
    "ring_timeout_s": Member(a_limit),
    "max_duration_s": Member(a_limit),
    "report_url": Member(a_text),
}
_PLACED: Final = {"attempt_id": Member(a_name), "call_id": Member(a_name)}
_STATE: Final = {
    **_PLACED,
    "state": Member(one_of(("ringing", "answered", "ended"))),
    "outcome": Member(an_outcome, is_needed=False),
    "answered_at": Member(a_time, is_needed=False),
    "ended_at": Member(a_time, is_needed=False),
    "duration_s": Member(a_duration, is_needed=False),
}
_NEEDED_IN_STATE: Final = {"ringing": (), "answered": ("answered_at",), "ended": ("outcome", "ended_at")}
_REPORT: Final = {
    "attempt_id": Member(a_name),
    "sequence": Member(a_sequence),
    "type": Member(one_of(("ringing", "answered", "ended"))),
    "at": Member(a_time),
    "duration_s": Member(a_duration, is_needed=False),
    "detail": Member(a_remark, is_needed=False),
}
_END: Final = {**_REPORT, "outcome": Member(an_outcome)}


@frozen(kw_only=True)
class CallRequest:
    """``POST /calls``: the call that a dialer is asked for. ``caller`` is ``from`` on the wire."""

    attempt_id: str
    campaign_id: str
    account_id: str
    to: PhoneNumber
    caller: PhoneNumber
    agent_id: str
    route: str
    variables: Mapping[str, str]
    ring_timeout_s: float
    max_duration_s: float
    report_url: str


@frozen(kw_only=True)
class PlacedCall:
    """The answer to it: the dialer's own name for the call."""

    attempt_id: str
    call_id: str


@frozen(kw_only=True)
class CallState:
    """What a dialer answers when it is asked about a call.

    One that is answered says since when; one that has ended says how and when.
    """

    attempt_id: str
    call_id: str
    state: Literal["ringing", "answered", "ended"]
    outcome: Outcome | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: float | None = None


@frozen(kw_only=True)
class CallReport:
    """One thing that became of a call, as the dialer reports it. ``sequence`` rises within an attempt."""

    attempt_id: str
    sequence: int
    type: Literal["ringing", "answered", "ended"]
    outcome: Outcome | None = None
    at: datetime
    duration_s: float | None = None
    detail: str | None = None

    def to_core(self) -> Ringing | Answered | Ended:
        """Give the same in the engine's words; ``InvalidValue`` for an end that does not say how."""
        attempt_id = AttemptId(self.attempt_id)
        if self.type == "ringing":
            return Ringing(attempt_id=attempt_id, at=self.at)
        if self.type == "answered":
            return Answered(attempt_id=attempt_id, at=self.at)
        if self.outcome is None:
            raise wrong("outcome", "is missing")
        return Ended(attempt_id=attempt_id, at=self.at, outcome=self.outcome, duration_s=self.duration_s)


def request_of(order: Order, *, ring_timeout_s: float, max_duration_s: float, report_url: str) -> CallRequest:
    """Give the request for the call that an order asks for."""
    return CallRequest(
        attempt_id=order.attempt_id,
        campaign_id=order.campaign_id,
        account_id=order.account_id,
        to=order.to,
        caller=order.caller,
        agent_id=order.agent_id,
        route=order.route,
        variables=order.variables,
        ring_timeout_s=ring_timeout_s,
        max_duration_s=max_duration_s,
        report_url=report_url,
    )


def write_request(request: CallRequest) -> bytes:
    """Write the body of ``POST /calls``."""
    members = {"from" if name == "caller" else name: value for name, value in _members(request, CallRequest).items()}
    return _written({**members, "variables": dict(request.variables)})


def read_request(body: bytes) -> CallRequest:
    """Read the body of ``POST /calls``."""
    members = read_members(read_object(body), _REQUEST)
    return CallRequest(caller=members.pop("from"), **members)


def write_placed(placed: PlacedCall) -> bytes:
    """Write the answer to ``POST /calls``."""
    return _written(_members(placed, PlacedCall))


def read_placed(body: bytes) -> PlacedCall:
    """Read the answer to ``POST /calls``."""
    return PlacedCall(**read_members(read_object(body), _PLACED))


def write_state(state: CallState) -> bytes:
    """Write the answer to ``GET /calls/{attempt_id}``."""
    return _written(_members(state, CallState))


def read_state(body: bytes) -> CallState:
    """Read the answer to ``GET /calls/{attempt_id}``."""
    return _state(read_object(body), "")


def write_live(states: Sequence[CallState]) -> bytes:
    """Write the answer to ``GET /calls?state=live``."""
    return _written({"calls": [_members(state, CallState) for state in states]})


def read_live(body: bytes) -> tuple[CallState, ...]:
    """Read the answer to ``GET /calls?state=live``."""
    calls = read_array(read_object(body), "calls")
    return tuple(_state(data, f"calls[{index}]") for index, data in enumerate(calls))


def write_reports(reports: Sequence[CallReport]) -> bytes:
    """Write the body of ``POST <report_url>``."""
    return _written({"reports": [_members(report, CallReport) for report in reports]})


def read_reports(body: bytes) -> tuple[CallReport, ...]:
    """Read the body of ``POST <report_url>``; it may hold ``MAX_REPORTS``."""
    reports = read_array(read_object(body), "reports", MAX_REPORTS)
    return tuple(_report(data, f"reports[{index}]") for index, data in enumerate(reports))


def _state(data: Any, where: str) -> CallState:
    members = read_members(data, _STATE, where)
    _need(members, _NEEDED_IN_STATE[members["state"]], where)
    return CallState(**members)


def _report(data: Any, where: str) -> CallReport:
    is_end = isinstance(data, dict) and data.get("type") == "ended"
    return CallReport(**read_members(data, _END if is_end else _REPORT, where))


def _need(members: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    for name in names:
        if members[name] is None:
            raise wrong(f"{where}.{name}" if where else name, "is missing")


def _members(value: object, kind: type) -> dict[str, Any]:
    return {name: _plain(getattr(value, name)) for name in kind.__annotations__}


def _plain(value: Any) -> Any:
    return format_rfc3339(value) if isinstance(value, datetime) else value


def _written(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members).encode()
