from collections.abc import Iterable

import pytest

from kataven_core.contacts_csv import ContactsFileError, Header
from kataven_core.contacts_csv.source import RecordSource, Run


def read(*pieces: bytes) -> list[tuple[int, list[str]]]:
    source = RecordSource("phone_number")
    found = [record for piece in pieces for record in records(source.read(piece))]
    return found + records(source.read(b"", final=True))


def records(runs: Iterable[Run]) -> list[tuple[int, list[str]]]:
    return [record for run in runs for record in zip(run.lines, run.records, strict=True)]


def error(*pieces: bytes) -> tuple[str, int | None, str]:
    with pytest.raises(ContactsFileError) as caught:
        read(*pieces)
    return caught.value.code, caught.value.line, caught.value.column


def bytewise(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


def test_records_below_the_header_come_with_their_lines() -> None:
    data = b'\n\nphone_number;a\r\n1;x\r\r\n2;"x\ny"\n3'
    expected = [(4, ["1", "x"]), (6, ["2", "x\ny"]), (8, ["3"])]
    assert read(data) == expected
    assert read(*bytewise(data)) == expected


def test_the_header_is_known_before_the_first_record() -> None:
    source = RecordSource("phone_number")
    list(source.read(b"a,phone_number"))
    before = source.header
    assert next(source.read(b"\n1,2\n")) == ([2], [["1", "2"]])
    assert (before, source.header) == (None, Header(1, ("a", "phone_number"), 1, ","))


def test_what_stands_before_a_fault_comes_out_before_it_is_raised() -> None:
    runs = RecordSource("phone_number").read(b'phone_number\n1\n2\n"3"x\n')
    assert next(runs) == ([2, 3], [["1"], ["2"]])
    with pytest.raises(ContactsFileError, match=r"^line 4, column phone_number: text follows the closing quote"):
        next(runs)


TOP = b"phone_number,a,b\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (TOP + b"1,\0", ("nul_byte", 2, "a")),
        (TOP + b"1,x\n\0", ("nul_byte", 3, "phone_number")),
        (TOP + b"1,x\r\0", ("nul_byte", 3, "phone_number")),
        (TOP + b"1,x\r\n\0", ("nul_byte", 3, "phone_number")),
        (TOP + b'1,"x\n\r\ny\0', ("nul_byte", 4, "a")),
        (TOP + b'1,"x"\xff', ("not_utf8", 2, "a")),
        (TOP + b"1,x,y,\xff", ("not_utf8", 2, "")),
        (TOP + b"1,x,caf\xc3", ("not_utf8", 2, "b")),
        (TOP + b'1,"x"y\0', ("text_after_quote", 2, "a")),
        (TOP + b'1,"x\n"y\0', ("text_after_quote", 2, "a")),
        (TOP + b"1," + b"x" * 4097 + b",\0", ("field_too_long", 2, "a")),
        (TOP + b'1,"x\n', ("unclosed_quote", 2, "a")),
        (TOP + b'1,"\n","x\n', ("unclosed_quote", 3, "b")),
        (TOP + b'1,,,"x\n', ("unclosed_quote", 2, "")),
        (b"phone_number,\0", ("nul_byte", 1, "")),
        (b"\n\r\r\nphone_number,\xff", ("not_utf8", 4, "")),
        (b'"a"x,\0', ("nul_byte", 1, "")),
        (b'"a"x,b\n\0', ("text_after_quote", 1, "")),
        (b'"a;phone_number\n1;\0', ("nul_byte", 2, "")),
        (b"a,b\n\0", ("no_phone_number", 1, "")),
    ],
)
def test_the_first_fault_of_the_file_is_raised_with_its_place(data: bytes, expected: tuple[str, int, str]) -> None:
    assert error(data) == expected
    assert error(*bytewise(data)) == expected


@pytest.mark.parametrize("top", [b"", TOP])
@pytest.mark.parametrize("data", [b"x" * 600_000, b'"' + b"x" * 600_000, b'"\n' + b"x" * 600_000, b"x," * 300_000])
def test_a_record_that_never_ends_is_refused_at_once(top: bytes, data: bytes) -> None:
    source = RecordSource("phone_number")
    with pytest.raises(ContactsFileError):
        list(source.read(top + data))


def test_a_record_that_never_ends_is_told_with_its_line() -> None:
    assert error(TOP + b"1,x\n2,y\n" + b"x" * 600_000) == ("field_too_long", 4, "phone_number")


def test_empty_lines_below_a_record_of_many_lines_are_no_records() -> None:
    assert read(b'phone_number\n"1\n2"\n\n\n') == [(2, ["1\n2"])]


@pytest.mark.parametrize("size", [1, 4096, 65_536])
@pytest.mark.parametrize("blank", [b" " * 4097, b" " * 70_000])
def test_a_blank_line_above_the_header_can_be_too_long_too(blank: bytes, size: int) -> None:
    data = b"\n" + blank + b"\n" + TOP
    where = ("field_too_long", 2, "")
    assert error(*(data[at : at + size] for at in range(0, len(data), size))) == where


@pytest.mark.parametrize("size", [4099, 65_536])
def test_the_delimiter_of_an_overlong_header_is_guessed_alike_however_it_is_split(size: int) -> None:
    data = (b"x" * 4000 + b",") * 131 + b"y" * 300 + b";" * 1000 + b"\n"
    assert error(*(data[at : at + size] for at in range(0, len(data), size))) == ("too_many_columns", 1, "")


@pytest.mark.parametrize("size", [997, 65_536])
@pytest.mark.parametrize("text", ["{}", "\r\n{}\n", '"{}"'])
def test_an_overlong_header_is_refused_alike_however_it_is_split(text: str, size: int) -> None:
    data = text.format("phone_number" + ";name" * 106_000).encode()
    assert error(*(data[at : at + size] for at in range(0, len(data), size))) == error(data)
