import asyncio
from datetime import timedelta

from kataven_core.testing.samples import NOON
from kataven_core.testing.simulation.clock import VirtualClock
from kataven_core.testing.simulation.loop import VirtualLoop


def test_both_clocks_go_with_the_loop() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, NOON)
    loop.run_until_complete(asyncio.sleep(90))
    loop.close()
    assert (clock.now(), clock.monotonic()) == (NOON + timedelta(seconds=90), 90)


def test_a_jump_sets_the_wall_clock_alone() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, NOON)
    clock.jump(-3_600)
    clock.jump(60)
    loop.run_until_complete(asyncio.sleep(10))
    loop.close()
    assert (clock.now(), clock.monotonic()) == (NOON - timedelta(seconds=3_530), 10)
