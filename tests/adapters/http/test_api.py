import logging
import re
from collections.abc import AsyncIterator, Iterator

import pytest

import kataven_core as kc
from kataven_adapters.http import Api, Caller, Metrics, Request
from kataven_adapters.http.messages import Disconnected, EventStream, Response

from .asking import PROBLEM, multipart, of_form, with_parts
from .conftest import ACME, GLOBEX
from .inside import Inside, inside, pieces_of, request

LOG = "kataven_adapters.http.api"
INNER = "/var/lib/kataven/calls.db SELECT secret"


@pytest.fixture
async def there() -> AsyncIterator[Inside]:
    async with inside() as opened:
        yield opened


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Give what the API logs."""
    with caplog.at_level(logging.INFO, LOG):
        yield caplog


def lines(log: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [each for each in log.records if each.name == LOG]


def text_of(answer: Response) -> str:
    assert isinstance(answer.body, bytes)
    return answer.body.decode()


def break_down(there: Inside, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    async def broken(_: str) -> None:
        raise error

    monkeypatch.setattr(there.engine, "campaigns", broken)


async def test_every_answer_has_the_name_of_its_request(there: Inside, log: pytest.LogCaptureFixture) -> None:
    named = await there.ask("GET", "/campaigns", headers={"X-Request-ID": "trace-1.a_B"})
    assert named.headers["X-Request-ID"] == "trace-1.a_B"
    drawn = [(await there.ask("GET", "/nothing")).headers["X-Request-ID"] for _ in range(2)]
    assert len(set(drawn)) == 2
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}", each) for each in drawn)
    for strange in ("", "a b", "a\n", "é", "x" * 129, "a,b"):
        answer = await there.ask("GET", "/campaigns", headers={"X-Request-ID": strange})
        assert answer.headers["X-Request-ID"] != strange
    assert [vars(each)["request_id"] for each in lines(log)][:3] == ["trace-1.a_B", *drawn]


async def test_the_log_has_one_line_for_each_request_with_its_facts(
    there: Inside, log: pytest.LogCaptureFixture
) -> None:
    campaign = (await there.send(with_parts(name="secret name"), {})).headers["Location"].rpartition("/")[2]
    await there.ask("GET", f"/campaigns/{campaign}?", headers={"X-Request-ID": "r2"})
    await there.ask("GET", "/campaigns", headers={"Authorization": "Bearer sk_live_wrong"})
    await there.root("/healthz")
    await there.root("/wp-login.php")
    found = lines(log)
    assert [each.getMessage() for each in found] == [
        "POST /campaigns 201",
        "GET /campaigns/{id} 404",
        "GET /campaigns 401",
        "GET /healthz 200",
        "GET unknown 404",
    ]
    facts = [vars(each) for each in found]
    assert [each["status"] for each in facts] == [201, 404, 401, 200, 404]
    assert [each["account_id"] for each in facts] == [ACME.id, ACME.id, "", "", ""]
    assert all(each["took_ms"] == 0 and each["request_id"] for each in facts)
    assert not any("secret" in str(each) or "sk_live" in str(each) for each in facts), "no contents and no keys"


async def test_a_failure_is_told_to_the_log_and_its_name_to_the_client(
    there: Inside, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_down(there, monkeypatch, ZeroDivisionError(INNER))
    for headers in ({}, PROBLEM):
        answer = await there.ask("GET", "/campaigns", headers={"X-Request-ID": "r7", **headers})
        assert answer.status == 500
        assert "r7" in text_of(answer)
        assert not re.search(r"secret|SELECT|ZeroDivision|Traceback|\.py", text_of(answer))
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    failed, answered, *_ = lines(log)
    assert (failed.levelno, vars(failed)["request_id"]) == (logging.ERROR, "r7")
    assert failed.exc_info
    assert failed.exc_info[0] is ZeroDivisionError
    assert answered.getMessage() == "GET /campaigns 500"


async def test_a_store_that_can_not_do_it_is_a_503_to_come_again(
    there: Inside, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_down(there, monkeypatch, kc.AdapterFault("disk_full", INNER))
    answer = await there.ask("GET", "/campaigns", headers=PROBLEM)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert "secret" not in text_of(answer)
    assert '"code":"disk_full"' in text_of(answer)
    assert "secret" in lines(log)[0].getMessage(), "whoever runs it is told"
    assert lines(log)[0].levelno == logging.WARNING


async def test_a_client_that_goes_is_nobody_to_answer(there: Inside, log: pytest.LogCaptureFixture) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield multipart(with_parts())[:300]
        raise Disconnected

    with pytest.raises(Disconnected):
        await there.ask("POST", "/campaigns", headers=of_form(), body=cut())
    assert [each.getMessage() for each in lines(log)] == ["the client has gone in the middle of its request"]
    assert await there.engine.campaigns(ACME.id) == []


async def test_what_was_asked_is_counted_by_its_template() -> None:
    metrics = Metrics()
    async with inside(metrics=metrics) as there:
        await there.ask("GET", "/campaigns/secret-id")
        await there.ask("BREW", "/campaigns")
        await there.root("/<script>")
    page = metrics.render()[0].decode()
    assert 'route="/campaigns/{id}"' in page
    assert 'route="unknown"' in page
    assert not re.search("secret-id|BREW|script", page)


@pytest.mark.parametrize(
    ("length", "transfer", "expect", "comes", "is_last"),
    [
        ("", "", "", [], False),
        ("0", "", "", [], False),
        ("5", "", "", [b"hello"], False),
        ("262144", "", "", [b"x" * 262_144], False),
        ("262145", "", "", [b"x" * 262_145], True),
        ("9" * 30, "", "", [b"x"], True),
        ("5", "", "100-continue", [b"hello"], True),
        ("", "chunked", "", [b"hello"], True),
    ],
)
async def test_after_a_refusal_a_connection_is_used_again_where_little_is_left(
    there: Inside, *, length: str, transfer: str, expect: str, comes: list[bytes], is_last: bool
) -> None:
    given = {"Content-Length": length, "Transfer-Encoding": transfer, "Expect": expect, "Authorization": "none"}
    headers = {name: value for name, value in given.items() if value}
    answer = await there.ask("POST", "/campaigns", headers=headers, body=pieces_of(comes))
    assert (answer.status, answer.is_last) == (401, is_last)


async def test_what_is_compressed_is_not_even_passed_over(there: Inside) -> None:
    taken = []

    async def bomb() -> AsyncIterator[bytes]:
        taken.append("all of it")
        yield b"x"

    headers = {"Content-Encoding": "gzip", "Content-Length": "5"}
    answer = await there.ask("POST", "/campaigns", headers=headers, body=bomb())
    assert (answer.status, answer.is_last, taken) == (400, True, [])


async def test_head_is_answered_as_get_but_no_stream_is_opened_for_it(there: Inside) -> None:
    assert (await there.ask("HEAD", "/campaigns")).status == 200
    campaign = (await there.send(with_parts(), {})).headers["Location"].rpartition("/")[2]
    answer = await there.ask("HEAD", f"/campaigns/{campaign}/events")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    stream = await there.api.handle(request(path=f"/api/v1/campaigns/{campaign}/events"))
    assert isinstance(stream, EventStream)
    assert stream.headers["X-Request-ID"]
    assert stream.headers["X-Content-Type-Options"] == "nosniff"
    stream.listener.leave()
    there.api.close()


async def test_a_host_may_say_itself_who_asks(there: Inside) -> None:
    async def who_asks(request: Request) -> Caller | None:
        return Caller(GLOBEX.id, "a user") if request.header("cookie") == "session=1" else None

    api = Api(there.engine, who_asks, clock=there.clock)
    form = {**of_form(), "Cookie": "session=1", "Authorization": ""}
    made = await api.handle(request("POST", headers=form, body=multipart(with_parts())))
    assert isinstance(made, Response)
    assert made.status == 201
    (campaign,) = await there.engine.campaigns(GLOBEX.id)
    assert campaign.created_by == "a user"
    refused = await api.handle(request())
    assert isinstance(refused, Response)
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_an_account_that_the_engine_does_not_have_is_no_failure(there: Inside) -> None:
    async def nobodys(_: Request) -> Caller:
        return Caller(kc.account_id("nobody"), "k")

    api = Api(there.engine, nobodys, clock=there.clock)
    answers = [
        await api.handle(request(path=f"/api/v1{path}"))
        for path in ("/campaigns", "/call-limits", "/campaigns/c1", "/campaigns/c1/contacts")
    ]
    form = request("POST", headers=of_form(), body=multipart(with_parts()))
    answers.append(await api.handle(form))
    statuses = [each.status for each in answers if isinstance(each, Response)]
    assert statuses == [200, 403, 404, 404, 403]
