import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from kataven_core import AdapterFault, Answered, Ended, NeverPlaced, Outcome, Placed, Ringing
from kataven_core.testing.clocks import StillClock
from kataven_core.testing.samples import NOON, an_order

from .conftest import Dialer, Lines, Say, an_attempt, never, reset, say, serve

AT = "2026-03-02T12:00:00Z"
LATER = "2026-03-02T12:00:09.5Z"
ENDED_AT = NOON + timedelta(seconds=9.5)
SETTLED_S = 10.0


def call(index: int, state: str = "ringing", **members: Any) -> dict[str, Any]:
    name = an_order(index).attempt_id
    return {"attempt_id": name, "call_id": f"c{index}", "state": state, **members}


def each(answers: Mapping[int, Say], other: Say | None = None) -> Say:
    """Answer for each attempt by itself; 404 for all others."""
    by_path = {f"/calls/{an_order(index).attempt_id}": answer for index, answer in answers.items()}
    others = other or say(404)

    async def answer(request: web.Request) -> web.StreamResponse:
        return await by_path.get(request.raw_path, others)(request)

    return answer


async def test_all_that_the_dialer_knows_of_a_call_is_said(lines: Lines, dialer: Dialer) -> None:
    over = call(3, "ended", outcome="machine", answered_at=AT, ended_at=LATER, duration_s=1.5)
    unsaid = call(4, "ended", outcome="answered", answered_at=AT, ended_at=LATER)
    dialer.look_up = each(
        {
            1: say(members=call(1)),
            2: say(members=call(2, "answered", answered_at=AT)),
            3: say(members=over),
            4: say(members=unsaid),
        }
    )
    line, heard = await lines.open()
    names = [an_order(index).attempt_id for index in range(5)]
    reports = await line.reconcile([an_attempt(index) for index in range(1, 5)])
    assert sorted(reports, key=lambda report: report.attempt_id) == [
        Placed(attempt_id=names[1], at=NOON, call_id="c1"),
        Ringing(attempt_id=names[1], at=NOON),
        Placed(attempt_id=names[2], at=NOON, call_id="c2"),
        Answered(attempt_id=names[2], at=NOON),
        Ended(attempt_id=names[3], at=ENDED_AT, outcome=Outcome.MACHINE, duration_s=1.5),
        Ended(attempt_id=names[4], at=ENDED_AT, outcome=Outcome.ANSWERED, duration_s=9.5),
    ]
    assert heard.reports == []


async def test_never_placed_is_said_only_long_after_opening(lines: Lines, clock: StillClock) -> None:
    line, _ = await lines.open(settled_after_s=SETTLED_S)
    assert await line.reconcile([an_attempt(1)]) == []
    clock.wait(SETTLED_S - 0.1)
    assert await line.reconcile([an_attempt(1)]) == []
    clock.wait(0.1)
    assert await line.reconcile([an_attempt(1)]) == [NeverPlaced(attempt_id=an_order(1).attempt_id, at=clock.now())]


async def test_never_placed_is_said_only_long_after_our_own_request(
    lines: Lines, dialer: Dialer, clock: StillClock
) -> None:
    line, heard = await lines.open(settled_after_s=SETTLED_S)
    clock.wait(3 * SETTLED_S)
    asked = asyncio.Event()
    go_on = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        asked.set()
        await go_on.wait()
        return web.Response(status=500)

    dialer.place = wait
    originating = asyncio.create_task(line.originate(an_order(1)))
    await asked.wait()
    clock.wait(SETTLED_S)
    assert await line.reconcile([an_attempt(1)]) == []
    go_on.set()
    with pytest.raises(AdapterFault):
        await originating
    await heard.up()
    clock.wait(SETTLED_S - 0.1)
    assert await line.reconcile([an_attempt(1)]) == []
    assert len(await line.reconcile([an_attempt(2)])) == 1
    clock.wait(0.1)
    assert len(await line.reconcile([an_attempt(1)])) == 1


@pytest.mark.parametrize(
    "bad",
    [
        say(500),
        say(401),
        say(302, Location="/"),
        say(204),
        say(200, text="<html>"),
        say(200, call(7)),
        say(200, call(3, "gone")),
        say(200, call(3, "ended")),
        reset,
    ],
)
async def test_what_was_learnt_is_delivered_where_one_could_not_be_asked_about(
    lines: Lines, dialer: Dialer, bad: Say
) -> None:
    dialer.look_up = each({1: say(members=call(1)), 3: bad, 5: say(members=call(5))})
    line, heard = await lines.open()
    with pytest.raises(AdapterFault) as caught:
        await line.reconcile([an_attempt(index) for index in range(1, 6)])
    assert caught.value.is_retryable
    assert {report.attempt_id for report in heard.reports} == {an_order(1).attempt_id, an_order(5).attempt_id}


