"""The engine inside somebody's aiohttp server, through its HTTP interface."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest_asyncio
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient, TestServer

from kataven_adapters.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
Client = TestClient[web.Request, web.Application]


def make_app(store: Path, line: str) -> web.Application:
    """Load the example as a file, as its reader runs it."""
    spec = spec_from_file_location("embed_aiohttp", ROOT / "examples" / "embed_aiohttp.py")
    assert spec is not None
    assert spec.loader is not None
    example = module_from_spec(spec)
    spec.loader.exec_module(example)
    app: web.Application = example.make_app(str(store), line)
    return app


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    app = make_app(tmp_path / "store.db", "simulated://?ring_s=0.001&talk_s=0.001")
    async with TestClient(TestServer(app)) as client:
        yield client


async def until_over(client: Client, name: str) -> dict[str, Any]:
    while True:
        answer = await client.get(f"/campaigns/{name}")
        snapshot: dict[str, Any] = await answer.json()
        if snapshot["status"] in {"completed", "failed"} and not snapshot["calls_in_flight"]:
            return snapshot
        await asyncio.sleep(0.01)


async def test_an_uploaded_file_is_dialled_to_its_end(client: Client) -> None:
    body = (ROOT / "examples" / "contacts.csv").read_bytes()
    answer = await client.post("/campaigns?name=march", data=body)
    assert answer.status == 201
    campaign = await answer.json()
    assert (campaign["name"], campaign["status"]) == ("march", "running")
    snapshot = await until_over(client, campaign["id"])
    assert snapshot["completed"] + snapshot["failed"] == snapshot["total"] == 291


async def test_a_campaign_is_stopped_and_can_be_stopped_only_once(client: Client) -> None:
    rows = "".join(f"+1415555{n:04d}\n" for n in range(2_000))
    campaign = await (await client.post("/campaigns", data=f"phone_number\n{rows}".encode())).json()
    assert (await (await client.post(f"/campaigns/{campaign['id']}/stop")).json())["status"] == "completed"
    again = await client.post(f"/campaigns/{campaign['id']}/stop")
    assert (again.status, (await again.json())["code"]) == (409, "not_allowed_now")
    snapshot = await until_over(client, campaign["id"])
    assert snapshot["cancelled"] > 0
    assert snapshot["pending"] == snapshot["in_progress"] == 0


async def test_what_is_wrong_is_said(client: Client) -> None:
    for answer, status, code in (
        (await client.get("/campaigns/nobody"), 404, "not_found"),
        (await client.post("/campaigns", data=b"name\nAda\n"), 400, "no_phone_number"),
        (await client.post("/campaigns", data=FormData()), 400, "no_header"),
    ):
        assert (answer.status, (await answer.json())["code"]) == (status, code)


async def test_what_was_under_way_goes_on_when_the_server_starts_again(tmp_path: Path) -> None:
    rows = "".join(f"+1415555{n:04d}\n" for n in range(200))
    store, line = tmp_path / "store.db", "simulated://?ring_s=0.01&talk_s=0.01"
    async with TestClient(TestServer(make_app(store, line))) as client:
        campaign = await (await client.post("/campaigns", data=f"phone_number\n{rows}".encode())).json()
    async with TestClient(TestServer(make_app(store, line))) as client:
        snapshot = await until_over(client, campaign["id"])
    assert snapshot["completed"] + snapshot["failed"] == 200


async def test_a_store_that_is_in_use_ends_the_server_with_one_sentence(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    command = [sys.executable, "examples/embed_aiohttp.py", "--port", "0", "--store", str(store)]
    async with SqliteStore(store):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)  # noqa: ASYNC221 - nothing else is to run meanwhile
    assert done.returncode == 1
    assert done.stderr.startswith(f"the store {store} is in use by process ")
    assert done.stderr.count("\n") == 1
