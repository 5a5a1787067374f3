"""An upload of the largest allowed size, through the API to a durable 201: CPU, time, memory, and others' patience.

The file is 9.9 MB, 100,000 rows. It is sent over loopback to the API as it is shipped, on SQLite with
``synchronous=FULL``; CPU seconds are those of the server's process. Meanwhile the server's loop notes by how much each
beat of 2 ms comes late, and the system how much memory the process held at most.

The floor does the same work in a bare script, the file in memory from the start: ``csv.reader``, a pattern for E.164,
``msgspec`` for the other columns, and one transaction with one ``executemany``. It finds no duplicates, refuses nothing
but what is no number, answers nobody, and holds everything in memory at once.
"""

import csv
import io
import re
import socket
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import httpx
from attrs import evolve
from bench.figures import Figure, at_most, compared, figure, middle
from bench.ground import ACCOUNT, BenchLine
from bench.measuring import Sample, alone, cpu_of, percentile, watched
from bench.rows.contacts_csv import ROWS, contacts_file
from bench.rows.http import KEY, KEYS
from bench.served import on_aiohttp, server

from kataven_adapters.http import create_app
from kataven_adapters.sqlite import SqliteStore
from kataven_core.runtime import Engine

_E164 = re.compile(r"\+[1-9]\d{6,14}")
LATE = 0.99
FORM = {"name": "bench", "agent_id": "reminder", "phone_number_id": "office"}
MOST_MB, MOST_LAG_MS = 24.0, 15.0


@asynccontextmanager
async def application(listening: socket.socket, path: Path) -> AsyncIterator[None]:
    """Serve the API."""
    engine = Engine(store=SqliteStore(path), line=BenchLine(lambda: 0.0), accounts=[evolve(ACCOUNT)])
    async with engine, on_aiohttp(create_app(engine, KEYS), listening):
        yield


def uploaded(rows: int) -> tuple[Sample, Sample, Sample]:
    """Upload a file of so many rows, after a small one to warm up; give seconds, MB grown and ms late."""
    data = contacts_file(rows)
    with (
        tempfile.TemporaryDirectory() as folder,
        server(application, Path(folder, "kataven.db"), has_beat=True) as running,
    ):
        url = f"http://127.0.0.1:{running.port}/api/v1/campaigns"
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx.Client(timeout=120, trust_env=False, headers=headers) as client:
            small = client.post(url, data=FORM, files={"contacts": data[:100_000]})
            small.raise_for_status()
            running.taken()
            begun = time.perf_counter()
            answer = client.post(url, data=FORM, files={"contacts": data})
            wall_s, taken = time.perf_counter() - begun, running.taken()
            answer.raise_for_status()
            page = client.get(f"{url}/{answer.json()['id']}/contacts").raise_for_status().json()
    if page["total"] != rows:
        raise AssertionError(page["total"])
    late_ms = 1e3 * percentile(taken.lags_s, LATE)
    sample = Sample(wall_s, wall_s, taken.cpu_s, taken.held_mb + taken.growth_mb)
    return sample, sample._replace(value=taken.growth_mb), sample._replace(value=late_ms)


def floor(data: bytes) -> Sample:
    """Read and store it, and nothing else."""
    import msgspec  # noqa: PLC0415 - it is installed for the bench only

    encode = msgspec.json.encode
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(f"{folder}/floor.db")) as connection:
        connection.isolation_level = None
        connection.executescript("""
            PRAGMA journal_mode = wal; PRAGMA synchronous = FULL;
            CREATE TABLE contacts (campaign INTEGER, position INTEGER, phone TEXT, fields TEXT, status TEXT,
                                   PRIMARY KEY (campaign, position)) WITHOUT ROWID;
        """)
        with watched() as watch:
            rows = csv.reader(io.StringIO(data.decode(), newline=""))
            _, *names = next(rows)
            good = [
                (1, position, phone, encode(dict(zip(names, cells, strict=True))).decode(), "pending")
                for position, (phone, *cells) in enumerate(rows)
                if _E164.fullmatch(phone)
            ]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO contacts VALUES (?, ?, ?, ?, ?)", good)
            connection.execute("COMMIT")
    if len(good) != ROWS:
        raise AssertionError(len(good))
    return watch.sample(watch.wall_s)


def figures(repeats: int) -> Iterator[Figure]:
    """Compare."""
    data = contacts_file(ROWS)
    runs = [(uploaded(ROWS), alone(partial(floor, data))) for _ in range(repeats)]
    ours, grown, late = ([mine[index] for mine, _ in runs] for index in range(3))
    bare = [its for _, its in runs]
    name = "upload of 100,000 rows"
    yield compared(f"{name}, CPU", (cpu_of(ours), "CPU s"), (cpu_of(bare), "bare script"), at_most(1.2))
    yield compared(f"{name}, time", (ours, "s"), (bare, "bare script"), at_most(1.3))
    yield figure(f"{name}, memory grown", (grown, "MB"), "itself", middle(grown), at_most(MOST_MB))
    yield figure(f"{name}, lateness of the loop, p99", (late, "ms"), "itself", middle(late), at_most(MOST_LAG_MS))
