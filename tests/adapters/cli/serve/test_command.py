import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from kataven_adapters.cli import main

COMMAND = [sys.executable, "-m", "kataven_adapters.cli", "serve"]
WITHOUT_AIOHTTP = "import sys; sys.modules['aiohttp'] = None; from kataven_adapters.cli import main; sys.exit(main())"
QUICK = "simulated://?answer=1&ring_s=0&talk_s=0"
SLOW = "simulated://?answer=1&ring_s=600&talk_s=600"
"""Calls that outlast any test."""
PATIENCE_S = 60
"""How long anything is waited for that comes at once on a machine with nothing else to do."""
CONTACTS = b"phone_number\n" + b"".join(b"+1415555%04d\n" % n for n in range(8))


class Server:
    """A server in a process of its own."""

    def __init__(self, *words: str) -> None:
        self.log_path = Path(f"server-{len(list(Path().glob('server-*')))}.log")
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "--port", "0", *words], stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.told = list(self._until_it_listens())
        self.base = self.told[-1].removeprefix("listening on ")

    def _until_it_listens(self) -> Iterator[str]:
        assert self.process.stdout
        for line in self.process.stdout:
            yield line.rstrip("\n")
            if line.startswith("listening on "):
                return
        raise AssertionError(self.log)

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    @property
    def records(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.splitlines()]

    @property
    def key(self) -> str:
        return self.told[0].removeprefix("KATAVEN_API_KEY=")

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.base)
        return url.host, url.port or 0

    def client(self, key: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return httpx.Client(base_url=self.base, headers=headers, trust_env=False, timeout=PATIENCE_S)

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        if self.process.stdout:
            self.process.stdout.close()
        return code


Start = Callable[..., Server]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test serves in a folder of its own, without a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KATAVEN_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as running:

        def started(*words: str) -> Server:
            server = Server(*words)
            running.callback(server.wait)
            running.callback(server.process.kill)
            return server

        yield started


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 - patience with another process
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be so"  # noqa: TID251 - the same
        time.sleep(0.02)


def a_campaign(client: httpx.Client, *, agent: str = "demo-agent", number: str = "demo-number") -> str:
    form = {"name": "March", "agent_id": agent, "phone_number_id": number, "max_concurrent_calls": "8"}
    answer = client.post("/api/v1/campaigns", data=form, files={"contacts": ("contacts.csv", CONTACTS)})
    assert answer.status_code == 201, answer.text
    name: str = answer.json()["id"]
    return name


def configured(*accounts: str, server: str = "") -> str:
    """Write a configuration with an account for each key, ``sk_live_<account>_...``; give its name."""
    tables = "".join(account(key) for key in accounts)
    Path("kataven.toml").write_text(f'[server]\n{server}\n[store]\nurl = "sqlite:///calls.db"\n{tables}')
    return "kataven.toml"


def account(key: str) -> str:
    return f"""
[[accounts]]
id = "{key.split("_")[2]}"
concurrent_max = 10
  [[accounts.api_keys]]
  id = "ops"
  sha256 = "{sha256(key.encode()).hexdigest()}"
  [[accounts.agents]]
  id = "reminder"
  [[accounts.phone_numbers]]
  id = "office"
  e164 = "+14155550100"
"""


def refused(*words: str) -> tuple[int, str]:
    """Try to serve in vain; give the exit code and what was said."""
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert "Traceback" not in done.stderr
    assert "listening on" not in done.stdout
    return done.returncode, done.stderr


# Without a configuration.


def test_it_tells_a_key_that_works_and_then_where_it_listens(start: Start) -> None:
    server = start()
    assert re.fullmatch(r"KATAVEN_API_KEY=sk_live_demo_[A-Za-z0-9_-]{43}", server.told[0])
    assert re.fullmatch(r"listening on http://127\.0\.0\.1:[1-9][0-9]+", server.told[-1])
    with server.client() as client:
        assert client.get("/api/v1/campaigns").json() == {"campaigns": [], "count": 0}
        assert client.get("/api/v1/call-limits").json()["concurrent_max"] == 10
    assert Path("kataven.db").exists()


def test_what_it_tells_to_try_works_as_it_stands(start: Start) -> None:
    server = start()
    [line] = [line for line in server.told if line.startswith("try: ")]
    url, header = line.rpartition(" ")[2], re.findall(r'"(.*)"', line)[0]
    name, _, value = header.partition(": ")
    answer = httpx.get(url, headers={name: value}, trust_env=False, timeout=PATIENCE_S)
    assert answer.status_code == 200


def test_a_campaign_of_the_demo_account_comes_to_its_end(start: Start) -> None:
    server = start("--line", QUICK)
    with server.client() as client:
        name = a_campaign(client)
        assert client.post(f"/api/v1/campaigns/{name}/start").json()["status"] == "running"
        until(lambda: client.get(f"/api/v1/campaigns/{name}").json()["status"] == "completed")
        figures = client.get("/metrics").text
    assert 'kataven_calls_total{outcome="answered"} 8.0' in figures
    assert "kataven_dial_latency_seconds_count 8.0" in figures


def test_the_key_is_another_at_every_start_and_the_campaigns_stay(start: Start) -> None:
    first = start()
    with first.client() as client:
        name = a_campaign(client)
    assert first.end() == 0
    second = start()
    assert second.key != first.key
    with second.client() as client, second.client(first.key) as stranger:
        assert client.get(f"/api/v1/campaigns/{name}").status_code == 200
        assert stranger.get(f"/api/v1/campaigns/{name}").status_code == 401


def test_probes_and_figures_need_no_key(start: Start) -> None:
    server = start("--store", "memory://")
    with server.client("none") as client:
        assert [client.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [200, 200, 200]
    assert not Path("kataven.db").exists()


# With a configuration.


def test_a_configuration_says_who_may_ask_and_words_outdo_it(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATAVEN_CONFIG", configured("sk_live_acme_1", server='host = "localhost"'))
    server = start("--host", "127.0.0.1")
    assert server.told == [f"listening on http://127.0.0.1:{server.address[1]}"]
    with server.client("sk_live_acme_1") as client:
        assert a_campaign(client, agent="reminder", number="office")
    assert Path("calls.db").exists()


def test_limits_of_the_configuration_hold(start: Start) -> None:
    limits = "requests_per_minute = 3\nmax_body_bytes = 65536\nretry_delay_min_s = 5"
    server = start("--config", configured("sk_live_acme_1", "sk_live_globex_1", server=limits))
    with server.client("sk_live_acme_1") as client, server.client("sk_live_globex_1") as other:
        form = {"name": "a", "agent_id": "reminder", "phone_number_id": "office", "retry_delay_seconds": "5"}
        whole, large = CONTACTS, CONTACTS + b" " * 65_536
        made = client.post("/api/v1/campaigns", data=form, files={"contacts": whole})
        assert made.status_code == 201, made.text
        assert "65,536 bytes" in client.post("/api/v1/campaigns", data=form, files={"contacts": large}).text
        client.get("/api/v1/campaigns")
        assert client.get("/api/v1/campaigns").status_code == 429
        assert other.get("/api/v1/campaigns").status_code == 200


def test_warnings_and_accounts_without_a_key_are_said_at_the_start(start: Start) -> None:
    Path("trial.toml").write_text('[line]\nring_timeout_s = 5\n[[accounts]]\nid = "acme"\n')
    server = start("--config", "trial.toml", "--store", "memory://")
    lines = server.log.splitlines()
    assert lines[0].startswith("trial.toml: line.ring_timeout_s is 5: ")
    assert lines[1].startswith("trial.toml: no account has a key, ")


def test_sighup_swaps_keys_without_a_break(start: Start) -> None:
    server = start("--config", configured("sk_live_acme_old", "sk_live_globex_1"))
    with server.client("sk_live_acme_old") as old, server.client("sk_live_acme_new") as new:
        name = a_campaign(old, agent="reminder", number="office")
        configured("sk_live_acme_new", "sk_live_initech_1")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: new.get(f"/api/v1/campaigns/{name}").status_code == 200)
        assert old.get(f"/api/v1/campaigns/{name}").status_code == 401
    with server.client("sk_live_globex_1") as gone, server.client("sk_live_initech_1") as come:
        assert gone.get("/api/v1/campaigns").status_code == 401
        assert come.get("/api/v1/call-limits").json()["concurrent_max"] == 10


def test_a_broken_file_changes_nothing_and_is_one_sentence_in_the_log(start: Start) -> None:
    server = start("--config", configured("sk_live_acme_1"))
    Path("kataven.toml").write_text("[[accounts]]\nid = 7\n")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "stay as they are" in server.log)
    [record] = [each for each in server.records if each["level"] == "error"]
    assert str(record["message"]).startswith("the accounts stay as they are: kataven.toml: accounts[0].id: ")
    with server.client("sk_live_acme_1") as client:
        assert client.get("/api/v1/campaigns").status_code == 200


def test_sighup_without_a_configuration_is_no_end(start: Start) -> None:
    server = start()
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "there is no configuration to read again" in server.log)
    with server.client() as client:
        assert client.get("/api/v1/campaigns").status_code == 200


