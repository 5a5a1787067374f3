import asyncio
import json
import os
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest

from kataven_adapters.simulated import DEFAULT_CHANCES, SimulatedLine, SimulatedSettings, simulated_line
from kataven_adapters.simulated import line as line_module
from kataven_core import (
    AccountId,
    AdapterFault,
    Answered,
    Attempt,
    AttemptId,
    CampaignId,
    Ended,
    Lost,
    Order,
    Outcome,
    PhoneNumber,
    Placed,
    Report,
    Ringing,
    Unsent,
)
from kataven_core.ports import Line

START = datetime(2026, 1, 31, tzinfo=UTC)
FOREVER_S = 86_400
"""So long that no test waits for it."""


class TickingClock:
    """Goes on by a second with each look at it."""

    def __init__(self) -> None:
        self.looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return START + timedelta(seconds=self.looks)

    def monotonic(self) -> float:
        return float(self.looks)


def never() -> None:
    raise AssertionError("this line is in no trouble")


class Listener:
    """Keeps what is reported."""

    def __init__(self, line: SimulatedLine) -> None:
        self.reports: list[Report] = []
        self._some = asyncio.Event()
        line.listen(self.deliver, never)

    def deliver(self, reports: Sequence[Report]) -> Awaitable[None]:
        self.reports += reports
        self._some.set()
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    async def until(self, kind: type) -> None:
        """Wait until a report of this kind has come."""
        while not any(isinstance(each, kind) for each in self.reports):
            self._some.clear()
            await self._some.wait()

    def of(self, attempt_id: str) -> list[Report]:
        return [each for each in self.reports if each.attempt_id == attempt_id]


def order(name: str = "campaign.0.1") -> Order:
    return Order(
        attempt_id=AttemptId(name),
        account_id=AccountId("acme"),
        campaign_id=CampaignId("campaign"),
        to=PhoneNumber("+442079460958"),
        caller=PhoneNumber("+14155550100"),
        agent_id="agent",
        route="route",
        variables={},
    )


def attempt(name: str = "campaign.0.1") -> Attempt:
    return Attempt(
        id=AttemptId(name),
        account_id=AccountId("acme"),
        campaign_id=CampaignId("campaign"),
        position=0,
        n=1,
        phone_number=PhoneNumber("+442079460958"),
        claimed_at=START,
    )


def line_of(
    outcome: Outcome | None = None, ring_s: float = 0, talk_s: float = 0, log: str | None = None
) -> SimulatedLine:
    chances = DEFAULT_CHANCES if outcome is None else {outcome: 1.0}
    settings = SimulatedSettings(chances=chances, ring_s=ring_s, talk_s=talk_s, log=log)
    return SimulatedLine(settings, TickingClock())


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


NAME = AttemptId("campaign.0.1")
PLACED = Placed(attempt_id=NAME, at=at(1), call_id="simulated-campaign.0.1")


# The way of a call


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.MACHINE])
@pytest.mark.parametrize(("ring_s", "talk_s"), [(0, 0), (0.001, 0.001), (0, 0.001), (0.001, 0)])
async def test_a_call_that_is_answered_rings_talks_and_ends(outcome: Outcome, ring_s: float, talk_s: float) -> None:
    line = line_of(outcome, ring_s, talk_s)
    heard = Listener(line)
    async with line:
        originated = await line.originate(order())
        assert heard.reports == []
        await line.drain()
    assert originated.report == PLACED
    assert originated.retry_after_s is None
    ringing, answered, ended = heard.reports
    assert ringing == Ringing(attempt_id=NAME, at=at(2))
    assert answered == Answered(attempt_id=NAME, at=at(3))
    assert isinstance(ended, Ended)
    assert (ended.attempt_id, ended.at, ended.outcome) == (NAME, at(4), outcome)
    assert ended.duration_s is not None
    assert 0.5 * talk_s <= ended.duration_s <= 1.5 * talk_s


