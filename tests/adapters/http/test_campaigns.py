"""The contract of what is read of campaigns, and of what is done to them, over every binding."""

import csv
import re
from datetime import timedelta, timezone
from io import StringIO
from typing import Final

import httpx
import pytest
from attrs import evolve

import kataven_core as kc
from kataven_core.ports import REJECTS_PAGE_SIZE
from kataven_core.runtime import SystemClock

from .asking import PROBLEM, Asking, with_parts, wrong_fields
from .conftest import ACME, GLOBEX, Serve, auth

MEMBERS: Final = [
    "id",
    "name",
    "agent_id",
    "phone_number_id",
    "status",
    "max_concurrent_calls",
    "retries_per_contact",
    "retry_delay_seconds",
    "scheduled_at",
    "started_at",
    "completed_at",
    "created_at",
    "created_by",
]
CONTACT_MEMBERS: Final = {
    "id",
    "position",
    "phone_number",
    "custom_fields",
    "status",
    "attempts",
    "last_outcome",
    "last_attempt_at",
    "next_attempt_at",
    "updated_at",
}
OPERATIONS: Final = ("start", "resume", "pause", "stop", "delete")
LIFECYCLE: Final[dict[str, dict[str, str]]] = {
    "draft": {"start": "running", "delete": "gone"},
    "scheduled": {"start": "running", "stop": "completed", "delete": "gone"},
    "running": {"pause": "paused", "stop": "completed"},
    "paused": {"start": "running", "resume": "running", "stop": "completed", "delete": "gone"},
    "completed": {"delete": "gone"},
    "failed": {"delete": "gone"},
}
"""The contract's table; what is not here is a 409."""
UTC_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{6})?Z")
ROUTE_TO: Final = {
    "draft": (),
    "scheduled": (),
    "running": ("start",),
    "paused": ("start", "pause"),
    "completed": ("start", "stop"),
    "failed": ("start",),
}


@pytest.fixture
async def ask(serve: Serve, http: httpx.AsyncClient, binding: str) -> Asking:
    """Give a caller of a server on which calls outlast the test; by turns on both stores."""
    return Asking(http, await serve(store="sqlite" if "mounted" in binding else "memory"))


def tomorrow() -> str:
    return kc.format_rfc3339(SystemClock().now() + timedelta(days=1))


async def a_campaign_that_is(status: str, ask: Asking, calls: int = 1) -> str:
    """Bring a campaign into a status by what the API allows; one fails when its agent is gone."""
    scheduled_at = tomorrow() if status == "scheduled" else None
    campaign = await ask.make(max_concurrent_calls=str(calls), scheduled_at=scheduled_at)
    for operation in ROUTE_TO[status]:
        assert (await ask.operate(campaign, operation)).status_code == 200
    if status == "failed":
        await ask.server.engine.put_account(evolve(ACME, agents=()))
        await ask.until(campaign, "failed")
        await ask.server.engine.put_account(ACME)
    return campaign


async def test_campaigns_are_listed_the_newest_first_with_their_count(ask: Asking) -> None:
    assert (await ask.get("/campaigns")).json() == {"campaigns": [], "count": 0}
    made = [await ask.make(name=f"number {n}") for n in range(5)]
    listed = (await ask.get("/campaigns")).json()
    assert list(listed) == ["campaigns", "count"]
    assert listed["count"] == 5
    assert [each["id"] for each in listed["campaigns"]] == made[::-1]
    assert listed["campaigns"] == [await ask.campaign(each) for each in made[::-1]]
    assert (await ask.get("/campaigns")).headers["Content-Type"] == "application/json"
    theirs = Asking(ask.http, ask.server, auth(GLOBEX))
    assert (await theirs.get("/campaigns")).json()["count"] == 0


async def test_a_campaign_has_exactly_the_thirteen_members_at_every_stage(ask: Asking) -> None:
    answer = await ask.send(with_parts())
    campaign = answer.json()["id"]
    assert answer.headers["Location"] == f"{httpx.URL(ask.server.base).path.rstrip('/')}/api/v1/campaigns/{campaign}"
    shown = [answer.json()]
    for operation, status in (("start", "running"), ("pause", "paused"), ("resume", "running"), ("stop", "completed")):
        shown.append((await ask.operate(campaign, operation)).json())
        assert shown[-1]["status"] == status
        assert await ask.campaign(campaign) == shown[-1]
    assert [list(each) for each in shown] == [MEMBERS] * 5
    assert {(each["name"], each["created_by"], each["id"]) for each in shown} == {("March", "ops", campaign)}
    draft, started, *_, stopped = shown
    assert [draft[name] for name in ("scheduled_at", "started_at", "completed_at")] == [None] * 3
    assert {each["started_at"] for each in shown[1:]} == {started["started_at"]}, "the first start stays"
    assert [each["completed_at"] for each in shown[:-1]] == [None] * 4
    for time in (draft["created_at"], started["started_at"], stopped["completed_at"]):
        assert UTC_TIME.fullmatch(time)
    assert draft["created_at"] <= started["started_at"] <= stopped["completed_at"]


