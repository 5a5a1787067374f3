import csv
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.contacts_csv import MAX_FIELD_CHARS, FileFault
from kataven_core.contacts_csv.limits import MAX_RECORD_CHARS
from kataven_core.contacts_csv.records import Record, RecordFault, Scan, read_plain, read_records, scan, split_lines


def read(text: str, delimiter: str = ",", *, final: bool = True) -> list[Record]:
    return list(read_records(split_lines(text), delimiter, final=final))


def fault(text: str, *, rest: str = "", final: bool = True) -> tuple[FileFault, int, int]:
    with pytest.raises(RecordFault) as caught:
        list(read_records(split_lines(text), ",", rest=rest, final=final))
    return caught.value.code, caught.value.line, caught.value.cell


@contextmanager
def field_size_limit(limit: int) -> Iterator[None]:
    before = csv.field_size_limit(limit)
    try:
        yield
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize(
    "text", ["", "a,b\n", "a\n\n\nb\n", '"a, b",c\r\nd\r', '"a""b"\nc', f"{'x' * MAX_FIELD_CHARS}", "a;b\n"]
)
def test_records_of_one_line_each_are_read_at_once(text: str) -> None:
    lines = split_lines(text)
    records = read_plain(lines, ",")
    assert len(records) == len(lines)
    assert [cells for cells in records if cells] == [record.cells for record in read(text) if record.cells]


@pytest.mark.parametrize("text", ['a\n"b\nc"\n', 'a\n"b\n', 'a\n"b"c\n', f"a\n{'x' * MAX_FIELD_CHARS}\n"])
def test_nothing_is_read_at_once_where_a_record_has_more_lines_or_may_be_wrong(text: str) -> None:
    assert read_plain(split_lines(text), ",") == []


def test_lines_are_split_at_lf_crlf_and_cr_only() -> None:
    assert split_lines("a\nb\r\nc\rd\x0b\x0c\x1c\x85\u2028e") == ["a\n", "b\r\n", "c\r", "d\x0b\x0c\x1c\x85\u2028e"]


@pytest.mark.parametrize(
    ("text", "delimiter", "cells"),
    [
        ("a,b", ",", ["a", "b"]),
        ("a;b", ",", ["a;b"]),
        ("a;b", ";", ["a", "b"]),
        ("a\tb", "\t", ["a", "b"]),
        (" a , b ", ",", [" a ", " b "]),
        (",,", ",", ["", "", ""]),
        ('"a,b","c\n"', ",", ["a,b", "c\n"]),
        ('"a""b",""', ",", ['a"b', ""]),
        ('""""', ",", ['"']),
        ('a"b, "c"', ",", ['a"b', ' "c"']),
        ('"a\r\nb\rc"', ",", ["a\r\nb\rc"]),
        ("a\\,b", ",", ["a\\", "b"]),
        ("a~^b,~c", ",", ["a~^b", "~c"]),
        ("''a,b''", ",", ["''a", "b''"]),
    ],
)
def test_cells_are_read_to_the_letter(text: str, delimiter: str, cells: list[str]) -> None:
    for end in ("", "\n", "\r\n", "\r"):
        assert [record.cells for record in read(text + end, delimiter)] == [cells]
        with field_size_limit(0):
            assert [record.cells for record in read(text + end, delimiter)] == [cells]


def test_a_record_says_which_lines_it_spans() -> None:
    assert read('a\n\n"b\n\r\n",c\rd') == [
        Record(0, 1, ["a"]),
        Record(2, 5, ["b\n\r\n", "c"]),
        Record(5, 6, ["d"]),
    ]


def test_empty_lines_are_passed_over_and_the_last_ones_told_as_one() -> None:
    assert read("\n\na\n\n\n") == [Record(2, 3, ["a"]), Record(5, 5, [])]


def test_a_record_still_open_is_not_given() -> None:
    assert read('a\n"b\nc\n', final=False) == [Record(0, 1, ["a"])]


def test_an_open_quote_at_the_end_is_a_fault_where_it_opens() -> None:
    assert fault('a\n"b\nc",d,"e\n\nf\n') == (FileFault.UNCLOSED_QUOTE, 2, 2)


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize(
    ("text", "line", "cell"),
    [
        ('"a"b\n', 0, 0),
        ('x,"a" ,y\n', 0, 1),
        ('x\n"a\n"b\n', 1, 0),
        ('x,"\n","a\n"b,"\n', 1, 2),
        ('"a"b,"c\n', 0, 0),
        ('"a\\"b"\n', 0, 0),
    ],
)
def test_text_after_a_closing_quote_is_a_fault_where_it_opens(text: str, line: int, cell: int, *, final: bool) -> None:
    assert fault(text, final=final) == (FileFault.TEXT_AFTER_QUOTE, line, cell)


