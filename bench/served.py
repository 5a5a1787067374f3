"""Servers in processes of their own that say what they took, and a client that keeps them busy.

A server is a coroutine that serves on a socket. Whoever started it asks over a pipe for the CPU seconds and the memory
that it has taken, and for the longest that its loop had to wait.
"""

import asyncio
import gc
import multiprocessing
import re
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web
from bench.measuring import memory_mb

Serve = Callable[..., AbstractAsyncContextManager[None]]
"""Serves on the socket that is its first argument, while it is entered."""

_BEAT_S = 0.002


class Taken(NamedTuple):
    """What a server has taken since it was asked before.

    ``growth_mb`` is the peak over ``held_mb``, which it held then; ``now_mb`` is what it holds now.
    """

    cpu_s: float
    growth_mb: float
    held_mb: float
    now_mb: float
    lags_s: list[float]


class Server:
    """A server that runs."""

    def __init__(self, port: int, pipe: Connection) -> None:
        self.port = port
        self._pipe = pipe

    def taken(self) -> Taken:
        """Ask what it took since the last time."""
        self._pipe.send("taken")
        answer: Taken = self._pipe.recv()
        return answer

    def stop(self) -> float:
        """Let it end; give how long that took, in seconds."""
        begun = time.perf_counter()
        self._pipe.send("stop")
        self._pipe.recv()
        return time.perf_counter() - begun


@contextmanager
def server(serve: Serve, *args: Any, has_beat: bool = False) -> Iterator[Server]:
    """Run a server beside this process; one that ``has_beat`` notes how late its loop is."""
    mine, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(its, serve, args, has_beat), daemon=True)
    process.start()
    try:
        yield Server(mine.recv(), mine)
    finally:
        process.kill()
        process.join()


def _run(pipe: Connection, serve: Serve, args: tuple[Any, ...], has_beat: bool) -> None:  # noqa: FBT001 - of a process
    many = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (many, many))
    asyncio.run(_serve(pipe, serve, args, has_beat=has_beat))


async def _serve(pipe: Connection, serve: Serve, args: tuple[Any, ...], *, has_beat: bool) -> None:
    loop, asked = asyncio.get_running_loop(), asyncio.Queue[str]()
    loop.add_reader(pipe.fileno(), lambda: asked.put_nowait(pipe.recv()))
    lags: list[float] = []
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:  # TCP: else asyncio delays
        listening.bind(("127.0.0.1", 0))
        beating = loop.create_task(_beat(lags)) if has_beat else None
        async with serve(listening, *args):
            listening.listen(4_096)
            pipe.send(listening.getsockname()[1])
            gc.collect()
            gc.freeze()  # what is loaded is looked through no more, as by `kataven serve`
            cpu_s, held_mb = _begin()
            while await asked.get() == "taken":
                cpu_s, grown_mb = time.process_time() - cpu_s, memory_mb("VmHWM") - held_mb
                pipe.send(Taken(cpu_s, grown_mb, held_mb, memory_mb("VmRSS"), [*lags]))
                lags.clear()
                cpu_s, held_mb = _begin()
        if beating:
            beating.cancel()
    pipe.send("stopped")


def _begin() -> tuple[float, float]:
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    return time.process_time(), memory_mb("VmRSS")


async def _beat(lags: list[float]) -> None:
    """Note by how much each beat comes late."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _BEAT_S
        await asyncio.sleep(_BEAT_S)
        lags.append(loop.time() - due)


@asynccontextmanager
async def on_aiohttp(app: web.Application, listening: socket.socket) -> AsyncIterator[None]:
    """Serve an aiohttp application as ``kataven serve`` does."""
    runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listening, backlog=4_096).start()
        yield
    finally:
        await runner.cleanup()


def get(path: str, key: str = "") -> bytes:
    """Write a request."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{authorization}\r\n".encode()


def ask_again_and_again(port: int, request: bytes, count: int, connections: int = 8) -> bytes:
    """Ask so often over so many connections, and throw the answers away but the last."""
    return asyncio.run(_ask_all(port, request, count, connections))


async def _ask_all(port: int, request: bytes, count: int, connections: int) -> bytes:
    answers = await asyncio.gather(*(_ask(port, request, count // connections) for _ in range(connections)))
    return answers[0]


async def _ask(port: int, request: bytes, count: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    answer = b""
    for _ in range(count):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        answer = await reader.readexactly(int(length[1]) if length else 0)
        if b" 200 " not in head[:16]:
            raise AssertionError((head + answer).decode())
    writer.close()
    return answer