async def test_times_are_shown_in_utc_with_z_whatever_offset_they_came_in(ask: Asking) -> None:
    noon = (SystemClock().now() + timedelta(days=2)).replace(hour=12, minute=0, second=0, microsecond=0)
    for hours in (-11, 0, 2, 14):
        there = noon.astimezone(tz=timezone(timedelta(hours=hours)))
        campaign = await ask.make(scheduled_at=there.isoformat(), max_concurrent_calls="1")
        assert (await ask.campaign(campaign))["scheduled_at"] == kc.format_rfc3339(noon)
        early = await ask.operate(campaign, "start")
        assert early.json()["scheduled_at"] == kc.format_rfc3339(noon), "it stays as it was after an early start"


async def test_every_operation_in_every_status_does_what_the_contract_says(ask: Asking) -> None:
    for status, moves in LIFECYCLE.items():
        refusing = await a_campaign_that_is(status, ask)
        before = await ask.campaign(refusing)
        assert before["status"] == status
        for operation in [each for each in OPERATIONS if each not in moves]:
            answer = await ask.operate(refusing, operation)
            assert answer.status_code == 409, (status, operation)
            assert re.search(rf"\b{operation}\b.*\b{status}\b", answer.text), answer.text
            assert await ask.campaign(refusing) == before, (status, operation)
        for operation, after in moves.items():
            campaign = await a_campaign_that_is(status, ask)
            answer = await ask.operate(campaign, operation)
            if after == "gone":
                assert (answer.status_code, answer.content) == (204, b""), status
                assert (await ask.get(f"/campaigns/{campaign}")).status_code == 404
                assert (await ask.operate(campaign, operation)).status_code == 404
            else:
                assert answer.status_code == 200, (status, operation, answer.text)
                assert answer.json()["status"] == after, (status, operation)
                assert (await ask.campaign(campaign)) == answer.json()
                if after == "running":
                    await ask.operate(campaign, "stop")
        if status == "running":
            await ask.operate(refusing, "stop")


async def test_a_start_or_resume_over_budget_names_what_is_reserved_wanted_and_allowed(ask: Asking) -> None:
    running = await a_campaign_that_is("running", ask, calls=7)
    for status, operation in (("draft", "start"), ("scheduled", "start"), ("paused", "start"), ("paused", "resume")):
        campaign = await ask.make(max_concurrent_calls="4", scheduled_at=tomorrow() if status == "scheduled" else None)
        if status == "paused":
            await ask.operate(running, "pause")
            for each in ("start", "pause"):
                assert (await ask.operate(campaign, each)).status_code == 200
            assert (await ask.operate(running, "resume")).status_code == 200
        text = await ask.operate(campaign, operation)
        assert text.status_code == 409
        assert [int(each) for each in re.findall(r"\d+", text.text)] == [7, 4, 10], text.text
        assert f"cannot {operation} a campaign that is {status}" in text.text
        problem = (await ask.post(f"/campaigns/{campaign}/{operation}", **PROBLEM)).json()
        assert (problem["code"], problem["status"]) == ("budget_exhausted", 409)
        assert [problem[each] for each in ("reserved", "wanted", "allowed")] == [7, 4, 10]
        assert (await ask.campaign(campaign))["status"] == status
    exact = await ask.make(max_concurrent_calls="3")
    assert (await ask.operate(exact, "start")).status_code == 200, "what fits exactly, fits"


