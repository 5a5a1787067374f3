"""What dialers post to ``/lines/NAME/reports``: to lines that are made up, and to a real one in front of an engine."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest

import kataven_core as kc
from kataven_adapters.http_line import HttpLine, http_line
from kataven_adapters.wire.taking import MAX_BYTES
from kataven_adapters.wire.webhooks import key_of, signed
from kataven_core.ports import LineOptions
from kataven_core.runtime import SystemClock

from .conftest import Serve, free_socket

SECRET: Final = "whsec_bm9ib2R5J3MgcGhvbmUgcmluZ3M="  # noqa: S105 - made up
OTHER_SECRET: Final = "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA=="  # noqa: S105 - made up
PATH: Final = "/lines/pbx/reports"
RINGS: Final = {"attempt_id": "nobody's.0.1", "sequence": 1, "type": "ringing", "at": "2026-01-31T12:00:00Z"}
JSON_FORM: Final = {"Accept": "application/problem+json"}


class Heard:
    """A line that takes what comes, or fails as it is told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[bytes] = []
        self.is_durable = asyncio.Event()
        self.is_durable.set()

    async def take(self, headers: Mapping[str, str], body: bytes) -> None:
        self.headers.append(headers)
        self.bodies.append(body)
        if self.failure is not None:
            raise self.failure
        await self.is_durable.wait()


def body_of(*reports: Mapping[str, Any]) -> bytes:
    return json.dumps({"reports": reports}).encode()


