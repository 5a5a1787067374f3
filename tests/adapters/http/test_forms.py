import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kataven_adapters.http.forms import MAX_PARTS, Form
from kataven_adapters.http.problems import HttpProblem

from .asking import BOUNDARY, of_form, part
from .asking import multipart as written
from .inside import body_of

CONTENT_TYPE = of_form()["Content-Type"]
NAMES = st.text(st.characters(codec="utf-8", exclude_characters='"\\%', exclude_categories=["C"]), max_size=20)
VALUES = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--", b"\r\n--", BOUNDARY.encode()[:4], b"x"])).map(b"".join),
).filter(lambda value: f"\r\n--{BOUNDARY}".encode() not in b"\r\n" + value)
PARTS = st.lists(st.tuples(NAMES, VALUES), max_size=6)


async def read(chunks: Sequence[bytes], content_type: str = CONTENT_TYPE) -> list[tuple[str, bytes]]:
    form = Form(content_type, body_of(*chunks))
    return [(name, b"".join([piece async for piece in form.data()])) async for name in form]


def split(raw: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut at some places; no piece is empty."""
    ends = [*sorted({place % len(raw) for place in places} - {0}), len(raw)]
    return [raw[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


@given(PARTS, st.lists(st.integers(min_value=0), max_size=12))
@example([("name", b"\r"), ("contacts", b"\r\n--b0undar\r\n")], [*range(1, 400)])
def test_however_the_bytes_are_split_the_parts_are_the_same(parts: list[tuple[str, bytes]], places: list[int]) -> None:
    raw = written(parts)
    assert asyncio.run(read(split(raw, places))) == parts


@given(st.binary(max_size=60), st.integers(min_value=0), st.integers(min_value=0, max_value=40), st.data())
def test_whatever_comes_it_is_a_form_or_a_problem(noise: bytes, place: int, cut: int, data: st.DataObject) -> None:
    raw = written([("name", "March"), ("contacts", b"phone_number\n+14155550100\n")])
    at = place % len(raw)
    garbled = raw[:at] + noise + raw[at + cut :]
    places = data.draw(st.lists(st.integers(min_value=0), max_size=5))
    try:
        asyncio.run(read(split(garbled, places) if garbled else []))
    except HttpProblem as problem:
        assert (problem.status, problem.code) == (400, "invalid_form")  # noqa: PT017 - any may come


async def test_what_is_not_read_of_a_part_is_passed_over() -> None:
    raw = written([("a", b"x" * 1000), ("b", b"y" * 1000), ("c", b"z")])
    form = Form(CONTENT_TYPE, body_of(*split(raw, range(0, 4000, 37))))
    seen = []
    async for name in form:
        seen.append(name)
        if name == "b":
            async for _ in form.data():
                break
    assert seen == ["a", "b", "c"]
    assert [each async for each in form.data()] == []


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/csv",
        "application/json",
        "multipart/mixed; boundary=b0undary",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        f"multipart/form-data; boundary={'x' * 71}",
        'multipart/form-data; boundary="a\nb"',
        'multipart/form-data; boundary="ends in a space "',
        'multipart/form-data; boundary="Ünï"',
        "multipart/form-data; boundary=\ud800",
        "\ud800" * 500,
    ],
)
def test_what_is_no_form_says_so_before_anything_is_read(content_type: str) -> None:
    with pytest.raises(HttpProblem) as caught:
        Form(content_type, body_of(b"x"))
    assert (caught.value.status, caught.value.code) == (400, "invalid_form")
    assert len(caught.value.detail) < 300


@pytest.mark.parametrize(
    "content_type",
    [
        CONTENT_TYPE,
        f"Multipart/Form-Data;boundary={BOUNDARY}",
        f'multipart/form-data; charset=utf-8; boundary="{BOUNDARY}"',
        f"multipart/form-data; BOUNDARY={BOUNDARY}",
    ],
)
async def test_how_a_content_type_is_written_does_not_matter(content_type: str) -> None:
    assert await read([written([("a", b"1")])], content_type) == [("a", b"1")]


async def test_there_may_be_so_many_parts_and_no_more() -> None:
    parts: list[tuple[str, str | bytes]] = [(f"p{n}", b"") for n in range(MAX_PARTS)]
    assert len(await read([written(parts)])) == MAX_PARTS
    with pytest.raises(HttpProblem, match="segment count"):
        await read([written([*parts, ("one more", b"")])])


async def test_a_form_that_breaks_off_is_none_and_says_nothing_of_what_it_held() -> None:
    raw = written([("name", b"March")])
    for end in range(len(raw) - 2):
        with pytest.raises(HttpProblem, match="form can't be read"):
            await read([raw[:end]] if end else [])
    secret = b"--" + BOUNDARY.encode() + b"\r\n" + part("x", "y").replace(b'"x"', b'"secret\xff"')
    with pytest.raises(HttpProblem) as caught:
        await read([secret])
    assert "secret" not in caught.value.detail
