import asyncio
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kataven_adapters.cli.phone_network.faults import Faults, Mishaps
from kataven_adapters.simulated.fate import Fates
from kataven_core import AttemptId, parse_rfc3339

from .conftest import PATIENCE_S, Run, Running, a_call, until, world

LONG_S = 36_000.0
"""A ring or a talk that outlasts any test."""
TOKEN = "lêt-me-in"  # noqa: S105 - a test's own
PLACED = {"attempt_id": "march.0.1", "call_id": "call-march.0.1"}


async def until_state(network: Running, state: str, attempt_id: str = "march.0.1") -> dict[str, object]:
    async def is_so() -> bool:
        return bool((await network.shown(attempt_id))["state"] == state)

    await until(is_so)
    return await network.shown(attempt_id)


async def until_placed(network: Running, calls: int) -> None:
    async def are_placed() -> bool:
        return (await network.counters())["placed"] == calls

    await until(are_placed)


# Placing.


async def test_a_call_is_placed_once_however_often_it_is_asked_for(run: Run) -> None:
    network = await run(world(ring_s=LONG_S))
    answers = [await network.place(), await network.place()]
    assert [answer.status for answer in answers] == [201, 200]
    assert [await answer.json() for answer in answers] == [PLACED, PLACED]
    assert network.heard_of("march.0.1") == ["ring"]


async def test_a_call_that_is_asked_for_many_times_at_once_is_placed_once(run: Run) -> None:
    network = await run(world(ring_s=LONG_S))
    answers = await asyncio.gather(*(network.place() for _ in range(20)))
    assert Counter(answer.status for answer in answers) == {201: 1, 200: 19}
    assert network.heard_of("march.0.1") == ["ring"]


async def test_a_call_that_has_ended_is_not_placed_again(run: Run) -> None:
    network = await run()
    await network.place()
    await network.until_settled_calls()
    assert (await network.place()).status == 200
    assert network.heard_of("march.0.1") == ["ring", "answer", "end"]


async def test_a_number_that_is_refused_rings_nowhere_and_is_no_call(run: Run) -> None:
    network = await run(world(invalid_number=1))
    for _ in range(2):
        answer = await network.place()
        assert answer.status == 422
        assert (await answer.json())["code"] == "invalid_number"
    assert (await network.ask("GET", "/calls/march.0.1")).status == 404
    assert network.heard == []


async def test_a_request_that_is_none_is_told_why(run: Run) -> None:
    network = await run()
    answer = await network.place(to=None)
    assert answer.status == 400
    assert await answer.json() == {"code": "invalid_request", "message": "to: must not be null"}
    refused = await network.ask("POST", "/calls", a_call(), headers={"Idempotency-Key": "march.0.2"})
    assert refused.status == 400
    assert network.heard == []


async def test_the_log_is_what_was_asked_for(run: Run) -> None:
    network = await run(world(busy=1))
    await network.place("april.4.2", campaign_id="april", account_id="globex", to="+14155550123")
    await network.until_settled_calls()
    ring, end = network.heard
    assert parse_rfc3339(ring.pop("at")) <= parse_rfc3339(end.pop("at"))
    whose = {"attempt_id": "april.4.2", "campaign_id": "april", "account_id": "globex", "to": "+14155550123"}
    assert ring == {"event": "ring", **whose}
    assert end == {"event": "end", **whose, "outcome": "busy"}


@pytest.mark.parametrize(
    ("outcome", "events"),
    [
        ("answered", ["ring", "answer", "end"]),
        ("machine", ["ring", "answer", "end"]),
        ("busy", ["ring", "end"]),
        ("no_answer", ["ring", "end"]),
        ("declined", ["ring", "end"]),
        ("failed", ["ring", "end"]),
    ],
)
async def test_every_outcome_comes_to_pass(run: Run, outcome: str, events: list[str]) -> None:
    network = await run(world(**{outcome: 1}))
    await network.place()
    assert (await until_state(network, "ended"))["outcome"] == outcome
    assert network.heard_of("march.0.1") == events