def headers_of(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return signed(key_of(secret), "m-1", SystemClock().now(), body)


def a_line_whose_dialer_is_away() -> HttpLine:
    with free_socket() as nobody:
        _, port = nobody.getsockname()
    options = LineOptions(secret=SECRET, report_url="http://127.0.0.1/lines/http/reports")
    return http_line(f"http://127.0.0.1:{port}", SystemClock(), options)


async def test_a_line_is_handed_what_is_posted_as_it_is_and_no_key_is_asked_for(
    serve: Serve, http: httpx.AsyncClient
) -> None:
    pbx, other = Heard(), Heard()
    server = await serve(line_reports={"pbx": pbx.take, "other": other.take})
    body = b'\x00 {"reports": []}\xff'
    answer = await http.post(server.base + PATH, content=body, headers={"Webhook-Id": "m-1"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert pbx.bodies == [body]
    assert pbx.headers[0]["webhook-id"] == "m-1"
    assert other.bodies == []


async def test_a_line_that_nobody_knows_is_not_there(serve: Serve, http: httpx.AsyncClient) -> None:
    pbx = Heard()
    server = await serve(line_reports={"pbx": pbx.take})
    for path in ("/lines/http/reports", "/lines/reports", "/lines/pbx", "/lines/pbx/reports/", "/api/v1" + PATH):
        assert (await http.post(server.base + path, content=b"{}")).status_code == 404, path
    answer = await http.post(f"{server.base}/lines/http/reports", content=b"{}", headers=JSON_FORM)
    assert answer.json()["code"] == "not_found"
    assert "check the report URL" in answer.json()["detail"]
    assert pbx.bodies == []


async def test_reports_are_posted_and_nothing_else(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(line_reports={"pbx": Heard().take})
    answer = await http.get(server.base + PATH)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (kc.CommandRefused("bad_signature", "it is not signed"), 401, "bad_signature"),
        (kc.InvalidValue("invalid_body", "the body is no JSON object"), 400, "invalid_body"),
        (kc.AdapterFault("store_failed", "the disk is full", is_retryable=True), 503, "store_failed"),
    ],
)
async def test_what_a_line_refuses_is_answered_by_who_is_to_blame(
    serve: Serve, http: httpx.AsyncClient, failure: Exception, status: int, code: str
) -> None:
    server = await serve(line_reports={"pbx": Heard(failure).take})
    answer = await http.post(server.base + PATH, content=b"{}", headers=JSON_FORM)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("Retry-After" in answer.headers) == (status == 503)


async def test_as_much_as_a_thousand_long_reports_is_taken_and_not_a_byte_more(
    serve: Serve, http: httpx.AsyncClient
) -> None:
    pbx = Heard()
    server = await serve(line_reports={"pbx": pbx.take})
    assert (await http.post(server.base + PATH, content=bytes(MAX_BYTES))).status_code == 204
    answer = await http.post(server.base + PATH, content=bytes(MAX_BYTES + 1), headers=JSON_FORM)
    assert (answer.status_code, answer.json()["code"]) == (400, "body_too_large")
    assert [len(body) for body in pbx.bodies] == [MAX_BYTES]


async def test_it_is_answered_only_when_it_is_durable(serve: Serve, http: httpx.AsyncClient) -> None:
    pbx = Heard()
    pbx.is_durable.clear()
    server = await serve(line_reports={"pbx": pbx.take})
    posting = asyncio.create_task(http.post(server.base + PATH, content=b"{}"))
    while not pbx.bodies:  # noqa: ASYNC110 - it has no event of its own
        await asyncio.sleep(0.01)
    assert (await http.get(f"{server.base}/healthz")).status_code == 200
    assert not posting.done()
    pbx.is_durable.set()
    assert (await posting).status_code == 204


# A real line


async def test_signed_reports_reach_the_engine_and_those_of_unknown_calls_are_counted(
    serve: Serve, http: httpx.AsyncClient
) -> None:
    line = a_line_whose_dialer_is_away()
    server = await serve(line=line, line_reports={"pbx": line.take})
    body = body_of(RINGS, {**RINGS, "sequence": 2, "type": "ended", "outcome": "busy"})
    answer = await http.post(server.base + PATH, content=body, headers=headers_of(body))
    assert (answer.status_code, answer.text) == (204, "")
    page = (await http.get(f"{server.base}/metrics")).text
    assert "\nkataven_reports_passed_over_total 2.0\n" in page


@pytest.mark.parametrize("headers", [{}, headers_of(body_of(RINGS), OTHER_SECRET), headers_of(body_of())])
async def test_what_the_dialer_has_not_signed_is_refused_and_changes_nothing(
    serve: Serve, http: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    line = a_line_whose_dialer_is_away()
    server = await serve(line=line, line_reports={"pbx": line.take})
    answer = await http.post(server.base + PATH, content=body_of(RINGS), headers={**headers, **JSON_FORM})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert "\nkataven_reports_passed_over_total 0.0\n" in (await http.get(f"{server.base}/metrics")).text


async def test_what_is_signed_and_can_t_be_read_names_each_member(serve: Serve, http: httpx.AsyncClient) -> None:
    line = a_line_whose_dialer_is_away()
    server = await serve(line=line, line_reports={"pbx": line.take})
    body = body_of(RINGS, {**RINGS, "type": "sings", "sequence": -1})
    answer = await http.post(server.base + PATH, content=body, headers={**headers_of(body), **JSON_FORM})
    assert answer.status_code == 400
    assert {each["field"] for each in answer.json()["errors"]} == {"reports[1].type", "reports[1].sequence"}


async def test_an_engine_that_has_ended_takes_no_reports(serve: Serve, http: httpx.AsyncClient) -> None:
    line = a_line_whose_dialer_is_away()
    server = await serve(line=line, line_reports={"pbx": line.take})
    await server.engine.__aexit__(None, None, None)
    body = body_of(RINGS)
    answer = await http.post(server.base + PATH, content=body, headers={**headers_of(body), **JSON_FORM})
    assert (answer.status_code, answer.json()["code"]) == (503, "line_closed")


async def test_a_line_whose_dialer_is_away_is_not_ready_and_only_the_log_says_where_it_is(
    serve: Serve, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    line = a_line_whose_dialer_is_away()
    server = await serve(line=line, line_reports={"pbx": line.take})
    answer = await http.get(f"{server.base}/readyz")
    assert (answer.status_code, answer.text) == (503, "line is not ready: the log says why")
    assert line.trouble is not None
    assert f"not ready: line: {line.trouble}" in caplog.messages
