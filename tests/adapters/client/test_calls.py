"""What each method sends, as a server gets it."""

import io
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from aiohttp import web

from kataven_adapters.client import KatavenError, NotFoundError
from kataven_adapters.client.calls import creating

KEY = "sk_live_acme_test_0123456789"
CSV = b"phone_number\n+14155550100\n"
NEW = ("Spring", "agent", "number")


@pytest.mark.parametrize(
    ("method", "words", "line"),
    [
        ("list", (), "GET /api/v1/campaigns"),
        ("get", ("c1",), "GET /api/v1/campaigns/c1"),
        ("start", ("c1",), "POST /api/v1/campaigns/c1/start"),
        ("pause", ("c1",), "POST /api/v1/campaigns/c1/pause"),
        ("resume", ("c1",), "POST /api/v1/campaigns/c1/resume"),
        ("stop", ("c1",), "POST /api/v1/campaigns/c1/stop"),
        ("list_contacts", ("c1",), "GET /api/v1/campaigns/c1/contacts?page=0"),
        ("list_contacts", ("c1", "in_progress", 3), "GET /api/v1/campaigns/c1/contacts?status=in_progress&page=3"),
    ],
)
def test_each_method_asks_one_thing_and_gives_its_object(
    scripted: Any, connect: Any, method: str, words: tuple[Any, ...], line: str
) -> None:
    scripted.answers({"id": "c1", "name": "Ünïcode"})
    assert getattr(connect(scripted.url).campaigns, method)(*words) == {"id": "c1", "name": "Ünïcode"}
    asked = scripted.asked[0]
    assert f"{asked.method} {asked.target}" == line
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert asked.headers["Accept"] == "application/json, application/problem+json"
    assert asked.body == b""
    assert not {"X-Account-ID", "Idempotency-Key", "Transfer-Encoding"} & asked.headers.keys()


def test_the_account_is_named_where_it_was_given(scripted: Any, connect: Any) -> None:
    scripted.answers({"calls_per_minute": 60})
    assert connect(scripted.url, account_id="acme_test").call_limits() == {"calls_per_minute": 60}
    assert scripted.asked[0].target == "/api/v1/call-limits"
    assert scripted.asked[0].headers["X-Account-ID"] == "acme_test"


def test_deleting_gives_nothing(scripted: Any, connect: Any) -> None:
    scripted.answers((204, ""))
    assert connect(scripted.url).campaigns.delete("c1") is None
    assert (scripted.asked[0].method, scripted.asked[0].target) == ("DELETE", "/api/v1/campaigns/c1")


@pytest.mark.parametrize("operation", ["start", "pause", "resume", "stop"])
def test_an_idempotency_key_travels_as_a_header(scripted: Any, connect: Any, operation: str) -> None:
    scripted.answers({})
    getattr(connect(scripted.url).campaigns, operation)("c1", idempotency_key="once")
    assert scripted.asked[0].headers["Idempotency-Key"] == "once"


def test_an_idempotency_key_that_no_header_can_hold_is_refused(connect: Any) -> None:
    campaigns = connect("http://127.0.0.1:1").campaigns
    for key in ("", "ünïcode", "a\r\nX-Account-ID: other", " a", "a" * 256):
        with pytest.raises(KatavenError, match="idempotency_key must be 1 to 255 printable ASCII characters"):
            campaigns.start("c1", idempotency_key=key)


@pytest.mark.parametrize(
    "campaign_id", ["a b", "a?b=1", "a#b", "a%2Fb", "ü", "a;b", "..a", "c:1", "a+b", "...", "%2e%2e"]
)
def test_an_id_stays_one_segment_of_the_path(scripted: Any, connect: Any, campaign_id: str) -> None:
    ids = []

    async def echo(request: web.Request) -> web.Response:
        ids.append(request.path)
        return web.json_response({})

    scripted.answers(echo)
    connect(scripted.url).campaigns.get(campaign_id)
    assert ids == [f"/api/v1/campaigns/{campaign_id}"]
    assert scripted.asked[0].target.count("/") == 4


