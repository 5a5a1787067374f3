import csv
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from kataven_adapters.cli import main

Run = Callable[..., tuple[int, str, str]]

FAST = "simulated://?ring_s=0&talk_s=0"
HEARD = f"{FAST}&log=phones.jsonl"
GOOD = [f"+1415555{n:04d}" for n in range(12)]
REJECTED = [f"nonsense-{n}" for n in range(7)]
COMMAND = [sys.executable, "-m", "kataven_adapters.cli", "dial"]
WITHOUT_RICH = "import sys; sys.modules['rich'] = None; from kataven_adapters.cli import main; sys.exit(main())"
WITHOUT_SQLITE = WITHOUT_RICH.replace("rich", "aiosqlite")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test dials in a folder of its own, without a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KATAVEN_CONFIG", raising=False)
    write("contacts.csv", *GOOD)
    write("mixed.csv", *GOOD, *REJECTED)
    return tmp_path


@pytest.fixture
def dial(capsys: pytest.CaptureFixture[str]) -> Run:
    """Dial inside this process, on the quick line unless another is named."""

    def run(*words: str) -> tuple[int, str, str]:
        line = () if "--line" in words or "--config" in words else ("--line", HEARD)
        try:
            code = main(["dial", *words, *line])
        except SystemExit as end:
            code = int(str(end.code))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def write(name: str, *rows: str) -> bytes:
    data = "\n".join(["phone_number", *rows, ""]).encode()
    Path(name).write_bytes(data)
    return data


def rung() -> list[str]:
    """Give the numbers whose phones have rung."""
    log = Path("phones.jsonl")
    events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return [event["to"] for event in events if event["event"] == "ring"]


def kataven(*words: str, program: list[str] | None = None, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    command = [*(program or COMMAND), *words, "--line", FAST]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=120)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def on_a_terminal(command: list[str]) -> tuple[int, str]:
    """Run a command whose streams are a terminal of 100 columns; give its exit code and all that it has drawn."""
    ours, theirs = pty.openpty()
    environ = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as running:
        os.close(theirs)
        drawn = b""
        try:
            while read := os.read(ours, 65_536):
                drawn += read
        except OSError:  # how Linux says that the other side is closed
            pass
        code = running.wait(timeout=120)
    os.close(ours)
    return code, drawn.decode()


def plain(drawn: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)


# What comes of it.


def test_every_contact_of_the_file_comes_to_its_end() -> None:
    done = kataven("contacts.csv", "--results", "results.csv")
    assert done.returncode == 0
    with Path("results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["phone_number"] for row in rows] == GOOD
    assert {row["status"] for row in rows} <= {"completed", "failed"}
    assert Path("kataven.db").exists()


def test_the_summary_says_contacts_outcomes_attempts_duration_and_rejected_rows() -> None:
    done = kataven("mixed.csv", "--max-concurrent", "3")
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"mixed\.csv: completed in \d+\.\d s on the simulated line: no phone rang", lines[0])
    pairs = (re.match(r" *(\d+)  (.*)", line) for line in lines)
    numbers = {pair[2]: int(pair[1]) for pair in pairs if pair}
    assert numbers["contacts"] == numbers["attempts"] == 12
    contacts, outcomes = lines[: lines.index("       12  attempts")], lines[lines.index("       12  attempts") :]
    assert sum(int(found[1]) for line in contacts if (found := re.match(r" {10,}(\d+)  ", line))) == 12
    assert sum(int(found[1]) for line in outcomes if (found := re.match(r" {10,}(\d+)  ", line))) == 12
    assert numbers["rows rejected, all are in mixed.rejects.csv"] == 7
    shown = [line for line in lines if line.startswith("  mixed.csv:")]
    assert [line.split(":")[1] for line in shown] == ["14", "15", "16", "17", "18"]
    assert lines[-1] == "  ... and 2 more"


def test_the_rejects_file_holds_all_rejected_rows(dial: Run) -> None:
    assert dial("mixed.csv")[0] == 0
    with Path("mixed.rejects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["column"], row["code"], row["value"]) for row in rows] == [
        (str(14 + n), "phone_number", "invalid_number", value) for n, value in enumerate(REJECTED)
    ]


def test_rejects_go_where_they_are_told_to(dial: Run) -> None:
    _, out, _ = dial("mixed.csv", "--rejects", "bad.csv")
    assert "rejected, all are in bad.csv" in out
    assert len(Path("bad.csv").read_text().splitlines()) == 8
    assert not Path("mixed.rejects.csv").exists()


