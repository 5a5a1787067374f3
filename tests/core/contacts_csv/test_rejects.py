import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.contacts_csv import RejectCode, RejectedRow, rejects_csv


def row(value: str, column: str = "phone_number", message: str = "it is wrong") -> RejectedRow:
    return RejectedRow(7, column, RejectCode.INVALID_NUMBER, message, value)


def written(*rows: RejectedRow) -> list[list[str]]:
    text = "".join(rejects_csv(rows))
    return list(csv.reader(StringIO(text, newline=""), strict=True))[1:]


def test_header_stands_even_above_nothing() -> None:
    assert list(rejects_csv([])) == ["line,column,code,message,value\r\n"]


def test_each_row_is_a_piece_of_its_own() -> None:
    assert list(rejects_csv([row("a,b"), row('say "x"\n', "", "no")])) == [
        "line,column,code,message,value\r\n",
        '7,phone_number,invalid_number,it is wrong,"a,b"\r\n',
        '7,,invalid_number,no,"say ""x""\n"\r\n',
    ]


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+44 (0)20", "'+44 (0)20"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n1", "'\n1"),
        ("\uff1d1", "'\uff1d1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20x", "'\uff20x"),
        ("x;=1+1", "x;'=1+1"),
        ("x,@x\t-1\n+1\r=1", "x,'@x\t'-1\n'+1\r'=1"),
        ('x;"=1', "x;\"'=1"),
        ("==", "'=="),
    ],
)
def test_what_a_spreadsheet_would_run_stays_text(value: str, safe: str) -> None:
    assert written(row(value)) == [["7", "phone_number", "invalid_number", "it is wrong", safe]]


@pytest.mark.parametrize("value", ["", "415-555-0123", "1=1", "a+b", "'=1", " =1", "x@example.com", 'O"Hara', "é🙂ש"])
def test_harmless_values_are_kept_to_the_letter(value: str) -> None:
    assert written(row(value))[0][-1] == value


def test_column_and_message_are_made_safe_too() -> None:
    assert written(row("x", "=cmd", "@x"))[0] == ["7", "'=cmd", "invalid_number", "'@x", "x"]


@given(st.lists(st.text(), max_size=5))
def test_nothing_but_apostrophes_is_added(values: list[str]) -> None:
    assert [cells[-1].replace("'", "") for cells in written(*map(row, values))] == [
        value.replace("'", "") for value in values
    ]


@given(st.text('=+-@\t\r\n,;"ax\uff1d', max_size=12), st.sampled_from(",;\t"))
def test_no_cell_is_a_formula_whatever_a_spreadsheet_splits_at(value: str, delimiter: str) -> None:
    text = "".join(rejects_csv([row(value)]))
    cells = [cell for line in csv.reader(StringIO(text, newline=""), delimiter=delimiter) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\uff1d"))]
