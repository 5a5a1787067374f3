"""``POST /calls`` as it comes over the wire: all that the HTTP line promises, or a sentence about what is amiss."""

import json
import math
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from kataven_core import InvalidValue, PhoneNumber, Problem

from .network import CallRequest

_MAX_ID_CHARS: Final = 200
_TEXTS: Final = ("attempt_id", "campaign_id", "account_id", "to", "from", "agent_id", "route", "report_url")
_NUMBERS: Final = ("to", "from")
_SECONDS: Final = ("ring_timeout_s", "max_duration_s")


def read_call_request(body: bytes, idempotency_key: str | None) -> CallRequest:
    """Read what somebody asks for; ``InvalidValue`` names every member that is missing or wrong."""
    try:
        members = json.loads(body)
    except ValueError:  # bytes that are no text among them
        members = None
    if not isinstance(members, dict):
        raise InvalidValue("invalid_request", "the body is no JSON object: send the members of a call")
    problems = list(_wrong(members))
    if not problems and idempotency_key not in {None, members["attempt_id"]}:
        problems.append(Problem("attempt_id", "the header Idempotency-Key is not attempt_id: send the same in both"))
    if problems:
        raise InvalidValue.of("invalid_request", problems)
    return CallRequest(
        attempt_id=members["attempt_id"],
        campaign_id=members["campaign_id"],
        account_id=members["account_id"],
        to=members["to"],
        ring_timeout_s=members["ring_timeout_s"],
        max_duration_s=members["max_duration_s"],
        report_url=members["report_url"],
    )


def _wrong(members: dict[str, Any]) -> Iterator[Problem]:
    for name in _TEXTS:
        if not isinstance(members.get(name), str):
            yield Problem(name, f"{name} is missing or no text")
    for name in _NUMBERS:
        if isinstance(members.get(name), str):
            yield from _wrong_number(name, members[name])
    for name in _SECONDS:
        if not _is_time(members.get(name)):
            yield Problem(name, f"{name} is missing or no number of seconds above 0")
    if not isinstance(members.get("variables"), dict):
        yield Problem("variables", "variables is missing or no object")
    attempt_id, report_url = members.get("attempt_id"), members.get("report_url")
    if isinstance(attempt_id, str) and not (1 <= len(attempt_id) <= _MAX_ID_CHARS and attempt_id.isprintable()):
        yield Problem("attempt_id", f"attempt_id must have 1 to {_MAX_ID_CHARS} characters, all of them printable")
    if isinstance(report_url, str) and not _is_http(report_url):
        yield Problem("report_url", "report_url must be an http:// or https:// address")


def _wrong_number(name: str, text: str) -> Iterator[Problem]:
    try:
        PhoneNumber(text)
    except InvalidValue as error:
        yield Problem(name, f"{name}: {error.message}")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
