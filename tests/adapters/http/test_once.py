"""Requests that carry an ``Idempotency-Key``, over every binding: done once, and answered the same for a day."""

import asyncio

import httpx
import pytest

from kataven_adapters.http.routes import PREFIXES
from kataven_core.receipts import RECEIPT_LIFETIME

from .asking import CONTACTS, PROBLEM, Asking, multipart, of_form, with_parts
from .conftest import ACME, GLOBEX, Serve, auth
from .inside import inside
from .wire import connected, path_of

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
ONCE = {"Idempotency-Key": KEY}


@pytest.fixture
async def ask(serve: Serve, http: httpx.AsyncClient) -> Asking:
    """Give a caller of a server on which calls outlast the test."""
    return Asking(http, await serve())


def is_replay(answer: httpx.Response) -> bool:
    return bool(answer.headers.get("Idempotency-Replayed") == "true")


async def test_a_creation_is_done_once_and_answered_the_same(ask: Asking) -> None:
    rows = CONTACTS + b"wrong\n"
    first = await ask.send(with_parts(contacts=rows), **ONCE)
    assert (first.status_code, is_replay(first)) == (201, False)
    parts = with_parts(contacts=rows)
    for again in (
        await ask.send(parts, **ONCE),
        await ask.send(parts, boundary="another-boundary", **ONCE),
        await ask.send(parts[::-1], **ONCE),
    ):
        assert (again.status_code, again.content) == (201, first.content)
        assert is_replay(again)
        for header in ("Location", "Kataven-Accepted-Rows", "Kataven-Rejected-Rows", "Content-Type"):
            assert again.headers[header] == first.headers[header]
    assert await ask.made() == ["March"]
    other = await ask.send(parts, Idempotency_Key="another key")
    assert other.json()["id"] != first.json()["id"]
    campaign = first.json()["id"]
    await ask.operate(campaign, "start")
    assert (await ask.send(parts, **ONCE)).content == first.content, "as it was answered, not as it is now"
    await ask.operate(campaign, "stop")
    await ask.operate(campaign, "delete")
    assert (await ask.send(parts, **ONCE)).content == first.content


async def test_each_operation_is_done_once_and_answered_the_same(ask: Asking) -> None:
    campaign = await ask.make()
    for operation, status in (("start", "running"), ("pause", "paused"), ("resume", "running"), ("stop", "completed")):
        path = f"/campaigns/{campaign}/{operation}"
        first = await ask.post(path, **ONCE)
        assert (first.status_code, first.json()["status"], is_replay(first)) == (200, status, False)
        again = await ask.post(path, **ONCE)
        assert (again.status_code, again.content, is_replay(again)) == (200, first.content, True)
        assert (await ask.campaign(campaign))["status"] == status
    assert (await ask.post(f"/campaigns/{campaign}/stop")).status_code == 409, "without the key it is asked anew"
    assert (await ask.post(f"/campaigns/{campaign}/start", **ONCE)).json()["status"] == "running", "as it was answered"
    assert (await ask.campaign(campaign))["status"] == "completed"


async def test_the_same_key_with_another_payload_is_refused(ask: Asking) -> None:
    first = await ask.send(with_parts(), **ONCE)
    for changed in (
        with_parts(name="April"),
        with_parts(retries_per_contact="1"),
        with_parts(max_concurrent_calls="5"),
        with_parts(contacts=CONTACTS + b"+14155550109,C\n"),
        with_parts(contacts=CONTACTS[:-1]),
        with_parts(name=None),
        with_parts(name=""),
        with_parts(contacts=None),
        with_parts(colour="red"),
        [("name", "March"), *with_parts()],
    ):
        answer = await ask.send(changed, **ONCE, **PROBLEM)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
        assert answer.json()["status"] == 422
    campaign = first.json()["id"]
    assert (await ask.post(f"/campaigns/{campaign}/start", b"", **ONCE)).status_code == 200
    other = await ask.post(f"/campaigns/{campaign}/start", b"{}", **ONCE)
    assert other.status_code == 422
    assert "key" in other.text
    assert await ask.made() == ["March"]


async def test_while_the_first_is_being_answered_the_second_is_told_to_wait(ask: Asking) -> None:
    body = multipart(with_parts())
    half = len(body) // 2
    async with connected(ask.server) as raw:
        path = path_of(ask.server, "/api/v1/campaigns")
        content_type = f"Content-Type: {of_form()['Content-Type']}"
        lengths = f"Content-Length: {len(body)}", "Expect: 100-continue"
        await raw.ask("POST", path, content_type, *lengths, f"Idempotency-Key: {KEY}")
        assert (await raw.head())[0] == 100, "it is asked for its body once its key is held"
        await raw.send(body[:half])
        early = await ask.send(with_parts(), **ONCE, **PROBLEM)
        assert (early.status_code, early.json()["code"]) == (409, "idempotency_key_in_use")
        assert int(early.headers["Retry-After"]) >= 1
        assert (await ask.send(with_parts(name="April"), **ONCE)).status_code == 409
        await raw.send(body[half:])
        status, _, content = await raw.answer()
    assert status == 201
    again = await ask.send(with_parts(), **ONCE)
    assert (again.status_code, again.content, is_replay(again)) == (201, content, True)
    assert await ask.made() == ["March"]


