"""What every way of serving the API does with requests that come in pieces, too slowly, or not at all."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from kataven_adapters.http.settings import ApiSettings

from .conftest import ACME, GLOBEX, KEYS, Serve, Server, auth
from .wire import Raw, connected, make, nobody_listens, path_of, troubles

BOUNDARY: Final = "boundary7"
MULTIPART: Final = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
CAMPAIGNS: Final = "/api/v1/campaigns"
MEBIBYTE: Final = 1024 * 1024


@pytest.fixture(autouse=True)
def _no_trouble_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert troubles(caplog.get_records("call")) == []


@pytest.fixture(autouse=True)
def _no_long_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    for binding in ("on_aiohttp", "on_asgi"):
        monkeypatch.setattr(f"kataven_adapters.http.{binding}.LINGER_S", 0.3)


def form(rows: int = 1, *, is_whole: bool = True) -> bytes:
    """Give a form with so many contacts; or one that stops in the middle of its file."""
    texts = {"name": "March", "agent_id": "reminder", "phone_number_id": "office"}
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in texts.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="contacts"; filename="c.csv"\r\n\r\n'
    file = "phone_number,note\n" + "".join(f"+1415{n:07d},{'x' * 60}\n" for n in range(rows))
    return "".join([*parts, head, file, f"\r\n--{BOUNDARY}--\r\n" if is_whole else ""]).encode()


def chunked(body: bytes, size: int = 1000) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


async def campaigns(server: Server, http: httpx.AsyncClient) -> int:
    answer = await http.get(server.base + CAMPAIGNS, headers=auth())
    count: int = answer.json()["count"]
    return count


async def still_fine(raw: Raw, server: Server) -> bool:
    """Say whether the connection can be used again."""
    await raw.ask("GET", path_of(server, "/healthz"))
    return (await raw.answer())[0] == 200


async def pump(raw: Raw, piece: bytes = b"x" * 65536, limit: int = 64 * MEBIBYTE) -> int:
    """Send until the server takes no more; give how much the system took from us."""
    sent = 0
    try:
        async with asyncio.timeout(5):
            while sent < limit:
                await raw.send(piece)
                sent += len(piece)
    except (ConnectionError, TimeoutError):
        pass
    return sent


async def test_a_body_may_come_in_chunks(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve()
    async with connected(server) as raw:
        await raw.ask("POST", path_of(server, CAMPAIGNS), MULTIPART, "Transfer-Encoding: chunked")
        await raw.send(chunked(form(rows=2000)))
        status, headers, _ = await raw.answer()
        assert (status, headers["kataven-accepted-rows"]) == (201, "2000")
        assert await still_fine(raw, server)
    assert await campaigns(server, http) == 1


async def test_a_body_may_be_cut_anywhere(serve: Serve) -> None:
    server = await serve()
    body = form()
    async with connected(server) as raw:
        for where in (0, 1, 37, -9, -1):
            await raw.ask("POST", path_of(server, CAMPAIGNS), MULTIPART, f"Content-Length: {len(body)}")
            for piece in (body[:where], body[where:]):
                await raw.send(piece)
                await asyncio.sleep(0.02)  # it is the server that is to see two pieces
            assert (await raw.answer())[0] == 201


@pytest.mark.parametrize("bad", [b"zz\r\nabc\r\n0\r\n\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"-1\r\n\r\n", b"\r\n\r\n"])
async def test_chunks_that_are_none_are_refused_and_leave_nothing(
    serve: Serve, http: httpx.AsyncClient, bad: bytes
) -> None:
    server = await serve(settings=ApiSettings(body_window_s=0.3))
    async with connected(server) as raw:
        await raw.ask("POST", path_of(server, CAMPAIGNS), MULTIPART, "Transfer-Encoding: chunked")
        await raw.send(b"%x\r\n%b\r\n" % (len(form(is_whole=False)), form(is_whole=False)))
        await asyncio.sleep(0.05)
        await raw.send(bad)
        said = await raw.rest()
        assert b"Traceback" not in said
        assert said.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 "))  # aiohttp says no word of it: nothing comes
    assert await campaigns(server, http) == 0


async def test_after_a_small_body_that_is_refused_the_connection_goes_on(serve: Serve) -> None:
    server = await serve()
    body = "x" * 10_000
    async with connected(server) as raw:
        for path, key, expected in [
            (CAMPAIGNS, "wrong", 401),
            ("/nowhere", None, 404),
            (f"{CAMPAIGNS}/1", KEYS[GLOBEX.id], 405),
        ]:
            await raw.ask("POST", path_of(server, path), f"Content-Length: {len(body)}", key=key, body=body)
            status, headers, _ = await raw.answer()
            assert status == expected
            assert headers.get("connection", "").lower() != "close"
            assert await still_fine(raw, server)


async def test_an_upload_is_asked_for_only_from_who_may_send_it(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve()
    body = form()
    head = (MULTIPART, f"Content-Length: {len(body)}", "Expect: 100-continue")
    async with connected(server) as raw:
        await raw.ask("POST", path_of(server, CAMPAIGNS), *head, key="wrong")
        status, headers, said = await raw.answer()
        assert status == 401
        assert headers["www-authenticate"] == "Bearer"
        assert said.startswith(b"the API key is missing")
        assert await raw.rest() == b""
    async with connected(server) as raw:
        await raw.ask("POST", path_of(server, CAMPAIGNS), *head)
        assert (await raw.head())[0] == 100
        await raw.send(body)
        assert (await raw.answer())[0] == 201
        assert await still_fine(raw, server)
    assert await campaigns(server, http) == 1


@pytest.mark.parametrize("framing", ["Content-Length: 67108864", "Transfer-Encoding: chunked"])
async def test_a_big_upload_that_is_refused_is_not_read_on_and_its_answer_arrives(serve: Serve, framing: str) -> None:
    server = await serve()
    piece = b"x" * 65536
    async with connected(server) as raw:
        await raw.ask("POST", path_of(server, CAMPAIGNS), MULTIPART, framing, key="wrong")
        pumping = asyncio.create_task(pump(raw, chunked(piece, len(piece))[:-5] if "chunked" in framing else piece))
        status, headers, said = await raw.answer()
        assert (status, headers["connection"].lower()) == (401, "close")
        assert said.startswith(b"the API key is missing")
        assert await pumping < 32 * MEBIBYTE  # what systems hold back on both sides, and a little


async def test_a_file_that_is_too_large_is_cut_off_with_a_sentence(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve()
    row = b"+14155550100," + b"x" * 987 + b"\n"
    async with connected(server) as raw:
        await raw.ask("POST", path_of(server, CAMPAIGNS), MULTIPART, "Content-Length: 67108864")
        await raw.send(form(is_whole=False))
        pumping = asyncio.create_task(pump(raw, row * 64))
        status, headers, said = await raw.answer()
        assert (status, headers["connection"].lower()) == (400, "close")
        assert b"10,485,760 bytes" in said
        assert await pumping < 48 * MEBIBYTE
    assert await campaigns(server, http) == 0


async def test_a_client_that_goes_in_the_middle_of_an_upload_leaves_nothing(
    serve: Serve, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    server = await serve(store="sqlite")
    for how in ("cut", "half-closed"):
        async with connected(server) as raw:
            await raw.ask("POST", path_of(server, CAMPAIGNS), MULTIPART, "Content-Length: 9000000")
            await raw.send(form(rows=5000, is_whole=False))
            await asyncio.sleep(0.1)
            assert await campaigns(server, http) == 0
            if how == "half-closed":
                raw.writer.write_eof()
                await raw.rest()
    await nothing_staged(tmp_path / "calls.db")
    assert await campaigns(server, http) == 0


async def nothing_staged(path: Path) -> None:
    """Wait until no row of a campaign that never was is kept."""
    async with asyncio.timeout(10):
        while rows(path):  # noqa: ASYNC110 - another thread writes it
            await asyncio.sleep(0.02)


def rows(path: Path) -> int:
    found = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [name for (name,) in found.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return sum(
            found.execute(f"SELECT count(*) FROM {each}").fetchone()[0]  # noqa: S608 - its own names
            for each in tables
            if "stag" in each or each in {"contacts", "rejects"}
        )
    finally:
        found.close()


@pytest.mark.parametrize("how", ["nothing", "half", "drops"])
async def test_a_body_that_stops_coming_is_cut_off(
    serve: Serve, http: httpx.AsyncClient, tmp_path: Path, how: str
) -> None:
    server = await serve(store="sqlite", settings=ApiSettings(body_window_s=0.3, body_window_bytes=4096))
    body = form(rows=3000)
    async with connected(server) as raw:
        await raw.ask("POST", path_of(server, CAMPAIGNS), MULTIPART, f"Content-Length: {len(body)}")
        if how == "half":
            await raw.send(body[: len(body) // 2])
        dripping = asyncio.create_task(drip(raw, body)) if how == "drops" else None
        async with asyncio.timeout(10):
            status, headers, said = await raw.answer()
        assert (status, headers["connection"].lower()) == (408, "close")
        assert said.startswith(b"the body stopped coming: at least 4,096 bytes")
        if dripping:
            dripping.cancel()
            await asyncio.wait({dripping})
    await nothing_staged(tmp_path / "calls.db")
    assert await campaigns(server, http) == 0


async def drip(raw: Raw, body: bytes) -> None:
    for at in range(len(body)):
        await raw.send(body[at : at + 1])
        await asyncio.sleep(0.02)


async def test_uploads_that_stand_still_block_nobody(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve(store="sqlite")
    async with many(server, 20) as stuck:
        for raw in stuck:
            await raw.ask("POST", path_of(server, CAMPAIGNS), MULTIPART, "Content-Length: 9000000")
            await raw.send(form(rows=500, is_whole=False))
        async with asyncio.timeout(10):
            answer = await http.post(server.base + CAMPAIGNS, headers=auth() | header(MULTIPART), content=form())
            assert answer.status_code == 201
            assert await campaigns(server, http) == 1


def header(line: str) -> dict[str, str]:
    return dict([line.split(": ", 1)])


@asynccontextmanager
async def many(server: Server, count: int) -> AsyncIterator[list[Raw]]:
    """Connect often."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(connected(server)) for _ in range(count)]


