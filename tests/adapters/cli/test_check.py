import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kataven_adapters.cli import main

Run = Callable[..., tuple[int, str, str]]

GOOD = b"phone_number,name\n+14155550100,Ann\n+14155550101,Bob\n"
MIXED = b"phone_number,name\n+14155550100,Ann\nnonsense,Bob\n+1 (415) 555-0100,Ann again\n+14155550102,Cy,extra\n"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str | Path) -> tuple[int, str, str]:
        code = main(["check", *map(str, words)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def contacts(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "contacts.csv"
        path.write_bytes(data)
        return path

    return write


def test_a_good_file_ends_0_and_says_how_many_and_which_columns(run: Run, contacts: Callable[[bytes], Path]) -> None:
    assert run(contacts(GOOD)) == (
        0,
        "number column: phone_number; custom fields: name\naccepted 2, rejected 0\n",
        "",
    )


def test_rejected_rows_end_1_and_stand_with_line_column_and_reason(run: Run, contacts: Callable[[bytes], Path]) -> None:
    path = contacts(MIXED)
    code, out, err = run(path)
    assert code == 1
    assert err == ""
    lines = out.splitlines()
    assert lines[0].startswith(f"{path}:3: phone_number: invalid_number: 'nonsense' ")
    assert lines[1] == f"{path}:4: phone_number: duplicate: the same number stands on line 2: remove one of the two"
    assert lines[2].startswith(f"{path}:5: too_many_cells: the row has 3 cells, the header 2")
    assert lines[-1] == "accepted 1, rejected 3"


def test_json_holds_every_rejected_row(run: Run, contacts: Callable[[bytes], Path]) -> None:
    path = contacts(MIXED)
    code, out, err = run(path, "--json")
    result = json.loads(out)
    assert (code, err) == (1, "")
    assert {key: result[key] for key in ("file", "accepted", "rejected", "columns", "phone_column")} == {
        "file": str(path),
        "accepted": 1,
        "rejected": 3,
        "columns": ["phone_number", "name"],
        "phone_column": "phone_number",
    }
    assert [(row["line"], row["column"], row["code"], row["value"]) for row in result["rejects"]] == [
        (3, "phone_number", "invalid_number", "nonsense"),
        (4, "phone_number", "duplicate", "+1 (415) 555-0100"),
        (5, "", "too_many_cells", "extra"),
    ]


def test_json_of_a_file_that_cannot_be_used_holds_the_error(run: Run, contacts: Callable[[bytes], Path]) -> None:
    code, out, err = run(contacts(b'phone_number,name\n+14155550100,"Ann\n'), "--json")
    error = json.loads(out)["error"]
    assert (code, err) == (1, "")
    assert (error["code"], error["line"], error["column"]) == ("unclosed_quote", 2, "name")


def test_rejects_are_written_as_csv_that_no_spreadsheet_runs(
    run: Run, contacts: Callable[[bytes], Path], tmp_path: Path
) -> None:
    target = tmp_path / "rejects.csv"
    assert run(contacts(b"phone_number\n+14155550100\n=1+1\n"), "--rejects", target)[0] == 1
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["column"], row["code"], row["value"]) for row in rows] == [
        ("3", "phone_number", "invalid_number", "'=1+1")
    ]


def test_rejects_of_a_good_file_are_a_header(run: Run, contacts: Callable[[bytes], Path], tmp_path: Path) -> None:
    target = tmp_path / "rejects.csv"
    assert run(contacts(GOOD), "--rejects", target)[0] == 0
    assert target.read_text() == "line,column,code,message,value\n"


def test_rejects_never_overwrite_the_contacts(run: Run, contacts: Callable[[bytes], Path]) -> None:
    path = contacts(MIXED)
    code, _, err = run(path, "--rejects", path)
    assert code == 2
    assert "would overwrite" in err
    assert path.read_bytes() == MIXED


def test_rejects_never_overwrite_what_standard_input_reads(
    run: Run, contacts: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = contacts(MIXED)
    with path.open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert run("-", "--rejects", path)[0] == 2
    assert path.read_bytes() == MIXED


def test_a_blank_word_is_wrong_usage(contacts: Callable[[bytes], Path], capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([""], [str(contacts(GOOD)), "--rejects", ""], [str(contacts(GOOD)), "--phone-column", " "]):
        with pytest.raises(SystemExit) as caught:
            main(["check", *words])
        assert caught.value.code == 2
        assert "it is blank" in capsys.readouterr().err


def test_a_column_name_cannot_break_the_line(run: Run, contacts: Callable[[bytes], Path]) -> None:
    out = run(contacts(b'phone_number,"a\nb\x1b[2J"\n+14155550100,x\n'))[1]
    assert out.splitlines()[0] == "number column: phone_number; custom fields: a\\nb\\x1b[2J"


def test_rejects_that_cannot_be_written_end_1(run: Run, contacts: Callable[[bytes], Path], tmp_path: Path) -> None:
    code, _, err = run(contacts(MIXED), "--rejects", tmp_path / "no" / "such" / "folder.csv")
    assert code == 1
    assert err.endswith("it can't be written: No such file or directory\n")


def test_only_the_first_rejected_rows_are_printed(run: Run, contacts: Callable[[bytes], Path], tmp_path: Path) -> None:
    path = contacts(b"phone_number\n+14155550100\n" + b"x\n" * 30)
    assert "... and 10 more; --rejects FILE writes all of them" in run(path)[1].splitlines()
    target = tmp_path / "rejects.csv"
    assert f"... and 10 more; all are in {target}" in run(path, "--rejects", target)[1].splitlines()


def test_a_default_region_reads_national_numbers(run: Run, contacts: Callable[[bytes], Path]) -> None:
    path = contacts(b"phone_number\n(415) 555-0100\n415-555-0101\n")
    assert run(path)[0] == 1
    assert run(path, "--default-region", "us")[0] == 0


def test_an_unknown_region_is_wrong_usage(run: Run, contacts: Callable[[bytes], Path]) -> None:
    code, _, err = run(contacts(GOOD), "--default-region", "Atlantis")
    assert code == 2
    assert "'Atlantis' is no region" in err


def test_another_column_can_hold_the_number(run: Run, contacts: Callable[[bytes], Path]) -> None:
    path = contacts(b"Mobile,name\n+14155550100,Ann\n")
    assert "likely 'Mobile'" in run(path)[2]
    assert run(path, "--phone-column", "mobile")[0] == 0


def test_duplicates_can_be_kept(run: Run, contacts: Callable[[bytes], Path]) -> None:
    path = contacts(b"phone_number\n+14155550100\n+14155550100\n")
    assert run(path)[0] == 1
    assert run(path, "--duplicates", "keep")[0] == 0


def _larger_than_allowed() -> bytes:
    return GOOD + (b"+14155550199," + b"x" * 4000 + b"\n") * 2613


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"", "the file is empty: ", id="empty"),
        pytest.param(b"phone_number,name\n", "there is a header but no contact below it: ", id="header only"),
        pytest.param(
            "phone_number,name\n+14155550100,Jörg\n".encode("latin-1"), "line 2, column name: byte 32 ", id="latin-1"
        ),
        pytest.param("phone_number\n".encode("utf-16"), "line 1: the file is UTF-16: ", id="utf-16"),
        pytest.param(
            b"name,Tel\nAnn,+14155550100\n", "line 1: no column of the header is called phone_number: ", id="no number"
        ),
        pytest.param(b"\x7fELF\x02\x01\x01\x00\x00", "line 1: there is a NUL byte, ", id="binary"),
        pytest.param(b"PK\x03\x04\x14\x00\x06\x00", "line 1: the file is a workbook such as Excel's", id="xlsx"),
        pytest.param(_larger_than_allowed(), "the file is larger than 10,485,760 bytes (10 MiB): ", id="10 MiB + 1"),
        pytest.param(b"phone_number," + b"x," * 1_000_000, "line 1", id="a million columns"),
        pytest.param(
            b'phone_number,name\n+14155550100,"Ann\n', "line 2, column name: the quote that opens ", id="unclosed quote"
        ),
        pytest.param(
            b"phone_number\nx\n",
            "line 2, column phone_number: no row can be dialled (1 rejected): ",
            id="nothing accepted",
        ),
    ],
)
def test_a_file_that_cannot_be_used_ends_1_with_one_sentence(
    run: Run, contacts: Callable[[bytes], Path], data: bytes, sentence: str
) -> None:
    path = contacts(data)
    code, _, err = run(path)
    assert code == 1
    assert err.startswith(f"kataven check: {path}: ")
    assert sentence in err
    assert err.count("\n") == 1
