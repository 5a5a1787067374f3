import asyncio
import gc
from collections.abc import Iterator

import pytest

from kataven_core.testing.simulation import loop as loop_module
from kataven_core.testing.simulation.loop import Deadlock, Endless, Process, VirtualLoop, current_process

DAY_S = 86_400.0


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


def a_process(loop: VirtualLoop, died: list[str] | None = None, name: str = "one") -> Process:
    return Process(loop, name, lambda: None if died is None else died.append(name))


# Time


def test_a_day_passes_at_once(loop: VirtualLoop) -> None:
    loop.run_until_complete(asyncio.sleep(DAY_S))
    assert loop.time() == DAY_S


def test_timers_run_in_their_order_whenever_they_were_set(loop: VirtualLoop) -> None:
    ran: list[int] = []
    for at_s in (3, 1, 2):
        loop.call_at(at_s, ran.append, at_s)
    loop.run_until_complete(asyncio.sleep(5))
    assert ran == [1, 2, 3]


def test_whoever_waits_for_what_never_comes_is_told(loop: VirtualLoop) -> None:
    async def wait() -> None:
        await loop.create_future()

    task = loop.create_task(wait())
    with pytest.raises(Deadlock):
        loop.run_until_complete(task)
    task.cancel()
    loop.run_until_complete(asyncio.wait([task]))


# Processes


def test_what_a_process_begins_is_its_own(loop: VirtualLoop) -> None:
    process = a_process(loop)
    seen: list[Process | None] = []

    async def look() -> None:
        await asyncio.sleep(1)
        seen.append(current_process())
        loop.call_later(1, lambda: seen.append(current_process()))
        loop.outside_in(2, lambda: seen.append(current_process()))

    process.spawn(look())
    loop.run_until_complete(asyncio.sleep(10))
    assert seen == [process, process, None]


def test_a_crash_runs_no_finally(loop: VirtualLoop) -> None:
    died: list[str] = []
    process = a_process(loop, died)
    ran: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            ran.append("finally")

    task = process.spawn(work())
    loop.outside_in(5, process.crash)
    loop.run_until_complete(asyncio.sleep(DAY_S))
    assert (ran, died, task.done()) == ([], ["one"], False)
    process.bury()
    loop.run_until_complete(asyncio.wait([task]))


def test_a_crash_in_its_own_callback_lets_nothing_after_it_run(loop: VirtualLoop) -> None:
    process = a_process(loop)
    ran: list[object] = []

    async def work() -> None:
        process.crash()
        loop.call_soon(ran.append, "soon")
        loop.call_later(1, ran.append, "later")

    process.spawn(work())
    loop.run_until_complete(asyncio.sleep(10))
    assert ran == []


def test_others_go_on_when_one_dies(loop: VirtualLoop) -> None:
    one, other = a_process(loop), a_process(loop, name="other")
    ran: list[str] = []
    for process in (one, other):
        process.call(loop.call_later, 5, ran.append, process.name)
    loop.outside_in(1, one.crash)
    loop.outside_in(5, ran.append, "outside")
    loop.run_until_complete(asyncio.sleep(10))
    assert sorted(ran) == ["other", "outside"]


def test_what_was_missed_runs_when_it_wakes_in_its_order(loop: VirtualLoop) -> None:
    process = a_process(loop)
    ran: list[object] = []
    for at_s in (1, 2, 3):
        process.call(loop.call_later, at_s, lambda at_s=at_s: ran.append((at_s, loop.time())))
    loop.outside_in(0.5, process.stall)
    loop.outside_in(60, process.wake)
    loop.run_until_complete(asyncio.sleep(100))
    assert ran == [(1, 60), (2, 60), (3, 60)]


def test_what_was_missed_and_is_cancelled_by_what_was_missed_before_it_never_runs(loop: VirtualLoop) -> None:
    process = a_process(loop)
    ran: list[object] = []

    def begin() -> None:
        timer = loop.call_later(2, ran.append, "cancelled")
        loop.call_later(1, timer.cancel)

    process.call(begin)
    loop.outside_in(0.5, process.stall)
    loop.outside_in(60, process.wake)
    loop.run_until_complete(asyncio.sleep(100))
    assert ran == []


def test_a_process_that_dies_while_it_stalls_never_wakes(loop: VirtualLoop) -> None:
    process = a_process(loop)
    ran: list[object] = []
    process.call(loop.call_later, 1, ran.append, "missed")
    loop.outside_in(0.5, process.stall)
    loop.outside_in(5, process.crash)
    loop.outside_in(60, process.wake)
    loop.run_until_complete(asyncio.sleep(100))
    assert ran == []


# Runs that repeat


def test_tasks_stand_in_a_set_by_when_they_were_made(loop: VirtualLoop) -> None:
    async def nothing() -> None:
        pass

    async def order() -> list[int]:
        hashes = []
        for _ in range(20):
            tasks = [asyncio.ensure_future(nothing()) for _ in range(5)]
            hashes += [hash(task) for task in tasks]
            await asyncio.wait(tasks)
            gc.collect()
        return hashes

    hashes = loop.run_until_complete(order())
    assert hashes == sorted(set(hashes))


def test_what_goes_round_and_round_is_stopped(loop: VirtualLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "MOST_TURNS", 100)

    async def spin() -> None:
        while True:  # noqa: ASYNC110 - it waits for nothing
            await asyncio.sleep(0)

    spinning = loop.create_task(spin())
    with pytest.raises(Endless):
        loop.run_until_complete(spinning)
    spinning.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(spinning)
