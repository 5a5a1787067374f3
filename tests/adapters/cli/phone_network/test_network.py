from pathlib import Path

from .conftest import Run, until, world

LONG_S = 36_000.0


async def test_a_network_that_starts_again_knows_its_calls(run: Run) -> None:
    network = await run(world(answered=0.5, busy=0.5))
    attempts = [f"march.{number}.1" for number in range(10)]
    for attempt in attempts:
        await network.place(attempt)
    await network.until_settled_calls()
    heard = network.heard
    before = [await network.shown(attempt) for attempt in attempts]
    await network.stop()
    again = await run(world(answered=0.5, busy=0.5))
    after = [await again.shown(attempt) for attempt in attempts]
    for one, other in zip(before, after, strict=True):
        assert abs(one.pop("duration_s") - other.pop("duration_s")) < 1
        assert one == other
    assert [(await again.place(attempt)).status for attempt in attempts] == [200] * 10
    assert again.heard == heard
    assert (await again.counters())["placed"] == 10


async def test_a_call_that_was_up_when_its_network_died_has_ended(run: Run, tmp_path: Path) -> None:
    network = await run(world(talk_s=LONG_S))
    await network.place("march.0.1")
    await until(lambda: network.heard_of("march.0.1") == ["ring", "answer"])
    ringing = await run(world(ring_s=LONG_S), "other.jsonl")
    await ringing.place("march.1.1")
    died_over = (tmp_path / "phones.jsonl").read_bytes() + (tmp_path / "other.jsonl").read_bytes()
    (tmp_path / "died.jsonl").write_bytes(died_over)
    again = await run(world(), "died.jsonl")
    assert again.heard_of("march.0.1") == ["ring", "answer", "end"]
    assert again.heard_of("march.1.1") == ["ring", "end"]
    talk, ring = await again.shown("march.0.1"), await again.shown("march.1.1")
    assert (talk["state"], talk["outcome"]) == ("ended", "answered")
    assert talk["duration_s"] > 0
    assert (ring["state"], ring["outcome"], ring["duration_s"]) == ("ended", "failed", 0.0)
    counters = await again.counters()
    assert (counters["live"], counters["ended"], counters["reports_waiting"]) == (0, 2, 0)
