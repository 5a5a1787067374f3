"""The API inside somebody's FastAPI application, served as its docstring says."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from .mounted import dial_to_the_end, host_and_api_answer

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "uvicorn", "--app-dir", "examples", "--timeout-graceful-shutdown", "10"]


@asynccontextmanager
async def served(store: Path) -> AsyncIterator[str]:
    """Run the example as a process on a port that is free; it is over when Ctrl-C has ended it well."""
    line = "simulated://?ring_s=0.001&talk_s=0.001"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port, inherited = listening.getsockname()[1], listening.fileno()
        running = await asyncio.create_subprocess_exec(
            *COMMAND,
            *("--fd", str(inherited), "mount_in_fastapi:app"),
            cwd=ROOT,
            env=os.environ | {"STORE": str(store), "LINE": line},
            pass_fds=[inherited],
            stderr=asyncio.subprocess.PIPE,
        )
    try:
        yield f"http://127.0.0.1:{port}"
        running.send_signal(signal.SIGINT)
        _, log = await asyncio.wait_for(running.communicate(), 60)
        assert b"Application shutdown complete" in log
        assert b"Traceback" not in log, log.decode()
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


async def test_host_and_api_both_answer_and_a_campaign_is_dialled_to_its_end(tmp_path: Path) -> None:
    async with served(tmp_path / "store.db") as host:
        await host_and_api_answer(host, "is under /voice")
        counts = await dial_to_the_end(host)
    assert counts["completed"] + counts["failed"] == sum(counts.values()) == 291
    assert (tmp_path / "store.db").exists()