async def test_an_account_without_any_calls_starts_nothing_and_one_without_its_agent_neither(ask: Asking) -> None:
    campaign = await ask.make()
    await ask.server.engine.put_account(evolve(ACME, caps=evolve(ACME.caps, concurrent_max=0)))
    refused = (await ask.post(f"/campaigns/{campaign}/start", **PROBLEM)).json()
    assert [refused[each] for each in ("reserved", "wanted", "allowed")] == [0, 5, 0]
    await ask.server.engine.put_account(evolve(ACME, agents=ACME.agents[1:]))
    gone = await ask.post(f"/campaigns/{campaign}/start", **PROBLEM)
    assert (gone.status_code, gone.json()["code"]) == (409, "cannot_call")
    assert "start" in gone.text
    assert "draft" in gone.text
    assert "agent_id" in gone.text


async def test_a_deleted_campaign_is_gone_from_everything_that_is_asked_of_it(ask: Asking) -> None:
    campaign = await a_campaign_that_is("paused", ask)
    kept = await ask.make(name="kept")
    assert (await ask.delete(f"/campaigns/{campaign}")).status_code == 204
    answers = [await ask.get(f"/campaigns/{campaign}{path}") for path in ("", "/contacts", "/rejects", "/events")]
    answers += [await ask.operate(campaign, operation) for operation in OPERATIONS]
    assert {each.status_code for each in answers} == {404}
    assert len({each.text for each in answers}) == 1
    assert [each["id"] for each in (await ask.get("/campaigns")).json()["campaigns"]] == [kept]


async def test_contacts_come_in_pages_of_a_hundred_in_file_order(ask: Asking) -> None:
    numbers = [f"+1415555{n:04d}" for n in range(250)]
    rows = "".join(f"{number},Ünï {n}\r\n" for n, number in enumerate(numbers))
    campaign = await ask.make(contacts=f"phone_number,first_name\r\n{rows}")
    pages = [(await ask.get(f"/campaigns/{campaign}/contacts?page={page}")).json() for page in range(4)]
    assert [list(page) for page in pages] == [["contacts", "page", "page_size", "total", "has_next"]] * 4
    assert [(page["page"], page["page_size"], page["total"]) for page in pages] == [(n, 100, 250) for n in range(4)]
    assert [page["has_next"] for page in pages] == [True, True, False, False]
    contacts = [each for page in pages for each in page["contacts"]]
    assert [each["phone_number"] for each in contacts] == numbers
    assert [each["position"] for each in contacts] == [*range(250)]
    assert all(set(each) == CONTACT_MEMBERS for each in contacts)
    assert contacts[7]["custom_fields"] == {"first_name": "Ünï 7"}
    assert {(each["status"], each["attempts"], each["last_outcome"]) for each in contacts} == {("pending", 0, None)}
    assert (await ask.get(f"/campaigns/{campaign}/contacts")).json() == pages[0]
    far = await ask.get(f"/campaigns/{campaign}/contacts?page={10**17}")
    assert (far.status_code, far.json()["contacts"], far.json()["has_next"]) == (200, [], False)


async def test_contacts_of_one_status_are_counted_and_paged_by_themselves(ask: Asking) -> None:
    campaign = await ask.make(contacts="phone_number\n" + "".join(f"+1415555{n:04d}\n" for n in range(150)))
    await ask.operate(campaign, "start")
    await ask.operate(campaign, "stop")
    cancelled = (await ask.get(f"/campaigns/{campaign}/contacts?status=cancelled")).json()
    counts = {
        str(status): (await ask.get(f"/campaigns/{campaign}/contacts?status={status}")).json()["total"]
        for status in kc.ContactStatus
    }
    assert sum(counts.values()) == 150
    assert counts["pending"] == 0
    assert cancelled["total"] == counts["cancelled"] >= 145
    assert {each["status"] for each in cancelled["contacts"]} == {"cancelled"}
    assert cancelled["has_next"]
    last = (await ask.get(f"/campaigns/{campaign}/contacts?status=cancelled&page=1")).json()
    assert len(last["contacts"]) == cancelled["total"] - 100


async def test_a_question_for_contacts_that_can_not_be_understood_names_all_that_is_wrong(ask: Asking) -> None:
    campaign = await ask.make()
    for query, fields in {
        "status=ringing": ["status"],
        "status=": ["status"],
        "status=PENDING": ["status"],
        "page=-1": ["page"],
        "page=": ["page"],
        "page=one": ["page"],
        "page=1.0": ["page"],
        "page=%2B1": ["page"],
        "page=%D9%A1": ["page"],
        "page=1e3": ["page"],
        f"page={'9' * 30}": ["page"],
        f"page={'9' * 5000}": ["page"],
        "page=0&page=1": ["page"],
        "page=0&page=0": ["page"],
        "status=failed&status=failed": ["status"],
        "status=x&page=y": ["page", "status"],
    }.items():
        answer = await ask.get(f"/campaigns/{campaign}/contacts?{query}", **PROBLEM)
        assert sorted(wrong_fields(answer)) == fields, query
        assert answer.json()["code"] == "invalid_query"
        assert all(field in answer.json()["detail"] for field in fields)
        assert len(answer.content) < 1000


