import contextlib
import io
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kataven_adapters.cli.failure import CommandFailure
from kataven_adapters.cli.output import (
    counted,
    note,
    one_line,
    refuse_overwriting,
    refuse_unwritable,
    rejected_line,
    with_options,
    write_lines,
    write_rejects,
)
from kataven_core import RejectCode, RejectedRow

ROW = RejectedRow(3, "phone_number", RejectCode.INVALID_NUMBER, "it is\nno number", "=1+1")


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"phone_number\n+14155550100\n")
    return path


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_the_file_that_is_read_is_not_written_over_by_another_name(
    contacts: Path, link: Callable[[Path, Path], None]
) -> None:
    other = contacts.with_name("other.csv")
    link(contacts, other)
    with pytest.raises(CommandFailure, match="would overwrite the contacts file: name another file") as caught:
        refuse_overwriting(str(contacts), "--results", str(other))
    assert caught.value.exit_code == 2


def test_the_file_that_standard_input_reads_is_not_written_over(
    contacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contacts.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(CommandFailure, match="would overwrite"):
            refuse_overwriting("-", "--results", str(contacts))


def test_other_files_and_devices_may_be_written(contacts: Path) -> None:
    refuse_overwriting(str(contacts), "--results", str(contacts.with_name("new.csv")))
    refuse_overwriting("/dev/null", "--results", "/dev/null")


def test_looking_whether_a_file_can_be_written_leaves_everything_as_it_is(contacts: Path) -> None:
    new, link = contacts.with_name("new.csv"), contacts.with_name("link.csv")
    link.symlink_to(contacts.with_name("target.csv"))
    before = contacts.read_bytes()
    for path in (contacts, new, link, Path("/dev/null")):
        refuse_unwritable("--results", str(path))
    assert contacts.read_bytes() == before
    assert sorted(path.name for path in contacts.parent.iterdir()) == ["contacts.csv", "link.csv"]
    assert link.is_symlink()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no/such/folder.csv", "No such file or directory"),
        (".", "Is a directory"),
        ("contacts.csv/x.csv", "Not a directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_file_that_cannot_be_written_is_one_sentence(
    contacts: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    monkeypatch.chdir(contacts.parent)
    for is_before in (True, False):
        with pytest.raises(CommandFailure) as caught:
            refuse_unwritable("--results", name) if is_before else write_lines("--results", name, ["x"])
        assert caught.value.sentence == f"--results {name}: it can't be written: {reason}"
        assert caught.value.exit_code == 1


def test_rejects_are_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "rejects.csv"
    write_rejects(str(target), [ROW])
    assert target.read_text() == (
        'line,column,code,message,value\n3,phone_number,invalid_number,"it is\nno number",\'=1+1\n'
    )


def test_a_rejected_row_is_one_line_as_compilers_write_it() -> None:
    assert rejected_line("a.csv", ROW) == "a.csv:3: phone_number: invalid_number: it is\\nno number"
    assert rejected_line("a.csv", ROW._replace(column="")) == "a.csv:3: invalid_number: it is\\nno number"


def test_what_cannot_be_printed_is_shown_by_its_escape() -> None:
    assert one_line("a\nb\x1b[2J\u202e\udcff é") == "a\\nb\\x1b[2J\\u202e\\udcff é"


def test_sentences_name_options_of_the_command_line() -> None:
    assert with_options("rename it, or name it as phone_column; likely 'Tel'") == (
        "rename it, or name it with --phone-column; likely 'Tel'"
    )
    assert with_options("write +, or name a default region") == "write +, or name its region with --default-region"
    assert with_options("the file is empty") == "the file is empty"


def test_things_are_counted_as_people_do() -> None:
    assert [counted(count, "call") for count in (0, 1, 2, 1234)] == ["0 calls", "1 call", "2 calls", "1,234 calls"]


def test_a_new_file_is_readable_by_others_as_any_other(tmp_path: Path) -> None:
    target = tmp_path / "results.csv"
    refuse_unwritable("--results", str(target))
    write_lines("--results", str(target), ["a\n"])
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_note_that_nobody_can_read_any_more_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    note("by the way")
    assert capsys.readouterr().err == "by the way\n"
    reading, writing = os.pipe()
    os.close(reading)
    gone = io.TextIOWrapper(io.FileIO(writing, "w"), write_through=True)
    note("by the way", gone)
    with contextlib.suppress(BrokenPipeError):
        gone.close()
