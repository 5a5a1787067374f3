import json
import logging
import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kataven_adapters.simulated.phone_log import PhoneLog
from kataven_core import AccountId, AdapterFault, AttemptId, CampaignId, Order, Outcome, PhoneNumber

ORDER = Order(
    attempt_id=AttemptId("campaign.0.1"),
    account_id=AccountId("acme"),
    campaign_id=CampaignId("campaign"),
    to=PhoneNumber("+442079460958"),
    caller=PhoneNumber("+14155550100"),
    agent_id="agent",
    route="route",
    variables={"name": "Ada"},
)
AT = datetime(2026, 1, 31, 9, 30, 0, 500_000, tzinfo=UTC)
RING = {
    "event": "ring",
    "attempt_id": "campaign.0.1",
    "campaign_id": "campaign",
    "to": "+442079460958",
    "at": "2026-01-31T09:30:00.500000Z",
}


def lines(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def fault_of(name: str) -> AdapterFault:
    with pytest.raises(AdapterFault) as caught:
        PhoneLog(name).open()
    assert caught.value.code == "log_unwritable"
    return caught.value


def test_each_event_is_a_line(tmp_path: Path) -> None:
    file = tmp_path / "phones.jsonl"
    log = PhoneLog(str(file))
    log.open()
    log.write("ring", ORDER, AT)
    log.write("answer", ORDER, AT)
    log.write("end", ORDER, AT, Outcome.MACHINE)
    seen = lines(file)
    log.close()
    assert seen == [RING, {**RING, "event": "answer"}, {**RING, "event": "end", "outcome": "machine"}]


def test_each_line_is_one_call_to_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    log = PhoneLog(str(tmp_path / "phones.jsonl"))
    log.open()

    def note(_: int, line: bytes) -> int:
        written.append(line)
        return len(line)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", note)
        log.write("ring", ORDER, AT)
        log.write("answer", ORDER, AT)
    log.close()
    assert [json.loads(line)["event"] for line in written] == ["ring", "answer"]
    assert all(line.endswith(b"}\n") and line.count(b"\n") == 1 for line in written)


def test_a_file_that_is_there_is_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "phones.jsonl"
    for _ in range(2):
        log = PhoneLog(str(file))
        log.open()
        log.write("ring", ORDER, AT)
        log.close()
    assert lines(file) == [RING, RING]


def test_a_new_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    log = PhoneLog(str(tmp_path / "phones.jsonl"))
    log.open()
    log.close()
    assert stat.S_IMODE((tmp_path / "phones.jsonl").stat().st_mode) & 0o077 == 0


def test_without_a_name_nothing_is_written() -> None:
    log = PhoneLog(None)
    log.open()
    log.write("ring", ORDER, AT)
    log.close()


def test_nothing_is_written_before_it_is_open_and_after_it_is_closed(tmp_path: Path) -> None:
    file = tmp_path / "phones.jsonl"
    log = PhoneLog(str(file))
    log.write("ring", ORDER, AT)
    log.close()
    assert not file.exists()
    log.open()
    log.close()
    log.write("ring", ORDER, AT)
    assert lines(file) == []


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    name = f"{tmp_path}/none/phones.jsonl"
    assert fault_of(name).message == (
        f"simulated://: the log {name!r} can't be written: No such file or directory: name another file, or none"
    )


def test_a_folder_in_its_place_is_one_sentence(tmp_path: Path) -> None:
    assert fault_of(str(tmp_path)).message == (
        f"simulated://: the log {str(tmp_path)!r} can't be written: Is a directory: name another file, or none"
    )


def test_a_name_that_no_file_may_have_is_one_sentence() -> None:
    assert re.fullmatch(  # how it is said differs by Python
        r"simulated://: the log 'a\\x00b' can't be written: .*embedded null.*: name another file, or none",
        fault_of("a\0b").message,
    )


def test_a_full_disk_ends_the_log_and_is_said_once(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    file = tmp_path / "phones.jsonl"
    file.symlink_to("/dev/full")
    log = PhoneLog(str(file))
    log.open()
    log.write("ring", ORDER, AT)
    log.write("answer", ORDER, AT)
    log.close()
    said = "can't be written: No space left on device: it ends here, calls go on"
    assert caplog.messages == [f"the log {str(file)!r} {said}"]
    assert caplog.records[0].levelno == logging.ERROR


def test_a_line_that_is_cut_short_is_the_last(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "phones.jsonl"
    log = PhoneLog(str(file))
    log.open()
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda _, line: len(line) - 1)
        log.write("ring", ORDER, AT)
    log.write("answer", ORDER, AT)
    assert file.read_text() == ""
    assert caplog.messages == [
        f"the log {str(file)!r} can't be written: there is no room left: it ends here, calls go on"
    ]


def test_a_log_that_has_ended_begins_again_when_it_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "phones.jsonl"
    log = PhoneLog(str(file))
    log.open()
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda *_: 0)
        log.write("ring", ORDER, AT)
    log.open()
    log.write("ring", ORDER, AT)
    log.close()
    assert lines(file) == [RING]
