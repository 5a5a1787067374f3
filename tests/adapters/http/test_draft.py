from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from attrs import evolve

import kataven_core as kc
from kataven_adapters.http import ApiSettings, Caller, Metrics
from kataven_adapters.http.calls import Call, Services
from kataven_adapters.http.draft import MAX_TEXT_BYTES, Draft
from kataven_adapters.http.feeds import Feeds
from kataven_adapters.http.forms import Form
from kataven_adapters.http.once import Attempted
from kataven_adapters.http.problems import HttpProblem
from kataven_adapters.http.routes import ROUTES
from kataven_core.testing.samples import NOON, a_campaign

from .asking import CONTACTS, multipart, of_form, with_parts
from .conftest import ACME
from .inside import Inside, body_of, inside, request

Parts = Sequence[tuple[str, str | bytes]]
FIRST = Attempted(scope="POST /campaigns", key="k", receipt=None)
BEFORE = evolve(
    FIRST,
    receipt=kc.Receipt(once=kc.Once(scope="POST /campaigns", key="k", fingerprint="f"), answer=a_campaign(), at=NOON),
)
"""A request under a key, for the first time and once more."""


@pytest.fixture
async def there() -> AsyncIterator[Inside]:
    async with inside() as opened:
        yield opened


@asynccontextmanager
async def drafted(
    there: Inside, parts: Parts, *, is_replay: bool = False, boundary: str = "b0undary", cut: int = 0
) -> AsyncIterator[Draft]:
    """Read a form, of which ``cut`` bytes are missing at the end."""
    raw = multipart(parts, boundary)
    body = body_of(raw[: len(raw) - cut])
    services = Services(
        engine=there.engine,
        settings=ApiSettings(),
        clock=there.clock,
        feeds=Feeds(there.engine, ApiSettings()),
        metrics=Metrics(),
        routes=ROUTES,
    )
    call = Call(request=request(), body=body, services=services, caller=Caller(ACME.id, "ops"), ids={})
    async with AsyncExitStack() as uploads:
        draft = Draft(call, BEFORE if is_replay else FIRST)
        await draft.read(Form(of_form(boundary)["Content-Type"], body), uploads)
        yield draft


async def problem_of(there: Inside, parts: Parts) -> HttpProblem:
    async with drafted(there, parts) as draft:
        with pytest.raises(HttpProblem) as caught:
            draft.settings(ACME)
    return caught.value


async def test_a_form_is_settings_and_a_file_that_is_staged(there: Inside) -> None:
    async with drafted(there, with_parts(retries_per_contact="2")) as draft:
        assert draft.settings(ACME) == kc.CampaignSettings(
            name="March", agent_id="reminder", phone_number_id="office", retries_per_contact=2
        )
        assert draft.upload
        assert draft.upload.progress.accepted == 2


async def test_a_payload_is_what_was_sent_whatever_order_and_boundary_it_came_in(there: Inside) -> None:
    async def payload(parts: Parts, boundary: str = "b0undary", *, is_replay: bool = False) -> bytes:
        async with drafted(there, parts, boundary=boundary, is_replay=is_replay) as draft:
            return draft.payload

    first = await payload(with_parts())
    assert first == await payload(with_parts()[::-1], "another") == await payload(with_parts(), is_replay=True)
    others = [
        await payload(parts)
        for parts in (
            with_parts(name="March "),
            with_parts(name=None),
            with_parts(max_concurrent_calls="5"),
            with_parts(contacts=CONTACTS + b"\n"),
            with_parts(contacts=None),
            with_parts(name="agent_id", agent_id="March"),
        )
    ]
    assert len({first, *others}) == len(others) + 1


async def test_a_replay_stages_nothing(there: Inside) -> None:
    async with drafted(there, with_parts(), is_replay=True) as draft:
        assert draft.upload is None


async def test_nothing_is_staged_where_it_is_not_known_how_to_read_the_file(there: Inside) -> None:
    for field in ("phone_column", "default_region"):
        async with drafted(there, with_parts(**{field: " "})) as draft:
            assert draft.upload is None
        problem = await problem_of(there, with_parts(**{field: " ", "strict": "perhaps"}, contacts=b"x" * 100))
        assert sorted(each["field"] for each in problem.errors) == sorted([field, "strict"]), "else it is not judged"


async def test_a_file_is_judged_though_it_is_not_known_which_rows_to_keep(there: Inside) -> None:
    steering: dict[str, str | bytes] = {"strict": "perhaps", "duplicates": b"\xff"}
    problem = await problem_of(there, with_parts(**steering, contacts=b"x\n1\n"))
    assert sorted(each["field"] for each in problem.errors) == ["contacts", "duplicates", "strict"]
    problem = await problem_of(there, with_parts(**steering))
    assert sorted(each["field"] for each in problem.errors) == ["duplicates", "strict"]


async def test_all_that_is_wrong_is_one_problem(there: Inside) -> None:
    parts: list[tuple[str, str | bytes]] = [
        ("name", b"\xff"),
        ("agent_id", "a" * (MAX_TEXT_BYTES + 1)),
        ("contacts", b"x\n1\n"),
        ("retries_per_contact", "9"),
    ]
    problem = await problem_of(there, parts)
    assert (problem.status, problem.code, problem.is_last) == (400, "invalid_settings", False)
    fields = [each["field"] for each in problem.errors]
    assert sorted(fields) == ["agent_id", "contacts", "name", "phone_number_id", "retries_per_contact"]
    assert all(field in problem.detail for field in fields)


async def test_a_text_may_be_as_long_as_it_may_be_and_no_longer(there: Inside) -> None:
    for length, sentence in ((MAX_TEXT_BYTES, "255"), (MAX_TEXT_BYTES + 1, "4,096 bytes")):
        problem = await problem_of(there, with_parts(name="x" * length))
        assert [each["field"] for each in problem.errors] == ["name"]
        assert sentence in problem.detail


async def test_behind_a_file_that_is_too_large_nothing_is_read_and_nothing_missed(there: Inside) -> None:
    large = b"phone_number\n" + b"\n" * kc.MAX_FILE_BYTES
    parts: list[tuple[str, str | bytes]] = [
        ("name", " "),
        ("contacts", large),
        ("agent_id", "reminder"),
        ("strict", "true"),
    ]
    for is_replay in (False, True):
        async with drafted(there, parts, is_replay=is_replay) as draft:
            with pytest.raises(HttpProblem) as caught:
                draft.settings(ACME)
        assert caught.value.is_last
        assert [each["field"] for each in caught.value.errors] == ["name", "contacts"]


async def test_a_file_that_is_broken_in_a_form_that_breaks_off_is_what_is_told(there: Inside) -> None:
    parts = [*with_parts(contacts=b"x\n1\n"), ("retries_per_contact", "9")]
    async with drafted(there, parts, cut=30) as draft:
        with pytest.raises(HttpProblem) as caught:
            draft.settings(ACME)
    assert (caught.value.code, caught.value.is_last) == ("no_phone_number", True)
    with pytest.raises(HttpProblem, match="form can't be read"):
        async with drafted(there, with_parts(), cut=30):
            pass


async def test_only_a_form_without_a_contacts_file_says_that_it_is_missing(there: Inside) -> None:
    problem = await problem_of(there, with_parts(contacts=None))
    assert problem.errors == [{"field": "contacts", "message": "contacts is missing: send the CSV file"}]
