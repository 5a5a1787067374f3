"""Errors as answers, and what hostile input makes of them: one line of text, or JSON, and never anything that runs."""

import re
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, quote_from_bytes

import httpx
import pytest

import kataven_core as kc
from kataven_adapters.http import Request
from kataven_adapters.http.problems import HttpProblem, bad_request, problem_of, rendered
from kataven_core import Problem

from .asking import BOUNDARY, GOOD, PROBLEM, Asking, multipart, of_form, with_parts
from .conftest import GLOBEX, Serve, auth
from .hostile import CONTROLS, HOSTILE, NO_TEXT, SCRIPTS
from .inside import request
from .wire import connected, path_of

TEXT: Final = "text/plain; charset=utf-8"
PROBLEM_JSON: Final = "application/problem+json"
KNOWN_HEADERS: Final = {
    "allow",
    "connection",
    "content-disposition",
    "content-length",
    "content-type",
    "date",
    "idempotency-replayed",
    "kataven-accepted-rows",
    "kataven-rejected-rows",
    "location",
    "retry-after",
    "server",
    "transfer-encoding",
    "www-authenticate",
    "x-content-type-options",
    "x-request-id",
}
SECRETS: Final = re.compile(
    r"Traceback|\.py\b|File \"|sqlite|SELECT |object at 0x|Error\(|site-packages|kataven_core|aiohttp\."
)


@pytest.fixture
async def ask(serve: Serve, http: httpx.AsyncClient) -> Asking:
    """Give a caller of a server on a store that speaks SQL."""
    return Asking(http, await serve(store="sqlite"))


def is_harmless(answer: httpx.Response, sent: str | bytes) -> bool:
    """Hold that an answer is none that a browser would run, nor one that was split."""
    assert answer.status_code < 500, (sent, answer.text)
    assert answer.headers.get("X-Content-Type-Options") == "nosniff", (sent, answer.headers)
    assert set(answer.headers) <= KNOWN_HEADERS, (sent, answer.headers)
    if answer.content:
        assert answer.headers["Content-Type"] in {TEXT, PROBLEM_JSON, "application/json", "text/csv; charset=utf-8"}
    if answer.headers["Content-Type"] == TEXT:
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", answer.text), sent
    assert answer.status_code < 400 or not SECRETS.search(answer.text), (sent, answer.text)
    return True


async def test_a_refusal_is_a_sentence_or_problem_json_for_who_accepts_it(ask: Asking) -> None:
    for accept, is_json in {
        "*/*": False,
        "text/plain": False,
        "text/html,application/xhtml+xml,*/*;q=0.8": False,
        "application/xml": False,
        "application/problem+json": True,
        "application/json": True,
        "Application/JSON": True,
        "text/html, application/json;q=0.1": True,
        "application/json; charset=utf-8": True,
        "application/json;q=0": False,
        "application/json;q=0.000, text/plain": False,
        "application/json; charset=utf-8; q=0": False,
        "application/json;q=0, application/problem+json": True,
        "application/jsonp": False,
        "application/json-patch+json": False,
        "xapplication/json": False,
        ",,,application/json": True,
        "": False,
    }.items():
        answer = await ask.get("/campaigns/nobody", Accept=accept)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == (PROBLEM_JSON if is_json else TEXT), accept
        sentence = answer.json()["detail"] if is_json else answer.text
        assert sentence == "no such campaign in this account: check the id"


