"""The contract of ``POST /campaigns`` over every binding: what a form may hold, and what is said of a wrong one."""

import gzip
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

import httpx
import pytest

import kataven_core as kc
from kataven_adapters.memory import MemoryStore
from kataven_core.ports import StagedContact
from kataven_core.runtime import SystemClock

from .asking import BOUNDARY, CONTACTS, GOOD, PROBLEM, Asking, multipart, of_form, part, with_parts, wrong_fields
from .conftest import ACME, KEYS, Serve
from .wire import connected, path_of

MIB: Final = 1024 * 1024
NUMBERS: Final = {
    "max_concurrent_calls": (1, 100),
    "retries_per_contact": (0, 5),
    "retry_delay_seconds": (60, 30 * 24 * 60 * 60),
}

NO_NUMBERS: Final = (
    *("-1", "+5", "5.0", "5e0", "1_0", " 5", "5\n", "0x5", "five", "null", "9" * 19, "9" * 4000),
    *("\N{ARABIC-INDIC DIGIT FIVE}", "\N{FULLWIDTH DIGIT FIVE}", "\N{SUPERSCRIPT TWO}"),
)


class WatchedStore(MemoryStore):
    """Knows which uploads have left rows behind."""

    def __init__(self) -> None:
        super().__init__()
        self.staged: set[str] = set()

    async def stage(
        self,
        account_id: kc.AccountId,
        campaign_id: kc.CampaignId,
        contacts: Sequence[StagedContact],
        rejects: Sequence[kc.RejectedRow] = (),
    ) -> None:
        self.staged.add(campaign_id)
        await super().stage(account_id, campaign_id, contacts, rejects)

    async def discard(self, account_id: kc.AccountId, campaign_id: kc.CampaignId) -> None:
        await super().discard(account_id, campaign_id)
        self.staged.discard(campaign_id)


@pytest.fixture
def store() -> WatchedStore:
    """Give a store that knows what was left behind."""
    return WatchedStore()


@pytest.fixture
async def ask(serve: Serve, http: httpx.AsyncClient, store: WatchedStore) -> AsyncIterator[Asking]:
    """Give a caller; after the test nothing may be staged but what became a campaign."""
    server = await serve(store=store)
    yield Asking(http, server)
    assert store.staged <= {each.id for each in await server.engine.campaigns(ACME.id)}, "rows were left behind"


def in_days(days: float) -> str:
    return kc.format_rfc3339(SystemClock().now() + timedelta(days=days))


async def nothing_was_made(ask: Asking) -> None:
    assert await ask.made() == []


async def test_a_form_with_all_that_it_may_hold_becomes_a_campaign(ask: Asking) -> None:
    due = in_days(1)
    settings: dict[str, str | bytes] = {
        "max_concurrent_calls": "7",
        "retries_per_contact": "5",
        "retry_delay_seconds": "2592000",
        "scheduled_at": due,
    }
    steering: dict[str, str | bytes] = {
        "default_region": "US",
        "phone_column": "Cell",
        "duplicates": "keep",
        "strict": "true",
    }
    file = "name;CELL\nAda;(415) 555-0100\nBob;+1 415 555 0100\n"
    answer = await ask.send(with_parts(**settings, **steering, contacts=file))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["status"], made["scheduled_at"]) == ("scheduled", due)
    assert (made["max_concurrent_calls"], made["retries_per_contact"], made["retry_delay_seconds"]) == (7, 5, 2592000)
    assert (answer.headers["Kataven-Accepted-Rows"], answer.headers["Kataven-Rejected-Rows"]) == ("2", "0")
    contacts = (await ask.get(f"/campaigns/{made['id']}/contacts")).json()["contacts"]
    assert [each["phone_number"] for each in contacts] == ["+14155550100"] * 2
    assert [each["custom_fields"] for each in contacts] == [{"name": "Ada"}, {"name": "Bob"}]


async def test_without_more_than_it_needs_a_campaign_has_the_defaults(ask: Asking) -> None:
    answer = await ask.send(with_parts())
    assert answer.status_code == 201
    made = answer.json()
    assert (made["max_concurrent_calls"], made["retries_per_contact"], made["retry_delay_seconds"]) == (5, 0, 300)
    assert (made["status"], made["scheduled_at"]) == ("draft", None)
    assert await ask.campaign(made["id"]) == made


