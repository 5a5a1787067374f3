"""The network as a process: how it begins, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from kataven_adapters.cli import main
from kataven_adapters.wire.webhooks import key_of, verify
from kataven_core.runtime import SystemClock

from .conftest import PATIENCE_S, a_call

COMMAND = [sys.executable, "-m", "kataven_adapters.cli", "phone-network"]
WITHOUT_AIOHTTP = "import sys; sys.modules['aiohttp'] = None; from kataven_adapters.cli import main; sys.exit(main())"
LOG = "phones.jsonl"
TALKING = ("--answer", "1", "--ring-s", "0", "--talk-s", "600")
RINGING = ("--answer", "1", "--ring-s", "600")
SMALL_FILES = ("bash", "-c", 'ulimit -f 1 && exec "$@"', "bash")
"""Runs a command that may write no file of more than 1,024 bytes."""
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u"  # noqa: S105 - a test's own


class Network:
    """A network in a process of its own."""

    def __init__(self, *words: str, before: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [*before, *COMMAND, "--port", "0", "--log", LOG, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | dict(environment or {}),
        )
        assert self.process.stdout
        told = self.process.stdout.readline().strip()
        assert told.startswith("listening on http://127.0.0.1:"), self.end()
        self.base = told.removeprefix("listening on ")
        self.client = httpx.Client(base_url=self.base, trust_env=False, timeout=PATIENCE_S)

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.base)
        return url.host, url.port or 0

    def place(self, attempt_id: str, **members: object) -> int:
        return self.client.post("/calls", json=a_call(attempt_id, **members)).status_code

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        _, complaints = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, complaints

    def close(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.communicate()


Start = Callable[..., Network]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("KATAVEN_LINE_TOKEN", "KATAVEN_LINE_SECRET"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as running:

        def started(*words: str, **options: Any) -> Network:
            network = Network(*words, **options)
            running.callback(network.close)
            return network

        yield started


def heard() -> list[dict[str, str]]:
    return [json.loads(line) for line in Path(LOG).read_text().split("\n")[:-1]]


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 - patience with another process
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be so"  # noqa: TID251 - the same
        time.sleep(0.02)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Give how the command ends that can't begin."""
    try:
        code = main(["phone-network", *words])
    except SystemExit as ended:
        code = int(str(ended.code))
    return code, capsys.readouterr().err.splitlines()[-1]


# How it ends.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cuts_all_calls_off_and_leaves_a_whole_log(start: Start, number: int) -> None:
    network = start(*TALKING)
    attempts = [f"march.{each}.1" for each in range(20)]
    assert {network.place(attempt) for attempt in attempts} == {201}
    until(lambda: sum(each["event"] == "answer" for each in heard()) == 20)
    assert network.end(number) == (0, "")
    assert Path(LOG).read_text().endswith("}\n")
    for attempt in attempts:
        events = [(each["event"], each.get("outcome")) for each in heard() if each["attempt_id"] == attempt]
        assert events == [("ring", None), ("answer", None), ("end", "answered")]


def test_what_rings_when_it_is_told_to_stop_has_failed(start: Start) -> None:
    network = start(*RINGING)
    network.place("march.0.1")
    assert network.end() == (0, "")
    assert [each["event"] for each in heard()] == ["ring", "end"]
    assert heard()[-1]["outcome"] == "failed"


