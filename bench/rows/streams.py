"""Live progress to a thousand listeners: what each frame costs, and each connection.

The API as it is shipped shows one running campaign to 1,000 connections, a frame every second instead of every
two, so that there are enough of them. CPU seconds of the server's process for each frame that arrives, beside two
others that send frames of the same length at the same pace:

- the floor: a bare asyncio server that writes the same bytes to each of its transports;
- the work for each client by itself, as most servers do it: a handler that sleeps, reads the campaign's progress,
  writes it as JSON and sends it.
"""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web
from bench.big_file import CAMPAIGN, build, opened, turn
from bench.figures import STATED, Figure, at_most, compared, figure, middle
from bench.ground import ACCOUNT, BenchLine
from bench.measuring import Sample, alone, run_async, watched
from bench.rows.http import KEY, KEYS
from bench.served import Serve, get, on_aiohttp, server

from kataven_adapters.http import ApiSettings, create_app
from kataven_adapters.http.sse import frames_of
from kataven_adapters.sqlite import SqliteStore
from kataven_core import Operate, Operation
from kataven_core.runtime import Engine

LISTENERS = 1_000
TICK_S = 1.0
LISTEN_S = 8.0
MOST_KB, MOST_STOP_S = 12.0, 1.0
STREAM = get(f"/api/v1/campaigns/{CAMPAIGN}/events", KEY)


def forever() -> float:
    """Let every call last longer than the bench."""
    return 3_600.0


async def built(path: Path) -> Sample:
    """Store a campaign that runs."""
    with watched() as watch:
        await build(path, 1_000, 10)
        async with opened(path) as store:
            await turn(store, Operate(campaign_id=CAMPAIGN, operation=Operation.START))
    return watch.sample(0.0)


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[Engine]:
    """Have the campaign run, all its calls up."""
    async with Engine(store=SqliteStore(path), line=BenchLine(forever), accounts=[ACCOUNT]) as engine:
        yield engine


@asynccontextmanager
async def application(listening: socket.socket, path: Path) -> AsyncIterator[None]:
    """Serve the API."""
    settings = ApiSettings(tick_s=TICK_S, max_streams=LISTENERS)
    async with running(path) as engine, on_aiohttp(create_app(engine, KEYS, settings=settings), listening):
        yield


@asynccontextmanager
async def bare(listening: socket.socket, frame: bytes) -> AsyncIterator[None]:
    """Write the same bytes to everybody."""
    transports: list[asyncio.Transport] = []

    class Connection(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)  # noqa: S101 - it is TCP
            transports.append(transport)

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for each in transports:
                each.write(frame)

    ticking = asyncio.create_task(tick())
    async with await asyncio.get_running_loop().create_server(Connection, sock=listening):
        yield
        ticking.cancel()
        for each in transports:
            each.abort()


@asynccontextmanager
async def each_by_itself(listening: socket.socket, path: Path) -> AsyncIterator[None]:
    """Do all the work for each client."""

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        while True:
            await asyncio.sleep(TICK_S)
            await response.write(frames_of(await engine.progress(ACCOUNT.id, CAMPAIGN)).frames)

    app = web.Application()
    app.router.add_get("/{path:.*}", stream)
    async with running(path) as engine, on_aiohttp(app, listening):
        yield


class Ear(asyncio.Protocol):
    """A client that asks for the stream and counts what comes."""

    def __init__(self) -> None:
        self.pieces = 0
        self.frame = b""
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - it is TCP
        transport.write(STREAM)

    def data_received(self, data: bytes) -> None:
        """Count."""
        self.pieces += 1
        self.frame = data

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - however it ends
        """Note that it is over."""
        self.is_open = False


class Heard:
    """What a server took for its listeners: CPU of a frame in µs, KB a connection, seconds to stop; and a frame."""

    def __init__(self, frame: Sample, connection_kb: float, stop_s: float, piece: bytes) -> None:
        self.frame = frame
        self.connection_kb = connection_kb
        self.stop_s = stop_s
        self.piece = piece


def hear(serve: Serve, argument: object, listeners: int) -> Heard:
    """Listen for some seconds."""
    return asyncio.run(_hear(serve, argument, listeners))


async def _hear(serve: Serve, argument: object, listeners: int) -> Heard:
    loop = asyncio.get_running_loop()
    many = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (many, many))
    with server(serve, argument) as its:
        ears = [(await loop.create_connection(Ear, "127.0.0.1", its.port))[1] for _ in range(listeners // 20)]
        await asyncio.sleep(2 * TICK_S)  # what the first ones make a server load is not theirs
        held_before, first = its.taken().now_mb, len(ears)
        ears += [(await loop.create_connection(Ear, "127.0.0.1", its.port))[1] for _ in range(listeners - first)]
        await asyncio.sleep(4 * TICK_S)
        held_mb = its.taken().now_mb
        before = sum(ear.pieces for ear in ears)
        begun = time.perf_counter()
        await asyncio.sleep(LISTEN_S)
        taken, wall_s = its.taken(), time.perf_counter() - begun
        frames = sum(ear.pieces for ear in ears) - before
        if not all(ear.is_open for ear in ears) or frames < listeners * (LISTEN_S / TICK_S - 2):
            raise AssertionError(f"{frames} frames to {listeners} listeners")
        connection_kb = 1e3 * max(held_mb - held_before, 0.0) / (listeners - first)
        piece = ears[0].frame
        stop_s = await asyncio.to_thread(its.stop)
    sample = Sample(1e6 * taken.cpu_s / frames, wall_s, taken.cpu_s, taken.held_mb + taken.growth_mb)
    return Heard(sample, connection_kb, stop_s, piece)


def figures(repeats: int) -> Iterator[Figure]:
    """Compare."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "kataven.db")
        alone(run_async, built, path)
        ours, few, raw, others = [], [], [], []
        for _ in range(repeats):
            ours.append(hear(application, path, LISTENERS))
            raw.append(hear(bare, ours[-1].piece, LISTENERS).frame)
            others.append(hear(each_by_itself, path, LISTENERS).frame)
            few.append(hear(application, path, 1).frame)
    frames = [each.frame for each in ours]
    name = f"a frame to each of {LISTENERS:,} listeners, CPU"
    yield compared(f"{name}, beside raw writes", (frames, "µs"), (raw, "raw write"), at_most(2.5))
    yield compared(f"{name}, beside work for each", (frames, "µs"), (others, "work for each client"), at_most(0.35))
    kept = [each.frame._replace(value=each.connection_kb) for each in ours]
    yield figure("memory of a listener", (kept, "KB"), "itself", middle(kept), at_most(MOST_KB))
    stops = [each.frame._replace(value=each.stop_s) for each in ours]
    yield figure(f"shutdown with {LISTENERS:,} listeners", (stops, "s"), "itself", middle(stops), at_most(MOST_STOP_S))
    yield compared("a frame to one listener, CPU", (few, "µs"), (frames, f"of {LISTENERS:,}"), STATED)
