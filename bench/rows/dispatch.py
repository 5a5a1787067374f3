"""Dispatch on SQLite: how many contacts a second come to their end when every call is over at once.

What is done for each contact, on every side: a claim is stored before its call is made, and its outcome afterwards; one
call in five is busy and is made once more. A call takes no time, so that only the dispatching is measured.

- The floor is a bare script that does the same durable work: one loop, one connection, ``synchronous=FULL``, groups of
  100, outcomes of one group and claims of the next in one transaction; a contact has its status, and each attempt a row
  that says who was called when and how it ended, as it must for whoever has to prove it. It knows one campaign, no
  caps, no accounts, no counters, no events and no line.
- arq is a job queue on Redis, here Valkey. Its jobs are not as durable: the server answers before it syncs.
- DBOS runs durable workflows on a SQLite file, the call a step. Procrastinate and PgQueuer are job queues on
  PostgreSQL, which every job asks several times. All four do fewer, as they are slower.
"""

import random  # noqa: TID251 - the same calls in each run
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from attrs import evolve
from bench.figures import STATED, Figure, at_least, compared
from bench.ground import ACCOUNT, ANSWERED, CAP, BenchLine, completed, contacts_file, engine_on, settings
from bench.measuring import Sample, alone, in_turn, run_async, watched
from bench.peers import arq_queue, dbos_workflows, pgqueuer_queue, procrastinate_queue
from bench.peers.servers import postgres, valkey

CONTACTS = 20_000


async def dispatch(contacts: int, cap: int = CAP) -> Sample:
    """Dial everybody through the engine."""
    line = BenchLine(lambda: 0.0)
    account = evolve(ACCOUNT, caps=evolve(ACCOUNT.caps, concurrent_max=cap))
    with tempfile.TemporaryDirectory() as folder:
        async with engine_on(Path(folder), line, account) as engine:
            campaign = await engine.create(ACCOUNT.id, settings(cap), contacts=contacts_file(contacts))
            with watched() as watch:
                await engine.start(ACCOUNT.id, campaign.id)
                snapshot = await completed(engine, campaign.id)
    if snapshot.completed + snapshot.failed != contacts or line.most_up > cap:
        raise AssertionError(f"{snapshot}, {line.most_up} at once")
    return watch.sample(contacts / watch.wall_s)


_DUE = "SELECT position, attempts, phone FROM contacts WHERE status = 'pending' ORDER BY position LIMIT ?"
_CLAIM = "UPDATE contacts SET status = 'dialling', attempts = ? WHERE position = ?"
_ATTEMPT = "INSERT INTO attempts VALUES (?, ?, ?, ?, NULL, NULL)"
_END = "UPDATE attempts SET ended_at = ?, outcome = ? WHERE position = ? AND n = ?"
_CONCLUDE = "UPDATE contacts SET status = ? WHERE position = ?"


def status(outcome: str, n: int) -> str:
    """Say what becomes of a contact after its n-th call."""
    return "completed" if outcome == "answered" else "pending" if n == 1 else "failed"


def floor(contacts: int, group: int = CAP) -> Sample:
    """Do the same durable work in a bare script."""
    chance = random.Random(1)  # noqa: S311 - it keeps no secret
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(f"{folder}/floor.db")) as connection:
        connection.isolation_level = None
        connection.executescript("""
            PRAGMA journal_mode = wal; PRAGMA synchronous = FULL;
            CREATE TABLE contacts (position INTEGER PRIMARY KEY, phone TEXT, status TEXT, attempts INTEGER, at REAL);
            CREATE INDEX due ON contacts (position) WHERE status = 'pending';
            CREATE TABLE attempts (
                position INTEGER, n INTEGER, phone TEXT, claimed_at REAL, ended_at REAL, outcome TEXT,
                PRIMARY KEY (position, n)
            ) WITHOUT ROWID;
            CREATE UNIQUE INDEX open ON attempts (phone) WHERE outcome IS NULL;
        """)
        numbers = ((n, f"+1415{5_000_000 + n:07d}") for n in range(contacts))
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO contacts VALUES (?, ?, 'pending', 0, NULL)", numbers)
        connection.execute("COMMIT")
        over, ends = 0, list[tuple[str, int, int]]()
        with watched() as watch:
            while over < contacts or ends:
                now = time.perf_counter()
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(_END, [(now, outcome, position, n) for outcome, position, n in ends])
                connection.executemany(_CONCLUDE, [(status(outcome, n), position) for outcome, position, n in ends])
                due = connection.execute(_DUE, (group,)).fetchall()
                connection.executemany(_CLAIM, [(n + 1, position) for position, n, _ in due])
                connection.executemany(_ATTEMPT, [(position, n + 1, phone, now) for position, n, phone in due])
                connection.execute("COMMIT")
                ends = [("answered" if chance.random() < ANSWERED else "busy", each[0], each[1] + 1) for each in due]
                over += sum(status(outcome, n) != "pending" for outcome, _, n in ends)
        return watch.sample(contacts / watch.wall_s)


def figures(repeats: int) -> Iterator[Figure]:
    """Compare."""
    with valkey() as port, postgres() as url:
        samples = in_turn(
            repeats,
            {
                "engine": partial(alone, run_async, dispatch, CONTACTS),
                "floor": partial(alone, floor, CONTACTS),
                "arq": partial(alone, run_async, arq_queue.dispatch, port, CONTACTS // 4),
                "DBOS": partial(alone, dbos_workflows.dispatch, CONTACTS // 50),
                "PgQueuer": partial(alone, run_async, pgqueuer_queue.dispatch, url, CONTACTS // 4),
                "Procrastinate": partial(alone, run_async, procrastinate_queue.dispatch, url, CONTACTS // 20),
            },
        )
    goals = {"floor": at_least(0.3), "arq": at_least(10), "DBOS": at_least(100)}
    names = {"floor": "bare script"}
    for name in ("floor", "arq", "DBOS", "PgQueuer", "Procrastinate"):
        yield compared(
            f"dispatch on SQLite, calls of 0 s, beside {names.get(name, name)}",
            (samples["engine"], "contacts/s"),
            (samples[name], names.get(name, name)),
            goals.get(name, STATED),
        )
