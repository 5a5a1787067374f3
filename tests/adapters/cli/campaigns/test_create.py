import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kataven_adapters.cli import main
from kataven_adapters.cli.campaigns.create import _progress

Run = Callable[..., tuple[int, str, str]]

CSV = b"phone_number\n+14155550100\nx\n"
NEW = ("--name", "Spring", "--agent", "a", "--number", "n")
CAMPAIGN = {"id": "c1", "name": "Spring", "status": "draft"}
COMMAND = [sys.executable, "-m", "kataven_adapters.cli", "campaigns", "create"]


@pytest.fixture(autouse=True)
def folder(scripted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KATAVEN_API_KEY", "sk_live_acme_0123456789")
    monkeypatch.setenv("KATAVEN_BASE_URL", scripted.url)
    monkeypatch.chdir(tmp_path)
    Path("contacts.csv").write_bytes(CSV)
    return tmp_path


@pytest.fixture
def create(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        try:
            code = main(["campaigns", "create", *words])
        except SystemExit as end:
            code = int(str(end.code))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def created(accepted: int | None = 1, rejected: int | None = 1) -> web.Response:
    answer = web.json_response(CAMPAIGN, status=201)
    if accepted is not None:
        answer.headers.update({"Kataven-Accepted-Rows": str(accepted), "Kataven-Rejected-Rows": str(rejected)})
    return answer


def parts(asked: Any) -> dict[str, str]:
    return {name: value.decode() for name, _, value in asked.parts}


def test_a_campaign_is_made_of_a_file(scripted: Any, create: Run) -> None:
    scripted.answers(created())
    code, out, err = create("contacts.csv", *NEW)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "id      c1",
        "name    Spring",
        "status  draft",
        "accepted 1 row, rejected 1",
        "which and why: kataven campaigns rejects c1",
    ]
    assert parts(scripted.asked[0]) == {
        "name": "Spring",
        "agent_id": "a",
        "phone_number_id": "n",
        "max_concurrent_calls": "5",
        "retries_per_contact": "0",
        "retry_delay_seconds": "300",
        "contacts": CSV.decode(),
    }


def test_every_option_arrives(scripted: Any, create: Run) -> None:
    scripted.answers(created(2, 0))
    words = "--max-concurrent 7 --retries 2 --retry-delay 60 --scheduled-at 2030-01-31T09:00:00Z --default-region DE"
    more = "--phone-column Telefon --duplicates keep --strict --idempotency-key k"
    code, out, _ = create("contacts.csv", *NEW, *words.split(), *more.split())
    assert code == 0
    assert out.splitlines()[-1] == "accepted 2 rows, rejected 0"
    assert list(parts(scripted.asked[0]).items())[3:] == [
        ("max_concurrent_calls", "7"),
        ("retries_per_contact", "2"),
        ("retry_delay_seconds", "60"),
        ("scheduled_at", "2030-01-31T09:00:00Z"),
        ("default_region", "DE"),
        ("phone_column", "Telefon"),
        ("duplicates", "keep"),
        ("strict", "true"),
        ("contacts", CSV.decode()),
    ]
    assert scripted.asked[0].headers["Idempotency-Key"] == "k"


def test_it_is_started_at_once_where_that_is_wanted(scripted: Any, create: Run) -> None:
    scripted.answers(created(), CAMPAIGN | {"status": "running"})
    code, out, _ = create("contacts.csv", *NEW, "--start", "--json", "--idempotency-key", "k")
    assert code == 0
    assert json.loads(out) == CAMPAIGN | {"status": "running", "accepted_rows": 1, "rejected_rows": 1}
    assert scripted.asked[1].target == "/api/v1/campaigns/c1/start"
    assert scripted.asked[1].headers["Idempotency-Key"] == "k"


def test_what_was_made_is_shown_where_it_can_not_be_started(scripted: Any, create: Run) -> None:
    scripted.answers(created(), (409, "the budget is exhausted"))
    code, out, err = create("contacts.csv", *NEW, "--start")
    assert code == 1
    assert out.splitlines()[0] == "id      c1"
    assert err == "kataven campaigns create: c1 was created and not started: the budget is exhausted\n"


def test_a_server_that_counts_no_rows_is_told_nothing_about(scripted: Any, create: Run) -> None:
    scripted.answers(created(None))
    assert create("contacts.csv", *NEW)[1].splitlines()[-1] == "status  draft"


def test_standard_input_is_sent_as_it_comes(scripted: Any) -> None:
    scripted.answers(created())
    done = subprocess.run([*COMMAND, "-", *NEW], input=CSV, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert scripted.asked[0].headers["Transfer-Encoding"] == "chunked"
    assert parts(scripted.asked[0])["contacts"] == CSV.decode()


@pytest.mark.parametrize(("file", "why"), [("none.csv", "there is no such file"), (".", "this is a folder")])
def test_a_file_that_can_not_be_read_is_told(scripted: Any, create: Run, file: str, why: str) -> None:
    code, out, err = create(file, *NEW)
    assert (code, out) == (1, "")
    assert err.startswith(f"kataven campaigns create: {file}: {why}")
    assert scripted.asked == []


def test_wrong_rows_are_told_one_by_one(scripted: Any, create: Run) -> None:
    rows = [
        {
            "field": "contacts",
            "line": line,
            "column": "phone_number",
            "code": "invalid_number",
            "message": "has no \x07",
        }
        for line in range(3, 28)
    ]
    whole = {"field": "contacts", "message": "25 rows are rejected", "line": 3, "column": ""}
    short = {"line": 2, "column": "", "code": "too_many_cells", "message": "m"}
    members = {"code": "rejected_rows", "detail": "all of it", "errors": [whole, short, *rows]}
    scripted.answers(web.json_response(members, status=400))
    code, out, err = create("contacts.csv", *NEW, "--strict")
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert lines[:2] == [
        "contacts.csv:2: too_many_cells: m",
        r"contacts.csv:3: phone_number: invalid_number: has no \x07",
    ]
    assert lines[-2:] == ["... and 6 more", "kataven campaigns create: contacts.csv: 25 rows are rejected"]
    assert len(lines) == 22


def test_a_wrong_setting_is_one_sentence(scripted: Any, create: Run) -> None:
    members = {"code": "x", "detail": "name is blank; name it as phone_column", "errors": [{"field": "name"}]}
    scripted.answers(web.json_response(members, status=400))
    sentence = "kataven campaigns create: name is blank; name it with --phone-column\n"
    assert create("contacts.csv", *NEW) == (1, "", sentence)


@pytest.mark.parametrize(
    "words",
    [
        ("contacts.csv", "--name", "n"),
        NEW,
        ("contacts.csv", *NEW, "--max-concurrent", "101"),
        ("contacts.csv", *NEW, "--retries", "-1"),
        ("contacts.csv", *NEW, "--start", "--scheduled-at", "2030-01-31T09:00:00Z"),
        ("contacts.csv", *NEW, "--duplicates", "some"),
    ],
)
def test_wrong_words_are_wrong_usage(scripted: Any, create: Run, words: tuple[str, ...]) -> None:
    assert create(*words)[0] == 2
    assert scripted.asked == []


def test_who_watches_a_terminal_sees_how_much_is_sent(scripted: Any) -> None:
    scripted.answers(created())
    ours, theirs = pty.openpty()
    done = subprocess.run([*COMMAND, "contacts.csv", *NEW], stderr=theirs, stdout=subprocess.PIPE, check=False)
    os.close(theirs)
    assert done.returncode == 0
    assert os.read(ours, 4096).decode() == "\r\033[Ksent 28 of 28 bytes\r\033[K"
    os.close(ours)


def test_where_nobody_watches_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with _progress() as show:
        assert show is None
    assert capsys.readouterr().err == ""