async def test_head_gives_the_head_alone(serve: Serve) -> None:
    server = await serve()
    name = await make(server, rejected=3)
    async with connected(server) as raw:
        for path in (
            CAMPAIGNS,
            f"{CAMPAIGNS}/{name}",
            "/healthz",
            f"{CAMPAIGNS}/nobody",
            f"{CAMPAIGNS}/{name}/rejects",
        ):
            await raw.ask("GET", path_of(server, path))
            status, expected = await raw.head()
            if "content-length" in expected:
                await raw.reader.readexactly(int(expected["content-length"]))
            else:
                await raw.reader.readuntil(b"0\r\n\r\n")
            await raw.ask("HEAD", path_of(server, path))
            found_status, found = await raw.head()
            assert found_status == status
            assert found["content-type"] == expected["content-type"]
            assert found.get("content-length") == expected.get("content-length")
            assert await still_fine(raw, server)


async def test_what_has_no_content_has_no_body_and_no_type(serve: Serve) -> None:
    server = await serve()
    async with connected(server) as raw:
        await raw.ask("DELETE", path_of(server, f"{CAMPAIGNS}/{await make(server)}"))
        status, headers = await raw.head()
        assert status == 204
        assert not {"content-type", "transfer-encoding"} & headers.keys()
        assert headers.get("content-length", "0") == "0"
        assert await still_fine(raw, server)


