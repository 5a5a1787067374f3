"""Runs work in a process of its own and says what it took: seconds, CPU seconds, memory.

A process of its own for each run, so that nobody pays for what another left behind, and the sides of a comparison in
turn, so that a slow moment of the machine meets all of them.
"""

import asyncio
import multiprocessing
import re
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Sample(NamedTuple):
    """One run: what it came to in the unit of its row, and what it took. Memory is the peak of its process."""

    value: float
    wall_s: float
    cpu_s: float
    peak_mb: float


class Watch:
    """What has been taken since it was started."""

    def __init__(self) -> None:
        self.wall_s = 0.0
        self.cpu_s = 0.0

    def sample(self, value: float) -> Sample:
        """Give it as a sample."""
        return Sample(value, self.wall_s, self.cpu_s, memory_mb("VmHWM"))


def memory_mb(what: str) -> float:
    """Give what the system says of this process: ``VmHWM`` its peak, ``VmRSS`` what it holds now.

    Not ``getrusage``, whose peak is that of the process that started this one, where that was larger.
    """
    found = re.search(rf"{what}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 / 1e6 if found else 0.0


@contextmanager
def watched() -> Iterator[Watch]:
    """Time what is done inside."""
    watch, wall, cpu = Watch(), time.perf_counter(), time.process_time()
    try:
        yield watch
    finally:
        watch.wall_s, watch.cpu_s = time.perf_counter() - wall, time.process_time() - cpu


def alone(work: Callable[..., T], *args: Any) -> T:
    """Run it in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(work, *args).result()


def run_async(work: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Run a coroutine function to its end."""

    async def main() -> T:
        return await work(*args)

    return asyncio.run(main())


def in_turn(repeats: int, sides: Mapping[str, Callable[[], Sample]]) -> dict[str, list[Sample]]:
    """Run every side once, and again, so many times."""
    samples: dict[str, list[Sample]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, run in sides.items():
            samples[name].append(run())
    return samples


def median(values: Sequence[float]) -> float:
    """Give the middle one."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that this share of all does not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cpu_of(samples: Sequence[Sample]) -> list[Sample]:
    """Give the same runs by their CPU seconds."""
    return [each._replace(value=each.cpu_s) for each in samples]
