import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from kataven_adapters.cli import main

Run = Callable[..., tuple[int, str, str]]
Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]

RUNNING = {
    "campaign_id": "c1",
    "status": "running",
    "total": 4,
    "pending": 1,
    "in_progress": 1,
    "completed": 2,
    "failed": 0,
    "cancelled": 0,
    "suppressed": 0,
    "attempts": 3,
    "calls_in_flight": 1,
    "answer_rate": 0.5,
    "calls_per_minute": 60,
    "eta": None,
    "timestamp": "2026-01-02T03:04:05Z",
}
ENDED = RUNNING | {"status": "completed", "pending": 0, "in_progress": 0, "failed": 2, "calls_in_flight": 0}
COMMAND = [sys.executable, "-m", "kataven_adapters.cli", "campaigns", "watch", "c1"]


@pytest.fixture(autouse=True)
def _environment(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATAVEN_API_KEY", "sk_live_acme_0123456789")
    monkeypatch.setenv("KATAVEN_BASE_URL", scripted.url)


@pytest.fixture
def watch(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        code = main(["campaigns", "watch", "c1", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def events(*snapshots: dict[str, Any], end: dict[str, Any] | None = None, then: Handle | None = None) -> Handle:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, each in enumerate(snapshots):
            await response.write(f"id: {number}\ndata: {json.dumps(each)}\n\n: heartbeat\n\n".encode())
        if end is not None:
            await response.write(f"data: {json.dumps(end)}\n\nevent: end\ndata: {json.dumps(end)}\n\n".encode())
        if then:
            await then(request)
        return response

    return answer


def test_progress_is_told_until_it_is_over(scripted: Any, watch: Run) -> None:
    scripted.answers(events(RUNNING, end=ENDED))
    code, out, err = watch()
    assert code == 0
    assert err.splitlines() == [
        "running: 2 of 4 contacts done, 1 call up, 3 dials",
        "completed: 4 of 4 contacts done, 0 calls up, 3 dials",
    ]
    assert out.splitlines() == [
        "c1: completed",
        "        4  contacts",
        "            2  completed",
        "            2  failed",
        "        3  attempts",
    ]


def test_programs_get_each_snapshot_once_as_it_is(scripted: Any, watch: Run) -> None:
    more = RUNNING | {"of_later_times": 1}
    scripted.answers(events(RUNNING, more, end=ENDED))
    code, out, err = watch("--json")
    assert (code, err) == (0, "")
    assert [json.loads(line) for line in out.splitlines()] == [RUNNING, more, ENDED]


def test_a_campaign_that_failed_is_exit_1(scripted: Any, watch: Run) -> None:
    scripted.answers(events(end=ENDED | {"status": "failed"}))
    code, out, err = watch()
    assert (code, out.splitlines()[0]) == (1, "c1: failed")
    assert err.splitlines()[-1].startswith("kataven campaigns watch: the campaign has failed: its agent or its number")


def test_a_campaign_that_is_deleted_is_exit_1(scripted: Any, watch: Run) -> None:
    scripted.answers(events(end=RUNNING | {"status": "paused"}))
    code, _, err = watch("--json")
    assert (code, err) == (1, "kataven campaigns watch: the campaign was deleted while it was paused\n")


def test_a_connection_that_ends_is_made_anew(scripted: Any, watch: Run) -> None:
    scripted.answers(events(RUNNING, RUNNING), events(end=ENDED))
    code, out, _ = watch("--json")
    assert code == 0
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["running", "completed"]
    assert [each.headers.get("Last-Event-ID") for each in scripted.asked] == [None, "1"]


def test_a_campaign_that_is_not_there_is_one_sentence(scripted: Any, watch: Run) -> None:
    scripted.answers((404, "there is no such campaign: check the id"))
    assert watch() == (1, "", "kataven campaigns watch: there is no such campaign: check the id\n")


def test_an_end_without_a_snapshot_is_told(scripted: Any, watch: Run) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"event: end\n\n", content_type="text/event-stream")

    scripted.answers(answer)
    assert watch()[2] == "kataven campaigns watch: the events ended before the first of them came: ask again\n"


def test_a_snapshot_that_can_not_be_read_is_told(scripted: Any, watch: Run) -> None:
    scripted.answers(events(RUNNING | {"total": "\x1b4"}))
    code, _, err = watch()
    assert code == 1
    assert err.startswith("kataven campaigns watch: the server sends a snapshot that can't be read: Snapshot.total")


def test_a_terminal_shows_a_bar(scripted: Any) -> None:
    scripted.answers(events(RUNNING, end=ENDED))
    ours, theirs = pty.openpty()
    environ = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    done = subprocess.run(COMMAND, stderr=theirs, stdout=subprocess.PIPE, env=environ, check=False)
    os.close(theirs)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", os.read(ours, 65_536).decode())
    os.close(ours)
    assert done.returncode == 0
    assert re.search(r"completed ━+ 4/4 0 up, 50% answered 0:00:0\d", drawn)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_1_with_one_sentence(scripted: Any, number: int) -> None:
    async def wait(request: web.Request) -> web.Response:
        while request.transport and not request.transport.is_closing():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        return web.Response()

    scripted.answers(events(RUNNING, then=wait))
    with subprocess.Popen([*COMMAND, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        assert watching.stdout
        assert watching.stderr
        assert json.loads(watching.stdout.readline()) == RUNNING
        watching.send_signal(number)
        assert watching.stderr.read() == b"kataven campaigns watch: interrupted\n"
        assert watching.wait() == 1
