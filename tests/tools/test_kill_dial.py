import json
import subprocess
import sys
from pathlib import Path

from tools.kill_dial import judge

TOOL = Path(__file__).parents[2] / "tools" / "kill_dial.py"
NUMBERS = ["+14155550001", "+14155550002", "+14155550003"]
KILLED = '\n{"event": "killed", "attempt_id": "", "to": ""}\n'


def line(event: str, attempt: str, number: str) -> str:
    return json.dumps({"event": event, "attempt_id": attempt, "to": number, "at": "now"}) + "\n"


def call(attempt: str, number: str) -> str:
    return "".join(line(event, attempt, number) for event in ("ring", "answer", "end"))


WELL = "".join(call(f"a{n}", number) for n, number in enumerate(NUMBERS))
ENDS = [f"{number},completed,answered,1" for number in NUMBERS]


def verdict(folder: Path, log: str, ends: list[str] | None = None, retries: int = 1) -> list[str]:
    (folder / "contacts.csv").write_text("\n".join(["phone_number,name", *(f"{each},x" for each in NUMBERS), ""]))
    (folder / "phones.jsonl").write_text(log)
    (folder / "results.csv").write_text("\n".join(["phone_number,status,outcome,attempts", *(ends or ENDS), ""]))
    wrong: list[str] = judge(
        folder / "phones.jsonl", folder / "contacts.csv", folder / "results.csv", cap=2, retries=retries
    )
    return wrong


def test_a_dial_that_is_killed_three_times_keeps_its_promises() -> None:
    done = subprocess.run(
        [sys.executable, TOOL, "--rows", "3000", "--kills", "3"],
        capture_output=True,
        check=False,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no contact lost, none rung twice for one attempt, no cap passed" in done.stdout


def test_nothing_is_wrong_where_all_is_well(tmp_path: Path) -> None:
    assert verdict(tmp_path, WELL) == []


def test_a_call_that_was_up_at_a_kill_may_be_followed_by_another_to_the_same_number(tmp_path: Path) -> None:
    ends = [f"{NUMBERS[0]},completed,answered,2", *ENDS[1:]]
    assert verdict(tmp_path, line("ring", "b", NUMBERS[0]) + KILLED + WELL, ends) == []
    assert verdict(tmp_path, line("ring", "b", NUMBERS[0]) + '{"event": "ri' + KILLED + WELL, ends) == []


def test_an_attempt_that_rings_twice_is_caught(tmp_path: Path) -> None:
    ends = [f"{NUMBERS[0]},completed,answered,2", *ENDS[1:]]
    assert verdict(tmp_path, WELL + KILLED + call("a0", NUMBERS[0]), ends) == ["attempt a0 rang 2 times"]


def test_a_contact_that_is_dialled_more_often_than_retries_allow_is_caught(tmp_path: Path) -> None:
    ends = [f"{NUMBERS[0]},completed,answered,2", *ENDS[1:]]
    log = WELL + call("b", NUMBERS[0])
    assert verdict(tmp_path, log, ends, retries=0) == [f"{NUMBERS[0]} was dialled 2 times"]
    assert verdict(tmp_path, log, ends, retries=1) == []


def test_a_lost_contact_is_caught(tmp_path: Path) -> None:
    assert verdict(tmp_path, WELL, ENDS[:2]) == ["of 3 contacts, 2 are in the results, or not in file order"]
    for status in ("pending", "in_progress"):
        ends = [*ENDS[:2], f"{NUMBERS[2]},{status},,1"]
        assert verdict(tmp_path, WELL, ends) == [f"{NUMBERS[2]} has come to no end: it is {status}"]


def test_a_contact_in_the_place_of_another_is_caught(tmp_path: Path) -> None:
    assert verdict(tmp_path, WELL, [*ENDS[:2], ENDS[0]]) != []


def test_a_contact_that_is_said_to_be_reached_and_was_not_is_caught(tmp_path: Path) -> None:
    log = call("a0", NUMBERS[0]) + call("a1", NUMBERS[1])
    assert verdict(tmp_path, log) == [f"{NUMBERS[2]} is completed, and nobody has answered there"]


def test_a_dial_that_nobody_knows_of_is_caught(tmp_path: Path) -> None:
    assert verdict(tmp_path, WELL + call("b", NUMBERS[0])) == [f"{NUMBERS[0]} was dialled 2 times, and 1 are known"]
    assert verdict(tmp_path, WELL + call("b", "+19995550000")) == ["+19995550000 was dialled and is in no row"]


def test_a_passed_cap_is_caught(tmp_path: Path) -> None:
    rings = "".join(line("ring", f"a{n}", number) for n, number in enumerate(NUMBERS))
    rest = "".join(line(event, f"a{n}", number) for n, number in enumerate(NUMBERS) for event in ("answer", "end"))
    assert verdict(tmp_path, rings + rest) == ["3 calls at once at now"]


def test_two_calls_to_one_number_at_once_are_caught(tmp_path: Path) -> None:
    ends = [f"{NUMBERS[0]},completed,answered,2", *ENDS[1:]]
    log = line("ring", "b", NUMBERS[0]) + WELL + line("end", "b", NUMBERS[0])
    assert verdict(tmp_path, log, ends) == [f"{NUMBERS[0]} in two calls at once"]


def test_a_call_that_ends_and_never_rang_is_caught(tmp_path: Path) -> None:
    assert verdict(tmp_path, WELL + line("end", "c", NUMBERS[0])) == [f"c heard end in no call to {NUMBERS[0]}"]