# The end.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well_and_open_streams_too(start: Start, number: int) -> None:
    server = start("--line", SLOW)
    with server.client() as client:
        name = a_campaign(client)
        with client.stream("GET", f"/api/v1/campaigns/{name}/events") as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("id: ")
            assert server.end(number) == 0
            assert "event: end" not in list(lines)  # the campaign has not ended, and its listener may come back
    assert "Traceback" not in server.log


def test_calls_that_go_on_for_long_do_not_keep_it(start: Start) -> None:
    server = start("--line", SLOW)
    with server.client() as client:
        client.post(f"/api/v1/campaigns/{a_campaign(client)}/start")
        until(lambda: "kataven_calls_in_flight 8.0" in client.get("/metrics").text)
    assert server.end() == 0
    assert "Traceback" not in server.log


def test_a_second_signal_ends_it_in_the_middle(start: Start) -> None:
    server = start("--line", SLOW)
    with server.client() as client:
        client.post(f"/api/v1/campaigns/{a_campaign(client)}/start")
        until(lambda: "kataven_calls_in_flight 8.0" in client.get("/metrics").text)
    server.process.send_signal(signal.SIGINT)
    until(lambda: "stopping: " in server.log)
    assert server.end(signal.SIGINT) == 0
    assert "Traceback" not in server.log


