"""What a dialer is answered while a file is dialled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack

import httpx
import pytest
from aiohttp import web

from kataven_adapters.cli.dial import reports_app as module
from kataven_adapters.cli.dial.reports_app import reports_app
from kataven_core import AdapterFault, CommandRefused, InvalidValue

Take = Callable[[Mapping[str, str], bytes], Awaitable[None]]
Serve = Callable[[Take], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def started(take: Take) -> str:
            runner = web.AppRunner(reports_app({"http": take}), access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return f"http://127.0.0.1:{runner.addresses[0][1]}/lines/http/reports"

        yield started


async def post(url: str, body: bytes, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        return await http.post(
            url, content=body, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )


async def test_what_is_posted_is_handed_on_as_it_is_and_answered_when_that_is_done(serve: Serve) -> None:
    taken: list[tuple[str, bytes]] = []
    is_durable = asyncio.Event()

    async def take(headers: Mapping[str, str], body: bytes) -> None:
        taken.append((headers["webhook-id"], body))
        await is_durable.wait()

    posting = asyncio.create_task(post(await serve(take), b"\x00{}\xff", Webhook_Id="m-1"))
    while not taken:  # noqa: ASYNC110 - it has no event of its own
        await asyncio.sleep(0.01)
    assert not posting.done()
    is_durable.set()
    answer = await posting
    assert (answer.status_code, answer.content) == (204, b"")
    assert taken == [("m-1", b"\x00{}\xff")]


@pytest.mark.parametrize(
    ("failure", "status", "sentence"),
    [
        (CommandRefused("bad_signature", "it is not signed"), 401, "it is not signed"),
        (InvalidValue("invalid_body", "the body is no JSON object"), 400, "the body is no JSON object"),
        (
            AdapterFault("store_failed", "/secret/place is full", is_retryable=True),
            503,
            "the reports can't be taken now: send them again in a moment",
        ),
    ],
)
async def test_what_is_refused_is_answered_by_who_is_to_blame(
    serve: Serve, failure: Exception, status: int, sentence: str
) -> None:
    async def take(_: Mapping[str, str], __: bytes) -> None:
        raise failure

    answer = await post(await serve(take), b"{}")
    assert (answer.status_code, answer.text) == (status, sentence)
    assert answer.headers.get("Retry-After") == ("1" if status == 503 else None)


async def nobody(_: Mapping[str, str], __: bytes) -> None:
    raise AssertionError


async def test_a_body_that_is_too_large_is_refused(serve: Serve) -> None:
    answer = await post(await serve(nobody), bytes(1024 * 1024 + 1))
    assert (answer.status_code, answer.text) == (400, "the body has more than 1,048,576 bytes: send fewer reports")


async def test_a_body_that_stops_coming_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BODY_S", 0.05)
    url = httpx.URL(await serve(nobody))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST /lines/http/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
    assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    writer.transport.abort()


async def test_nothing_else_is_there(serve: Serve) -> None:
    url = await serve(nobody)
    for other in (url.replace("http/reports", "pbx/reports"), url.replace("/lines/http/reports", "/docs")):
        assert (await post(other, b"{}")).status_code == 404, other
