import os
import subprocess
import sys
from pathlib import Path

import pytest

from kataven_adapters.cli import main
from kataven_core import __version__


def kataven(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "kataven_adapters.cli", *words]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60)


def test_unknown_words_and_missing_ones_are_wrong_usage() -> None:
    for words in (("dail",), ("check",), ("check", "a.csv", "--jsn"), ("check", "a.csv", "b.csv"), ("--jsn",)):
        done = kataven(*words)
        assert done.returncode == 2
        assert b"usage: kataven" in done.stderr
        assert b"Traceback" not in done.stderr


def test_the_command_alone_shows_what_there_is_and_is_wrong_usage() -> None:
    done = kataven()
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == kataven("--help").stdout


@pytest.mark.parametrize(
    ("words", "usage", "sentence"),
    [
        (("dail", "a.csv"), "usage: kataven [-h]", "kataven: error: there is no command 'dail': did you mean dial"),
        (
            ("call",),
            "usage: kataven [-h]",
            (
                "kataven: error: there is no command 'call': "
                "choose from check, dial, serve, keys, campaigns, phone-network"
            ),
        ),
        (
            ("check", "a.csv", "--jsn"),
            "usage: kataven check ",
            "kataven check: error: unrecognized arguments: --jsn: did you mean --json",
        ),
        (
            ("dial", "a.csv", "--max-concurent=9"),
            "usage: kataven dial ",
            "kataven dial: error: unrecognized arguments: --max-concurent=9: did you mean --max-concurrent",
        ),
        (("dial", "a.csv", "--xyz"), "usage: kataven dial ", "kataven dial: error: unrecognized arguments: --xyz"),
    ],
)
def test_what_an_unknown_word_may_have_meant_is_said(words: tuple[str, ...], usage: str, sentence: str) -> None:
    done = kataven(*words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(usage)
    assert done.stderr.decode().splitlines()[-1] == sentence


def test_help_and_version_end_0() -> None:
    assert b"Exit codes: 0 done, 1 refused or failed, 2 wrong usage" in kataven("--help").stdout
    assert kataven("--version").stdout.decode().strip() == f"kataven {__version__}"


def test_the_installed_command_is_the_same_one() -> None:
    script = Path(sys.executable).with_name("kataven")
    done = subprocess.run([script, "--version"], capture_output=True, check=False)
    assert done.stdout.decode().strip() == f"kataven {__version__}"


def test_a_reader_that_leaves_early_gets_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"phone_number\n+14155550100\n" + b"x\n" * 200_000)
    command = f"{sys.executable} -m kataven_adapters.cli check --json {path} | head -c 10"
    done = subprocess.run(command, shell=True, capture_output=True, check=False)  # noqa: S602 - a pipe, of our own words
    assert len(done.stdout) == 10
    assert done.stderr == b""


def test_an_interrupt_ends_1_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kataven_adapters.cli.check.read_contacts", interrupted)
    assert main(["check", "contacts.csv"]) == 1
    assert capsys.readouterr().err == "kataven check: interrupted\n"


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_full_disk_is_one_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"phone_number\n+14155550100\n")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kataven_adapters.cli", "check", path, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        1,
        b"kataven check: the result can't be written: No space left on device\n",
    )


@pytest.mark.parametrize(("closed", "code"), [("<&-", 1), (">&-", 0), ("2>&-", 0)])
def test_closed_streams_make_no_traceback(tmp_path: Path, closed: str, code: int) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"phone_number\n+14155550100\n")
    file = "-" if closed == "<&-" else path
    command = f"{sys.executable} -m kataven_adapters.cli check {file} {closed}"
    done = subprocess.run(command, shell=True, capture_output=True, check=False)  # noqa: S602 - closing streams takes a shell
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_terminal_without_unicode_shows_escapes(tmp_path: Path, words: tuple[str, ...]) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes("phone_number,Straße\n+14155550100,x\n₊1,y\n".encode())
    done = subprocess.run(
        [sys.executable, "-m", "kataven_adapters.cli", "check", path, *words],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"Stra\\xdfe" in done.stdout
