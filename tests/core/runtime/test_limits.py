"""One limit of time for many tasks: each is cancelled when its own time is over, and only then."""

import asyncio

from kataven_core.runtime.limits import Limit

SOON_S = 0.01
NEVER_S = 3_600.0


async def never() -> None:
    await asyncio.Event().wait()


async def at_once() -> None:
    pass


async def test_a_task_that_takes_too_long_is_cancelled_and_known_by_that() -> None:
    limit = Limit(SOON_S)
    known: list[bool] = []

    async def slow() -> None:
        try:
            await never()
        finally:
            known.append(limit.is_over(asyncio.current_task()))

    tasks = [asyncio.create_task(slow()) for _ in range(3)]
    for task in tasks:
        limit.begin(task)
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    assert known == [True, True, True]
    assert not limit.is_over(tasks[0])


async def test_one_that_comes_after_a_pause_has_its_own_time() -> None:
    limit = Limit(SOON_S)
    for _ in range(2):
        task = asyncio.create_task(never())
        limit.begin(task)
        await asyncio.wait({task})
        assert task.cancelled()
        await asyncio.sleep(2 * SOON_S)  # nothing is left to be looked at


async def test_those_that_are_done_are_left_alone_and_not_kept() -> None:
    limit = Limit(NEVER_S)
    first = asyncio.create_task(at_once())
    limit.begin(first)
    await first
    second = asyncio.create_task(never())
    limit.begin(second)
    second.cancel()
    await asyncio.wait({second})
    assert not limit.is_over(second)
    assert first.done()


async def test_who_is_cancelled_by_another_is_not_over() -> None:
    limit = Limit(NEVER_S)
    task = asyncio.create_task(never())
    limit.begin(task)
    task.cancel()
    await asyncio.wait({task})
    assert not limit.is_over(task)
    assert not limit.is_over(None)
