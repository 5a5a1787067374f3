"""How dispatching grows: with the contacts of a campaign, and with the campaigns that run.

Contacts: of a campaign of 1,000,000, of 100,000 and of 1,000 the first 1,000 come to their end, calls of 0 s, 100 at
once; the file is there before the clock starts. Each statement finds its rows by an index and a cycle knows who is
next, so that what else is in the file should cost nothing.

Campaigns: 20,000 contacts in one campaign of 1,000 slots, in 100 of 10 and in 1,000 of one, all of one account and all
running at once. A cycle takes whatever has come in for all of them; what it costs more is a campaign's own counters,
and the fair choice of who dials next.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attrs import evolve
from bench.big_file import CAMPAIGN, build
from bench.figures import STATED, Figure, compared
from bench.ground import ACCOUNT, CAP, BenchLine, completed, contacts_file, engine_on, settings
from bench.measuring import Sample, alone, in_turn, run_async, watched

CONTACTS = (1_000, 100_000, 1_000_000)
FIRST = 1_000
CAMPAIGNS = (1, 100, 1_000)
SHARED = 20_000
SLOTS = 1_000


async def built(path: Path, contacts: int) -> None:
    """Store a draft of so many."""
    await build(path, contacts, CAP)


async def of_contacts(path: Path) -> Sample:
    """Dial the first of a campaign that is there already; give how many a second come to their end."""
    line = BenchLine(lambda: 0.0, answered=1.0)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, Path(folder, "kataven.db"))
        async with engine_on(Path(folder), line) as engine:
            with watched() as watch:
                await engine.start(ACCOUNT.id, CAMPAIGN)
                while len(line.ended_at) < FIRST:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.001)
            took_s = line.ended_at[FIRST - 1] - line.placed_at[0]
    return watch.sample(FIRST / took_s)


async def of_campaigns(campaigns: int) -> Sample:
    """Dial the same contacts in so many campaigns at once; give how many a second come to their end."""
    account = evolve(ACCOUNT, caps=evolve(ACCOUNT.caps, concurrent_max=SLOTS))
    line = BenchLine(lambda: 0.0)
    with tempfile.TemporaryDirectory() as folder:
        async with engine_on(Path(folder), line, account) as engine:
            each = SHARED // campaigns
            names = [
                (await engine.create(ACCOUNT.id, settings(SLOTS // campaigns), contacts=contacts_file(each, first))).id
                for first in range(0, SHARED, each)
            ]
            with watched() as watch:
                await asyncio.gather(*(engine.start(ACCOUNT.id, name) for name in names))
                for name in names:
                    await completed(engine, name)
    return watch.sample(SHARED / watch.wall_s)


def figures(repeats: int) -> Iterator[Figure]:
    """Compare."""
    repeats = min(repeats, 3)  # nothing here has a goal
    with tempfile.TemporaryDirectory() as folder:
        paths = {count: Path(folder, f"{count}.db") for count in CONTACTS}
        for count, path in paths.items():
            alone(run_async, built, path, count)
        runs = in_turn(
            repeats, {str(count): partial(alone, run_async, of_contacts, paths[count]) for count in CONTACTS}
        )
    few, *more = CONTACTS
    for count in more:
        name = f"dispatch with {count:,} contacts in the campaign"
        yield compared(name, (runs[str(count)], "contacts/s"), (runs[str(few)], f"with {few:,}"), STATED)
    runs = in_turn(repeats, {str(count): partial(alone, run_async, of_campaigns, count) for count in CAMPAIGNS})
    one, *many = CAMPAIGNS
    for count in many:
        name = f"dispatch of {count:,} campaigns at once, {SLOTS:,} slots"
        yield compared(name, (runs[str(count)], "contacts/s"), (runs[str(one)], "one campaign"), STATED)