async def test_every_refusal_as_problem_json_has_a_stable_code_and_all_its_members(ask: Asking) -> None:
    campaign = await ask.make()
    key = {"Idempotency-Key": "k"}
    await ask.send(with_parts(), **key)
    url = ask.server.base
    answers = {
        (401, "unauthenticated"): await ask.http.get(f"{url}/api/v1/campaigns", headers=PROBLEM),
        (403, "wrong_account"): await ask.get("/campaigns", X_Account_ID=GLOBEX.id, **PROBLEM),
        (404, "not_found"): await ask.get("/campaigns/nobody", **PROBLEM),
        (404, "no_such_path"): await ask.get("/nothing", **PROBLEM),
        (405, "method_not_allowed"): await ask.http.put(f"{url}/api/v1/campaigns", headers={**auth(), **PROBLEM}),
        (409, "not_allowed_now"): await ask.post(f"/campaigns/{campaign}/resume", **PROBLEM),
        (422, "idempotency_key_reused"): await ask.send(with_parts(name="other"), **key, **PROBLEM),
        (400, "invalid_settings"): await ask.send(with_parts(name=""), **PROBLEM),
        (400, "invalid_form"): await ask.post("/campaigns", b"x", **PROBLEM),
        (400, "invalid_query"): await ask.get(f"/campaigns/{campaign}/contacts?page=x", **PROBLEM),
        (400, "content_encoding"): await ask.post("/campaigns", b"x", Content_Encoding="gzip", **PROBLEM),
        (400, "no_phone_number"): await ask.send(with_parts(contacts="a\n1\n"), **PROBLEM),
    }
    for (status, code), answer in answers.items():
        problem = answer.json()
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM_JSON), code
        assert (problem["status"], problem["code"]) == (status, code)
        assert (problem["type"], problem["title"]) == ("about:blank", HTTPStatus(status).phrase)
        assert problem["detail"]
        assert is_harmless(answer, code)
    assert "errors" not in answers[404, "not_found"].json()
    assert answers[400, "invalid_settings"].json()["errors"] == [
        {"field": "name", "message": "name is blank: give one"}
    ]


async def test_hostile_strings_in_a_form_run_nowhere(ask: Asking) -> None:
    plain: dict[str, Any] = {name: value for name, value in GOOD.items() if name != "contacts"}
    others = ("max_concurrent_calls", "scheduled_at", "strict", "phone_column", "default_region", "duplicates")
    for text in (*HOSTILE, *NO_TEXT):
        everywhere = with_parts(**dict.fromkeys([*plain, *others], text))
        cells = text if isinstance(text, bytes) else text.replace('"', '""').encode()
        file = b'phone_number,"%b"\n+14155550100,"%b"\n"%b",x\n' % (cells, cells, cells)
        answers = [
            await ask.send(everywhere),
            await ask.send(everywhere, **PROBLEM),
            await ask.send(with_parts(name=text)),
            await ask.send(with_parts(contacts=text)),
            await ask.send(with_parts(contacts=file)),
            await ask.post("/campaigns", named_by(text), **of_form()),
        ]
        assert all(is_harmless(each, text) for each in answers)
        assert [each.status_code for each in answers[:2]] == [400, 400]
        if answers[2].status_code == 201:
            assert answers[2].json()["name"] == text
        if answers[4].status_code == 201:
            path = f"/campaigns/{answers[4].json()['id']}"
            shown = [await ask.get(f"{path}/{each}") for each in ("contacts", "rejects")]
            assert all(is_harmless(each, text) for each in shown)
    listed = await ask.get("/campaigns")
    assert is_harmless(listed, "all of them")


def named_by(text: str | bytes) -> bytes:
    """Give a form with a part of this name, as it comes and as its file's name."""
    raw = text if isinstance(text, bytes) else text.encode()
    head = b'Content-Disposition: form-data; name="%b"; filename="%b"\r\nContent-Type: %b\r\n\r\n' % (raw, raw, raw)
    return b"--" + BOUNDARY.encode() + b"\r\n" + head + b"x\r\n" + multipart(with_parts())


async def test_hostile_strings_in_paths_and_queries_run_nowhere(ask: Asking) -> None:
    campaign = await ask.make()
    for text in (*HOSTILE, *NO_TEXT):
        coded = quote_from_bytes(text, safe="") if isinstance(text, bytes) else quote(text, safe="")[:2000]
        answers = [
            await ask.get(f"/campaigns/{coded}"),
            await ask.get(f"/campaigns/{coded}/contacts", **PROBLEM),
            await ask.post(f"/campaigns/{coded}/start", Idempotency_Key="k"),
            await ask.post(f"/campaigns/{campaign}/{coded}"),
            await ask.get(f"/{coded}"),
        ]
        assert {each.status_code for each in answers} == {404}, text
        if "%0A" in coded:
            continue  # a host's router may know no such path, and answers itself
        for query in (f"status={coded}", f"page={coded}", f"{coded}={coded}&{coded}=x", coded):
            answer = await ask.get(f"/campaigns/{campaign}/contacts?{query}")
            answers.append(answer)
            assert answer.status_code == (400 if query.startswith(("status=", "page=")) else 200), query
        assert all(is_harmless(each, text) for each in answers)