def test_what_stands_before_a_fault_comes_out() -> None:
    records = read_records(["a\n", '"b"c\n'], ",", final=True)
    assert next(records).cells == ["a"]
    with pytest.raises(RecordFault, match=r"^text follows the closing quote") as caught:
        next(records)
    assert str(caught.value) == caught.value.sentence


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("cell", ["x" * 4097, '"' + "x" * 4097 + '"', '"' + '""' * 4097 + '"', '"' + "\n" * 4097 + '"'])
def test_too_long_a_cell_is_a_fault(cell: str, *, final: bool) -> None:
    assert fault(f'a\n"\n",{cell},"c"\n', final=final) == (FileFault.FIELD_TOO_LONG, 2, 1)


def test_a_cell_of_two_lines_that_are_not_too_long_can_be_too_long() -> None:
    half = "x" * (MAX_FIELD_CHARS // 2)
    assert read(f'a,"{half}\n{half[1:]}"\n') == [Record(0, 2, ["a", f"{half}\n{half[1:]}"])]
    assert fault(f'a,"{half}\n{half}"\n') == (FileFault.FIELD_TOO_LONG, 0, 1)


def test_the_first_fault_of_a_record_counts() -> None:
    long = "x" * (MAX_FIELD_CHARS + 1)
    assert fault(f'{long},"a"b\n')[0] == FileFault.FIELD_TOO_LONG
    assert fault(f'"a"b,{long}\n')[0] == FileFault.TEXT_AFTER_QUOTE
    assert fault(f'{long},"a\n', final=False)[0] == FileFault.FIELD_TOO_LONG


def test_the_longest_record_is_read() -> None:
    full = '"' + '""' * MAX_FIELD_CHARS + '"'
    text = ",".join([full] * 64) + ","
    assert len(text) == MAX_RECORD_CHARS
    for end in ("", "\n", "\r\n"):
        assert read(text + end)[0].cells == ['"' * MAX_FIELD_CHARS] * 64 + [""]


@pytest.mark.parametrize("final", [True, False])
def test_a_longer_record_is_a_fault(*, final: bool) -> None:
    full = '"' + '""' * MAX_FIELD_CHARS + '"'
    assert fault("a\n" + ",".join([full] * 64) + ",,\n", final=final) == (FileFault.TOO_MANY_COLUMNS, 1, 64)


@pytest.mark.parametrize("text", ["", "a\n,\n"])
def test_an_unfinished_line_longer_than_any_record_is_a_fault(text: str) -> None:
    assert read(text, final=False) == list(read_records(split_lines(text), ",", rest="x" * 4096, final=False))
    where = (FileFault.TOO_MANY_COLUMNS, text.count("\n"), 64)
    assert fault(text, rest="," * (MAX_RECORD_CHARS + 2), final=False) == where


def test_an_open_record_longer_than_any_is_a_fault() -> None:
    half = "x" * (MAX_RECORD_CHARS // 2)
    assert fault(f'a\n"{half}\n', rest=half + "xxx", final=False) == (FileFault.UNCLOSED_QUOTE, 1, 0)
    assert fault(f'a\n"{half}\n{half}xx\n', final=False) == (FileFault.UNCLOSED_QUOTE, 1, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Scan([""], 0, is_whole=True)),
        ("a,b\nc", Scan(["a", "b"], 0, is_whole=True)),
        ('"a\r\nb",\rc', Scan(["a\r\nb", ""], 1, is_whole=True)),
        ('a,"b\n', Scan(["a", "b\n"], 1, is_whole=False)),
        ('a,"b""', Scan(["a", 'b"'], 0, is_whole=False)),
    ],
)
def test_scan_reads_one_record(text: str, expected: Scan) -> None:
    assert scan(text, ",", final=False) == expected


def test_a_quote_may_stay_open_for_as_long_as_a_record_may_be() -> None:
    assert not scan('"' + "x" * (MAX_RECORD_CHARS - 1), ",", final=False).is_whole
    with pytest.raises(RecordFault, match="never closed"):
        scan('"' + "x" * MAX_RECORD_CHARS, ",", final=False)


SOUP = st.text('ab,;"\r\n', max_size=25)


@given(SOUP)
def test_both_ways_to_read_give_the_same(text: str) -> None:
    def result(limit: int) -> list[Record] | tuple[FileFault, int, int]:
        with field_size_limit(limit):
            try:
                return read(text)
            except RecordFault as fault:
                return fault.code, fault.line, fault.cell

    assert result(0) == result(131_072)


@given(SOUP)
def test_what_is_read_is_what_the_csv_module_reads(text: str) -> None:
    try:
        records = read(text)
    except RecordFault:
        return
    theirs = csv.reader(StringIO(text, newline=""), strict=True)
    assert [record.cells for record in records if record.cells] == [cells for cells in theirs if cells]
