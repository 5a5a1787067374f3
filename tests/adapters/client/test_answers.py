"""Every answer that is no success is an error of its kind, whoever gave it and however it is worded."""

import json
import pickle
from typing import Any

import httpx
import pytest
from aiohttp import web

from kataven_adapters.client import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    CreatedCampaign,
    KatavenError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)
from kataven_adapters.client.answers import error_of


def problem(status: int, **members: object) -> web.Response:
    return web.Response(status=status, text=json.dumps(members), content_type="application/problem+json")


def read(status: int, content: bytes | str = b"", **headers: str) -> APIError:
    request = httpx.Request("GET", "http://voice.example.com/api/v1/campaigns")
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_of(httpx.Response(status, content=content, headers=names, request=request))


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, BadRequestError, "bad_request"),
        (401, AuthenticationError, "unauthorized"),
        (403, PermissionDeniedError, "forbidden"),
        (404, NotFoundError, "not_found"),
        (409, ConflictError, "conflict"),
        (413, APIError, "content_too_large"),
        (414, APIError, "uri_too_long"),
        (416, APIError, "range_not_satisfiable"),
        (422, APIError, "unprocessable_content"),
        (429, RateLimitError, "rate_limited"),
        (500, ServerError, "server_error"),
        (503, ServerError, "service_unavailable"),
        (599, ServerError, "http_599"),
    ],
)
def test_each_status_is_an_error_of_its_kind(
    scripted: Any, connect: Any, status: int, kind: type[APIError], code: str
) -> None:
    scripted.answers((status, "the sentence"), problem(status, code="the_code", detail="the detail"))
    client = connect(scripted.url)
    with pytest.raises(KatavenError) as text:
        client.campaigns.get("c1")
    assert type(text.value) is kind
    assert (text.value.status_code, text.value.code, text.value.message) == (status, code, "the sentence")
    with pytest.raises(KatavenError) as json_:
        client.campaigns.start("c1")
    assert type(json_.value) is kind
    assert (json_.value.status_code, json_.value.code, json_.value.message) == (status, "the_code", "the detail")
    assert str(json_.value) == "the detail"


def test_streams_are_refused_the_same(scripted: Any, connect: Any) -> None:
    client = connect(scripted.url)
    for stream in (client.campaigns.stream_events, client.rejects):
        scripted.answers(problem(404, code="not_found", detail="there is no such campaign: check the id"))
        with pytest.raises(NotFoundError, match="there is no such campaign: check the id"):
            list(stream("c1"))


def test_all_that_is_wrong_is_told(scripted: Any, connect: Any) -> None:
    wrong = [{"field": "name", "message": "name is blank"}, {"field": "agent_id", "message": "no such agent"}]
    scripted.answers(problem(400, code="invalid_request", detail="x", errors=wrong))
    with pytest.raises(BadRequestError) as found:
        connect(scripted.url).campaigns.list()
    assert found.value.errors == wrong


def test_nobody_is_followed_with_the_key(scripted: Any, connect: Any) -> None:
    scripted.answers(web.Response(status=302, text="302: Found", headers={"Location": "http://127.0.0.1:1/elsewhere"}))
    with pytest.raises(APIError, match=r"127.0.0.1 answered 302 Found: give base_url the address it redirects to"):
        connect(scripted.url).campaigns.list()


@pytest.mark.parametrize("body", ["<html>hello</html>", "[]", "", "null"])
def test_a_success_that_is_not_of_the_api_is_an_error(scripted: Any, connect: Any, body: str) -> None:
    scripted.answers((200, body))
    with pytest.raises(
        APIError, match=r"what 127.0.0.1 answered \(200 OK\) is not the campaigns API's: check base_url"
    ):
        connect(scripted.url).campaigns.list()


def test_a_page_in_place_of_events_is_an_error(scripted: Any, connect: Any) -> None:
    scripted.answers((200, "<html>hello</html>"))
    with pytest.raises(APIError, match="is not the campaigns API's"):
        list(connect(scripted.url).campaigns.stream_events("c1"))


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (
            b"<html>a proxy's page</html>",
            "text/html",
            "voice.example.com answered 502 Bad Gateway and does not say why",
        ),
        (b"", "text/plain", "voice.example.com answered 502 Bad Gateway and does not say why"),
        (b" a sentence\n", "text/plain", "a sentence"),
        (b"caf\xe9", "text/plain", "caf�"),
        (b'{"title": "Bad Gateway"}', "application/json", "Bad Gateway"),
        (b'{"detail": 7, "message": "m"}', "application/json", "m"),
        (b'{"detail": " "}', "application/json", "voice.example.com answered 502 Bad Gateway and does not say why"),
        (b"[" * 100_000, "application/json", "voice.example.com answered 502 Bad Gateway and does not say why"),
        (b"x" * 5000, "text/plain", "x" * 2000),
    ],
)
def test_what_is_told_of_an_answer(content: bytes, kind: str, message: str) -> None:
    assert read(502, content, Content_Type=kind).message == message


def test_a_status_that_has_no_name_is_told_by_its_number() -> None:
    assert read(599).message == "voice.example.com answered 599 and does not say why"


def test_members_of_a_wrong_kind_are_passed_over() -> None:
    error = read(400, b'{"code": 7, "errors": ["a", {"line": 2}], "detail": "d"}')
    assert (error.code, error.errors) == ("bad_request", [{"line": 2}])
    assert read(400, b'{"errors": {"a": 1}}').errors == ()


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        ("7", "", 7.0),
        ("0", "", 0.0),
        ("Thu, 01 Jan 2026 00:01:00 GMT", "Thu, 01 Jan 2026 00:00:18 GMT", 42.0),
        ("Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:18 GMT", 0.0),
        ("Thu, 01 Jan 2026 00:01:00 GMT", "", None),
        ("Thu, 01 Jan 2026 00:01:00 GMT", "Thu, 01 Jan 2026 00:00:18 -0000", None),
        ("soon", "Thu, 01 Jan 2026 00:00:18 GMT", None),
        ("-1", "", None),
        ("\u0661", "", None),
        ("9" * 400, "", None),
    ],
)
def test_when_to_ask_again(retry_after: str, date: str, seconds: float | None) -> None:
    headers = httpx.Headers([("Retry-After", retry_after), ("Date", date)], encoding="utf-8")
    request = httpx.Request("GET", "http://voice.example.com")
    assert error_of(httpx.Response(429, headers=headers, request=request)).retry_after == seconds


def test_errors_and_campaigns_travel_between_processes() -> None:
    error = read(429, b'{"code": "c", "detail": "d", "errors": [{"line": 2}]}', Retry_After="3")
    same = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(same) is RateLimitError
    assert vars(same) == vars(error)
    assert str(same) == "d"
    campaign = CreatedCampaign({"id": "c1"}, 3, 0)
    same_one = pickle.loads(pickle.dumps(campaign))  # noqa: S301 - our own
    assert (same_one, same_one.accepted_rows, same_one.rejected_rows) == ({"id": "c1"}, 3, 0)