async def test_the_same_seed_gives_the_same_fates_in_whatever_order(run: Run) -> None:
    chances: dict[str, Any] = {"answered": 0.4, "busy": 0.3, "no_answer": 0.3}
    attempts = [f"march.{number}.1" for number in range(40)]
    worlds = [world(**chances), world(**chances), world(seed=8, **chances)]
    outcomes: list[dict[str, str]] = []
    for number, (settings, order) in enumerate(zip(worlds, (attempts, attempts[::-1], attempts), strict=True)):
        network = await run(settings, log=f"{number}.jsonl")
        await asyncio.gather(*(network.place(attempt) for attempt in order))
        await network.until_settled_calls()
        outcomes.append({each["attempt_id"]: each["outcome"] for each in network.heard if each["event"] == "end"})
    assert outcomes[0] == outcomes[1] != outcomes[2]
    assert outcomes[0] == {attempt: Fates(worlds[0]).of(AttemptId(attempt)).outcome for attempt in attempts}


# Time limits.


async def test_a_phone_that_nobody_answers_in_time_is_given_up(run: Run) -> None:
    network = await run(world(ring_s=LONG_S))
    await network.place(ring_timeout_s=0.01)
    shown = await until_state(network, "ended")
    assert (shown["outcome"], shown["answered_at"], shown["duration_s"]) == ("no_answer", None, 0.0)


async def test_a_talk_that_lasts_too_long_is_cut_off(run: Run) -> None:
    network = await run(world(talk_s=LONG_S))
    await network.place(max_duration_s=0.01)
    shown = await until_state(network, "ended")
    assert shown["outcome"] == "answered"
    assert isinstance(shown["duration_s"], float)
    assert 0.01 <= shown["duration_s"] < PATIENCE_S


# Looking up.


async def test_a_call_is_shown_as_far_as_it_is(run: Run) -> None:
    ringing = await run(world(ring_s=LONG_S), "ringing.jsonl")
    await ringing.place()
    nothing = {"outcome": None, "answered_at": None, "ended_at": None, "duration_s": None}
    assert await ringing.shown() == {**PLACED, "state": "ringing", **nothing}
    talking = await run(world(talk_s=LONG_S), "talking.jsonl")
    await talking.place()
    shown = await until_state(talking, "answered")
    answered_at = next(event["at"] for event in talking.heard if event["event"] == "answer")
    assert shown == {**PLACED, "state": "answered", **nothing, "answered_at": answered_at}
    await talking.ask("DELETE", "/calls/march.0.1")
    shown = await until_state(talking, "ended")
    ended_at = talking.heard[-1]["at"]
    duration_s = shown.pop("duration_s")
    assert isinstance(duration_s, float)
    assert duration_s >= 0
    del nothing["duration_s"]
    assert shown == {
        **PLACED,
        "state": "ended",
        "outcome": "answered",
        "answered_at": answered_at,
        "ended_at": ended_at,
    }


async def test_a_call_that_was_never_placed_is_not_found(run: Run) -> None:
    network = await run()
    for method in ("GET", "DELETE"):
        answer = await network.ask(method, "/calls/march.0.1")
        assert answer.status == 404
        assert (await answer.json())["code"] == "unknown_call"


async def test_an_attempt_is_found_by_whatever_id_it_has(run: Run) -> None:
    network = await run(world(ring_s=LONG_S))
    for attempt_id in ("march/0 1?", "märz.0.1", "%2F"):
        await network.place(attempt_id)
        assert (await network.shown(quote(attempt_id, safe="")))["attempt_id"] == attempt_id
        assert (await network.ask("DELETE", f"/calls/{quote(attempt_id, safe='')}")).status == 204


