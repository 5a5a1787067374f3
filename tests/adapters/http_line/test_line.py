import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from kataven_adapters.http_line import http_line
from kataven_adapters.wire.webhooks import key_of, signed
from kataven_core import (
    AdapterFault,
    Answered,
    CommandRefused,
    Ended,
    InvalidValue,
    Outcome,
    Placed,
    Ringing,
    Unsent,
)
from kataven_core.ports import LineOptions, Originated
from kataven_core.testing.clocks import StillClock
from kataven_core.testing.samples import NOON, an_order

from .conftest import SECRET, Dialer, Lines, Say, never, reset, say, serve

ORDER = an_order(1)
NAME = ORDER.attempt_id
UNSENT = Originated(report=Unsent(attempt_id=NAME, at=NOON))
KEY = key_of(SECRET)
REPORTS = json.dumps(
    {
        "reports": [
            {"attempt_id": NAME, "sequence": 1, "type": "ringing", "at": "2026-03-02T12:00:00Z"},
            {"attempt_id": NAME, "sequence": 2, "type": "answered", "at": "2026-03-02T12:00:00Z"},
            {"attempt_id": NAME, "sequence": 3, "type": "ended", "outcome": "busy", "at": "2026-03-02T12:00:00Z"},
        ]
    }
).encode()


async def test_a_call_is_asked_for_once_and_placed(lines: Lines, dialer: Dialer) -> None:
    line, heard = await lines.open(token="t0ken", ring_timeout_s=20.0, max_duration_s=60.0)  # noqa: S106 - made up
    assert await line.originate(ORDER) == Originated(report=Placed(attempt_id=NAME, at=NOON, call_id=f"c-{NAME}"))
    [call] = dialer.calls
    assert call.target == "/calls"
    assert call.headers["Idempotency-Key"] == NAME
    assert call.headers["Authorization"] == "Bearer t0ken"
    assert json.loads(call.body)["report_url"] == "http://engine.test/lines/http/reports"
    assert json.loads(call.body)["ring_timeout_s"] == 20.0
    assert json.loads(call.body)["max_duration_s"] == 60.0
    assert heard.turns == []


async def test_without_a_token_none_is_sent_and_an_address_may_have_a_path(lines: Lines, dialer: Dialer) -> None:
    line, _ = await lines.open(url=f"{dialer.url}/api/v1/")
    await line.originate(ORDER)
    assert [call.target for call in dialer.calls] == ["/api/v1/calls"]
    assert "Authorization" not in dialer.calls[0].headers


async def test_a_call_that_was_placed_before_is_placed(lines: Lines, dialer: Dialer) -> None:
    dialer.place = say(200, {"attempt_id": NAME, "call_id": "c", "more": 1})
    line, _ = await lines.open()
    assert (await line.originate(ORDER)).report == Placed(attempt_id=NAME, at=NOON, call_id="c")


@pytest.mark.parametrize("status", [400, 422])
async def test_a_number_that_the_dialer_refuses_is_invalid(lines: Lines, dialer: Dialer, status: int) -> None:
    dialer.place = say(status, {"code": "invalid_number", "message": "no such number"})
    line, heard = await lines.open()
    ended = Ended(attempt_id=NAME, at=NOON, outcome=Outcome.INVALID_NUMBER)
    assert await line.originate(ORDER) == Originated(report=ended)
    assert heard.turns == []


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "Mon, 02 Mar 2026 12:01:30 GMT"}, 90.0),
        ({"Retry_After": "Mon, 02 Mar 2026 11:00:00 GMT"}, 0.0),
        ({"Retry_After": "Mon, 02 Mar 2026 12:01:30 -0000"}, 90.0),
        ({"Retry_After": "999999999"}, 3_600.0),
        ({"Retry_After": "9" * 400}, None),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-1"}, None),
        ({}, None),
    ],
)
async def test_an_account_that_is_to_wait_is_unsent_and_the_line_stays_up(
    lines: Lines, dialer: Dialer, header: dict[str, str], wait_s: float | None
) -> None:
    dialer.place = say(429, **header)
    line, heard = await lines.open()
    assert await line.originate(ORDER) == Originated(report=UNSENT.report, retry_after_s=wait_s)
    assert heard.turns == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (say(401), "set [line] token to the dialer's"),
        (say(403), "token to one that may place calls"),
        (say(404), "is the line's address right?"),
        (say(405), "is the line's address right?"),
        (say(400), "look into its log"),
        (say(422, {"code": "invalid_agent", "message": "who?"}), "'who?'"),
        (say(400, ["invalid_number"]), "answers 400"),
        (say(409, {"code": "invalid_number"}), "answers 409"),
        (say(499, text="\x00"), "answers 499"),
    ],
)
async def test_any_other_refusal_is_the_lines_trouble(lines: Lines, dialer: Dialer, answer: Say, said: str) -> None:
    dialer.place = answer
    line, heard = await lines.open(first_pause_s=30.0)
    assert await line.originate(ORDER) == UNSENT
    assert line.trouble is not None
    assert said in line.trouble
    assert heard.turns == [line.trouble]
    assert len(dialer.calls) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (say(302, Location="/elsewhere"), "which is not followed"),
        (say(307, Location="/elsewhere"), "which is not followed"),
        (say(304), "answers 304"),
        (say(500), "answers 500"),
        (say(503, {"message": "full"}), "answers 503: 'full'"),
        (reset, "broke off"),
        (say(201, text="ok"), "can't be read"),
        (say(200, {"attempt_id": "another", "call_id": "c"}), "attempt_id is another"),
        (say(201, {"attempt_id": NAME}), "call_id: is missing"),
        (say(201, {"attempt_id": NAME, "call_id": "\ud800"}), "call_id: must have"),
        (say(202), "can't be read"),
        (say(204), "can't be read"),
    ],
)
async def test_what_leaves_open_whether_the_phone_rings_is_raised(
    lines: Lines, dialer: Dialer, answer: Say, said: str
) -> None:
    dialer.place = answer
    line, heard = await lines.open()
    dialer.live = never
    with pytest.raises(AdapterFault) as caught:
        await line.originate(ORDER)
    assert caught.value.is_retryable
    assert said in caught.value.message
    assert heard.turns == [line.trouble] == [caught.value.message]
    assert len(dialer.calls) == 1


