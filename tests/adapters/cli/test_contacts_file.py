import io
import sys
from pathlib import Path

import pytest

from kataven_adapters.cli.contacts_file import read_contacts, read_whole
from kataven_adapters.cli.failure import CommandFailure
from kataven_core import MAX_FILE_BYTES, ContactsParser, RejectedRow


def failure_of(name: str) -> CommandFailure:
    with pytest.raises(CommandFailure) as caught:
        read_contacts(name, ContactsParser(), [])
    return caught.value


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    failure = failure_of(str(tmp_path / "none.csv"))
    assert failure.sentence == f"{tmp_path}/none.csv: there is no such file: check the name and the folder"
    assert failure.exit_code == 1


def test_a_folder_is_one_sentence(tmp_path: Path) -> None:
    assert failure_of(str(tmp_path)).sentence == f"{tmp_path}: this is a folder: name a CSV file in it"


def test_a_file_without_permission_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:  # root may read everything, so that no mode of a file would do
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    assert failure_of("secret.csv").sentence.startswith("secret.csv: no permission to read it: ")


def test_any_other_trouble_of_the_system_is_one_sentence() -> None:
    assert failure_of("x" * 5000).sentence.endswith(": it can't be read: File name too long")


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"phone_number\n+14155550100\nx\n")))
    parser, rejected = ContactsParser(), list[RejectedRow]()
    read_contacts("-", parser, rejected)
    assert (parser.accepted_rows, [row.line for row in rejected]) == (1, [3])


def test_a_person_sees_rows_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"phone_number\n" + b"".join(b"+1415%07d\n" % n for n in range(5555000, 5565000)))
    monkeypatch.setattr("kataven_adapters.cli.contacts_file._PROGRESS_EVERY_S", 0)
    read_contacts(str(path), ContactsParser(), [])
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    read_contacts(str(path), ContactsParser(), [])
    shown = capsys.readouterr().err
    assert "rows, 0 rejected" in shown
    assert shown.endswith("\r\033[K")


def test_a_whole_file_is_read_up_to_more_than_any_contacts_file_may_have(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"phone_number\n+14155550100\n")
    assert read_whole(str(path)) == b"phone_number\n+14155550100\n"
    path.write_bytes(b"x" * (MAX_FILE_BYTES + 10))
    assert len(read_whole(str(path))) == MAX_FILE_BYTES + 1


def test_a_whole_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    for name, sentence in ((tmp_path / "none.csv", "there is no such file"), (tmp_path, "this is a folder")):
        with pytest.raises(CommandFailure, match=sentence):
            read_whole(str(name))


def test_standard_input_that_is_closed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CommandFailure, match="standard input is closed: name a file"):
        read_whole("-")