async def test_the_list_holds_all_calls_that_have_not_ended(run: Run) -> None:
    network = await run(world(ring_s=LONG_S))
    await asyncio.gather(*(network.place(f"march.{number}.1") for number in range(5)))
    await network.ask("DELETE", "/calls/march.3.1")
    listed = (await (await network.ask("GET", "/calls?state=live")).json())["calls"]
    assert {each["attempt_id"] for each in listed} == {f"march.{number}.1" for number in (0, 1, 2, 4)}
    assert listed[0] == await network.shown(listed[0]["attempt_id"])


async def test_only_live_calls_are_listed(run: Run) -> None:
    network = await run()
    for query in ("", "?state=ended"):
        assert (await network.ask("GET", f"/calls{query}")).status == 400


# Hanging up.


async def test_a_phone_that_rings_stops_when_it_is_hung_up(run: Run) -> None:
    network = await run(world(ring_s=LONG_S))
    await network.place()
    assert (await network.ask("DELETE", "/calls/march.0.1")).status == 204
    assert network.heard_of("march.0.1") == ["ring", "end"]
    assert (await network.shown())["outcome"] == "cancelled"


async def test_hanging_up_a_call_that_has_ended_changes_nothing(run: Run) -> None:
    network = await run(world(busy=1))
    await network.place()
    before = await until_state(network, "ended")
    assert (await network.ask("DELETE", "/calls/march.0.1")).status == 204
    assert await network.shown() == before
    assert network.heard_of("march.0.1") == ["ring", "end"]


# What goes wrong on purpose.


async def test_a_refused_call_is_not_placed_and_may_be_asked_for_again(run: Run) -> None:
    network = await run(world(ring_s=LONG_S), faults=Faults(refuse=1))
    answer = await network.place()
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert (await network.ask("GET", "/calls/march.0.1")).status == 404
    await network.set_faults(refuse=0)
    assert (await network.place()).status == 201
    assert (await network.counters())["refused"] == 1


async def test_a_call_that_is_up_is_never_called_refused(run: Run) -> None:
    network = await run(world(ring_s=LONG_S))
    await network.place()
    await network.set_faults(refuse=1)
    assert (await network.place()).status == 200


async def test_another_try_of_an_attempt_is_met_by_something_else(run: Run) -> None:
    network = await run(world(ring_s=LONG_S), faults=Faults(refuse=0.5))
    mishaps = Mishaps(7, Faults(refuse=0.5))
    tries_made = set()
    for attempt_id in (f"march.{number}.1" for number in range(20)):
        tries = next(case for case in range(12) if not mishaps.meets("refuse", attempt_id, case))
        statuses = [(await network.place(attempt_id)).status for _ in range(12)]
        assert statuses == [429] * tries + [201] + [200] * (11 - tries)
        tries_made.add(tries)
    assert len(tries_made) > 2


async def test_of_the_calls_that_fail_half_are_placed(run: Run) -> None:
    network = await run(world(ring_s=LONG_S), faults=Faults(fail=1))
    attempts = [f"march.{number}.1" for number in range(20)]
    answers = await asyncio.gather(*(network.place(attempt) for attempt in attempts))
    assert {answer.status for answer in answers} == {500}
    mishaps = Mishaps(7, Faults())
    placed = {attempt for attempt in attempts if mishaps.is_placed_before("fail", attempt, 0)}
    assert 0 < len(placed) < 20
    assert {event["attempt_id"] for event in network.heard} == placed
    for attempt in attempts:
        assert (await network.ask("GET", f"/calls/{attempt}")).status == (200 if attempt in placed else 404)