def test_a_file_without_rejected_rows_leaves_no_rejects_file(dial: Run) -> None:
    assert dial("contacts.csv")[0] == 0
    assert not list(Path().glob("*rejects*"))


def test_json_is_one_object_of_exactly_these_members_and_alone_on_stdout() -> None:
    done = kataven("mixed.csv", "--json")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    result = json.loads(done.stdout)
    duration_s, outcomes, contacts = result.pop("duration_s"), result.pop("outcomes"), result.pop("contacts")
    assert re.fullmatch(r"[0-9a-f]{32}-0", result.pop("campaign_id"))
    assert result == {"status": "completed", "attempts": 12, "rejected": 7}
    assert type(duration_s) is float
    assert duration_s > 0
    assert set(contacts) == {"pending", "in_progress", "completed", "failed", "cancelled", "suppressed"}
    assert sum(contacts.values()) == contacts["completed"] + contacts["failed"] == 12
    assert sum(outcomes.values()) == 12
    assert outcomes["answered"] == contacts["completed"]


def test_progress_and_notes_are_on_stderr_alone_and_plain_where_nobody_watches() -> None:
    done = kataven("contacts.csv")
    assert done.stderr.splitlines()[0] == "no phone rings: the line is simulated; --line names a real one"
    assert "completed: 12 of 12 contacts done, 0 calls up, 12 dials\n" in done.stderr
    assert "\x1b" not in done.stderr
    assert "no phone rings" not in done.stdout
    assert "calls up" not in done.stdout


def test_a_terminal_shows_a_bar() -> None:
    code, drawn = on_a_terminal([*COMMAND, "mixed.csv", "--line", FAST])
    assert code == 0
    assert "\x1b[?25l" in drawn
    assert re.search(r"completed ━+ 12/12 0 up, \d+% answered \d:\d\d:\d\d", plain(drawn))
    assert "calls up" not in drawn
    assert "mixed.csv: completed in" in drawn


def test_a_terminal_shows_no_bar_where_nothing_is_dialled() -> None:
    assert kataven("contacts.csv").returncode == 0
    code, drawn = on_a_terminal([*COMMAND, "contacts.csv"])
    assert code == 1
    assert re.fullmatch(r"kataven dial: contacts\.csv was dialled to its end on [^\r\n]*\r\n", drawn)


def test_without_rich_a_terminal_shows_plain_lines() -> None:
    code, drawn = on_a_terminal([sys.executable, "-c", WITHOUT_RICH, "dial", "contacts.csv", "--line", FAST])
    assert code == 0
    assert "completed: 12 of 12 contacts done" in drawn
    assert "\x1b" not in drawn
    assert "Traceback" not in drawn