@pytest.mark.parametrize("campaign_id", ["", ".", "..", "a/b", "/", "../call-limits", "a\\b", "a\nb", "a\0", "\ud800"])
def test_an_id_that_is_none_is_not_found_and_never_asked_for(scripted: Any, connect: Any, campaign_id: str) -> None:
    client = connect(scripted.url)
    for method in ("get", "start", "pause", "resume", "stop", "delete", "list_contacts"):
        with pytest.raises(NotFoundError, match="no campaign has the id"):
            getattr(client.campaigns, method)(campaign_id)
    for stream in (client.campaigns.stream_events, client.rejects):
        with pytest.raises(NotFoundError):
            list(stream(campaign_id))
    assert scripted.asked == []


def test_a_create_sends_its_settings_before_the_file(scripted: Any, connect: Any) -> None:
    answer = web.json_response({"id": "c1"}, status=201)
    answer.headers.update({"Kataven-Accepted-Rows": "1", "Kataven-Rejected-Rows": "0"})
    scripted.answers(answer)
    created = connect(scripted.url).campaigns.create(*NEW, io.BytesIO(CSV))
    assert created == {"id": "c1"}
    assert (created.accepted_rows, created.rejected_rows) == (1, 0)
    asked = scripted.asked[0]
    assert (asked.method, asked.target) == ("POST", "/api/v1/campaigns")
    assert asked.headers["Content-Length"] == str(len(asked.body))
    assert asked.parts == [
        ("name", None, b"Spring"),
        ("agent_id", None, b"agent"),
        ("phone_number_id", None, b"number"),
        ("max_concurrent_calls", None, b"5"),
        ("retries_per_contact", None, b"0"),
        ("retry_delay_seconds", None, b"300"),
        ("contacts", "contacts.csv", CSV),
    ]


def test_what_steers_the_parse_stands_before_the_file(scripted: Any, connect: Any) -> None:
    scripted.answers({})
    created = connect(scripted.url).campaigns.create(
        'Frühling\r\n--x\r\n"; filename="a',
        "agent",
        "number",
        io.BytesIO(CSV),
        7,
        2,
        60,
        "2030-01-02T03:04:05Z",
        default_region="DE",
        phone_column="Téléphone",
        duplicates="keep",
        strict=True,
        idempotency_key="k",
    )
    assert (created.accepted_rows, created.rejected_rows) == (None, None)
    assert scripted.asked[0].headers["Idempotency-Key"] == "k"
    names = [name for name, _, _ in scripted.asked[0].parts]
    assert names[6:] == ["scheduled_at", "default_region", "phone_column", "duplicates", "strict", "contacts"]
    values = {name: value.decode() for name, _, value in scripted.asked[0].parts}
    assert values == {
        "name": 'Frühling\r\n--x\r\n"; filename="a',
        "agent_id": "agent",
        "phone_number_id": "number",
        "max_concurrent_calls": "7",
        "retries_per_contact": "2",
        "retry_delay_seconds": "60",
        "scheduled_at": "2030-01-02T03:04:05Z",
        "default_region": "DE",
        "phone_column": "Téléphone",
        "duplicates": "keep",
        "strict": "true",
        "contacts": CSV.decode(),
    }


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        (datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), b"2030-01-02T03:04:05Z"),
        (datetime(2030, 1, 2, 3, 4, 5, 60, tzinfo=timezone(timedelta(hours=2))), b"2030-01-02T01:04:05.000060Z"),
        ("2030-01-02T03:04:05+02:00", b"2030-01-02T03:04:05+02:00"),
    ],
)
def test_times_are_sent_in_utc_and_strings_as_they_are(scripted: Any, connect: Any, at: Any, sent: bytes) -> None:
    scripted.answers({})
    connect(scripted.url).campaigns.create(*NEW, io.BytesIO(CSV), scheduled_at=at)
    assert ("scheduled_at", None, sent) in scripted.asked[0].parts


def test_a_time_without_a_zone_is_refused() -> None:
    parts = {"scheduled_at": datetime(2030, 1, 2)}  # noqa: DTZ001 - what is refused
    with pytest.raises(KatavenError, match="scheduled_at is a time without a zone: give it one"):
        creating(io.BytesIO(CSV), parts, "b", None, None)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(KatavenError, match="lone surrogate"):
        creating(io.BytesIO(CSV), {"name": "\ud800"}, "b", None, None)
