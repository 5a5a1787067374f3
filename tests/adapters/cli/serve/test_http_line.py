"""A server whose line is a dialer of one's own: where that is to report, and what is told while it is away."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from kataven_adapters.wire.webhooks import key_of, signed
from kataven_core.runtime import SystemClock

COMMAND = [sys.executable, "-m", "kataven_adapters.cli", "serve"]
KEY = "sk_live_acme_0123456789"
SECRET = "whsec_bm9ib2R5J3MgcGhvbmUgcmluZ3M="  # noqa: S105 - made up
NUMBER = "+14155550107"
PATIENCE_S = 60

Start = Callable[..., str]


class Dialer:
    """A dialer that places every call and reports nothing by itself; what it was asked for is kept."""

    def __init__(self, port: int = 0) -> None:
        self.calls: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        dialer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._say(200, {"calls": []})

            def do_POST(self) -> None:
                call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                dialer.keys.append(self.headers["Authorization"])
                dialer.calls.append(call)
                self._say(201, {"attempt_id": call["attempt_id"], "call_id": "c-1"})

            def _say(self, status: int, members: dict[str, Any]) -> None:
                body = json.dumps(members).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is named there
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KATAVEN_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def start(running: ExitStack) -> Start:
    """Give what starts a server on a free port; it gives its address."""

    def started(line_url: str, public_url: str = "") -> str:
        public = f'public_url = "{public_url}"' if public_url else ""
        Path("kataven.toml").write_text(f"""
[server]
port = 0
{public}
[line]
url = "{line_url}"
secret = "{SECRET}"
token = "let-me-in"
ring_timeout_s = 25
[[accounts]]
id = "acme"
  [[accounts.api_keys]]
  id = "ops"
  sha256 = "{sha256(KEY.encode()).hexdigest()}"
  [[accounts.agents]]
  id = "reminder"
  route = "from-kataven"
  [[accounts.phone_numbers]]
  id = "office"
  e164 = "+14155550100"
""")
        with Path("server.log").open("wb") as log:
            process = subprocess.Popen(
                [*COMMAND, "--config", "kataven.toml"], stdout=subprocess.PIPE, stderr=log, text=True
            )
        running.callback(end, process)
        assert process.stdout
        said = process.stdout.readline()
        assert said.startswith("listening on "), Path("server.log").read_text()
        return said.removeprefix("listening on ").strip()

    return started


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def dialer(running: ExitStack) -> Dialer:
    one = Dialer()
    running.callback(one.close)
    return one


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 - patience with another process
    while not is_so():
        assert time.monotonic() < deadline, Path("server.log").read_text()  # noqa: TID251 - the same
        time.sleep(0.02)


def client(base: str) -> httpx.Client:
    return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False, timeout=PATIENCE_S)


def dial(http: httpx.Client) -> str:
    """Begin a campaign of one contact; give its name."""
    form = {"name": "March", "agent_id": "reminder", "phone_number_id": "office"}
    contacts = f"phone_number,first_name\n{NUMBER},Ada\n".encode()
    made = http.post("/api/v1/campaigns", data=form, files={"contacts": ("contacts.csv", contacts)})
    assert made.status_code == 201, made.text
    name: str = made.json()["id"]
    assert http.post(f"/api/v1/campaigns/{name}/start").status_code == 200
    return name


def report(call: dict[str, Any], *, base: str, **members: object) -> int:
    """Report as the dialer does."""
    now = SystemClock().now()
    whole = {"attempt_id": call["attempt_id"], "sequence": 1, "at": now.isoformat(), **members}
    body = json.dumps({"reports": [whole]}).encode()
    answer = httpx.post(
        f"{base}/lines/http/reports", content=body, headers=signed(key_of(SECRET), "m-1", now, body), trust_env=False
    )
    return answer.status_code


def test_a_dialer_is_asked_for_the_call_and_ends_it_at_the_address_that_it_is_told(
    start: Start, dialer: Dialer
) -> None:
    base = start(dialer.url)
    with client(base) as http:
        name = dial(http)
        until(lambda: dialer.calls)
        [call] = dialer.calls
        assert (call["to"], call["from"], call["account_id"]) == (NUMBER, "+14155550100", "acme")
        assert (call["campaign_id"], call["route"], call["variables"]) == (name, "from-kataven", {"first_name": "Ada"})
        assert (call["ring_timeout_s"], call["max_duration_s"]) == (25, 3600)
        assert call["report_url"] == f"{base}/lines/http/reports"
        assert dialer.keys == ["Bearer let-me-in"]
        assert report(call, base=base, type="ended", outcome="answered", duration_s=12.5) == 204
        until(lambda: http.get(f"/api/v1/campaigns/{name}").json()["status"] == "completed")
        [contact] = http.get(f"/api/v1/campaigns/{name}/contacts").json()["contacts"]
        assert (contact["status"], contact["attempts"]) == ("completed", 1)


def test_a_public_url_is_where_the_dialer_is_told_to_report(start: Start, dialer: Dialer) -> None:
    with client(start(dialer.url, "https://calls.example.com/voice/")) as http:
        dial(http)
        until(lambda: dialer.calls)
    assert dialer.calls[0]["report_url"] == "https://calls.example.com/voice/lines/http/reports"


def test_a_server_is_not_ready_while_its_dialer_is_away_and_dials_when_it_comes(
    start: Start, running: ExitStack
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with client(start(f"http://127.0.0.1:{port}")) as http:
        answer = http.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "line is not ready: the log says why")
        assert http.get("/healthz").status_code == 200
        dial(http)
        assert f"the dialer at http://127.0.0.1:{port} can't be reached" in Path("server.log").read_text()
        dialer = Dialer(port)
        running.callback(dialer.close)
        until(lambda: dialer.calls)
        assert [call["to"] for call in dialer.calls] == [NUMBER]
        assert http.get("/readyz").status_code == 200
