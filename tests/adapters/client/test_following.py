"""Events over a real connection: as they come, to their end, and over a connection that breaks."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web

from kataven_adapters.client import (
    APIError,
    ConnectionError,  # noqa: A004 - the client's own
    KatavenError,
    NotFoundError,
    ServerError,
    TimeoutError,  # noqa: A004 - the client's own
)
from kataven_adapters.client.following import MAX_FAILURES, Following

RUNNING = {"campaign_id": "c1", "status": "running"}
COMPLETED = {"campaign_id": "c1", "status": "completed"}
HEARTBEAT = b": heartbeat\n\n"
Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


def frame(sequence: int, members: dict[str, Any]) -> bytes:
    return f"id: {sequence}\ndata: {json.dumps(members)}\n\n".encode()


def end(sequence: int, members: dict[str, Any]) -> bytes:
    return f"id: {sequence}\nevent: end\ndata: {json.dumps(members)}\n\n".encode()


def events(*pieces: bytes, breaks: bool = False) -> Handle:
    """Send these pieces, one write each, and close; or let the connection break."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if breaks and request.transport:
            request.transport.close()
        return response

    return answer


def test_events_come_as_the_contract_says(scripted: Any, connect: Any) -> None:
    scripted.answers(events(frame(1, RUNNING), HEARTBEAT, frame(2, COMPLETED), end(2, COMPLETED)))
    found = list(connect(scripted.url).campaigns.stream_events("c1"))
    assert found == [RUNNING, ": heartbeat", COMPLETED, "event: end", COMPLETED]
    asked = scripted.asked[0]
    assert asked.target == "/api/v1/campaigns/c1/events"
    assert asked.headers["Accept"] == "text/event-stream, application/problem+json"
    assert "Last-Event-ID" not in asked.headers


def test_bytes_that_come_one_by_one_give_the_same(scripted: Any, connect: Any) -> None:
    data = frame(1, {"name": "☎"}) + HEARTBEAT + end(2, COMPLETED)
    scripted.answers(events(*(data[at : at + 1] for at in range(len(data)))))
    found = list(connect(scripted.url).campaigns.stream_events("c1"))
    assert found == [{"name": "☎"}, ": heartbeat", "event: end", COMPLETED]


def test_each_comes_at_once_and_leaving_early_closes_the_connection(scripted: Any, connect: Any) -> None:
    gone = threading.Event()

    async def listened_to(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionResetError, asyncio.CancelledError):
            await response.write(frame(1, RUNNING))
            while request.transport and not request.transport.is_closing():  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)
        gone.set()
        return response

    scripted.answers(listened_to)
    stream = connect(scripted.url).campaigns.stream_events("c1")
    assert next(stream) == RUNNING
    assert not gone.is_set()
    stream.close()
    assert gone.wait(30)


def test_rejects_come_as_they_are(scripted: Any, connect: Any) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/csv"})
        await response.prepare(request)
        for piece in (b"line,column,code,message,value\r\n", b"3,phone_number,invalid_number,", b"x,\xc3\xbc\r\n"):
            await response.write(piece)
        return response

    scripted.answers(answer)
    found = b"".join(connect(scripted.url).rejects("c1"))
    assert found == "line,column,code,message,value\r\n3,phone_number,invalid_number,x,ü\r\n".encode()
    assert scripted.asked[0].target == "/api/v1/campaigns/c1/rejects"
    assert scripted.asked[0].headers["Accept"] == "text/csv, application/problem+json"


def test_who_knows_an_event_begins_after_it(scripted: Any, connect: Any) -> None:
    scripted.answers(events(end(8, COMPLETED)))
    list(connect(scripted.url).campaigns.stream_events("c1", last_event_id="7"))
    assert scripted.asked[0].headers["Last-Event-ID"] == "7"


def test_a_server_that_closes_ends_the_events(scripted: Any, connect: Any) -> None:
    scripted.answers(events(frame(1, RUNNING)))
    assert list(connect(scripted.url).campaigns.stream_events("c1")) == [RUNNING]


def test_a_connection_that_breaks_is_an_error(scripted: Any, connect: Any) -> None:
    scripted.answers(events(frame(1, RUNNING), breaks=True))
    stream = connect(scripted.url).campaigns.stream_events("c1")
    with pytest.raises(ConnectionError, match="broke"):
        list(stream)


def test_after_the_end_nothing_is_an_error(scripted: Any, connect: Any) -> None:
    scripted.answers(events(end(1, COMPLETED), breaks=True))
    assert list(connect(scripted.url).campaigns.stream_events("c1")) == ["event: end", COMPLETED]


def test_a_connection_that_breaks_is_made_anew_where_that_is_wanted(scripted: Any, connect: Any) -> None:
    scripted.answers(events(frame(1, RUNNING)), (503, "not now"), events(frame(5, RUNNING)), events(end(9, COMPLETED)))
    found = list(connect(scripted.url).campaigns.stream_events("c1", reconnect=True))
    assert found == [RUNNING, RUNNING, "event: end", COMPLETED]
    assert [each.headers.get("Last-Event-ID") for each in scripted.asked] == [None, "1", "1", "5"]
    assert connect.slept == [0.5, 1.0, 0.5]


def test_what_was_never_there_is_not_asked_for_again(scripted: Any, connect: Any) -> None:
    scripted.answers((503, "not now"))
    with pytest.raises(ServerError, match="not now"):
        list(connect(scripted.url).campaigns.stream_events("c1", reconnect=True))


def test_who_is_gone_meanwhile_is_not_asked_for_again(scripted: Any, connect: Any) -> None:
    scripted.answers(events(frame(1, RUNNING)), (404, "no such campaign"))
    with pytest.raises(NotFoundError, match="no such campaign"):
        list(connect(scripted.url).campaigns.stream_events("c1", reconnect=True))


def begun(*, is_persistent: bool = True) -> Following:
    following = Following("c1", None, is_persistent=is_persistent, chance=lambda: 0.0)
    following.call()
    following.read(frame(1, RUNNING))
    return following


@pytest.mark.parametrize("error", [ConnectionError("a"), TimeoutError("a"), ServerError(502, "bad_gateway", "a"), None])
def test_it_gives_up_at_last(error: KatavenError | None) -> None:
    following = begun()
    waits = [following.wait_s(error) for _ in range(MAX_FAILURES)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0]
    with pytest.raises(type(error) if error else ConnectionError):
        following.wait_s(error)


def test_an_id_that_no_header_can_hold_is_not_begun_after() -> None:
    following = begun()
    following.read("id: ü\ndata: {}\n\n".encode())
    assert following.call().headers["Last-Event-ID"] == "1"


def test_a_sign_of_life_counts_as_success() -> None:
    following = begun()
    following.wait_s(None)
    following.call()
    following.read(HEARTBEAT)
    assert following.wait_s(None) == 0.5


@pytest.mark.parametrize("error", [APIError(418, "teapot", "a"), KatavenError("a")])
def test_what_does_not_pass_is_raised(error: KatavenError) -> None:
    with pytest.raises(KatavenError, match="a"):
        begun().wait_s(error)


def test_who_does_not_want_it_hears_of_the_first_break() -> None:
    assert begun(is_persistent=False).wait_s(None) is None
    with pytest.raises(ConnectionError):
        begun(is_persistent=False).wait_s(ConnectionError("a"))


def test_after_the_end_there_is_nothing_to_wait_for() -> None:
    following = begun()
    following.read(end(2, COMPLETED))
    assert following.wait_s(TimeoutError("a")) is None
