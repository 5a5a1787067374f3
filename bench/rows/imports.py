"""What it takes to import the core: a host that decides on the core alone should not notice.

Whole processes, CPU seconds of each: ``import kataven_core`` beside a Python that does nothing. No driver of a store
and no server may be loaded on the way.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial

from bench.figures import Figure, at_most, figure, middle, shown
from bench.measuring import Sample, in_turn, median

GOAL_MS = 60.0
DRIVERS = ("sqlite3", "aiohttp", "aiosqlite", "asyncio", "ssl")
RUNS = 10
_LOADED = f"import sys, kataven_core; print(*(name for name in {DRIVERS} if name in sys.modules))"


def python(code: str) -> Sample:
    """Run this code in processes of their own; give the CPU time of one in ms."""
    begun, before = time.perf_counter(), os.times()
    for _ in range(RUNS):
        subprocess.run([sys.executable, "-c", code], check=True)
    after = os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Sample(1e3 * cpu_s / RUNS, (time.perf_counter() - begun) / RUNS, cpu_s / RUNS, 0.0)


def figures(repeats: int) -> Iterator[Figure]:
    """Compare."""
    loaded = subprocess.run([sys.executable, "-c", _LOADED], check=True, capture_output=True, text=True).stdout.split()
    sides = {"ours": partial(python, "import kataven_core"), "bare": partial(python, "pass")}
    samples = in_turn(repeats, sides)
    over = median([mine.value - its.value for mine, its in zip(samples["ours"], samples["bare"], strict=True)])
    what = f"bare Python: {shown(middle(samples['bare']))} ms; drivers loaded: {' '.join(loaded) or 'none'}"
    goal = at_most(GOAL_MS if not loaded else 0)
    yield figure("import of the core, ms over bare Python", (samples["ours"], "ms"), what, over, goal)