@pytest.mark.parametrize("outcome", [Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED, Outcome.DECLINED])
async def test_a_call_that_nobody_answers_rings_and_ends(outcome: Outcome) -> None:
    line = line_of(outcome, 0.001, FOREVER_S)
    heard = Listener(line)
    async with line:
        assert (await line.originate(order())).report == PLACED
        await line.drain()
    assert heard.reports == [
        Ringing(attempt_id=NAME, at=at(2)),
        Ended(attempt_id=NAME, at=at(3), outcome=outcome, duration_s=0.0),
    ]


async def test_a_number_that_is_refused_does_not_ring(tmp_path: Path) -> None:
    file = tmp_path / "phones.jsonl"
    line = line_of(Outcome.INVALID_NUMBER, log=str(file))
    heard = Listener(line)
    async with line:
        originated = await line.originate(order())
        refused = Ended(attempt_id=NAME, at=at(1), outcome=Outcome.INVALID_NUMBER)
        assert originated.report == refused
        assert line.calls_up == 0
        await line.drain()
        assert await line.reconcile([attempt()]) == [refused]
    assert heard.reports == []
    assert file.read_text() == ""


async def test_calls_come_to_the_same_in_whatever_order_they_are_placed() -> None:
    async def ends(names: list[str]) -> dict[str, tuple[Outcome, float | None]]:
        line = line_of(None, 0, 0)
        heard = Listener(line)
        async with line:
            for name in names:
                await line.originate(order(name))
            await line.drain()
        return {each.attempt_id: (each.outcome, each.duration_s) for each in heard.reports if isinstance(each, Ended)}

    names = [f"campaign.{position}.1" for position in range(200)]
    forth, back = await ends(names), await ends(names[::-1])
    assert forth == back
    assert {outcome for outcome, _ in forth.values()} == {
        Outcome.ANSWERED,
        Outcome.BUSY,
        Outcome.NO_ANSWER,
        Outcome.FAILED,
    }


async def test_thousands_of_calls_at_once_take_no_task_each() -> None:
    line = line_of(None, 0.001, 0.001)
    heard = Listener(line)
    tasks = len(asyncio.all_tasks())
    async with line:
        for position in range(5000):
            await line.originate(order(f"campaign.{position}.1"))
        assert line.calls_up == 5000
        assert len(asyncio.all_tasks()) == tasks
        await line.drain()
        assert line.calls_up == 0
    ended = [each.attempt_id for each in heard.reports if isinstance(each, Ended)]
    assert len(ended) == len(set(ended)) == 5000


async def test_an_attempt_that_is_asked_for_twice_rings_twice_as_on_a_real_line() -> None:
    line = line_of(Outcome.ANSWERED)
    heard = Listener(line)
    async with line:
        await line.originate(order())
        await line.originate(order())
        assert line.calls_up == 2
        await line.drain()
    assert sum(isinstance(each, Ringing) for each in heard.reports) == 2
    assert sum(isinstance(each, Ended) for each in heard.reports) == 2


async def test_a_listener_that_fails_stops_no_call() -> None:
    line = line_of(Outcome.ANSWERED)
    failures: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))

    def refuse(_: Sequence[Report]) -> Awaitable[None]:
        raise RuntimeError

    line.listen(refuse, never)
    async with line:
        await line.originate(order())
        await line.drain()
    assert [type(each) for each in failures] == [RuntimeError] * 3


# What phones heard


async def test_the_log_has_each_event_before_its_report(tmp_path: Path) -> None:
    file = tmp_path / "phones.jsonl"
    line = line_of(Outcome.ANSWERED, log=str(file))
    known: list[list[str]] = []
    heard = Listener(line)

    def read(reports: Sequence[Report]) -> Awaitable[None]:
        known.append([json.loads(each)["event"] for each in file.read_text().splitlines()])
        return heard.deliver(reports)

    line.listen(read, never)
    async with line:
        await line.originate(order())
        await line.drain()
    assert [type(each) for each in heard.reports] == [Ringing, Answered, Ended]
    assert known == [["ring"], ["ring", "answer"], ["ring", "answer", "end"]]


