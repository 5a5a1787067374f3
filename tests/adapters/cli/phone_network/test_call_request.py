import json
from typing import Any

import pytest

from kataven_adapters.cli.phone_network.call_request import read_call_request
from kataven_adapters.wire.http_line import CallRequest
from kataven_core import InvalidValue, PhoneNumber

from .conftest import a_call


def test_all_that_a_call_is_asked_for_with_is_read() -> None:
    body = json.dumps(a_call(ring_timeout_s=12.5, report_url="https://engine.example/lines/http/reports"))
    assert read_call_request(body.encode(), "march.0.1") == CallRequest(
        attempt_id="march.0.1",
        campaign_id="march",
        account_id="acme",
        to=PhoneNumber("+442079460958"),
        caller=PhoneNumber("+14155550100"),
        agent_id="reminder",
        route="reminders",
        variables={"name": "Ada"},
        ring_timeout_s=12.5,
        max_duration_s=3600,
        report_url="https://engine.example/lines/http/reports",
    )


@pytest.mark.parametrize("name", sorted(a_call()))
def test_every_member_of_the_contract_is_needed(name: str) -> None:
    members = a_call()
    del members[name]
    with pytest.raises(InvalidValue, match=f"^{name}: is missing$"):
        read_call_request(json.dumps(members).encode(), None)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"to": 442079460958}, "to: must be a string"),
        ({"to": "+1 415"}, "to: '+1 415' is no E.164 number: write + and 7 to 15 digits, the first 1 to 9"),
        ({"from": "office"}, "from: 'office' is no E.164 number: write + and 7 to 15 digits, the first 1 to 9"),
        ({"variables": "name"}, "variables: must be an object of strings"),
        ({"ring_timeout_s": 0}, "ring_timeout_s: must be more than 0 seconds"),
        ({"ring_timeout_s": True}, "ring_timeout_s: must be a number of seconds from 0 to 604,800"),
        ({"max_duration_s": "3600"}, "max_duration_s: must be a number of seconds from 0 to 604,800"),
        ({"max_duration_s": float("inf")}, "max_duration_s: must be a number of seconds from 0 to 604,800"),
        ({"attempt_id": ""}, "attempt_id: must have 1 to 200 characters, all of them printable"),
        ({"attempt_id": "a" * 201}, "attempt_id: must have 1 to 200 characters, all of them printable"),
        ({"attempt_id": "a\ud800"}, "attempt_id: must have 1 to 200 characters, all of them printable"),
        ({"report_url": "ftp://engine/reports"}, "report_url: must be an http:// or https:// address"),
        ({"report_url": "http:///reports"}, "report_url: must be an http:// or https:// address"),
        ({"report_url": "http://engine:port/"}, "report_url: must be an http:// or https:// address"),
        ({"to": None, "route": 1}, "to: must not be null; route: must be a string"),
    ],
)
def test_what_is_wrong_is_named(members: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_call_request(json.dumps(a_call(**members)).encode(), None)
    assert caught.value.message == sentence


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'"text"', b"null"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidValue, match="the body is no JSON object"):
        read_call_request(body, None)


def test_a_key_that_is_another_than_the_attempt_is_refused() -> None:
    with pytest.raises(InvalidValue, match="Idempotency-Key is not attempt_id"):
        read_call_request(json.dumps(a_call()).encode(), "march.0.2")