async def test_of_many_at_once_one_is_done_and_the_others_wait_or_hear_the_same(ask: Asking) -> None:
    created = await asyncio.gather(*(ask.send(with_parts(), **ONCE) for _ in range(8)))
    assert {each.status_code for each in created} <= {201, 409}
    assert len({each.content for each in created if each.status_code == 201}) == 1
    campaign = (await ask.get("/campaigns")).json()["campaigns"][0]["id"]
    started = await asyncio.gather(*(ask.post(f"/campaigns/{campaign}/start", **ONCE, **PROBLEM) for _ in range(8)))
    done = [each for each in started if each.status_code == 200]
    assert len({each.content for each in done}) == 1
    assert [is_replay(each) for each in done].count(False) == 1
    assert {each.json()["code"] for each in started if each not in done} <= {"idempotency_key_in_use"}
    assert await ask.made() == ["March"]


async def test_a_key_belongs_to_an_account_a_method_and_a_path_by_whatever_alias(ask: Asking) -> None:
    theirs = Asking(ask.http, ask.server, auth(GLOBEX))
    answers = [await each.send(with_parts(), **ONCE) for each in (ask, theirs)]
    assert [(each.status_code, is_replay(each)) for each in answers] == [(201, False)] * 2
    campaign = answers[0].json()["id"]
    started = []
    for prefix in PREFIXES:
        url = f"{ask.server.base}{prefix}"
        headers = {**ask.headers, **ONCE}
        form = {**headers, **of_form()}
        created = await ask.http.post(f"{url}/campaigns", headers=form, content=multipart(with_parts()))
        assert (created.content, is_replay(created)) == (answers[0].content, True), prefix
        started.append(await ask.http.post(f"{url}/campaigns/{campaign}/start", headers=headers))
    assert [is_replay(each) for each in started] == [False, True, True, True]
    assert {each.status_code for each in started} == {200}
    another = await ask.make(name="another")
    assert not is_replay(await ask.post(f"/campaigns/{another}/start", **ONCE)), "another path, another key"


async def test_a_first_that_was_refused_leaves_the_key_free(ask: Asking) -> None:
    for refused in (with_parts(name=" "), with_parts(contacts=b"x\n1\n"), with_parts(contacts=None)):
        assert (await ask.send(refused, **ONCE)).status_code == 400
    assert (await ask.post("/campaigns", b"broken", **of_form(), **ONCE)).status_code == 400
    created = await ask.send(with_parts(), **ONCE)
    assert (created.status_code, is_replay(created)) == (201, False)
    pause = f"/campaigns/{created.json()['id']}/pause"
    assert (await ask.post(pause, **ONCE)).status_code == 409
    await ask.operate(created.json()["id"], "start")
    paused = await ask.post(pause, **ONCE)
    assert (paused.status_code, is_replay(paused)) == (200, False)
    async with connected(ask.server) as raw:
        await raw.ask(
            "POST",
            path_of(ask.server, "/api/v1/campaigns"),
            f"Content-Type: {of_form()['Content-Type']}",
            "Content-Length: 100000",
            "Idempotency-Key: cut",
        )
        await raw.send(multipart(with_parts())[:200])
    async with asyncio.timeout(10):
        while (after := await ask.send(with_parts(name="after"), Idempotency_Key="cut")).status_code == 409:  # noqa: ASYNC110 - the server says it
            await asyncio.sleep(0.01)
    assert (after.status_code, is_replay(after)) == (201, False), "who goes in the middle has asked for nothing"


async def test_a_key_that_can_not_be_one_is_refused(ask: Asking) -> None:
    campaign = await ask.make()
    for key in ("", "k" * 256, "t\tb", "caf\xe9"):
        for path, body, headers in (
            (f"/campaigns/{campaign}/start", b"", {}),
            ("/campaigns", multipart(with_parts()), of_form()),
        ):
            given = {**ask.headers, **headers, **PROBLEM, "Idempotency-Key": key}
            raw = {name.encode(): value.encode("latin-1") for name, value in given.items()}
            answer = await ask.http.post(f"{ask.server.base}/api/v1{path}", headers=raw, content=body)
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key"), key
    assert [(await ask.campaign(campaign))["status"], await ask.made()] == ["draft", ["March"]]
    for key in ("k", "k" * 255, '"quoted"', "with spaces in it", "~!@#$%^&*()"):
        answer = await ask.send(with_parts(name=key), Idempotency_Key=key)
        assert (answer.status_code, is_replay(answer)) == (201, False), key


async def test_an_answer_is_given_again_after_the_server_was_down(serve: Serve, http: httpx.AsyncClient) -> None:
    ask = Asking(http, await serve(store="sqlite"))
    created = await ask.send(with_parts(), **ONCE)
    path = f"/campaigns/{created.json()['id']}"
    started = await ask.post(f"{path}/start", **ONCE)
    await ask.server.engine.__aexit__(None, None, None)
    assert (await ask.get(path)).status_code == 503, "its engine is closed"
    later = Asking(http, await serve(store="sqlite"))
    assert (await later.send(with_parts(), **ONCE)).content == created.content
    again = await later.post(f"{path}/start", **ONCE)
    assert (again.status_code, again.content, is_replay(again)) == (200, started.content, True)
    assert (await later.send(with_parts(name="April"), **ONCE)).status_code == 422
    assert await later.made() == ["March"]


async def test_after_a_day_the_key_is_free() -> None:
    async with inside() as there:
        first = await there.send(with_parts(), ONCE)
        there.clock.wait(RECEIPT_LIFETIME.total_seconds() - 1)
        replayed = await there.send(with_parts(), ONCE)
        assert (replayed.body, replayed.headers["Idempotency-Replayed"]) == (first.body, "true")
        assert (await there.send(with_parts(name="April"), ONCE)).status == 422
        there.clock.wait(1)
        fresh = await there.send(with_parts(name="April"), ONCE)
        assert (fresh.status, "Idempotency-Replayed" in fresh.headers) == (201, False)
        assert len(await there.engine.campaigns(ACME.id)) == 2