async def test_what_was_learnt_in_time_is_delivered(lines: Lines, dialer: Dialer) -> None:
    dialer.look_up = each({1: say(members=call(1)), 2: never})
    line, heard = await lines.open(request_limit_s=0.5)
    await heard.up()
    with pytest.raises(AdapterFault):
        await line.reconcile([an_attempt(1), an_attempt(2)])
    assert {report.attempt_id for report in heard.reports} == {an_order(1).attempt_id}


async def test_a_dialer_that_is_away_can_not_be_asked(lines: Lines, dialer: Dialer) -> None:
    runner = await serve(dialer, lines.stack)
    dialer.live = say(members={"calls": []}, Connection="close")
    line, heard = await lines.open()
    await runner.cleanup()
    with pytest.raises(AdapterFault, match="can't be reached"):
        await line.reconcile([an_attempt(1)])
    with pytest.raises(AdapterFault, match="can't be reached"):
        await line.reconcile([an_attempt(index) for index in range(60)])
    assert heard.reports == []


async def test_of_many_calls_those_that_live_are_learnt_from_one_list(lines: Lines, dialer: Dialer) -> None:
    line, _ = await lines.open()
    dialer.live = say(members={"calls": [call(index) for index in range(40)] + [call(99)]})
    dialer.look_up = each({}, say(404))
    dialer.asked.clear()
    reports = await line.reconcile([an_attempt(index) for index in range(51)])
    assert {report.attempt_id for report in reports} == {an_order(index).attempt_id for index in range(40)}
    assert len(dialer.asked) == 13


@pytest.mark.parametrize("live", [say(500), say(200, {"calls": [{}]}), say(200, text="x")])
async def test_where_the_list_can_not_be_read_each_is_asked_for(lines: Lines, dialer: Dialer, live: Say) -> None:
    line, _ = await lines.open()
    dialer.live = live
    dialer.look_up = each({index: say(members=call(index)) for index in range(60)})
    reports = await line.reconcile([an_attempt(index) for index in range(60)])
    assert len({report.attempt_id for report in reports}) == 60


@pytest.mark.parametrize("live", [say(404), say(200, text="nobody here"), say(500), reset])
@pytest.mark.parametrize("settled_after_s", [0.0, SETTLED_S])
async def test_who_is_not_the_dialer_is_not_believed_that_a_call_was_never_placed(
    lines: Lines, dialer: Dialer, live: Say, settled_after_s: float
) -> None:
    line, heard = await lines.open(settled_after_s=settled_after_s)
    dialer.live = live
    dialer.look_up = each({1: say(members=call(1))}, say(404))
    with pytest.raises(AdapterFault):
        await line.reconcile([an_attempt(1), an_attempt(2)])
    assert {type(report) for report in heard.reports} == {Placed, Ringing}


@pytest.mark.parametrize("state", [call(2), call(2, "answered", answered_at=AT)])
@pytest.mark.parametrize("is_before", [True, False])
async def test_a_call_that_lives_was_placed_whatever_was_answered_for_a_moment(
    lines: Lines, dialer: Dialer, state: dict[str, Any], *, is_before: bool
) -> None:
    line, _ = await lines.open(settled_after_s=0.0)
    names = iter([[state], []] if is_before else [[], [state]])

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"calls": next(names)})

    dialer.live = live
    reports = await line.reconcile([an_attempt(2)])
    assert NeverPlaced not in {type(report) for report in reports}
    assert reports[0] == Placed(attempt_id=an_order(2).attempt_id, at=NOON, call_id="c2")


async def test_no_more_than_sixteen_are_asked_for_at_once(lines: Lines, dialer: Dialer) -> None:
    line, _ = await lines.open()

    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(0.01)
        return web.Response(status=404)

    dialer.look_up = slow
    await line.reconcile([an_attempt(index) for index in range(50)])
    assert 1 < dialer.most_at_once <= 16
    assert len(dialer.asked) == 53


async def test_a_look_up_that_is_given_up_leaves_nothing_behind(lines: Lines, dialer: Dialer) -> None:
    asked = asyncio.Event()

    async def wait(request: web.Request) -> web.StreamResponse:
        asked.set()
        return await never(request)

    dialer.look_up = wait
    line, _ = await lines.open()
    asking = asyncio.create_task(line.reconcile([an_attempt(index) for index in range(20)]))
    await asked.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not [task for task in asyncio.all_tasks() if "_work" in repr(task.get_coro())]
