import asyncio

import pytest

from kataven_adapters.cli.phone_network.faults import Faults
from kataven_adapters.wire.webhooks import BadSignature, verify
from kataven_core.runtime import SystemClock

from .conftest import Receiver, Run, Running, until, world

LONG_S = 36_000.0
KEY = b"0123456789abcdefghijklmn"


async def until_answered(network: Running) -> None:
    async def is_answered() -> bool:
        return bool((await network.shown())["state"] == "answered")

    await until(is_answered)


async def test_each_step_is_reported(run: Run, receiver: Receiver) -> None:
    network = await run(world(machine=1))
    await network.place(report_url=receiver.url)
    await network.until_settled()
    at = {event["event"]: event["at"] for event in network.heard}
    duration_s = (await network.shown())["duration_s"]
    about = {"attempt_id": "march.0.1", "detail": None}
    nothing = {"outcome": None, "duration_s": None}
    assert receiver.reports == [
        {**about, **nothing, "sequence": 1, "type": "ringing", "at": at["ring"]},
        {**about, **nothing, "sequence": 2, "type": "answered", "at": at["answer"]},
        {**about, "sequence": 3, "type": "ended", "at": at["end"], "outcome": "machine", "duration_s": duration_s},
    ]


async def test_a_call_that_is_hung_up_is_reported_as_cancelled(run: Run, receiver: Receiver) -> None:
    network = await run(world(ring_s=LONG_S))
    await network.place(report_url=receiver.url)
    await network.ask("DELETE", "/calls/march.0.1")
    await network.until_settled()
    assert [(each["type"], each["outcome"]) for each in receiver.reports] == [
        ("ringing", None),
        ("ended", "cancelled"),
    ]


async def test_reports_are_signed(run: Run, receiver: Receiver) -> None:
    network = await run(signing_key=KEY)
    await network.place(report_url=receiver.url)
    await network.until_settled()
    for request, body in zip(receiver.asked, receiver.bodies, strict=True):
        verify(KEY, request.headers, body, SystemClock().now())
        with pytest.raises(BadSignature):
            verify(KEY[1:], request.headers, body, SystemClock().now())
        assert request.headers["Content-Type"] == "application/json"


async def test_without_a_secret_nothing_is_signed(run: Run, receiver: Receiver) -> None:
    network = await run()
    await network.place(report_url=receiver.url)
    await network.until_settled()
    assert not any(name.lower().startswith("webhook") for each in receiver.asked for name in each.headers)


async def test_a_lost_report_is_never_sent(run: Run, receiver: Receiver) -> None:
    network = await run(faults=Faults(lose=1))
    await network.place(report_url=receiver.url)
    await network.until_settled()
    counters = await network.counters()
    assert (counters["reports_lost"], counters["reports_delivered"], receiver.reports) == (3, 0, [])


async def test_each_report_is_lost_for_itself(run: Run, receiver: Receiver) -> None:
    network = await run(faults=Faults(lose=0.5))
    attempts = [f"march.{number}.1" for number in range(40)]
    await asyncio.gather(*(network.place(attempt, report_url=receiver.url) for attempt in attempts))
    await network.until_settled()
    ways = {tuple(receiver.types(attempt)) for attempt in attempts}
    assert {(), ("ended",), ("ringing", "answered", "ended")} < ways
    assert len(receiver.reports) + (await network.counters())["reports_lost"] == 120


async def test_a_repeated_report_is_sent_twice(run: Run, receiver: Receiver) -> None:
    network = await run(faults=Faults(repeat=1))
    await network.place(report_url=receiver.url)
    await network.until_settled()
    assert sorted(receiver.types()) == ["answered", "answered", "ended", "ended", "ringing", "ringing"]
    assert len({str(each) for each in receiver.reports}) == 3


async def test_a_reordered_report_is_sent_after_the_next(run: Run, receiver: Receiver) -> None:
    network = await run(faults=Faults(reorder=1))
    await network.place(report_url=receiver.url)
    await network.until_settled()
    assert [(each["type"], each["sequence"]) for each in receiver.reports] == [
        ("ended", 3),
        ("answered", 2),
        ("ringing", 1),
    ]


async def test_what_waits_for_the_next_is_sent_though_the_next_is_lost(run: Run, receiver: Receiver) -> None:
    network = await run(world(talk_s=LONG_S), faults=Faults(reorder=1))
    await network.place(report_url=receiver.url)
    await until_answered(network)
    await network.set_faults(lose=1)
    await network.ask("DELETE", "/calls/march.0.1")
    await network.until_settled()
    assert receiver.types() == ["answered", "ringing"]


async def test_late_reports_of_a_call_stay_in_order(run: Run, receiver: Receiver) -> None:
    network = await run(faults=Faults(delay_s=0.05))
    attempts = [f"march.{number}.1" for number in range(40)]
    await asyncio.gather(*(network.place(attempt, report_url=receiver.url) for attempt in attempts))
    await network.until_settled()
    assert all(receiver.types(attempt) == ["ringing", "answered", "ended"] for attempt in attempts)
    first_told = [each["attempt_id"] for each in receiver.reports if each["type"] == "ringing"]
    first_rang = [each["attempt_id"] for each in network.heard if each["event"] == "ring"]
    assert sorted(first_told) == sorted(first_rang)
    assert first_told != first_rang, "each waits for itself"


async def test_a_late_report_counts_as_waiting(run: Run, receiver: Receiver) -> None:
    network = await run(world(busy=1), faults=Faults(delay_s=3_600))
    await network.place(report_url=receiver.url)
    await network.until_settled_calls()
    assert (await network.counters())["reports_waiting"] == 2
    assert receiver.reports == []


@pytest.mark.parametrize("fault", ["lose", "repeat", "reorder"])
async def test_faults_can_be_set_while_calls_are_up(run: Run, receiver: Receiver, fault: str) -> None:
    network = await run(faults=Faults(**{fault: 1}))
    await network.set_faults(**{fault: 0})
    await network.place(report_url=receiver.url)
    await network.until_settled()
    assert receiver.types() == ["ringing", "answered", "ended"]