async def test_parts_come_in_any_order_and_from_any_client(ask: Asking) -> None:
    parts = with_parts(retries_per_contact="3")
    for order in (parts[::-1], parts[2:] + parts[:2]):
        answer = await ask.send(order, boundary="----WebKitFormBoundary7MA4YWxkTrZu0gW")
        assert answer.status_code == 201, answer.text
        assert answer.json()["retries_per_contact"] == 3
    quoted = await ask.post(
        "/campaigns",
        multipart(parts, "a b'()+_,-./:=?z"),
        Content_Type='Multipart/Form-Data; charset=utf-8; BOUNDARY="a b\'()+_,-./:=?z"',
    )
    assert quoted.status_code == 201, quoted.text
    around = b"a preamble\r\n" + multipart(parts) + b"an epilogue"
    assert (await ask.post("/campaigns", around, **of_form())).status_code == 201


async def test_each_part_that_is_needed_and_missing_or_blank_is_named(ask: Asking) -> None:
    for field in GOOD:
        missing = await ask.send(with_parts(**{field: None}), **PROBLEM)
        assert wrong_fields(missing) == [field]
        assert "missing" in missing.json()["detail"]
    for field in ("name", "agent_id", "phone_number_id", *NUMBERS, "scheduled_at", "phone_column", "default_region"):
        for blank in ("", "  ", "\t\r\n", "\u3000"):
            answer = await ask.send(with_parts(**{field: blank}), **PROBLEM)
            assert wrong_fields(answer) == [field], blank
    assert wrong_fields(await ask.send(with_parts(contacts=b""), **PROBLEM)) == ["contacts"]
    assert sorted(wrong_fields(await ask.send([], **PROBLEM))) == sorted(GOOD)
    await nothing_was_made(ask)


async def test_numbers_are_ascii_digits_within_their_range(ask: Asking) -> None:
    for field, (low, high) in NUMBERS.items():
        for good in (low, high):
            answer = await ask.send(with_parts(**{field: str(good)}))
            assert (answer.status_code, answer.json()[field]) == (201, good)
        for text in [*NO_NUMBERS, str(high + 1), *([str(low - 1)] if low else [])]:
            answer = await ask.send(with_parts(**{field: text}), **PROBLEM)
            assert wrong_fields(answer) == [field], text
            assert len(answer.content) < 1000


async def test_a_name_is_kept_to_the_letter_up_to_255_characters(ask: Asking) -> None:
    for name in (
        "é" * 255,
        "📞" * 255,
        " spaces kept ",
        "Ünïcödé\r\nin two lines",
        "null",
        "'; DROP TABLE campaigns;--",
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "a\u2028b\u202ec",
        "e\u0301",
    ):
        assert (await ask.campaign(await ask.make(name=name)))["name"] == name
    for wrong in ("x" * 256, "📞" * 256, "a\0b", "\0", "x" * 5000):
        assert wrong_fields(await ask.send(with_parts(name=wrong), **PROBLEM)) == ["name"], wrong[:9]


async def test_what_is_no_utf8_is_named(ask: Asking) -> None:
    for field in ("name", "agent_id", "phone_number_id", *NUMBERS, "scheduled_at", "strict", "duplicates"):
        for raw in (b"\xff", b"caf\xe9", b"\xed\xa0\x80", b"\xc0\xaf"):
            answer = await ask.send(with_parts(**{field: raw}), **PROBLEM)
            assert wrong_fields(answer) == [field], raw
            assert "UTF-8" in answer.json()["detail"]
    await nothing_was_made(ask)