async def test_a_call_that_is_not_answered_in_time_is_raised(lines: Lines, dialer: Dialer) -> None:
    dialer.place = never
    line, heard = await lines.open(request_limit_s=0.5)
    await heard.up()
    with pytest.raises(AdapterFault, match=r"has not answered within 0\.5 s"):
        await line.originate(ORDER)
    assert len(dialer.calls) == 1


async def test_a_connection_that_is_closed_under_a_call_is_not_asked_again(lines: Lines, dialer: Dialer) -> None:
    peers: list[Any] = []

    async def live(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        return web.json_response({"calls": []})

    async def close(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        return await reset(request)

    dialer.live, dialer.place = live, close
    line, _ = await lines.open()
    dialer.live = never
    with pytest.raises(AdapterFault):
        await line.originate(ORDER)
    assert len(dialer.calls) == 1
    assert len({*peers}) == 1  # it was the connection that was kept


async def test_a_dialer_that_is_away_has_heard_nothing(lines: Lines, dialer: Dialer) -> None:
    dialer.live = say(members={"calls": []}, Connection="close")
    runner = await serve(dialer, lines.stack)
    line, heard = await lines.open(first_pause_s=30.0)
    await runner.cleanup()
    assert await line.originate(ORDER) == UNSENT
    assert line.trouble is not None
    assert "can't be reached" in line.trouble
    assert heard.turns == [line.trouble]
    assert dialer.calls == []


@pytest.mark.parametrize("url", ["https://127.0.0.1:{port}", "http://nobody.invalid:{port}"])
async def test_a_dialer_that_can_never_be_reached_is_in_trouble_and_asked_for_nothing(
    lines: Lines, dialer: Dialer, url: str
) -> None:
    line, heard = await lines.open(url=url.format(port=dialer.port), first_pause_s=30.0)
    assert line.trouble is not None
    assert "can't be reached" in line.trouble
    assert await line.originate(ORDER) == UNSENT
    assert dialer.calls == []
    assert heard.turns == []


async def test_nothing_is_asked_for_where_nobody_listens_or_it_is_not_open(dialer: Dialer) -> None:
    line = http_line(dialer.url, StillClock(), LineOptions(secret=SECRET, report_url="http://e.test/r"))
    assert line.trouble == "the line is not open"
    assert await line.originate(ORDER) == UNSENT
    async with line:
        assert await line.originate(ORDER) == UNSENT
        await line.drain()
    assert line.trouble == "the line is not open"
    assert dialer.calls == []


# Reports.


async def test_reports_are_delivered_and_durable_when_they_are_taken(lines: Lines) -> None:
    line, heard = await lines.open()
    await line.take(signed(KEY, "m", NOON, REPORTS), REPORTS)
    assert heard.reports == [
        Ringing(attempt_id=NAME, at=NOON),
        Answered(attempt_id=NAME, at=NOON),
        Ended(attempt_id=NAME, at=NOON, outcome=Outcome.BUSY),
    ]


async def test_what_the_listener_can_not_write_goes_out_as_it_is(lines: Lines) -> None:
    line, heard = await lines.open()
    heard.fault = AdapterFault("disk_full", "no room", is_retryable=True)
    with pytest.raises(AdapterFault) as caught:
        await line.take(signed(KEY, "m", NOON, REPORTS), REPORTS)
    assert caught.value is heard.fault


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(KEY, "m", NOON, b"another"),
        signed(key_of("whsec_YW5vdGhlcg=="), "m", NOON, REPORTS),
        signed(KEY, "m", NOON - timedelta(seconds=301), REPORTS),
        signed(KEY, "m", NOON + timedelta(seconds=301), REPORTS),
    ],
)
async def test_what_is_not_signed_by_the_dialer_changes_nothing(lines: Lines, headers: dict[str, str]) -> None:
    line, heard = await lines.open()
    with pytest.raises(CommandRefused) as caught:
        await line.take(headers, REPORTS)
    assert caught.value.code == "bad_signature"
    assert heard.reports == []


@pytest.mark.parametrize("body", [b"", b"{}", b"[" * 10_000, REPORTS.replace(b"busy", b"lost"), b"\xff"])
async def test_a_body_that_is_signed_and_wrong_changes_nothing(lines: Lines, body: bytes) -> None:
    line, heard = await lines.open()
    with pytest.raises(InvalidValue):
        await line.take(signed(KEY, "m", NOON, body), body)
    assert heard.reports == []


async def test_reports_are_not_taken_while_nobody_listens_or_it_is_not_open(lines: Lines) -> None:
    line, heard = await lines.open()
    deaf = http_line(lines.dialer.url, StillClock(), LineOptions(secret=SECRET, report_url="http://e.test/r"))
    async with deaf:
        with pytest.raises(AdapterFault, match="send them again"):
            await deaf.take(signed(KEY, "m", NOON, REPORTS), REPORTS)
    await line.__aexit__(None, None, None)
    with pytest.raises(AdapterFault, match="send them again"):
        await line.take(signed(KEY, "m", NOON, REPORTS), REPORTS)
    assert heard.reports == []
