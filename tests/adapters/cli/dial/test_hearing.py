"""A file dialled by a dialer that speaks HTTP: a phone network in a process of its own."""

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

import httpx
import pytest

from kataven_adapters.cli import main
from kataven_adapters.wire.webhooks import key_of, signed
from kataven_core.runtime import SystemClock

KATAVEN = [sys.executable, "-m", "kataven_adapters.cli"]
WITHOUT_AIOHTTP = "import sys; sys.modules['aiohttp'] = None; from kataven_adapters.cli import main; sys.exit(main())"
SECRET = "whsec_bm9ib2R5J3MgcGhvbmUgcmluZ3M="  # noqa: S105 - made up
OTHER_SECRET = "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA=="  # noqa: S105 - made up
TOKEN = "let-me-in"  # noqa: S105 - made up
QUICK = ("--answer", "0.7", "--busy", "0.3", "--ring-s", "0", "--talk-s", "0")
TALKING = ("--answer", "1", "--ring-s", "0", "--talk-s", "600")
NUMBERS = [f"+1415555{n:04d}" for n in range(20)]
PATIENCE_S = 60

Network = Callable[..., str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KATAVEN_CONFIG", raising=False)
    Path("contacts.csv").write_text("\n".join(["phone_number", *NUMBERS, ""]))
    return tmp_path


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def network(running: ExitStack) -> Network:
    """Give what starts a network; it gives its address."""

    def start(*words: str, port: int = 0) -> str:
        command = [*KATAVEN, "phone-network", "--port", str(port), "--log", "phones.jsonl"]
        told = started(running, [*command, "--secret", SECRET, "--token", TOKEN, *words])
        assert told.stdout
        said = told.stdout.readline().strip()
        assert said.startswith("listening on http://")
        return said.removeprefix("listening on ")

    return start


def started(running: ExitStack, command: list[str]) -> subprocess.Popen[str]:
    """Start a process that does not outlast the test; what it says by the way is in ``told.txt``."""
    with Path("told.txt").open("a") as told:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told, text=True)

    running.callback(end, process)
    return process


def end(process: subprocess.Popen[str]) -> None:
    if process.returncode is None:
        process.kill()
        process.communicate()


def dialling(running: ExitStack, *words: str) -> subprocess.Popen[str]:
    return started(running, [*KATAVEN, "dial", "contacts.csv", "--config", "kataven.toml", "--json", *words])


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def configured(
    line_url: str,
    *,
    port: int = 0,
    public_url: str = "",
    secret: str = SECRET,
    token: str = TOKEN,
    host: str = "127.0.0.1",
) -> None:
    public = f'public_url = "{public_url}"' if public_url else ""
    Path("kataven.toml").write_text(
        f'[server]\nhost = "{host}"\nport = {port}\n{public}\n'
        f'[line]\nurl = "{line_url}"\nsecret = "{secret}"\ntoken = "{token}"\nreconcile_every_s = 0.5\n'
    )


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 - patience with another process
    while not is_so():
        assert time.monotonic() < deadline, Path("told.txt").read_text()  # noqa: TID251 - the same
        time.sleep(0.02)


def heard(event: str) -> list[str]:
    """Give the numbers of which the network's log tells this."""
    lines = [json.loads(line) for line in Path("phones.jsonl").read_text().splitlines()]
    return [line["to"] for line in lines if line["event"] == event]


def test_a_file_is_dialled_to_its_end_and_the_dialer_is_believed(network: Network, running: ExitStack) -> None:
    configured(network(*QUICK))
    out, _ = dialling(running, "--results", "results.csv").communicate(timeout=PATIENCE_S)
    result = json.loads(out)
    assert (result["status"], result["attempts"]) == ("completed", 20)
    assert sorted(heard("ring")) == NUMBERS
    answered = len(heard("answer"))
    assert result["outcomes"] == {"answered": answered, "busy": 20 - answered}
    assert Path("results.csv").read_text().count(",answered,1") == answered


def test_a_public_url_is_where_the_dialer_reports(network: Network, running: ExitStack) -> None:
    port = free_port()
    configured(network(*QUICK), port=port, public_url=f"http://localhost:{port}/")
    out, _ = dialling(running).communicate(timeout=PATIENCE_S)
    assert json.loads(out)["status"] == "completed"
    assert sorted(heard("ring")) == NUMBERS


def test_reports_are_believed_only_with_the_secret(network: Network, running: ExitStack) -> None:
    port = free_port()
    configured(network(*TALKING), port=port)
    process = dialling(running)
    until(lambda: Path("phones.jsonl").exists() and heard("answer"))
    url, body = f"http://127.0.0.1:{port}/lines/http/reports", b'{"reports": []}'
    now = SystemClock().now()
    with httpx.Client(trust_env=False, timeout=PATIENCE_S) as http:
        assert http.post(url, content=body).status_code == 401
        assert http.post(url, content=body, headers=signed(key_of(OTHER_SECRET), "m", now, body)).status_code == 401
        assert http.post(url, content=body, headers=signed(key_of(SECRET), "m", now, body)).status_code == 204
        bad = b'{"reports": 7}'
        answer = http.post(url, content=bad, headers=signed(key_of(SECRET), "m", now, bad))
        assert (answer.status_code, answer.text) == (400, "reports: must be an array")
        assert http.post(url, content=bytes(1024 * 1024 + 1)).status_code == 400
        assert http.get(url).status_code == 405
        assert http.get(f"http://127.0.0.1:{port}/docs").status_code == 404
        assert http.post(f"http://127.0.0.1:{port}/lines/pbx/reports", content=body).status_code == 404
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)