def test_a_reader_of_progress_that_has_had_enough_does_not_stop_the_dial() -> None:
    with subprocess.Popen(
        [*COMMAND, "contacts.csv", "--line", FAST], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        running.stderr.close()
        assert running.stdout is not None
        assert running.stdout.read().startswith("contacts.csv: completed in ")
        assert running.wait(timeout=120) == 0


# The files that it writes.


def test_results_say_number_status_outcome_and_attempts_in_file_order(dial: Run) -> None:
    line = "simulated://?answer=0&busy=1&ring_s=0&talk_s=0"
    words = ("--results", "results.csv", "--retries", "1", "--retry-delay", "0", "--max-concurrent", "3")
    code, out, _ = dial("contacts.csv", "--line", line, *words)
    assert code == 0
    assert out.endswith("what became of each contact is in results.csv\n")
    with Path("results.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["phone_number", "status", "outcome", "attempts"],
        *([number, "failed", "busy", "2"] for number in GOOD),
    ]


@pytest.mark.parametrize("option", ["--results", "--rejects"])
def test_neither_contacts_nor_store_are_ever_written_over(dial: Run, option: str) -> None:
    data = Path("mixed.csv").read_bytes()
    for name in ("mixed.csv", "./mixed.csv"):
        code, _, err = dial("mixed.csv", option, name)
        assert (code, err) == (
            2,
            f"kataven dial: {option} {name} would overwrite the contacts file: name another file\n",
        )
    assert rung() == []
    assert Path("mixed.csv").read_bytes() == data
    assert dial("contacts.csv")[0] == 0
    store = Path("kataven.db").read_bytes()
    code, _, err = dial("mixed.csv", option, "kataven.db")
    assert (code, err) == (2, f"kataven dial: {option} kataven.db would overwrite the store: name another file\n")
    assert Path("kataven.db").read_bytes() == store


def test_the_default_rejects_file_never_is_the_contacts_file(dial: Run) -> None:
    data = Path("mixed.csv").read_bytes()
    Path("mixed.rejects.csv").symlink_to("mixed.csv")
    assert dial("mixed.csv")[0] == 2
    assert Path("mixed.csv").read_bytes() == data


def test_results_and_rejects_are_two_files(dial: Run) -> None:
    for words in (("--results", "mixed.rejects.csv"), ("--results", "a.csv", "--rejects", "./a.csv")):
        code, _, err = dial("mixed.csv", *words)
        assert code == 2
        assert "--results and --rejects are both" in err
    assert rung() == []


@pytest.mark.parametrize("option", ["--results", "--rejects"])
@pytest.mark.parametrize("name", ["no/such/folder.csv", "."])
def test_a_file_that_cannot_be_written_is_found_before_anybody_is_dialled(dial: Run, option: str, name: str) -> None:
    code, out, err = dial("mixed.csv", option, name)
    assert (code, out) == (1, "")
    assert re.fullmatch(rf"kataven dial: {option} {re.escape(name)}: it can't be written: .+\n", err)
    assert rung() == []


def test_a_refusal_leaves_no_results_file(dial: Run) -> None:
    assert dial("none.csv", "--results", "results.csv")[0] == 1
    assert dial("contacts.csv", "--results", "results.csv", "--line", "simulated://?x=1")[0] == 2
    assert not Path("results.csv").exists()


# The same file again.


def test_a_file_that_is_done_is_refused_with_when_that_was_and_what_dials_it_anew(dial: Run) -> None:
    assert dial("contacts.csv")[0] == 0
    code, out, err = dial("contacts.csv")
    assert (code, out) == (1, "")
    found = re.fullmatch(
        r"kataven dial: contacts\.csv was dialled to its end on (.{10}) at (.{5}) UTC: --again dials it anew\n", err
    )
    assert found
    datetime.strptime(f"{found[1]} {found[2]} +0000", "%Y-%m-%d %H:%M %z")
    assert rung() == GOOD


def test_again_dials_anew_as_a_campaign_of_its_own(dial: Run) -> None:
    ids = [json.loads(dial("contacts.csv", "--again", "--json")[1])["campaign_id"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert sorted(rung()) == sorted(3 * GOOD)
    assert dial("contacts.csv")[0] == 1


def test_the_content_is_what_makes_it_the_same_file(dial: Run) -> None:
    assert dial("contacts.csv")[0] == 0
    Path("copy.csv").write_bytes(Path("contacts.csv").read_bytes())
    assert dial("copy.csv")[0] == 1
    write("contacts.csv", *GOOD, "+14155559999")
    assert dial("contacts.csv")[0] == 0


def test_standard_input_is_a_file_as_any_other() -> None:
    data = Path("mixed.csv").read_bytes()
    done = kataven("-", "--results", "results.csv", stdin=data)
    assert done.returncode == 0
    assert done.stdout.startswith("-: completed in ")
    assert len(Path("contacts.rejects.csv").read_text().splitlines()) == 8
    assert len(Path("results.csv").read_text().splitlines()) == 13
    assert "mixed.csv was dialled to its end" in kataven("mixed.csv").stderr


# Words.


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--max-concurrent", "0"), "'0' is no whole number from 1 to 100"),
        (("--max-concurrent", "101"), "'101' is no whole number from 1 to 100"),
        (("--max-concurrent", "x"), "'x' is no whole number from 1 to 100"),
        (("--max-concurrent", "٣"), "is no whole number from 1 to 100"),
        (("--retries", "6"), "'6' is no whole number from 0 to 5"),
        (("--retries", "1.5"), "'1.5' is no whole number from 0 to 5"),
        (("--retry-delay", "-1"), "'-1' is no whole number from 0 to 2,592,000"),
        (("--retry-delay", "2592001"), "'2592001' is no whole number from 0 to 2,592,000"),
        (("--store", " "), "it is blank"),
        (("--line", ""), "it is blank"),
        (("--duplicates", "maybe"), "invalid choice: 'maybe'"),
        (("--agian",), "unrecognized arguments: --agian: did you mean --again\n"),
    ],
)
def test_words_that_cannot_be_used_are_wrong_usage(dial: Run, words: tuple[str, ...], sentence: str) -> None:
    code, out, err = dial("contacts.csv", *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert rung() == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--store", "kataven.db"), "'kataven.db' is no URL of a store: did you mean sqlite:///kataven.db"),
        (("--store", "sqlite:///"), "sqlite:/// names no file: "),
        (("--store", "sqlit:///a.db"), "there is no store of the kind sqlit://, "),
        (("--line", "nonsense"), "this is no URL of a line: "),
        (("--line", "simulatd://"), "there is no line of the kind simulatd://, "),
        (("--line", "simulated://?anser=1"), "simulated://: 'anser' is no parameter: "),
        (("--line", "simulated://?answer=2"), "simulated://: answer is 2: a chance must be from 0 to 1"),
    ],
)
def test_a_url_that_names_nothing_is_wrong_usage(dial: Run, words: tuple[str, ...], sentence: str) -> None:
    code, out, err = dial("contacts.csv", *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"kataven dial: {sentence}")
    assert err.count("\n") == 1
    assert rung() == []