async def test_of_the_calls_that_are_never_answered_half_are_placed_and_none_is_later(run: Run) -> None:
    network = await run(world(ring_s=LONG_S), faults=Faults(never=1))
    attempts = [f"march.{number}.1" for number in range(20)]
    asking = [asyncio.create_task(network.place(attempt)) for attempt in attempts]
    mishaps = Mishaps(7, Faults())
    placed = {attempt for attempt in attempts if mishaps.is_placed_before("never", attempt, 0)}

    async def are_all_there() -> bool:
        return (await network.counters())["never_answered"] == 20

    await until(are_all_there)
    await until(lambda: {event["attempt_id"] for event in network.heard} == placed)
    assert not any(task.done() for task in asking)
    await network.set_faults(never=0)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    assert {each["attempt_id"] for each in network.heard} == placed
    assert (await network.counters())["placed"] == len(placed)


async def test_a_slow_answer_comes_after_its_phone_has_rung(run: Run) -> None:
    network = await run(world(ring_s=LONG_S), faults=Faults(slow_s=LONG_S / 10))
    asking = asyncio.create_task(network.place())
    await until(lambda: network.heard_of("march.0.1") == ["ring"])
    assert not asking.done()
    asking.cancel()
    await network.set_faults(slow_s=0.05)
    began_s = asyncio.get_running_loop().time()
    assert (await network.place("march.1.1")).status == 201
    wait_s = Mishaps(7, Faults(slow_s=0.05)).wait_s("slow_s", "march.1.1", 0)
    assert asyncio.get_running_loop().time() - began_s >= wait_s > 0


async def test_look_ups_fail_and_the_next_may_get_through(run: Run) -> None:
    network = await run(world(ring_s=LONG_S), faults=Faults(fail_look_up=1))
    assert (await network.place()).status == 201
    asked = [("GET", "/calls/march.0.1"), ("GET", "/calls?state=live"), ("DELETE", "/calls/march.0.1")]
    assert [(await network.ask(*each)).status for each in asked] == [503, 503, 503]
    await network.set_faults(fail_look_up=0.5)
    statuses = {(await network.ask("GET", "/calls/march.0.1")).status for _ in range(40)}
    assert statuses == {200, 503}
    assert network.heard_of("march.0.1") == ["ring"]


# What is told is on disk.


async def test_nobody_is_told_of_what_is_not_on_disk(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    network = await run(world(ring_s=LONG_S))
    gate = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _: gate.wait(PATIENCE_S))
    try:
        asking = [asyncio.create_task(network.place(f"march.{number}.1")) for number in range(50)]
        await until_placed(network, 50)
        looking = asyncio.create_task(network.ask("GET", "/calls?state=live"))
        done, _ = await asyncio.wait([*asking, looking], timeout=0.2)
        assert not done
    finally:
        gate.set()
    assert {(await each).status for each in asking} == {201}
    assert (await looking).status == 200


async def test_what_came_at_the_same_moment_shares_one_sync(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    network = await run(world(ring_s=LONG_S))
    gate, sizes = threading.Event(), []

    def sync(_: int) -> None:
        sizes.append((tmp_path / "phones.jsonl").read_bytes().count(b"\n"))
        gate.wait(PATIENCE_S)

    monkeypatch.setattr(os, "fsync", sync)
    try:
        asking = [asyncio.create_task(network.place(f"march.{number}.1")) for number in range(50)]
        await until_placed(network, 50)
    finally:
        gate.set()
    await asyncio.gather(*asking)
    assert sizes[-1] == 50
    assert len(sizes) <= 2


# Who may ask.


async def test_only_who_shows_the_token_may_ask(run: Run) -> None:
    network = await run(token=TOKEN)
    for shown in ({}, {"Authorization": "Bearer other"}, {"Authorization": TOKEN}):
        for method, path in (("POST", "/calls"), ("GET", "/calls?state=live"), ("GET", "/calls/x"), ("PUT", "/faults")):
            answer = await network.ask(method, path, a_call(), headers=shown)
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert network.heard == []
    answer = await network.ask("POST", "/calls", a_call(), headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 201
    assert [(await network.ask("GET", path)).status for path in ("/", "/counters")] == [200, 200]
