import asyncio
import json
import os
import re
import stat
from pathlib import Path

import pytest

from kataven_adapters.cli.failure import CommandFailure
from kataven_adapters.cli.phone_network.phone_log import PhoneLog

from .conftest import until

EVENT = {
    "event": "ring",
    "attempt_id": "march.0.1",
    "campaign_id": "march",
    "account_id": "acme",
    "to": "+442079460958",
    "at": "2026-01-31T09:30:00.500000Z",
}
END = {**EVENT, "event": "end", "outcome": "busy"}
LINE = json.dumps(EVENT).encode() + b"\n"


def opened(file: Path, broken: list[str] | None = None) -> tuple[PhoneLog, list[dict[str, str]]]:
    log = PhoneLog(str(file), ([] if broken is None else broken).append)
    return log, [dict(event) for event in log.open()]


def refusal(name: str) -> str:
    log = PhoneLog(name, print)
    with pytest.raises(CommandFailure) as caught:
        list(log.open())
    log.close()
    return caught.value.sentence


async def test_what_is_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    file, told = tmp_path / "phones.jsonl", list[str]()
    log, before = opened(file)
    log.write(EVENT, lambda: told.append("ring"))
    log.write(END, lambda: told.append("end"))
    assert (told, log.waiting) == ([], 2)
    await log.durable()
    assert (told, log.waiting) == (["ring", "end"], 0)
    log.close()
    again, found = opened(file)
    again.close()
    assert (before, found) == ([], [EVENT, END])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_nothing_is_waited_for_where_nothing_was_written(tmp_path: Path) -> None:
    log, _ = opened(tmp_path / "phones.jsonl")
    await log.durable()
    log.close()


@pytest.mark.parametrize("whole_bytes", [1, 5, 20, len(LINE) - 1])
async def test_a_line_that_a_dying_process_left_half_written_is_cut_off(tmp_path: Path, whole_bytes: int) -> None:
    file = tmp_path / "phones.jsonl"
    file.write_bytes(LINE + LINE[:whole_bytes])
    log, found = opened(file)
    assert found == [EVENT]
    log.write(END, lambda: None)
    await log.durable()
    log.close()
    assert [json.loads(line) for line in file.read_bytes().splitlines()] == [EVENT, END]


@pytest.mark.parametrize(
    "line",
    [
        b"phone_number,name\n",
        b"{}\n",
        b"[]\n",
        b"\xff\n",
        b"\n",
        json.dumps({**EVENT, "event": "hold"}).encode() + b"\n",
        json.dumps({**EVENT, "at": "noon"}).encode() + b"\n",
        json.dumps({**EVENT, "to": 44}).encode() + b"\n",
        json.dumps({**EVENT, "event": "end"}).encode() + b"\n",
        json.dumps({**END, "event": "ring"}).encode() + b"\n",
        json.dumps({**END, "outcome": "lucky"}).encode() + b"\n",
        json.dumps({**END, "outcome": ["busy"]}).encode() + b"\n",
    ],
)
def test_a_file_that_is_no_such_log_is_left_as_it_is(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "contacts.csv"
    file.write_bytes(LINE + line + b"rest")
    assert refusal(str(file)) == f"{file}: line 2 is nothing that a phone heard: name another file with --log"
    assert file.read_bytes() == LINE + line + b"rest"


def test_a_file_without_a_line_end_is_left_as_it_is_too(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(b"buy milk")
    assert refusal(str(file)) == f"{file}: line 1 is nothing that a phone heard: name another file with --log"
    assert file.read_bytes() == b"buy milk"


def test_a_file_that_can_not_be_written_is_refused(tmp_path: Path) -> None:
    for name, reason in [
        (str(tmp_path), "Is a directory"),
        (str(tmp_path / "none" / "phones.jsonl"), "No such file or directory"),
        ("phones\0.jsonl", ".*embedded null.*"),  # how it is said differs by Python
        (os.devnull, "it is no regular file"),
    ]:
        shown = re.escape(name.replace("\0", "\\x00"))
        assert re.fullmatch(f"the log {shown} can't be written: {reason}: name another file with --log", refusal(name))


def test_two_networks_do_not_write_one_log(tmp_path: Path) -> None:
    file = tmp_path / "phones.jsonl"
    log, _ = opened(file)
    assert "another phone network writes it" in refusal(str(file))
    log.close()
    log, _ = opened(file)
    log.close()


async def test_when_it_can_not_be_written_nobody_is_told_and_it_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    broken, told = list[str](), list[str]()
    file = tmp_path / "phones.jsonl"
    log, _ = opened(file, broken)
    log.write(EVENT, lambda: told.append("ring"))
    waiting = asyncio.create_task(log.durable())
    await until(lambda: broken)
    log.write(END, lambda: told.append("end"))
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert (done, told) == (set(), [])
    reason = "No space left on device: the network ends here, as a log with holes would lie"
    assert broken == [f"the log {file} can't be written: {reason}"]
    waiting.cancel()
    log.close()
