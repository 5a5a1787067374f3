"""Ask a server that runs for more than it likes, and hold what comes back against what it should.

    python tools/http_load.py --listeners 1000 --deaf 100 --seconds 60

Starts ``kataven serve`` on a file of its own, with a line on which no phone rings. First it uploads contacts files of
10 MiB, one after the other, while others ask for something small twenty times a second. Then it opens so many event
streams of one campaign that runs, some of which never read, and lets them be for so long; at the end the server is told
to stop. Ends 1 and says which bound does not hold.
"""

import argparse
import asyncio
import json
import os
import re
import resource
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

P99_S = 0.050
TICK_S, TICK_MARGIN_S = 2.0, 0.5
GROWTH_BYTES = 8 * 1024 * 1024
CONNECTION_BYTES = 12 * 1024
STOP_S = 1.0
LINE = "simulated://?answer=0&no_answer=1&ring_s=0"
"""Nobody answers, so that a campaign goes on and waits for its retries, and no call is up when the server stops."""
BOUNDARY = "boundary7"
ROW_BYTES = 100


class Server(NamedTuple):
    """A server that listens, and what opens it."""

    process: Process
    host: str
    port: int
    key: str

    @property
    def rss(self) -> int:
        """Give the memory that it holds, in bytes."""
        words = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(words[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def cpu_s(self) -> float:
        """Give the time that it has worked."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def head(self, method: str, path: str, *headers: str) -> bytes:
        """Write the head of a request."""
        lines = [f"{method} /api/v1{path} HTTP/1.1", "Host: x", f"Authorization: Bearer {self.key}", *headers, "", ""]
        return "\r\n".join(lines).encode()


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Server]:
    """Run the server; nothing of it is left afterwards."""
    words = ["serve", "--port", "0", "--store", f"sqlite:///{folder / 'kataven.db'}", "--line", LINE]
    with (folder / "server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kataven_adapters.cli", *words, stdout=PIPE, stderr=log, cwd=folder
        )
    try:
        assert process.stdout  # noqa: S101 - it was asked for
        said = ""
        while "listening on" not in said:
            line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
            if not line:
                raise SystemExit((folder / "server.log").read_text())
            said += line
        key = re.findall(r"KATAVEN_API_KEY=(\S+)", said)[0]
        host, port = re.findall(r"listening on http://(.*):(\d+)", said)[0]
        yield Server(process, host, int(port), key)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read an answer that says its length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
    return int(head.split()[1]), await reader.readexactly(int(length[1]) if length else 0)


async def ask(server: Server, request: bytes, *, expected: int = 200) -> Any:
    """Ask on a connection of its own; give what the answer says."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        writer.write(request)
        await writer.drain()
        status, body = await read_answer(reader)
        if status != expected:
            raise SystemExit(f"{status}: {body.decode()}")
        return json.loads(body)
    finally:
        writer.transport.abort()


async def open_streams(server: Server) -> int:
    """Say how many streams the server knows."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        _, page = await read_answer(reader)
        return int(float(re.findall(r"^kataven_stream_listeners (\S+)", page.decode(), re.MULTILINE)[0]))
    finally:
        writer.transport.abort()


def form(file_bytes: int) -> bytes:
    """Give a form with a contacts file of so many bytes."""
    texts = {"name": "Load", "agent_id": "demo-agent", "phone_number_id": "demo-number"}
    texts |= {"retries_per_contact": "5", "retry_delay_seconds": "3600"}
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
    parts = [f'{head}"{name}"\r\n\r\n{text}\r\n' for name, text in texts.items()]
    rows = ["phone_number,note\n"]
    rows += [f"+1415{n:07d},".ljust(ROW_BYTES - 1, "x") + "\n" for n in range(max(file_bytes // ROW_BYTES - 1, 1))]
    return "".join([*parts, f'{head}"contacts"; filename="c.csv"\r\n\r\n', *rows, f"\r\n--{BOUNDARY}--\r\n"]).encode()


async def upload(server: Server, body: bytes) -> str:
    """Make a campaign; give its id."""
    kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
    head = server.head("POST", "/campaigns", kind, f"Content-Length: {len(body)}")
    return str((await ask(server, head + body, expected=201))["id"])


async def small_requests(server: Server, per_second: float, took: list[float]) -> None:
    """Ask for something small at this pace, whatever the answers take, until cancelled."""
    clock = asyncio.get_running_loop().time

    async def once() -> None:
        began = clock()
        await ask(server, server.head("GET", "/call-limits"))
        took.append(clock() - began)

    async with asyncio.TaskGroup() as asking:
        while True:
            asking.create_task(once())
            await asyncio.sleep(1 / per_second)


async def uploads_beside_requests(server: Server, *, count: int, file_bytes: int, rate: float) -> dict[str, float]:
    """Upload, and see what it does to others."""
    clock, took = asyncio.get_running_loop().time, list[float]()
    body = form(file_bytes)
    asking = asyncio.create_task(small_requests(server, rate, took))
    began = clock()
    for _ in range(count):
        await upload(server, body)
    lasted = clock() - began
    asking.cancel()
    await asyncio.wait({asking})
    took.sort()
    return {
        "seconds for one upload": lasted / count,
        "requests meanwhile": len(took),
        "median ms": took[len(took) // 2] * 1000,
        "p99 ms": took[int(len(took) * 0.99)] * 1000,
        "longest ms": took[-1] * 1000,
    }


class Ear:
    """One listener: when snapshots came, and when the stream ended."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.ended_at: float | None = None

    async def listen(self, server: Server, path: str) -> None:
        """Listen until the server closes."""
        clock = asyncio.get_running_loop().time
        reader, writer = await asyncio.open_connection(server.host, server.port)
        try:
            writer.write(server.head("GET", path))
            async for line in reader:
                if line.startswith(b"data:"):
                    self.times.append(clock())
        except ConnectionError:
            pass
        finally:
            self.ended_at = clock()
            writer.transport.abort()

    @property
    def gaps(self) -> list[float]:
        """Give the seconds between snapshots; the first comes at any moment between two ticks."""
        return [b - a for a, b in pairwise(self.times[1:])]


async def deaf_ear(server: Server, path: str) -> socket.socket:
    """Ask for a stream, and never read it."""
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    own.setblocking(False)  # noqa: FBT003 - as it is named there
    loop = asyncio.get_running_loop()
    await loop.sock_connect(own, (server.host, server.port))
    await loop.sock_sendall(own, server.head("GET", path))
    return own


async def until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait until it holds, or so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.02)


async def listen(server: Server, *, count: int, deaf: int, seconds: float) -> dict[str, float]:
    """Open the streams, let them be, stop the server."""
    clock = asyncio.get_running_loop().time
    name = await upload(server, form(200))
    await ask(server, server.head("POST", f"/campaigns/{name}/start"))
    path = f"/campaigns/{name}/events"
    ears = [Ear() for _ in range(count - deaf)]
    rss_before = server.rss
    with_sockets = [await deaf_ear(server, path) for _ in range(deaf)]
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as listening:
        for each in with_sockets:
            stack.callback(each.close)
        for ear in ears:
            listening.create_task(ear.listen(server, path))
        await until(lambda: all(ear.times for ear in ears), 30)
        await asyncio.sleep(2 * TICK_S)
        rss_begin, cpu_begin = server.rss, server.cpu_s
        await asyncio.sleep(seconds)
        rss_end, cpu_end = server.rss, server.cpu_s
        dropped = count - await open_streams(server)
        told_at = clock()
        server.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(server.process.wait(), 30)
        stopped_at = clock()
    gaps = [gap for ear in ears for gap in ear.gaps]
    frames = max(seconds / TICK_S, 1) * len(ears)
    return {
        "streams": count,
        "of them never read": deaf,
        "and were dropped by now": dropped,
        "snapshots": len(gaps),
        "heard no second one": sum(not ear.gaps for ear in ears),
        "shortest gap s": min(gaps, default=0),
        "longest gap s": max(gaps, default=0),
        "cpu us a frame": (cpu_end - cpu_begin) * 1e6 / frames,
        "rss at begin MB": rss_begin / 1e6,
        "rss at end MB": rss_end / 1e6,
        "rss growth bytes": rss_end - rss_begin,
        "bytes a stream": (rss_begin - rss_before) / count,
        "streams ended after s": max((ear.ended_at or stopped_at) for ear in ears) - told_at,
        "process ended after s": stopped_at - told_at,
    }


def judge(found: dict[str, float]) -> list[str]:
    """Say which bounds do not hold."""
    bounds = {
        f"p99 is {found['p99 ms']:.1f} ms": found["p99 ms"] <= P99_S * 1000,
        f"{found['heard no second one']} streams heard nothing": not found["heard no second one"],
        f"a snapshot came {found['shortest gap s']:.2f} s after another": found["shortest gap s"]
        >= TICK_S - TICK_MARGIN_S,
        f"a snapshot came {found['longest gap s']:.2f} s after another": found["longest gap s"]
        <= TICK_S + TICK_MARGIN_S,
        f"memory grew by {found['rss growth bytes']:,.0f} bytes": found["rss growth bytes"] <= GROWTH_BYTES,
        f"streams ended {found['streams ended after s']:.2f} s after the signal": found["streams ended after s"]
        <= STOP_S,
        f"the process ended {found['process ended after s']:.2f} s after the signal": found["process ended after s"]
        <= STOP_S,
    }
    if found["streams"] >= 100:  # fewer say nothing of one  # noqa: PLR2004
        bounds[f"a stream takes {found['bytes a stream']:,.0f} bytes"] = found["bytes a stream"] <= CONNECTION_BYTES
    return [sentence for sentence, holds in bounds.items() if not holds]


async def run(words: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Do both to one server."""
    async with serving(folder) as server:
        file_bytes = int(words.mib * 1024 * 1024)
        found = await uploads_beside_requests(server, count=words.uploads, file_bytes=file_bytes, rate=words.rate)
        return found | await listen(server, count=words.listeners, deaf=words.deaf, seconds=words.seconds)


def main() -> int:
    """Ask, listen, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=5)
    parser.add_argument("--mib", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--listeners", type=int, default=1_000)
    parser.add_argument("--deaf", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    words = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as name:
        found = asyncio.run(run(words, Path(name)))
    for what, value in found.items():
        print(f"{what:28} {value:12,.2f}")
    wrong = judge(found)
    print("\n".join(wrong) or "all bounds hold")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