@pytest.mark.parametrize(
    ("outcome", "events"),
    [(Outcome.MACHINE, ["ring", "answer", "end"]), (Outcome.BUSY, ["ring", "end"])],
)
async def test_the_log_tells_what_the_reports_tell(tmp_path: Path, outcome: Outcome, events: list[str]) -> None:
    file = tmp_path / "phones.jsonl"
    line = line_of(outcome, log=str(file))
    heard = Listener(line)
    async with line:
        await line.originate(order())
        await line.drain()
    lines = [json.loads(each) for each in file.read_text().splitlines()]
    assert [each["event"] for each in lines] == events
    assert [datetime.fromisoformat(each["at"]) for each in lines] == [each.at for each in heard.reports]
    assert [each.get("outcome") for each in lines] == [None] * (len(events) - 1) + [outcome]
    members = {"attempt_id": NAME, "campaign_id": "campaign", "to": "+442079460958"}
    assert all(members.items() <= each.items() for each in lines)


async def test_a_line_whose_log_can_t_be_written_does_not_open(tmp_path: Path) -> None:
    line = line_of(Outcome.ANSWERED, log=str(tmp_path))
    with pytest.raises(AdapterFault, match="can't be written: Is a directory"):
        await line.__aenter__()


async def test_calls_go_on_when_the_log_can_t_be_written_any_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    line = line_of(Outcome.ANSWERED, log=f"{tmp_path}/phones.jsonl")
    heard = Listener(line)
    async with line:
        await line.originate(order())
        await line.drain()
        monkeypatch.undo()
    assert [type(each) for each in heard.reports] == [Ringing, Answered, Ended]
    assert len(caplog.messages) == 1


# What is known of a call


async def test_a_call_that_lives_is_told_as_it_stands() -> None:
    line = line_of(Outcome.ANSWERED, 0, FOREVER_S)
    heard = Listener(line)
    async with line:
        await line.originate(order())
        assert await line.reconcile([attempt()]) == [PLACED]
        await heard.until(Answered)
        assert await line.reconcile([attempt()]) == [PLACED, Answered(attempt_id=NAME, at=at(3))]


async def test_a_call_that_has_ended_ends_the_same_again() -> None:
    line = line_of(Outcome.ANSWERED)
    heard = Listener(line)
    async with line:
        await line.originate(order())
        await line.drain()
        assert await line.reconcile([attempt()]) == heard.reports[-1:]


async def test_a_call_of_an_earlier_process_is_lost_at_once() -> None:
    before, after = line_of(Outcome.ANSWERED, FOREVER_S), line_of(Outcome.ANSWERED, FOREVER_S)
    Listener(before)
    Listener(after)
    async with before:
        await before.originate(order())
    async with after:
        assert await after.reconcile([attempt()]) == [Lost(attempt_id=NAME, at=at(1))]


async def test_each_attempt_gets_its_own_answer() -> None:
    line = line_of(Outcome.ANSWERED, FOREVER_S)
    Listener(line)
    async with line:
        await line.originate(order("up"))
        known = await line.reconcile([attempt("never"), attempt("up"), attempt("gone")])
        assert [(each.attempt_id, type(each)) for each in known] == [("never", Lost), ("up", Placed), ("gone", Lost)]
        assert await line.reconcile([]) == []


async def test_the_last_ends_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "KEPT_ENDS", 2)
    line = line_of(Outcome.BUSY)
    Listener(line)
    async with line:
        for name in "abc":
            await line.originate(order(name))
            await line.drain()
        known = await line.reconcile([attempt(name) for name in "abc"])
        assert [type(each) for each in known] == [Lost, Ended, Ended]


# Opening, waiting, closing


async def test_drain_waits_for_the_last_call() -> None:
    line = line_of(Outcome.ANSWERED, 0.001, 0.001)
    heard = Listener(line)
    async with line:
        for name in "abc":
            await line.originate(order(name))
        await line.drain()
        assert line.calls_up == 0
        assert [type(heard.of(name)[-1]) for name in "abc"] == [Ended] * 3