async def test_hostile_strings_in_headers_run_nowhere_and_split_nothing(ask: Asking) -> None:
    path = path_of(ask.server, "/api/v1/campaigns")
    names = ("X-Request-ID", "Idempotency-Key", "Content-Type", "Accept", "X-Account-ID", "Last-Event-ID", "Cookie")
    for text in (*SCRIPTS, *CONTROLS, *NO_TEXT):
        raw_text = text if isinstance(text, bytes) else text.encode()
        if re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", raw_text):
            continue  # no header any more, to servers: below
        for method, given in (("GET", names[:1]), ("GET", names), ("POST", names[:3]), ("POST", ("Authorization",))):
            headers = [(name.encode(), raw_text.strip()) for name in given]
            own = [] if "Authorization" in given else [*auth().items()]
            answer = await ask.http.request(
                method, f"{ask.server.base}/api/v1/campaigns", headers=[*headers, *encoded(own)]
            )
            assert is_harmless(answer, text)
            assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-ID"])
    for text in CONTROLS:
        async with connected(ask.server) as raw:
            await raw.send(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-ID: a{text}\r\n\r\n")
            heads = (await raw.rest()).partition(b"\r\n\r\n")[0]
        assert b"set-cookie" not in heads.lower(), text
        assert heads.split()[1] in {b"400", b"401"}, text


def encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers]


async def test_the_name_of_a_request_is_given_back_where_it_is_a_plain_one(ask: Asking) -> None:
    for good in ("a", "trace-7.A_b", "x" * 128):
        assert (await ask.get("/campaigns", X_Request_ID=good)).headers["X-Request-ID"] == good
    for strange in ("x" * 129, "a b", "a;b", "<b>", ""):
        assert (await ask.get("/campaigns", X_Request_ID=strange)).headers["X-Request-ID"] != strange


def answer_to(accept: str = "") -> Request:
    return request(headers={"Accept": accept})


def test_a_sentence_is_one_printable_line() -> None:
    problem = HttpProblem(400, "x", "a\r\nb\0c\u2028d\x85e\ud800f\x1bg é 📞")
    answer = rendered(problem, answer_to())
    assert answer.body == r"a\r\nb\x00c\u2028d\x85e\ud800f\x1bg é 📞".encode()
    as_json = rendered(problem, answer_to("application/json"))
    assert isinstance(as_json.body, bytes)
    assert b"\n" not in as_json.body
    assert b"\\u0000c" in as_json.body


def test_every_error_of_the_core_has_its_status() -> None:
    problems = [Problem("name", "name is blank"), Problem("page", "page is odd")]
    for error, status, errors in (
        (kc.NotFound("campaign"), 404, 0),
        (kc.BudgetExhausted(reserved=1, wanted=2, allowed=2), 409, 0),
        (kc.CommandRefused("not_allowed_now", "no"), 409, 0),
        (kc.CommandRefused("idempotency_key_reused", "no"), 422, 0),
        (kc.InvalidValue.of("invalid_settings", problems), 400, 2),
        (kc.AdapterFault("disk_full", "/var/lib/calls.db: the disk is full"), 503, 0),
        (kc.KatavenError("odd", "it is odd"), 400, 0),
    ):
        problem = problem_of(error)
        assert (problem.status, problem.code, len(problem.errors)) == (status, error.code, errors)
        assert "/var" not in problem.detail
    assert problem_of(kc.AdapterFault("disk_full", "full")).headers == {"Retry-After": "1"}


def test_wrong_fields_are_all_in_one_sentence_and_in_a_list() -> None:
    problem = bad_request([Problem("a", "a is wrong"), Problem("b", "b is wrong")])
    assert (problem.status, problem.detail) == (400, "a is wrong; b is wrong")
    assert problem.errors == [{"field": "a", "message": "a is wrong"}, {"field": "b", "message": "b is wrong"}]