async def test_a_time_is_rfc3339_to_the_letter_in_the_future_and_not_too_far(ask: Asking) -> None:
    soon = SystemClock().now() + timedelta(days=1)
    for text in (
        soon.isoformat(),
        in_days(1).lower(),
        f"{soon:%Y-%m-%dT%H:%M:%S}.123456789Z",
        f"{soon:%Y-%m-%dT%H:%M:%S}-11:30",
        in_days(5 * 365),
    ):
        answer = await ask.send(with_parts(scheduled_at=text))
        assert (answer.status_code, answer.json()["status"]) == (201, "scheduled"), text
    year = soon.year + 1
    for text in (
        in_days(-1),
        kc.format_rfc3339(SystemClock().now()),
        in_days(5 * 365 + 3),
        f"{soon:%Y-%m-%dT%H:%M:%S}",
        f"{soon:%Y-%m-%d}",
        f"{soon:%Y-%m-%d %H:%M:%S}Z",
        f"{year}-W10-2T10:00:00Z",
        f"{year}0101T100000Z",
        f"{year}-060T10:00:00Z",
        f"{year}-02-30T10:00:00Z",
        f"{year}-01-01T24:00:00Z",
        f"{year}-01-01T10:00Z",
        f"{year}-01-01T10:00:00+0200",
        f"{year}-01-01T10:00:00+24:00",
        f" {in_days(1)}",
        "tomorrow",
        "1767225600",
        "9999-12-31T23:59:59-12:00",
    ):
        answer = await ask.send(with_parts(scheduled_at=text), **PROBLEM)
        assert wrong_fields(answer) == ["scheduled_at"], text


async def test_what_the_server_sets_is_ignored_and_anything_else_unknown_is_refused(ask: Asking) -> None:
    ours = ("id", "status", "created_at", "started_at", "completed_at", "created_by")
    made = (await ask.send([*((name, "theirs") for name in ours), *with_parts()])).json()
    assert (made["status"], made["created_by"], made["name"]) == ("draft", "ops", "March")
    assert "theirs" not in made.values()
    for name in ("nom", "Name", "NAME", "name[]", "retry_policy", "", " name", "contacts.csv", "<b>", "n" * 500):
        answer = await ask.send([(name, "x"), *with_parts()], **PROBLEM)
        assert wrong_fields(answer) == [name[:64]]
    assert len(await ask.made()) == 1


async def test_the_same_part_twice_is_refused(ask: Asking) -> None:
    for field in (*GOOD, "strict", "retries_per_contact", "status"):
        twin: str | bytes = GOOD.get(field, "true" if field == "strict" else "3")
        answer = await ask.send([(field, twin), *with_parts(**{field: twin})], **PROBLEM)
        assert wrong_fields(answer) == [field]
        assert "twice" in answer.json()["detail"]
    await nothing_was_made(ask)


async def test_what_steers_the_reading_comes_before_the_file(ask: Asking) -> None:
    for field, value in {
        "strict": "false",
        "duplicates": "keep",
        "phone_column": "phone_number",
        "default_region": "US",
    }.items():
        late = await ask.send([*with_parts(), (field, value)], **PROBLEM)
        assert wrong_fields(late) == [field]
        assert "before" in late.json()["detail"]
    wrong = {"strict": "yes", "duplicates": "drop", "default_region": "Atlantis", "phone_column": " "}
    for field, value in wrong.items():
        assert wrong_fields(await ask.send(with_parts(**{field: value}), **PROBLEM)) == [field]
    all_wrong = await ask.send(with_parts(**wrong), **PROBLEM)
    assert sorted(wrong_fields(all_wrong)) == sorted(wrong)
    await nothing_was_made(ask)


async def test_all_that_is_wrong_is_named_in_one_answer_also_behind_a_file_that_is_broken(ask: Asking) -> None:
    parts: list[tuple[str, str | bytes]] = [
        ("name", " "),
        ("agent_id", "nobody"),
        ("contacts", "no_such_column\n1\n" + "2\n" * 100_000),
        ("phone_number_id", "silent"),
        ("max_concurrent_calls", "101"),
        ("retries_per_contact", "six"),
        ("retry_delay_seconds", "59"),
        ("scheduled_at", "yesterday"),
        ("strict", "true"),
        ("colour", "red"),
    ]
    answer = await ask.send(parts, **PROBLEM)
    assert set(wrong_fields(answer)) == {name for name, _ in parts}
    assert answer.json()["code"] == "invalid_settings"
    detail = answer.json()["detail"]
    assert all(name in detail for name, _ in parts), detail
    text = await ask.send(parts)
    assert (text.status_code, text.text) == (400, detail)
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    await nothing_was_made(ask)


