"""How well slots are used: calls of uneven length under a cap, and how soon a free slot is dialled again.

100 slots, calls of 20 to 80 ms, one in five dialled again, SQLite with ``synchronous=FULL``. The ideal is arithmetic:
all seconds of all calls, divided by the slots; what is missing is the time in which slots were free. That the cap is
never passed is checked at the line. The time from a call's end to the next call's start is held against one durable
commit of a bare script on the same disk, both at the 99th percentile.

PgQueuer does the same work with 100 jobs at once on PostgreSQL, durable too: its share of the ideal and its CPU
seconds, of its own process and not of the database's, are in the same run.
"""

import asyncio
import random  # noqa: TID251 - the same calls in each run
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from bench.figures import Figure, at_least, at_most, compared, figure, middle, shown
from bench.ground import ACCOUNT, CAP, BenchLine, completed, contacts_file, engine_on, settings
from bench.measuring import Sample, alone, cpu_of, percentile, run_async, watched
from bench.peers import pgqueuer_queue
from bench.peers.servers import postgres

CONTACTS = 10_000
SHORTEST_S, LONGEST_S = 0.020, 0.080
COMMITS = 1_000
LATE = 0.99


def call_s(chance: random.Random) -> float:
    """Draw how long a call takes."""
    return chance.uniform(SHORTEST_S, LONGEST_S)


async def use(contacts: int) -> tuple[Sample, Sample]:
    """Dial everybody; give the share of the ideal, and the late gaps between a call and the next in ms."""
    chance = random.Random(2)  # noqa: S311 - it keeps no secret
    line = BenchLine(partial(call_s, chance))
    with tempfile.TemporaryDirectory() as folder:
        async with engine_on(Path(folder), line) as engine:
            campaign = await engine.create(ACCOUNT.id, settings(), contacts=contacts_file(contacts))
            begun = asyncio.get_running_loop().time()
            with watched() as watch:
                await engine.start(ACCOUNT.id, campaign.id)
                await completed(engine, campaign.id)
    if line.most_up > CAP:
        raise AssertionError(f"{line.most_up} calls at once")
    share = line.busy_s / CAP / (line.ended_at[-1] - begun)
    gaps_s = [placed - ended for ended, placed in zip(line.ended_at, line.placed_at[CAP:], strict=False)]
    return watch.sample(share), watch.sample(1e3 * percentile(gaps_s, LATE))


def commit() -> Sample:
    """Commit one small change durably, again and again; give the late ones in ms."""
    took = []
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(f"{folder}/floor.db")) as connection:
        connection.isolation_level = None
        connection.executescript("PRAGMA journal_mode = wal; PRAGMA synchronous = FULL; CREATE TABLE t (a, b)")
        with watched() as watch:
            for n in range(COMMITS):
                begun = time.perf_counter()
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO t VALUES (?, ?)", (n, "x" * 100))
                connection.execute("COMMIT")
                took.append(time.perf_counter() - begun)
    return watch.sample(1e3 * percentile(took, LATE))


def figures(repeats: int) -> Iterator[Figure]:
    """Compare."""
    shares, gaps, commits, theirs = [], [], [], []
    with postgres() as url:
        for _ in range(repeats):
            share, gap = alone(run_async, use, CONTACTS)
            shares.append(share)
            gaps.append(gap)
            commits.append(alone(commit))
            lengths = partial(call_s, random.Random(2))  # noqa: S311 - it keeps no secret
            theirs.append(alone(run_async, pgqueuer_queue.use, url, CONTACTS, lengths))
    peer = f"the ideal; PgQueuer: {shown(middle(theirs))}"
    name = "slot use on SQLite, calls of 20 to 80 ms"
    yield figure(name, (shares, "of the ideal"), peer, middle(shares), at_least(0.95))
    yield compared(f"{name}, CPU", (cpu_of(shares), "CPU s"), (cpu_of(theirs), "PgQueuer"), at_most(0.5))
    name = "a slot comes free, the next call is sent, p99"
    yield compared(name, (gaps, "ms"), (commits, "one durable commit"), at_most(3))
