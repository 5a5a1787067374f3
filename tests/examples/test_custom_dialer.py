import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
SECRET = "whsec_bm9ib2R5J3MgcGhvbmUgcmluZ3MgYXQgYWxs"  # noqa: S105 - made up
NUMBERS = [f"+1415555{n:04d}" for n in range(20)]
PATIENCE_S = 60

Start = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        free: int = one.getsockname()[1]
        return free


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Start]:
    """Give what starts the dialer, on the same port and the same file each time."""
    with ExitStack() as running:

        def started() -> subprocess.Popen[str]:
            command = [
                sys.executable,
                "examples/custom_dialer.py",
                "--port",
                str(port),
                "--calls",
                str(tmp_path / "calls.db"),
            ]
            environ = os.environ | {"LINE_SECRET": SECRET, "PYTHONUNBUFFERED": "1"}
            process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
            running.callback(end, process)
            assert process.stdout
            assert "Running on" in process.stdout.readline()
            return process

        yield started


def end(process: subprocess.Popen[str]) -> None:
    if process.returncode is None:
        process.kill()
        process.communicate()


@pytest.fixture
def http(port: int) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE_S) as client:
        yield client


def a_call(attempt_id: str, **members: object) -> dict[str, Any]:
    return {
        "attempt_id": attempt_id,
        "campaign_id": "march",
        "account_id": "acme",
        "to": "+14155550107",
        "from": "+14155550100",
        "agent_id": "reminder",
        "route": "",
        "variables": {},
        "ring_timeout_s": 30,
        "max_duration_s": 3600,
        "report_url": "http://127.0.0.1:9/lines/http/reports",
        **members,
    }


def until_ended(http: httpx.Client, attempt_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 - patience with another process
    while (call := http.get(f"/calls/{attempt_id}").json())["state"] != "ended":
        assert time.monotonic() < deadline  # noqa: TID251 - the same
        time.sleep(0.02)
    found: dict[str, Any] = call
    return found


def test_a_file_is_dialled_to_its_end(start: Start, port: int, tmp_path: Path) -> None:
    start()
    (tmp_path / "contacts.csv").write_text("\n".join(["phone_number", *NUMBERS, ""]))
    (tmp_path / "kataven.toml").write_text(
        f'[server]\nport = 0\n[line]\nurl = "http://127.0.0.1:{port}"\nsecret = "{SECRET}"\n'
    )
    command = [sys.executable, "-m", "kataven_adapters.cli", "dial", "contacts.csv", "--config", "kataven.toml"]
    done = subprocess.run(
        [*command, "--max-concurrent", "10", "--json"], cwd=tmp_path, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    result = json.loads(done.stdout)
    assert (result["status"], result["attempts"]) == ("completed", 20)
    assert result["outcomes"] == {"answered": 18, "busy": 2}


def test_the_same_attempt_is_one_call(start: Start, http: httpx.Client) -> None:
    start()
    first, again = http.post("/calls", json=a_call("a.0.1")), http.post("/calls", json=a_call("a.0.1"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert [call["attempt_id"] for call in http.get("/calls?state=live").json()["calls"]] == ["a.0.1"]
    assert until_ended(http, "a.0.1")["outcome"] == "answered"
    assert http.get("/calls?state=live").json() == {"calls": []}
    assert http.post("/calls", json=a_call("a.0.1")).status_code == 200
    assert http.get("/calls/b.0.1").status_code == 404


def test_phones_ring_no_longer_than_they_may_and_calls_end_when_they_are_told_to(
    start: Start, http: httpx.Client
) -> None:
    start()
    http.post("/calls", json=a_call("a.0.1", ring_timeout_s=0.01))
    assert until_ended(http, "a.0.1")["outcome"] == "no_answer"
    http.post("/calls", json=a_call("a.1.1", max_duration_s=0.01))
    assert until_ended(http, "a.1.1")["outcome"] == "answered"
    http.post("/calls", json=a_call("a.2.1"))
    assert http.delete("/calls/a.2.1").status_code == 204
    assert until_ended(http, "a.2.1")["outcome"] in {"cancelled", "answered"}
    assert http.delete("/calls/a.2.1").status_code == 204
    assert http.delete("/calls/a.3.1").status_code == 404


def test_a_call_of_an_earlier_process_is_known_and_has_ended(start: Start, http: httpx.Client) -> None:
    process = start()
    assert http.post("/calls", json=a_call("a.0.1")).status_code == 201
    process.send_signal(signal.SIGKILL)
    process.communicate()
    start()
    assert http.post("/calls", json=a_call("a.0.1")).status_code == 200
    assert http.get("/calls/a.0.1").json()["state"] == "ended"