async def test_drain_waits_for_calls_that_come_meanwhile() -> None:
    line = line_of(Outcome.BUSY)
    late: list[asyncio.Task[Any]] = []
    heard = Listener(line)

    def deliver(reports: Sequence[Report]) -> Awaitable[None]:
        if isinstance(reports[0], Ended) and not late:
            late.append(asyncio.ensure_future(line.originate(order("late"))))
        return heard.deliver(reports)

    line.listen(deliver, never)
    async with line:
        await line.originate(order())
        await line.originate(order("second"))
        await line.drain()
        await asyncio.gather(*late)
        await line.drain()
        assert line.calls_up == 0
    assert [type(each) for each in heard.of("late")] == [Ringing, Ended]


async def test_drain_returns_at_once_where_no_call_is_up() -> None:
    line = line_of(Outcome.ANSWERED)
    await line.drain()
    async with line:
        await line.drain()
    await line.drain()


async def test_drain_can_be_cancelled_and_hangs_up_on_nobody() -> None:
    line = line_of(Outcome.ANSWERED, FOREVER_S)
    heard = Listener(line)
    async with line:
        await line.originate(order())
        waiting = asyncio.ensure_future(line.drain())
        await heard.until(Ringing)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert line.calls_up == 1


async def test_closing_ends_a_wait() -> None:
    line = line_of(Outcome.ANSWERED, FOREVER_S)
    heard = Listener(line)
    async with line:
        await line.originate(order())
        waiting = asyncio.ensure_future(line.drain())
        await heard.until(Ringing)
    await waiting
    assert line.calls_up == 0


@pytest.mark.parametrize(("ring_s", "talk_s"), [(0.001, 0), (0, 0.001), (0, 0)])
async def test_no_report_comes_after_closing(ring_s: float, talk_s: float) -> None:
    line = line_of(Outcome.ANSWERED, ring_s, talk_s)
    heard = Listener(line)
    with suppress(RuntimeError):
        async with line:
            await line.originate(order())
            raise RuntimeError
    assert line.calls_up == 0
    await asyncio.sleep(0.01)  # longer than the call would have lasted
    assert heard.reports == []


async def test_a_line_that_is_not_open_sends_nothing() -> None:
    line = line_of(Outcome.ANSWERED)
    heard = Listener(line)
    assert (await line.originate(order())).report == Unsent(attempt_id=NAME, at=at(1))
    async with line:
        pass
    assert (await line.originate(order())).report == Unsent(attempt_id=NAME, at=at(2))
    assert (line.calls_up, heard.reports) == (0, [])


async def test_a_line_that_nobody_listens_to_sends_nothing() -> None:
    line = line_of(Outcome.ANSWERED)
    async with line:
        assert (await line.originate(order())).report == Unsent(attempt_id=NAME, at=at(1))


async def test_a_line_may_be_opened_again_and_knows_nothing_of_before() -> None:
    line = line_of(Outcome.ANSWERED)
    heard = Listener(line)
    async with line:
        await line.originate(order("a"))
        await line.drain()
    async with line:
        assert [type(each) for each in await line.reconcile([attempt("a")])] == [Lost]
        await line.originate(order("b"))
        await line.drain()
    assert [type(each) for each in heard.of("b")] == [Ringing, Answered, Ended]


async def test_a_line_is_made_from_its_address() -> None:
    made = simulated_line("simulated://?answer=1&ring_s=0&talk_s=0", TickingClock())
    line: Line = made
    heard = Listener(made)
    async with line:
        assert (await line.originate(order())).report == PLACED
        await line.drain()
    assert [type(each) for each in heard.reports] == [Ringing, Answered, Ended]


def test_a_wrong_address_makes_no_line() -> None:
    with pytest.raises(AdapterFault, match="'sead' is no parameter"):
        simulated_line("simulated://?sead=7", TickingClock())