async def test_a_file_that_can_not_be_used_says_where_it_is_wrong(ask: Asking) -> None:
    for file, code, line in (
        (b"", "no_header", None),
        (b"\n\n", "no_header", None),
        (b"name\nAda\n", "no_phone_number", 1),
        (b"phone_number,a,a\n+14155550100,1,2\n", "duplicate_header", 1),
        (b"phone_number,,a\n+14155550100,1,2\n", "empty_header", 1),
        (b"phone_number\n", "no_accepted_row", None),
        (b"phone_number\n12\n", "no_accepted_row", 2),
        (b"phone_number\n+14155550100\n\xff\n", "not_utf8", 3),
        (b'phone_number,a\n+14155550100,"x\n\n', "unclosed_quote", 2),
        (b'phone_number,a\n+14155550100,"x"y\n', "text_after_quote", 2),
        (b"phone_number\n+1415\x005550100\n", "nul_byte", 2),
        (b"phone_number" + b"".join(b",c%d" % n for n in range(64)) + b"\n+14155550100\n", "too_many_columns", 1),
        (b"phone_number,a\n+14155550100," + b"x" * 4097 + b"\n", "field_too_long", 2),
    ):
        answer = await ask.send(with_parts(contacts=file), **PROBLEM)
        assert wrong_fields(answer)[0] == "contacts"
        error = answer.json()["errors"][0]
        assert (answer.json()["code"], error["line"]) == (code, line), error
    likely = await ask.send(with_parts(contacts="name,Mobile\nAda,+14155550100\n"))
    assert "Mobile" in likely.text
    await nothing_was_made(ask)


async def test_good_rows_are_kept_and_bad_ones_counted_unless_it_is_strict(ask: Asking) -> None:
    rows = "".join(f"+1415555{n:04d}\nwrong {n}\n" for n in range(150))
    file = f"phone_number\n{rows}"
    lenient = await ask.send(with_parts(contacts=file, strict="false"))
    assert lenient.status_code == 201
    assert (lenient.headers["Kataven-Accepted-Rows"], lenient.headers["Kataven-Rejected-Rows"]) == ("150", "150")
    strict = await ask.send(with_parts(contacts=file, strict="true", name="strict"), **PROBLEM)
    assert set(wrong_fields(strict)) == {"contacts"}
    assert strict.json()["code"] == "rejected_rows"
    whole, *errors = strict.json()["errors"]
    assert "150 of 300" in whole["message"]
    assert [each["line"] for each in errors] == [*range(3, 203, 2)]
    assert {(each["column"], each["code"]) for each in errors} == {("phone_number", "invalid_number")}
    text = (await ask.send(with_parts(contacts=file, strict="true"))).text
    assert [int(each) for each in re.findall(r"line (\d+)", text)] == [*range(3, 203, 2)]
    assert await ask.made() == ["March"]


async def test_duplicates_are_rejected_or_kept_in_file_order(ask: Asking) -> None:
    file = "phone_number,n\n+14155550100,1\n+1 415 555 0100,2\n+14155550101,3\n"
    for duplicates, accepted, kept in ((None, "2", ["1", "3"]), ("reject", "2", ["1", "3"]), ("keep", "3", [*"123"])):
        answer = await ask.send(with_parts(contacts=file, duplicates=duplicates))
        assert answer.headers["Kataven-Accepted-Rows"] == accepted
        contacts = (await ask.get(f"/campaigns/{answer.json()['id']}/contacts")).json()["contacts"]
        assert [each["custom_fields"]["n"] for each in contacts] == kept


async def test_what_is_no_form_is_refused(ask: Asking) -> None:
    good = multipart(with_parts())
    for content_type in (
        "application/json",
        "application/x-www-form-urlencoded",
        "text/csv",
        "multipart/mixed; boundary=b0undary",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={'x' * 71}",
        'multipart/form-data; boundary="b;ad"',
        "",
    ):
        answer = await ask.post("/campaigns", good, Content_Type=content_type, **PROBLEM)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_form"), content_type
        assert "form" in answer.json()["detail"]
    bare = await ask.http.post(f"{ask.server.base}/api/v1/campaigns", headers=dict(ask.headers))
    assert bare.status_code == 400
    await nothing_was_made(ask)