async def test_requests_may_wait_in_a_row_on_one_connection(serve: Serve) -> None:
    server = await serve()
    async with connected(server) as raw:
        for _ in range(5):
            await raw.ask("GET", path_of(server, "/healthz"))
        assert [(await raw.answer())[2] for _ in range(5)] == [b"alive\n"] * 5


async def test_who_goes_in_the_middle_of_a_long_answer_leaves_no_trace(serve: Serve) -> None:
    server = await serve()
    name = await make(server, rejected=40_000)
    for _ in range(3):
        async with connected(server, receive_bytes=2048, limit=512) as raw:
            await raw.ask("GET", path_of(server, f"{CAMPAIGNS}/{name}/rejects"))
            assert (await raw.head())[0] == 200
            raw.cut()
        async with connected(server) as raw:
            assert await still_fine(raw, server)
    await settled(server)


async def settled(server: Server) -> None:
    """Wait until no request is under way but this one."""
    async with connected(server) as raw:
        for _ in range(5):
            assert await still_fine(raw, server)
            await asyncio.sleep(0.02)


async def test_a_client_that_speaks_an_old_http_is_answered(serve: Serve) -> None:
    server = await serve()
    name = await make(server, rejected=2)
    for path, expected in [("/healthz", b"alive\n"), (f"{CAMPAIGNS}/{name}/rejects", b"wrong")]:
        async with connected(server) as raw:
            lines = [f"GET {path_of(server, path)} HTTP/1.0", f"Authorization: Bearer {KEYS[ACME.id]}", "", ""]
            await raw.send("\r\n".join(lines))
            said = await raw.rest()
            assert b" 200 OK\r\n" in said
            assert expected in said
            assert b"chunked" not in said


