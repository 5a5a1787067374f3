"""A thousand campaigns that run with nothing due: what the engine takes to wait.

Each has one contact who was dialled, did not answer and is to be dialled again tomorrow. Then nothing is done for some
seconds but to wait; CPU seconds of the whole process, as a share of one core. One campaign beside it.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attrs import evolve
from bench.figures import Figure, at_most, figure, middle, shown
from bench.ground import ACCOUNT, BenchLine, contacts_file, engine_on, settings
from bench.measuring import Sample, alone, in_turn, run_async, watched

import kataven_core as kc

CAMPAIGNS = 1_000
WAIT_S = 10.0
GOAL_PERCENT = 1.0


async def wait(campaigns: int) -> Sample:
    """Have so many wait for tomorrow; give the percentage of a core that this takes."""
    line = BenchLine(lambda: 0.0, answered=0.0)
    account = evolve(ACCOUNT, caps=evolve(ACCOUNT.caps, concurrent_max=campaigns))
    tomorrow = evolve(settings(1), retry_delay_seconds=86_400, retries_per_contact=1)
    with tempfile.TemporaryDirectory() as folder:
        async with engine_on(Path(folder), line, account) as engine:
            for _ in range(campaigns):
                campaign = await engine.create(ACCOUNT.id, tomorrow, contacts=contacts_file(1))
                await engine.start(ACCOUNT.id, campaign.id)
            while len(line.ended_at) < campaigns:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.1)
            await asyncio.sleep(1.0)
            with watched() as watch:
                await asyncio.sleep(WAIT_S)
            if len(line.ended_at) != campaigns:
                raise AssertionError(f"{len(line.ended_at)} calls of {campaigns} campaigns")
            running = [each for each in await engine.campaigns(ACCOUNT.id) if each.status is kc.CampaignStatus.RUNNING]
            if len(running) != campaigns:
                raise AssertionError(f"{len(running)} of {campaigns} run")
    return watch.sample(100 * watch.cpu_s / watch.wall_s)


def figures(repeats: int) -> Iterator[Figure]:
    """Wait."""
    repeats = min(repeats, 3)  # it is long, and steady
    samples = in_turn(repeats, {str(each): partial(alone, run_async, wait, each) for each in (CAMPAIGNS, 1)})
    many, one = samples[str(CAMPAIGNS)], samples["1"]
    what = f"one campaign: {shown(middle(one))} %"
    name = "1,000 running campaigns, nothing due: % of a core"
    yield figure(name, (many, "%"), what, middle(many), at_most(GOAL_PERCENT))