async def test_a_form_that_breaks_off_or_is_garbled_makes_nothing(ask: Asking) -> None:
    good = multipart(with_parts())
    begun = f"--{BOUNDARY}\r\n".encode()
    for body in (
        b"",
        b"hello",
        good[: -2 - len(BOUNDARY)],
        good[: len(good) // 2],
        begun,
        good.replace(BOUNDARY.encode(), b"another"),
        begun + b"no header at all\r\n\r\nx\r\n" + good,
        begun + b"Content-Disposition: attachment\r\n\r\nx\r\n" + good,
        begun + b'Content-Disposition: form-data; name="n\xffame"\r\n\r\nx\r\n' + good,
        begun + b"X: " + b"x" * 9000 + b"\r\n\r\nx\r\n" + good,
        begun + b"X: y\r\n" * 50 + b"\r\nx\r\n" + good,
        begun + b"Content-Length: 999\r\n" + part("name", "x") + b"\r\n" + good,
        (begun + part("id", "x") + b"\r\n") * 70 + good,
        good.replace(b"\r\n", b"\n"),
    ):
        answer = await ask.post("/campaigns", body, **of_form(), **PROBLEM)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_form"), body[:99]
        assert "Error" not in answer.text
    await nothing_was_made(ask)


async def test_a_body_that_is_compressed_is_refused(ask: Asking) -> None:
    good = multipart(with_parts())
    for encoding, body in (("gzip", gzip.compress(good)), ("GZIP", b"no gzip"), ("gzip", b""), ("zip, gzip", good)):
        answer = await ask.post("/campaigns", body, **of_form(), Content_Encoding=encoding)
        assert (answer.status_code, "Content-Encoding" in answer.text) == (400, True), encoding
    assert (await ask.post("/campaigns", good, **of_form(), Content_Encoding="identity")).status_code == 201


def file_of(size: int) -> bytes:
    """Give a file of so many bytes, in long rows."""
    begin = b"phone_number,note\n"
    rows = [b"+1415%07d,%s\n" % (n, b"x" * 4080) for n in range((size - len(begin)) // 4094 - 1)]
    file = begin + b"".join(rows)
    return file + b"+14165550100," + b"\n" * (size - len(file) - 13)


async def test_a_file_of_ten_mebibytes_is_accepted_and_with_one_byte_more_it_is_read_no_further(ask: Asking) -> None:
    file = file_of(10 * MIB)
    assert len(file) == 10 * MIB
    exact = await ask.send(with_parts(contacts=file))
    assert exact.status_code == 201, exact.text
    begun = multipart(with_parts(contacts=file + b"\n", retries_per_contact="9"))[: -len(BOUNDARY) - 8]
    async with connected(ask.server) as raw:
        path = path_of(ask.server, "/api/v1/campaigns")
        content_type = f"Content-Type: {of_form()['Content-Type']}"
        await raw.ask("POST", path, content_type, f"Content-Length: {100 * MIB}", "Accept: application/problem+json")
        await raw.send(begun)
        status, headers, content = await raw.answer()
        with suppress(ConnectionError):
            await raw.send(b"\n" * MIB)
        await raw.rest()
    answer = httpx.Response(status, headers=headers, content=content)
    assert headers["connection"] == "close"
    assert set(wrong_fields(answer)) == {"contacts", "retries_per_contact"}
    assert f"{10 * MIB:,}" in answer.json()["detail"]
    assert await ask.made() == ["March"]


async def test_who_waits_to_be_asked_for_the_body_is_asked_only_when_it_is_wanted(ask: Asking) -> None:
    body = multipart(with_parts())
    path = path_of(ask.server, "/api/v1/campaigns")
    wants = (f"Content-Type: {of_form()['Content-Type']}", f"Content-Length: {len(body)}", "Expect: 100-continue")
    async with connected(ask.server) as raw:
        await raw.ask("POST", path, *wants)
        assert (await raw.head())[0] == 100
        await raw.send(body)
        assert (await raw.head())[0] == 201
    async with connected(ask.server) as raw:
        await raw.ask("POST", path, *wants, key=KEYS[ACME.id] + "x")
        assert (await raw.head())[0] == 401
    assert len(CONTACTS) < len(body)