def test_connections_that_say_nothing_do_not_keep_it(start: Start) -> None:
    server = start()
    with socket.create_connection(server.address), socket.create_connection(server.address) as half:
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        with server.client() as client:
            client.get("/healthz")
            assert server.end() == 0


# What can't begin.


def test_a_port_that_is_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        sentence = f"port {port} of 127.0.0.1 is in use: stop what listens there, or name another with --port"
        assert refused("--port", port) == (1, f"kataven serve: {sentence}\n")
    assert not Path("kataven.db").exists()


def test_a_store_that_another_process_holds_is_one_sentence(start: Start) -> None:
    server = start()
    sentence = f"the store kataven.db is in use by process {server.process.pid}: stop that first, or name another store"
    assert refused("--port", "0") == (1, f"kataven serve: {sentence}\n")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--config", "none.toml"), 1, "none.toml: there is no such file: "),
        (("--config", "wrong.toml"), 1, "wrong.toml: server.prot: there is no such key: did you mean port"),
        (("--config", "nats.toml"), 2, "nats.toml: events.url: there is only memory:// yet: "),
        (("--store", "kataven.db"), 2, "'kataven.db' is no URL of a store: did you mean sqlite:///kataven.db"),
        (("--store", "sqlite:///no/such/calls.db"), 1, "the store no/such/calls.db can't be opened: "),
        (("--line", "simulatd://"), 2, "there is no line of the kind simulatd://"),
        (("--host", "no.such.host.invalid"), 1, "there is no host 'no.such.host.invalid': "),
        (("--host", "a" * 64), 1, "there is no host 'aaaa"),
        (("--host", "192.0.2.1"), 1, "192.0.2.1 is no address of this machine: "),
    ],
)
def test_what_cannot_be_used_is_one_sentence(words: tuple[str, ...], code: int, sentence: str) -> None:
    Path("wrong.toml").write_text("[server]\nprot = 1\n")
    Path("nats.toml").write_text('[events]\nurl = "nats://127.0.0.1:4222"\n')
    found, err = refused("--port", "0", *words)
    assert found == code
    assert err.startswith(f"kataven serve: {sentence}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("port", ["-1", "65536", "http", "٣", ""])
def test_a_word_that_is_no_port_is_wrong_usage(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["serve", f"--port={port}"])
    assert end.value.code == 2
    assert "is no port: give 0 to 65535" in capsys.readouterr().err


def test_a_missing_extra_is_one_sentence_that_says_what_to_install() -> None:
    command = [sys.executable, "-c", WITHOUT_AIOHTTP, "serve"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "kataven serve: it needs aiohttp: pip install 'kataven-core[serve]'\n"


# What others send.


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST /api/v1/campaigns HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
    ],
    ids=["words", "TLS", "version", "large header", "large path", "length", "chunks"],
)
def test_what_is_no_http_is_refused_without_a_traceback(start: Start, sent: bytes) -> None:
    server = start()
    with socket.create_connection(server.address, timeout=PATIENCE_S) as stranger:
        stranger.sendall(sent)
        answer = b"".join(iter(lambda: stranger.recv(65_536), b""))
    assert re.match(rb"HTTP/1\.[01] (400|401) ", answer)
    with server.client() as client:
        assert client.get("/api/v1/campaigns").status_code == 200
    assert server.end() == 0
    assert "Traceback" not in server.log
    assert {record["level"] for record in server.records} == {"info"}


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_a_client_that_leaves_in_the_middle_makes_no_noise(start: Start, sent: bytes) -> None:
    server = start()
    with socket.create_connection(server.address, timeout=PATIENCE_S) as stranger:
        stranger.sendall(sent)
        stranger.shutdown(socket.SHUT_WR)
        b"".join(iter(lambda: stranger.recv(65_536), b""))
    assert server.end() == 0
    assert "Traceback" not in server.log
    assert {record["level"] for record in server.records} == {"info"}


def test_requests_are_logged_with_their_ids_and_nobody_s_secret(start: Start) -> None:
    server = start()
    with server.client() as client:
        client.get("/api/v1/campaigns", headers={"X-Request-ID": "mine-7"})
    assert server.end() == 0
    [record] = [each for each in server.records if each.get("request_id") == "mine-7"]
    assert record["status"] == 200
    assert record["account_id"] == "demo"
    assert record["message"] == "GET /campaigns 200"
    assert isinstance(record["took_ms"], float)
    assert server.key not in server.log


def test_a_closed_stderr_is_no_trouble() -> None:
    command = f"exec {' '.join(COMMAND)} --port 0 --store memory:// 2>&-"
    with subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, text=True) as running:  # noqa: S602 - takes a shell
        assert running.stdout
        told = [running.stdout.readline() for _ in range(3)]
        assert told[-1].startswith("listening on ")
        os.kill(running.pid, signal.SIGTERM)
        assert running.wait(PATIENCE_S) == 0
