"""A body as it comes, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from kataven_adapters.http.body import Body
from kataven_adapters.http.messages import Disconnected
from kataven_adapters.http.problems import HttpProblem
from kataven_adapters.http.settings import ApiSettings

from .feeding import virtually
from .inside import body_of

SETTINGS = ApiSettings(max_body_bytes=100, body_window_s=12, body_window_bytes=10)


async def coming(pieces: Iterable[tuple[float, bytes]]) -> AsyncIterator[bytes]:
    """Yield pieces, each some seconds after it was asked for."""
    for seconds, piece in pieces:
        await asyncio.sleep(seconds)
        yield piece


async def dying() -> AsyncIterator[bytes]:
    yield b"x"
    raise Disconnected


async def test_a_body_comes_as_it_is_and_is_read_when_it_has_ended() -> None:
    body = body_of(b"ab", b"c", b"d" * 97, settings=SETTINGS)
    pieces = []
    async for piece in body:
        assert not body.is_read
        pieces.append(piece)
    assert (pieces, body.is_read) == ([b"ab", b"c", b"d" * 97], True)
    empty = body_of(settings=SETTINGS)
    assert [each async for each in empty] == []
    assert empty.is_read


async def test_one_byte_too_many_ends_it() -> None:
    body = body_of(b"x" * 100, b"y", settings=SETTINGS)
    taken = b""
    with pytest.raises(HttpProblem) as caught:  # noqa: PT012 - what came before counts
        async for piece in body:
            taken += piece
    assert taken == b"x" * 100
    assert (caught.value.status, caught.value.code, caught.value.is_last) == (400, "body_too_large", True)
    assert "100 bytes" in caught.value.detail
    assert not body.is_read


@pytest.mark.parametrize(
    ("pieces", "ends_at"),
    [
        ([(13.0, b"x" * 50)], 12.0),
        ([(2.0, b"x")] * 50, 12.0),
        ([(0.0, b"x" * 9), (13.0, b"")], 12.0),
        ([(11.0, b"x" * 10), (11.0, b"x" * 9), (2.0, b"x")], 23.0),
        ([(0.5, b"x" * 30), (0.0, b"y"), (20.0, b"z")], 12.5),
    ],
)
def test_one_that_brings_too_little_in_a_window_is_given_up(pieces: list[tuple[float, bytes]], ends_at: float) -> None:
    async def test() -> None:
        clock = asyncio.get_running_loop().time
        begun = clock()
        body = Body(coming(pieces), SETTINGS)
        with pytest.raises(HttpProblem) as caught:
            async for _ in body:
                pass
        assert clock() - begun == pytest.approx(ends_at, abs=0.01)
        assert (caught.value.status, caught.value.code, caught.value.is_last) == (408, "body_too_slow", True)
        assert "10 bytes" in caught.value.detail
        assert not body.is_read

    assert virtually(test()) == []


def test_one_that_brings_enough_in_each_window_may_take_as_long_as_it_likes() -> None:
    async def test() -> None:
        body = Body(coming([(5.9, b"x" * 5)] * 20), SETTINGS)
        assert len([each async for each in body]) == 20
        assert body.is_read

    assert virtually(test()) == []


def test_the_time_that_a_reader_takes_is_not_held_against_it() -> None:
    async def test() -> None:
        body = Body(coming([(3.0, b"x")] * 3), SETTINGS)
        async for _ in body:
            await asyncio.sleep(100)
        assert body.is_read

    assert virtually(test()) == []


def test_what_is_left_of_it_is_passed_over_but_not_waited_for() -> None:
    async def test() -> None:
        clock = asyncio.get_running_loop().time
        body = Body(coming([(0.1, b"x")] * 3), SETTINGS)
        await body.pass_over()
        assert body.is_read
        stuck, begun = Body(coming([(0.1, b"x"), (60, b"x")]), SETTINGS), clock()
        await stuck.pass_over()
        assert (stuck.is_read, clock() - begun <= 1.01) == (False, True)
        gone = Body(dying(), SETTINGS)
        await gone.pass_over()
        assert not gone.is_read, "nothing that it may yet bring changes the answer"

    assert virtually(test()) == []


async def test_that_the_client_has_gone_is_for_the_reader_to_know() -> None:
    with pytest.raises(Disconnected):
        async for _ in Body(dying(), SETTINGS):
            pass