def test_a_missing_extra_is_one_sentence_that_says_what_to_install() -> None:
    done = kataven("contacts.csv", program=[sys.executable, "-c", WITHOUT_SQLITE, "dial"])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "kataven dial: sqlite:// needs aiosqlite: pip install 'kataven-core[sqlite]'\n"


def test_a_log_that_cannot_be_written_is_one_sentence(dial: Run) -> None:
    code, _, err = dial("contacts.csv", "--line", f"{FAST}&log=no/such/folder")
    assert code == 1
    assert re.fullmatch(r"kataven dial: simulated://: the log 'no/such/folder' can't be written: .*\n", err)


def test_a_retry_delay_below_the_configured_minimum_is_refused_on_a_real_line_alone(dial: Run) -> None:
    real = ("--line", "acme://phones")
    assert dial("contacts.csv", "--retry-delay", "59", *real) == (
        2,
        "",
        "kataven dial: --retry-delay 59: give 60 seconds at least\n",
    )
    assert "no line of the kind acme://" in dial("contacts.csv", "--retry-delay", "60", *real)[2]
    Path("trial.toml").write_text('[server]\nretry_delay_min_s = 10\n[line]\nurl = "acme://phones"\n')
    assert "give 10 seconds at least" in dial("contacts.csv", "--retry-delay", "9", "--config", "trial.toml")[2]
    assert "no line of" in dial("contacts.csv", "--retry-delay", "10", "--config", "trial.toml")[2]
    assert dial("contacts.csv", "--retry-delay", "0")[0] == 0


def test_a_configuration_names_store_and_line_and_words_outdo_it(dial: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("trial.toml").write_text(f'[store]\nurl = "sqlite:///calls.db"\n[line]\nurl = "{HEARD}"\n')
    assert dial("contacts.csv", "--config", "trial.toml")[0] == 0
    assert [path.name for path in Path().glob("*.db")] == ["calls.db"]
    assert rung() == GOOD
    monkeypatch.setenv("KATAVEN_CONFIG", "trial.toml")
    assert dial("contacts.csv")[0] == 1
    assert dial("contacts.csv", "--store", "memory://")[0] == 0
    monkeypatch.setenv("KATAVEN_CONFIG", "")
    assert dial("contacts.csv")[0] == 0
    assert Path("kataven.db").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[line]\nurll = "x"\n', "trial.toml: line.urll: there is no such key: did you mean url"),
        ('[line]\nurl = "env:NOT_SET_ANYWHERE"\n', "trial.toml: line.url: names the environment variable "),
        ('[line]\n"a\\nb" = 1\n', "trial.toml: line.a\\nb: there is no such key: "),
        ("[line", "trial.toml: it is no TOML: "),
    ],
)
def test_a_configuration_that_cannot_be_used_is_one_sentence(dial: Run, text: str, sentence: str) -> None:
    Path("trial.toml").write_text(text)
    code, out, err = dial("contacts.csv", "--config", "trial.toml")
    assert (code, out) == (1, "")
    assert err.startswith(f"kataven dial: {sentence}")
    assert err.count("\n") == 1