def test_a_dialer_that_believes_another_secret_ends_no_call_and_is_asked_instead(
    network: Network, running: ExitStack
) -> None:
    configured(network(*QUICK), secret=OTHER_SECRET)
    out, _ = dialling(running).communicate(timeout=2 * PATIENCE_S)
    assert json.loads(out)["status"] == "completed"
    assert sorted(heard("ring")) == NUMBERS


def test_a_dialer_that_is_away_is_told_of_and_nobody_is_lost_when_it_comes(
    network: Network, running: ExitStack
) -> None:
    port = free_port()
    configured(f"http://127.0.0.1:{port}")
    process = dialling(running)
    until(lambda: "the line is down, nobody is dialled: the dialer at" in Path("told.txt").read_text())
    assert process.poll() is None
    network(*QUICK, port=port)
    out, _ = process.communicate(timeout=PATIENCE_S)
    result = json.loads(out)
    assert (result["status"], result["attempts"]) == ("completed", 20)
    assert "the line is up again" in Path("told.txt").read_text()
    assert sorted(heard("ring")) == NUMBERS


def test_a_file_that_was_interrupted_goes_on_and_nobody_is_called_twice(network: Network, running: ExitStack) -> None:
    url = network("--answer", "1", "--ring-s", "0", "--talk-s", "0.5")
    configured(url)
    process = dialling(running)
    until(lambda: Path("phones.jsonl").exists() and heard("answer"))
    end(process)
    out, _ = dialling(running).communicate(timeout=PATIENCE_S)
    assert json.loads(out)["contacts"]["completed"] == 20
    assert sorted(heard("ring")) == NUMBERS


def test_the_same_file_in_another_store_is_dialled_anew_by_the_same_dialer(
    network: Network, running: ExitStack
) -> None:
    configured(network(*QUICK))
    for store in ("sqlite:///one.db", "sqlite:///two.db"):
        out, _ = dialling(running, "--store", store).communicate(timeout=PATIENCE_S)
        assert json.loads(out)["attempts"] == 20
    assert sorted(heard("ring")) == sorted(2 * NUMBERS)


def test_who_signs_with_another_secret_is_complained_of(network: Network, running: ExitStack) -> None:
    configured(network(*QUICK), secret=OTHER_SECRET)
    dialling(running)
    until(lambda: "reports of the dialer are refused: webhook-signature is by" in Path("told.txt").read_text())


# What is refused


def test_a_file_that_was_begun_with_one_dialer_is_not_finished_by_another(
    network: Network, running: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    url = network("--answer", "1", "--ring-s", "0", "--talk-s", "30")
    configured(url)
    process = dialling(running)
    until(lambda: Path("phones.jsonl").exists() and heard("answer"))
    end(process)
    configured("http://127.0.0.1:9")
    assert main(["dial", "contacts.csv", "--config", "kataven.toml"]) == 1
    assert f"was begun by kataven dial on {url}: finish it on that line" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - it is refused
def test_where_a_dialer_reports_is_not_every_address(capsys: pytest.CaptureFixture[str], host: str) -> None:
    configured("http://127.0.0.1:9", host=host)
    assert main(["dial", "contacts.csv", "--config", "kataven.toml"]) == 2
    assert f"a dialer can't report to {host}" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "https://pbx.example.com"])
def test_without_a_secret_nobody_is_dialled(capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert main(["dial", "contacts.csv", "--line", url]) == 2
    assert capsys.readouterr().err == (
        'kataven dial: a dialer signs what it reports: write secret = "env:LINE_SECRET" under [line] of a file, and '
        "name that with --config\n"
    )
    assert not Path("kataven.db").exists()


def test_a_port_that_is_taken_is_named_as_it_is_configured(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        configured("http://127.0.0.1:9", port=port)
        assert main(["dial", "contacts.csv", "--config", "kataven.toml"]) == 1
    assert capsys.readouterr().err == (
        f"kataven dial: reports can't be heard: port {port} of 127.0.0.1 is in use: stop what listens there, or name "
        "another as port under [server]\n"
    )


def test_an_address_that_is_none_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    configured("http://me:hunter2@127.0.0.1:9")
    assert main(["dial", "contacts.csv", "--config", "kataven.toml"]) == 2
    err = capsys.readouterr().err
    assert "url holds a name or a password" in err
    assert "hunter2" not in err


def test_without_aiohttp_its_extra_is_named() -> None:
    configured("http://127.0.0.1:9")
    command = [sys.executable, "-c", WITHOUT_AIOHTTP, "dial", "contacts.csv", "--config", "kataven.toml"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S, env=os.environ, text=True)
    assert done.returncode == 1
    assert done.stderr == "kataven dial: http:// needs aiohttp: pip install 'kataven-core[http-line]'\n"
