import asyncio

import pytest
from aiohttp import web

from kataven_adapters.http_line.health import Health
from kataven_core import AdapterFault
from kataven_core.testing.samples import an_order

from .conftest import Dialer, Lines, Say, never, placed, reset, say, serve


async def test_a_dialer_that_is_up_is_in_no_trouble_once_it_is_open(lines: Lines) -> None:
    line, heard = await lines.open()
    assert line.trouble is None
    assert heard.turns == []


async def test_opening_does_not_fail_nor_wait_for_a_dialer_that_does_not_answer(lines: Lines, dialer: Dialer) -> None:
    dialer.live = never
    line, heard = await lines.open(open_patience_s=0.01)
    assert line.trouble == "the dialer has not been reached yet"
    assert heard.turns == []


async def test_a_dialer_that_is_away_at_first_is_up_when_it_comes(lines: Lines, dialer: Dialer) -> None:
    runner = await serve(dialer, lines.stack)
    port = dialer.port
    await runner.cleanup()
    line, heard = await lines.open()
    assert line.trouble is not None
    await serve(dialer, lines.stack, port)
    await heard.turned(1)
    assert heard.turns == [None]


@pytest.mark.parametrize(
    ("live", "said"),
    [
        (say(401), "answers 401: set [line] token"),
        (say(404), "is the line's address right?"),
        (say(302, Location="/"), "redirects"),
        (say(500), "answers 500"),
        (say(200, text="<html>"), "can't be read"),
        (say(200, {"calls": {}}), "calls: must be an array"),
        (reset, "broke off"),
    ],
)
async def test_only_the_list_of_live_calls_says_that_the_dialer_is_up(
    lines: Lines, dialer: Dialer, live: Say, said: str
) -> None:
    dialer.live = live
    line, heard = await lines.open()
    assert line.trouble is not None
    assert said in line.trouble
    dialer.live = say(members={"calls": []})
    await heard.turned(1)
    assert heard.turns == [None]


@pytest.mark.parametrize("place", [say(500), say(401), reset])
async def test_each_coming_and_going_of_trouble_is_told_once(lines: Lines, dialer: Dialer, place: Say) -> None:
    line, heard = await lines.open()
    for cycle in range(3):
        dialer.place = place
        await asyncio.gather(*(line.originate(an_order(index)) for index in range(5)), return_exceptions=True)
        await heard.turned(2 * cycle + 2)
        dialer.place = placed
        assert (await line.originate(an_order(9))).report.attempt_id == an_order(9).attempt_id
    assert [turn is None for turn in heard.turns] == [False, True] * 3
    assert line.trouble is None


async def test_after_one_bad_answer_the_first_probe_comes_at_once(lines: Lines, dialer: Dialer) -> None:
    line, heard = await lines.open(first_pause_s=3_600.0, longest_pause_s=3_600.0)
    await line.originate(an_order(0))
    dialer.place = say(500)
    with pytest.raises(AdapterFault):
        await line.originate(an_order(1))
    await heard.turned(2)
    assert line.trouble is None


async def test_a_dialer_that_answers_probes_and_fails_at_calls_is_asked_ever_less(lines: Lines, dialer: Dialer) -> None:
    line, heard = await lines.open(first_pause_s=3_600.0, longest_pause_s=3_600.0)
    await line.originate(an_order(0))
    dialer.place = say(500)
    with pytest.raises(AdapterFault):
        await line.originate(an_order(1))
    await heard.turned(2)
    with pytest.raises(AdapterFault):
        await line.originate(an_order(2))
    await asyncio.sleep(0.05)
    assert line.trouble is not None  # an hour has not passed


async def test_closing_ends_the_probing(lines: Lines, dialer: Dialer) -> None:
    dialer.live = say(500)
    line, heard = await lines.open()
    await line.__aexit__(None, None, None)
    asked = len(dialer.asked)
    await asyncio.sleep(0.05)
    assert len(dialer.asked) == asked
    assert line.trouble == "the line is not open"
    assert heard.turns == []


async def test_a_call_that_fails_while_the_dialer_is_probed_is_not_forgotten(lines: Lines, dialer: Dialer) -> None:
    line, heard = await lines.open()
    asked, fail, probed, answer = (asyncio.Event() for _ in range(4))
    first = an_order(1).attempt_id

    async def place(request: web.Request) -> web.Response:
        if request.headers["Idempotency-Key"] == first:
            asked.set()
            await fail.wait()
        return web.Response(status=500)

    async def live(_: web.Request) -> web.Response:
        probed.set()
        await answer.wait()
        return web.json_response({"calls": []})

    dialer.place, dialer.live = place, live
    slow = asyncio.create_task(line.originate(an_order(1)))
    await asked.wait()
    with pytest.raises(AdapterFault):
        await line.originate(an_order(2))
    await probed.wait()
    dialer.asked.clear()
    fail.set()
    with pytest.raises(AdapterFault):
        await slow
    answer.set()
    await heard.turned(2)
    assert [each.target for each in dialer.asked] == ["/calls?state=live"]
    assert [turn is None for turn in heard.turns] == [False, True]


async def test_whatever_a_probe_raises_it_is_made_again(lines: Lines, caplog: pytest.LogCaptureFixture) -> None:
    raised = [RuntimeError("what nobody thought of")]
    has_turned = asyncio.Event()

    async def probe() -> str | None:
        if raised:
            raise raised.pop()
        return None

    health = Health(probe, lines.settings(first_pause_s=0.05))
    health.listen(has_turned.set)
    await health.open()
    assert health.trouble == "the dialer's answer to a probe could not be understood: RuntimeError"
    await has_turned.wait()
    troubles = [health.trouble]
    await health.close()
    assert troubles == [None]
    assert "could not be understood" in caplog.text