def test_a_default_region_reads_national_numbers(dial: Run) -> None:
    write("national.csv", "(415) 555-2671", "415-555-2672")
    code, _, err = dial("national.csv")
    assert code == 1
    assert "no row can be dialled (2 rejected)" in err
    assert dial("national.csv", "--default-region", "US")[0] == 0
    assert rung() == ["+14155552671", "+14155552672"]


def test_another_column_can_hold_the_number(dial: Run) -> None:
    Path("contacts.csv").write_text("Mobile,name\n+14155550100,Ann\n")
    assert dial("contacts.csv")[2].endswith("or name it with --phone-column; likely 'Mobile'\n")
    assert dial("contacts.csv", "--phone-column", "mobile")[0] == 0
    assert rung() == ["+14155550100"]


def test_duplicates_are_rejected_unless_they_are_to_be_kept(dial: Run) -> None:
    write("twins.csv", "+14155550100", "+14155550100")
    assert "1  row rejected, it is in twins.rejects.csv" in dial("twins.csv")[1]
    assert rung() == ["+14155550100"]
    assert dial("twins.csv", "--again", "--duplicates", "keep")[0] == 0
    assert rung() == 3 * ["+14155550100"]


# Bad input.


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the file is empty: "),
        (b"phone_number\n", "there is a header but no contact below it: "),
        (b"PK\x03\x04\x14\x00\x06\x00", "line 1: the file is a workbook such as Excel's"),
        ("phone_number,name\n+14155550100,Jörg\n".encode("latin-1"), "line 2, column name: byte 32 "),
        (
            b"phone_number,note\n" + (b"+14155550199," + b"x" * 4000 + b"\n") * 2700,
            "the file is larger than 10,485,760 bytes (10 MiB): ",
        ),
        (b"phone_number\nx\n", "line 2, column phone_number: no row can be dialled (1 rejected): "),
    ],
    ids=["empty", "header only", "xlsx", "latin-1", "too large", "nothing to dial"],
)
def test_a_contacts_file_that_cannot_be_used_is_one_sentence(dial: Run, data: bytes, sentence: str) -> None:
    Path("bad.csv").write_bytes(data)
    code, out, err = dial("bad.csv")
    assert (code, out) == (1, "")
    assert err.startswith("kataven dial: bad.csv: ")
    assert sentence in err
    assert err.count("\n") == 1


def test_a_contacts_file_that_is_not_there_is_one_sentence(dial: Run) -> None:
    assert dial("none.csv")[::2] == (
        1,
        "kataven dial: none.csv: there is no such file: check the name and the folder\n",
    )
    assert dial(".")[::2] == (1, "kataven dial: .: this is a folder: name a CSV file in it\n")
    assert not Path("kataven.db").exists()


def test_a_file_name_that_is_no_text_is_dialled_as_any_other(dial: Run) -> None:
    name = os.fsdecode(b"caf\xe9\x1b.csv")
    Path(name).write_bytes(Path("contacts.csv").read_bytes())
    code, out, _ = dial(name)
    assert code == 0
    assert out.startswith("caf\\udce9\\x1b.csv: completed")


def corrupt(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)


def no_database(path: Path) -> None:
    path.write_bytes(b"dear diary\n" * 500)


def newer(path: Path) -> None:
    assert main(["dial", "contacts.csv", "--line", FAST]) == 0
    subprocess.run([sys.executable, "-c", NEWER, path], check=True)


NEWER = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA user_version = 999'); c.close()"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (no_database, "the store kataven.db is no SQLite file: "),
        (corrupt, "the store kataven.db "),
        (newer, "the store kataven.db was written by a newer Kataven Core "),
        (Path.mkdir, "the store kataven.db can't be opened: it is a folder; "),
    ],
)
def test_a_store_that_cannot_be_used_is_one_sentence_and_stays_as_it_is(
    dial: Run, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], None], sentence: str
) -> None:
    path = Path("kataven.db")
    spoil(path)
    capsys.readouterr()
    before = None if path.is_dir() else path.read_bytes()
    code, out, err = dial("mixed.csv")
    assert (code, out) == (1, "")
    assert err.startswith(f"kataven dial: {sentence}")
    assert err.count("\n") == 1
    assert before is None or path.read_bytes() == before


def test_a_store_that_cannot_be_made_is_one_sentence(dial: Run) -> None:
    code, out, err = dial("contacts.csv", "--store", "sqlite:///no/such/calls.db")
    assert (code, out) == (1, "")
    assert err.endswith("can't be opened: there is no folder no/such; create it\n")
    assert err.count("\n") == 1