async def test_a_path_in_disguise_is_answered_without_a_fault(serve: Serve) -> None:
    server = await serve()
    for path in ("/%2Fapi/v1/campaigns", "/api%2Fv1/campaigns", "/api/v1/campaigns%00", "/%E0%A4%A"):
        async with connected(server) as raw:
            await raw.ask("GET", path_of(server, path))
            status, _, said = await raw.answer()
            assert status in {200, 400, 404}
            assert b"Traceback" not in said


async def test_where_the_api_is_found_does_not_hang_on_what_is_asked_for(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve()
    for name in ("a%20b", "%2F", "a%2Fb", "%25", "%252F", "%C3%A9", "%", "a;b", "a?b"):
        url = f"{server.base}{CAMPAIGNS}?x={name}"
        answer = await http.post(url, headers=auth() | header(MULTIPART), content=form())
        assert answer.status_code == 201
        assert answer.headers["Location"] == path_of(server, f"{CAMPAIGNS}/{answer.json()['id']}")
        found = await http.get(f"{server.base.removesuffix('/voice')}{answer.headers['Location']}", headers=auth())
        assert found.json() == answer.json()
        async with connected(server) as raw:
            await raw.ask("GET", path_of(server, f"{CAMPAIGNS}/{name}"))
            status, headers = await raw.head()
            assert (status, headers["content-type"]) == (404, "text/plain; charset=utf-8")


async def test_a_stream_that_is_asked_for_with_a_body_that_never_comes_is_not_kept(
    serve: Serve, http: httpx.AsyncClient
) -> None:
    server = await serve(settings=ApiSettings(tick_s=0.05, heartbeat_s=0.1, blocked_s=0.3))
    name = await make(server)
    async with connected(server) as raw:
        await raw.ask("GET", path_of(server, f"{CAMPAIGNS}/{name}/events"), "Content-Length: 5")
        await asyncio.sleep(0.1)
        raw.cut()
    await nobody_listens(server)
    assert await campaigns(server, http) == 1