def test_it_stops_while_reports_wait_and_requests_hang(start: Start) -> None:
    network = start("--answer", "1", "--never", "1")
    with socket.create_connection(network.address) as connection:
        body = json.dumps(a_call()).encode()
        connection.sendall(b"POST /calls HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        until(lambda: network.client.get("/counters").json()["never_answered"] == 1)
        network.client.put("/faults", json={"never": 0}).raise_for_status()
        assert network.place("march.1.1") == 201
        assert network.end() == (0, "")
        assert connection.recv(1) == b""


def test_a_network_that_was_killed_goes_on_from_its_log(start: Start) -> None:
    network = start(*TALKING)
    network.place("march.0.1")
    until(lambda: len(heard()) == 2)
    assert network.end(signal.SIGKILL)[0] == -signal.SIGKILL
    with Path(LOG).open("a") as log:
        log.write('{"event": "ri')
    again = start(*TALKING)
    assert [each["event"] for each in heard()] == ["ring", "answer", "end"]
    assert again.client.get("/calls/march.0.1").json()["state"] == "ended"
    assert again.place("march.0.1") == 200


def test_a_log_that_can_not_be_written_any_more_ends_it(start: Start) -> None:
    network = start(*RINGING, before=SMALL_FILES)
    statuses = [network.place(f"march.{number}.1") for number in range(4)]
    assert statuses == [201] * 4
    with pytest.raises(httpx.RemoteProtocolError):
        network.place("march.4.1", campaign_id="a" * 200, account_id="a" * 200)
    code, complaint = network.wait()
    assert code == 1
    reason = "File too large: the network ends here, as a log with holes would lie"
    assert complaint == f"kataven phone-network: the log {LOG} can't be written: {reason}\n"


# A call is never placed later than somebody waits for it.


def test_a_call_whose_client_went_while_the_network_stood_still_is_not_placed(start: Start) -> None:
    network = start(*RINGING)
    body = json.dumps(a_call("march.0.1")).encode()
    network.process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(20):
            with socket.create_connection(network.address) as connection:
                head = b"POST /calls HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
                connection.sendall(head + body)
    finally:
        network.process.send_signal(signal.SIGCONT)
    for _ in range(20):
        assert network.client.get("/calls/march.0.1").status_code == 404
    assert heard() == []
    assert network.place("march.1.1") == 201


def test_a_call_whose_client_went_from_a_kept_connection_is_not_placed(start: Start) -> None:
    network = start(*RINGING)
    body = json.dumps(a_call("march.0.1")).encode()
    with socket.create_connection(network.address) as connection:
        connection.sendall(b"GET /counters HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(4096)
        network.process.send_signal(signal.SIGSTOP)
        try:
            connection.sendall(b"POST /calls HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            connection.close()
        finally:
            network.process.send_signal(signal.SIGCONT)
    for _ in range(20):
        assert network.client.get("/calls/march.0.1").status_code == 404
    assert heard() == []


def test_what_is_no_http_is_refused_without_noise(start: Start) -> None:
    network = start(*RINGING)
    with socket.create_connection(network.address) as connection:
        connection.sendall(b"\x00\x01nonsense\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.0 400")
    assert network.place("march.0.1") == 201
    assert network.end() == (0, "")


# How it begins.


def test_token_and_secret_may_stand_in_the_environment(start: Start) -> None:
    network = start(environment={"KATAVEN_LINE_TOKEN": "t", "KATAVEN_LINE_SECRET": SECRET})
    assert network.place("march.0.1") == 401
    network.client.headers["Authorization"] = "Bearer t"
    assert network.place("march.0.1") == 201
    outdone = start("--token", "u", "--log", "other.jsonl", environment={"KATAVEN_LINE_TOKEN": "t"})
    outdone.client.headers["Authorization"] = "Bearer u"
    assert outdone.place("march.0.1") == 201


def test_reports_are_signed_with_the_secret(start: Start) -> None:
    taken: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request).start()
        network = start("--secret", SECRET)
        network.place("march.0.1", report_url=f"http://127.0.0.1:{server.server_port}/")
        until(lambda: taken)
        network.close()
    verify(key_of(SECRET), *taken[0], SystemClock().now())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "the following arguments are required: --port, --log"),
        (("--log", LOG), "the following arguments are required: --port"),
        (("--port", "70000", "--log", LOG), "argument --port: '70000' is no whole number from 0 to 65,535"),
        (("--port", "0", "--log", ""), "argument --log: it is blank"),
        (("--port", "0", "--log", LOG, "--lose", "much"), "argument --lose: 'much' is no number"),
        (("--port", "0", "--log", LOG, "--lsoe", "1"), "unrecognized arguments: --lsoe 1: did you mean --lose"),
        (("--port", "0", "--log", LOG, "--seed", "-1"), "argument --seed: "),
    ],
)
def test_wrong_words_are_wrong_usage(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str) -> None:
    code, complaint = refused(capsys, *words)
    assert code == 2
    assert complaint.startswith(f"kataven phone-network: error: {sentence}")
    assert not Path(LOG).exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--lose", "1.5"), "lose is 1.5: write a chance from 0 to 1"),
        (("--slow-s", "-1"), "slow_s is -1.0: write 0 to 3600 seconds"),
        (("--never", "nan"), "never is nan: write a chance from 0 to 1"),
        (("--answer", "0.5"), "the chances sum to 0.5 (answer 0.5): change them so that they sum to 1"),
        (("--busy", "2"), "busy is 2: a chance must be from 0 to 1"),
        (("--ring-s", "-1"), "ring_s is -1: it must be from 0 to 86400 seconds"),
        (
            ("--secret", "hush"),
            "the secret is no signing secret: write whsec_ and base64, as `echo whsec_$(openssl rand -base64 24)` does",
        ),
        (
            ("--secret", "whsec_?"),
            "the secret is no signing secret: write whsec_ and base64, as `echo whsec_$(openssl rand -base64 24)` does",
        ),
    ],
)
def test_settings_that_can_not_be_are_wrong_usage(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    assert refused(capsys, "--port", "0", "--log", LOG, *words) == (2, f"kataven phone-network: {sentence}")
    assert not Path(LOG).exists()


def test_a_log_or_a_port_that_can_not_be_had_ends_1(capsys: pytest.CaptureFixture[str]) -> None:
    Path("contacts.csv").write_text("phone_number\n")
    sentence = "contacts.csv: line 1 is nothing that a phone heard: name another file with --log"
    assert refused(capsys, "--port", "0", "--log", "contacts.csv") == (1, f"kataven phone-network: {sentence}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, complaint = refused(capsys, "--port", port, "--log", LOG)
    assert code == 1
    assert f"port {port} of 127.0.0.1 is in use" in complaint


def test_without_its_extra_it_says_what_to_install() -> None:
    words = ["phone-network", "--port", "0", "--log", LOG]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_AIOHTTP, *words], capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 1
    assert done.stderr == "kataven phone-network: it needs aiohttp: pip install 'kataven-core[serve]'\n"


def test_help_tells_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["phone-network", "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for name in (
        "port",
        "log",
        "host",
        "token",
        "secret",
        "seed",
        "invalid-number",
        "talk-s",
        "fail-look-up",
        "slow-s",
    ):
        assert f"--{name} " in shown