async def test_rejects_are_a_csv_file_that_a_spreadsheet_opens_safely(ask: Asking) -> None:
    file = 'phone_number,name\n+14155550100,Ada\n=1+1,x\n+14155550100,again\n12,"a\nb"\n+14155550102,C,surplus\n'
    answer = await ask.send(with_parts(contacts=file))
    assert answer.status_code == 201
    assert (answer.headers["Kataven-Accepted-Rows"], answer.headers["Kataven-Rejected-Rows"]) == ("1", "4")
    rejects = await ask.get(f"/campaigns/{answer.json()['id']}/rejects")
    assert rejects.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert rejects.headers["Content-Disposition"].startswith("attachment")
    header, *rows = csv.reader(StringIO(rejects.text, newline=""))
    assert header == ["line", "column", "code", "message", "value"]
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("3", "phone_number", "invalid_number"),
        ("4", "phone_number", "duplicate"),
        ("5", "phone_number", "invalid_number"),
        ("7", "", "too_many_cells"),
    ]
    assert [row[4] for row in rows] == ["'=1+1", "'+14155550100", "12", "surplus"]
    without = await ask.make()
    assert (await ask.get(f"/campaigns/{without}/rejects")).text == "line,column,code,message,value\r\n"


async def test_many_rejects_come_whole(ask: Asking) -> None:
    many = 2 * REJECTS_PAGE_SIZE + 1
    campaign = await ask.make(contacts="phone_number\n+14155550100\n" + "wrong\n" * many)
    rows = (await ask.get(f"/campaigns/{campaign}/rejects")).text.splitlines()[1:]
    assert [int(row.partition(",")[0]) for row in rows] == [*range(3, many + 3)]


async def test_call_limits_are_the_four_caps_as_integers(ask: Asking) -> None:
    names = ["calls_per_minute", "concurrent_max", "daily_calls_max", "daily_minutes_max"]
    first = (await ask.get("/call-limits")).json()
    assert (sorted(first), first["concurrent_max"], first["calls_per_minute"]) == (names, 10, 60_000)
    assert all(type(each) is int for each in first.values())
    caps = kc.Caps(concurrent_max=0, calls_per_minute=1, daily_calls_max=2, daily_minutes_max=3)
    await ask.server.engine.put_account(evolve(ACME, caps=caps))
    assert (await ask.get("/call-limits")).json() == dict(zip(names, [1, 0, 2, 3], strict=True))


async def test_an_operation_takes_small_bodies_and_refuses_large_ones(ask: Asking) -> None:
    campaign = await ask.make()
    assert (await ask.post(f"/campaigns/{campaign}/start", b"{}", Content_Type="application/json")).status_code == 200
    assert (await ask.post(f"/campaigns/{campaign}/pause", b" " * 65_536)).status_code == 200
    large = await ask.post(f"/campaigns/{campaign}/resume", b" " * 65_537)
    assert large.status_code == 400
    assert "65,536" in large.text
    assert (await ask.campaign(campaign))["status"] == "paused"


async def test_head_gives_what_get_gives_but_for_the_body(ask: Asking) -> None:
    campaign = await ask.make()
    for path in ("/campaigns", f"/campaigns/{campaign}", "/call-limits", "/campaigns/nobody"):
        url = f"{ask.server.base}/api/v1{path}"
        head, whole = await ask.http.head(url, headers=dict(ask.headers)), await ask.get(path)
        assert (head.status_code, head.content) == (whole.status_code, b"")
        assert head.headers["Content-Length"] == str(len(whole.content))


async def test_the_agent_and_the_number_must_be_the_accounts_and_allowed(ask: Asking) -> None:
    for field, wrong in (
        ("agent_id", "nobody"),
        ("agent_id", "draft"),
        ("phone_number_id", "nobody"),
        ("phone_number_id", "silent"),
        ("phone_number_id", "+12025550100"),
    ):
        answer = await ask.send(with_parts(**{field: wrong}), **PROBLEM)
        assert wrong_fields(answer) == [field]
        assert field in answer.json()["detail"], wrong
    assert await ask.made() == []
