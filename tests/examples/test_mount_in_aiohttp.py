"""The API inside somebody's aiohttp server."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from kataven_adapters.sqlite import SqliteStore

from .mounted import dial_to_the_end, host_and_api_answer

ROOT = Path(__file__).parents[2]


def make_host(store: Path, line: str) -> web.Application:
    """Load the example as a file, as its reader runs it."""
    spec = spec_from_file_location("mount_in_aiohttp", ROOT / "examples" / "mount_in_aiohttp.py")
    assert spec is not None
    assert spec.loader is not None
    example = module_from_spec(spec)
    spec.loader.exec_module(example)
    app: web.Application = example.make_host(str(store), line)
    return app


async def test_host_and_api_both_answer_and_a_campaign_is_dialled_to_its_end(tmp_path: Path) -> None:
    server = TestServer(make_host(tmp_path / "store.db", "simulated://?ring_s=0.001&talk_s=0.001"))
    async with server:
        host = str(server.make_url("")).rstrip("/")
        await host_and_api_answer(host, "the host is here")
        counts = await dial_to_the_end(host)
    assert counts["completed"] + counts["failed"] == sum(counts.values()) == 291


async def test_a_store_that_is_in_use_ends_the_server_with_one_sentence(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    command = [sys.executable, "examples/mount_in_aiohttp.py", "--port", "0", "--store", str(store)]
    async with SqliteStore(store):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)  # noqa: ASYNC221 - nothing else is to run meanwhile
    assert done.returncode == 1
    assert done.stderr.startswith(f"the store {store} is in use by process ")
    assert done.stderr.count("\n") == 1
