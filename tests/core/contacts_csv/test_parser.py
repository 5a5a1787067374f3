"""The parser as a whole: its options, its limits, and its laws, held against a dumb second version of it."""

import csv
import json
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kataven_core.contacts_csv import (
    MAX_COLUMNS,
    MAX_FIELD_CHARS,
    MAX_FILE_BYTES,
    MAX_ROWS,
    AcceptedRow,
    ContactsFileError,
    ContactsParser,
    CsvOptions,
    Duplicates,
    FileFault,
    Header,
    RejectCode,
    RejectedRow,
)
from kataven_core.errors import InvalidValue
from kataven_core.phone_number import PhoneNumber


class Contacts(NamedTuple):
    """A file that can be used."""

    accepted: list[AcceptedRow]
    rejected: list[RejectedRow]
    fields: list[list[tuple[str, str]]]


class Refusal(NamedTuple):
    """A file that can't be used."""

    code: str
    line: int | None
    column: str
    message: str


def outcome(pieces: Iterable[bytes], options: CsvOptions | None = None) -> Contacts | Refusal:
    parser = ContactsParser(options)
    try:
        batches = [*map(parser.feed, pieces), parser.finish()]
    except ContactsFileError as error:
        return Refusal(error.code, error.line, error.column, error.message)
    accepted = [row for batch in batches for row in batch.accepted]
    rejected = [row for batch in batches for row in batch.rejected]
    assert (len(accepted), len(rejected)) == (parser.accepted_rows, parser.rejected_rows)
    fields = [list(parser.custom_fields(row).items()) for row in accepted]
    assert [list(json.loads(each).items()) for each in parser.encoded_fields(accepted)] == fields
    return Contacts(accepted, rejected, fields)


def contacts(text: str, options: CsvOptions | None = None) -> Contacts:
    result = outcome([text.encode()], options)
    assert isinstance(result, Contacts), result
    return result


def refusal(data: bytes, options: CsvOptions | None = None) -> Refusal:
    result = outcome([data], options)
    assert isinstance(result, Refusal), result
    return result


def numbers(text: str, options: CsvOptions | None = None) -> list[str]:
    return [row.phone_number for row in contacts(text, options).accepted]


# The dumb second version: the whole text at once, a character at a time, straight from the contract.


class Fault(Exception):
    def __init__(self, code: str, line: int | None = None, column: str = "") -> None:
        super().__init__(code)
        self.where = (code, line, column)


class Row(NamedTuple):
    line: int
    cells: list[str]
    fault: str = ""
    """What is wrong with the last of the cells, which begins on ``line``; there is no row after this one."""


def dumb_rows(text: str, delimiter: str, *, is_whole: bool) -> Iterator[Row]:  # noqa: C901, PLR0912 - dumb
    """Yield the rows. Text that is not whole (something that is no text follows) ends in a row that is none."""
    at, line = 0, 1
    begin, cells, cell, opened, state = 1, list[str](), "", 1, "empty"
    while at < len(text):
        char = text[at]
        end = "\r\n" if text.startswith("\r\n", at) else char if char in "\r\n" else ""
        at += len(end) or 1
        if state == "quoted":
            if char == '"' and text.startswith('"', at):
                cell, at = cell + char, at + 1
            elif char == '"':
                state = "closed"
                if len(cell) > 4096:
                    yield Row(opened, [*cells, cell], "field_too_long")
                    return
            else:
                cell, line = cell + (end or char), line + bool(end)
            continue
        if state == "empty" and char == '"':
            state, opened = "quoted", line
            continue
        if char == delimiter or end:
            if len(cell) > 4096:
                yield Row(line, [*cells, cell], "field_too_long")
                return
            cells, cell, state = [*cells, cell], "", "empty"
            if end:
                yield Row(begin, cells)
                line += 1
                begin, cells = line, []
            continue
        if state == "closed":
            yield Row(opened, [*cells, cell], "text_after_quote")
            return
        state, cell = "plain", cell + char
    if state != "quoted" and len(cell) > 4096:
        yield Row(line, [*cells, cell], "field_too_long")
    elif is_whole and state == "quoted":
        yield Row(opened, [*cells, cell], "unclosed_quote")
    elif is_whole and (cells or state != "empty"):
        yield Row(begin, [*cells, cell])
    elif not is_whole:
        yield Row(line, [*cells, cell], "flaw")


def dumb_text(data: bytes) -> tuple[str, str]:
    """Give the text before the first thing that is none, and what that is."""
    try:
        text, flaw = data.decode(), ""
    except UnicodeDecodeError as error:
        text, flaw = data[: error.start].decode(), "not_utf8"
    text = text.removeprefix("\ufeff")
    return (text[: text.index("\0")], "nul_byte") if "\0" in text else (text, flaw)


def dumb_lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def dumb_header(text: str, flaw: str) -> tuple[Row, str]:
    """Find the header row and the delimiter."""
    lines = dumb_lines(text)
    whole_lines = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] if flaw else text
    refused = {}
    for delimiter in ",;\t":
        rows = dumb_rows(whole_lines, delimiter, is_whole=not flaw)
        row = next((row for row in rows if row.fault or "".join(row.cells).strip()), Row(0, []))
        if row.fault == "flaw":
            raise Fault(flaw, len(lines))
        names = [name.strip() for name in row.cells]
        while names and not names[-1]:
            names.pop()
        if not row.fault and "phone_number" in [name.casefold() for name in names]:
            return row._replace(cells=names), delimiter
        wrong = "too_many_columns" if len(names) > 64 else "no_phone_number" if names else "no_header"
        refused[delimiter] = Fault(row.fault or wrong, row.line or None)
    first = next((line for line in lines if line.strip()), "")
    raise refused[max(",;\t", key=first.count)]


def dumb_number(cell: str) -> str | None:
    tight = "".join(char for char in cell.strip() if char not in " \t\u00a0\u202f-\u2013./")
    for code in ("+44", "+49", "+353"):
        tight = tight.replace(f"({code})(0)", code).replace(f"{code}(0)", code)
    digits = "".join(char for char in tight if char not in "()[]")
    is_number = digits[:1] == "+" and set(digits[1:]) <= set("0123456789") and digits[1:2] != "0"
    return digits if is_number and 8 <= len(digits) <= 16 else None


def dumb_contacts(data: bytes) -> tuple[list[object], list[object]]:  # noqa: C901 - dumb
    text, flaw = dumb_text(data)
    header, delimiter = dumb_header(text, flaw)
    names, where = header.cells, header.line
    if len(names) > 64:
        raise Fault("too_many_columns", where)
    if "" in names:
        raise Fault("empty_header", where)
    phone = next(index for index, name in enumerate(names) if name.casefold() == "phone_number")
    for index, name in enumerate(names):
        if name in names[:index] or (index > phone and name.casefold() == "phone_number"):
            raise Fault("duplicate_header", where, name)
    accepted: list[object] = []
    rejected: list[object] = []
    first_line: dict[str, int] = {}
    for line, found, fault in dumb_rows(text, delimiter, is_whole=not flaw):
        if fault:
            column = names[len(found) - 1] if len(found) <= len(names) else ""
            raise Fault(flaw if fault == "flaw" else fault, line, column)
        if line <= where or not "".join(found).strip():
            continue
        while len(found) > len(names) and not found[-1].strip():
            found.pop()
        if len(found) > len(names):
            rejected.append((line, "", "too_many_cells", " ".join(found[len(names) :])[:4096]))
            continue
        cells = found + [""] * (len(names) - len(found))
        number = dumb_number(cells[phone])
        if number is None or number in first_line:
            code = "invalid_number" if number is None else "duplicate"
            rejected.append((line, names[phone], code, cells[phone]))
            continue
        first_line[number] = line
        fields = [(name, cell) for name, cell in zip(names, cells, strict=True) if name != names[phone]]
        accepted.append((len(accepted), line, number, fields))
    if not accepted:
        raise Fault("no_accepted_row", *(rejected[0][:2] if rejected else ()))  # type: ignore[index] # they begin with line and column
    return accepted, rejected


def dumb_outcome(data: bytes) -> object:
    try:
        return dumb_contacts(data)
    except Fault as fault:
        return fault.where


def comparable(result: Contacts | Refusal) -> object:
    """Leave out what the dumb version does not say: the words."""
    if isinstance(result, Refusal):
        return result[:3]
    accepted = [(*row[:3], fields) for row, fields in zip(result.accepted, result.fields, strict=True)]
    return accepted, [(row.line, row.column, row.code.value, row.value) for row in result.rejected]


# Files: nearly right ones, and soup.

GOOD = ["+14155550123", "+14155550124", "+442079460958", "+44 20\u00a07946\u202f0958", "+44 (0)20 7946 0958"]
ODD = ["+49(0)30/901820", " +1 [415] 555\u20130123\t", "(+353) (0)1 234 5678", "+39 (0)6 6982", "+1234567"]
BAD = ["", "1234567", "+123456", "+1234567890123456", "+0123456789", "1.41556E+10", "+٤٤٢٠٧٩٤٦", "+1415x5555555", "+"]
WRITTEN = st.sampled_from(GOOD) | st.sampled_from(ODD) | st.sampled_from(BAD)
LONG = st.integers(0, 9).map(lambda n: {5: "x" * 4097, 7: "é" * 4096}.get(n, ""))
TEXT = st.text('ab é🙂ש,;\t"\r\n=\u00a0\u2028\ufeff', max_size=6)
CELL = TEXT | TEXT | TEXT | LONG
NAMES = st.lists(
    st.sampled_from(["name", "city", "Name", " note ", "a,b", "a;b", "line\nend", "é"]), unique=True, max_size=3
)
ODD_NAMES = st.lists(st.sampled_from(["phone", "name", "name ", "", "Phone_Number"]), max_size=3)
PHONE_NAME = st.sampled_from(
    ["phone_number", " Phone_Number", "PHONE_NUMBER ", "phone_number", "phone_number", "number"]
)
END = st.sampled_from(["\n", "\r\n", "\r"])
NOISE = st.sampled_from([b'"', b"\r", b"\n", b",", b"\0", b"\xff", b"\xc3", b"\xef\xbb\xbf", b"\xf0\x9f"])
MARK = st.sampled_from([b"", b"", b"\xef\xbb\xbf"])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Draw a file: maybe blank rows, a header, rows of any width, maybe bytes that do not belong there."""
    delimiter = draw(st.sampled_from([",", ",", ";", "\t"]))
    names = draw(st.permutations([draw(PHONE_NAME), *draw(NAMES | NAMES | NAMES | ODD_NAMES)]))
    phone = next(index for index, name in enumerate(names) if "number" in name.lower())

    def row(cells: list[str]) -> str:
        tail = delimiter * draw(st.sampled_from([0, 0, 0, 0, 1, 3]))
        return delimiter.join(written(cell) for cell in cells) + tail + draw(END)

    def written(cell: str) -> str:
        is_plain = not any(char in cell for char in (delimiter, '"', "\r", "\n"))
        is_careless = draw(st.integers(0, 29)) == 17
        return cell if is_careless or (is_plain and draw(st.booleans())) else '"' + cell.replace('"', '""') + '"'

    def below(kind: str) -> str:
        width = len(names) if kind == "good" else draw(st.integers(0, len(names) + 2))
        texts = st.sampled_from(["", " ", "\u00a0"]) if kind == "blank" else CELL
        return row([draw(WRITTEN if kind != "blank" and index == phone else texts) for index in range(width)])

    kinds = st.lists(st.sampled_from(["good", "good", "good", "ragged", "blank"]), max_size=6)
    above = draw(st.sampled_from([[], [], ["blank"], ["blank", "blank"]]))
    text = "".join([*map(below, above), row(list(names)), *map(below, draw(kinds))])
    data = (text if draw(st.booleans()) else text.rstrip("\r\n")).encode()
    at = len(data) - draw(st.integers(0, len(data)))
    return draw(MARK) + data[:at] + draw(st.just(b"") | st.just(b"") | NOISE) + data[at:]


CRUMBS = [b"phone_number", b"+14155550123", b"+4420", b",", b";", b"\t", b'"', b'"', b"\r", b"\n", b"\r\n", b" ", b"x"]
BAD_CRUMBS = [b"\0", b"\xff", b"\xc3", b"\xa9", b"\xef\xbb\xbf"]
HEADS = st.sampled_from([b"", b"phone_number\n", b"phone_number,x\n", b'"x";phone_number\r\n', b"x\tphone_number\r"])
SOUP = st.builds(bytes.__add__, HEADS, st.lists(st.sampled_from(CRUMBS * 4 + BAD_CRUMBS), max_size=30).map(b"".join))
THOROUGH = settings(max_examples=4 * settings().max_examples)
CUTS = st.lists(st.integers(0, 300), max_size=6)


def in_pieces(data: bytes, size: int | None) -> Iterable[bytes]:
    size = size or len(data) or 1
    return (data[at : at + size] for at in range(0, len(data), size))


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[begin:end] for begin, end in pairwise(places)]


@THOROUGH
@given(files() | SOUP | st.binary(max_size=60), CUTS)
@example(b"phone_number,x\r+14155550123,\r\0", [])
@example(b'phone_number,x\n+14155550123,"a""\n', [37])
def test_result_is_the_same_however_the_bytes_are_split(data: bytes, cuts: list[int]) -> None:
    whole = outcome([data])
    assert outcome(split(data, cuts)) == whole
    assert outcome(in_pieces(data[:2000], 1)) == (whole if len(data) <= 2000 else outcome([data[:2000]]))


SMALL = {
    "decoder.MAX_FILE_BYTES": 400,
    "header.MAX_COLUMNS": 3,
    "header.MAX_FIELD_CHARS": 14,
    "header.MAX_RECORD_CHARS": 40,
    "lines.MAX_RECORD_CHARS": 40,
    "parser.MAX_ROWS": 6,
    "parser._PIECE_BYTES": 9,
    "records.MAX_FIELD_CHARS": 14,
    "records.MAX_RECORD_CHARS": 40,
}
LARGE_CRUMBS = [b"x" * 14, b'"\n"', b",," * 6, b" " * 11, b"+14155550124,x\n", b"\xc3\xa9"]
LARGE_SOUP = st.builds(
    bytes.__add__,
    HEADS,
    st.lists(st.sampled_from(CRUMBS * 2 + LARGE_CRUMBS + BAD_CRUMBS[:3]), max_size=40).map(b"".join),
)


@THOROUGH
@given(LARGE_SOUP, CUTS, st.integers(1, 30))
@example(b',,,,,,,,,,,",x;phone_number\n+14155550125,x\nx;phone_number\n', [], 4)
def test_result_is_the_same_however_the_bytes_are_split_where_limits_are_small(
    data: bytes, cuts: list[int], size: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, limit in SMALL.items():
            patch.setattr(f"kataven_core.contacts_csv.{name}", limit)
        whole = outcome([data])
        assert outcome(split(data, cuts)) == outcome(in_pieces(data, size)) == outcome(in_pieces(data, 1)) == whole


MANY_ROWS = st.lists(
    st.sampled_from(["+1415555{n:04},x\n", "+1415555{n:04},x\n", "+14155559999,y\n", "12,z\n", "\n", '"","1\n2"\n']),
    max_size=40,
).map(lambda rows: "phone_number,a\n" + "".join(row.format(n=n) for n, row in enumerate(rows)))


@THOROUGH
@given(MANY_ROWS.map(str.encode) | SOUP, st.integers(2, 9), st.sampled_from(Duplicates))
@example(b"phone_number\n+14155550123\n+14155550123\n", 2, Duplicates.REJECT)
def test_result_is_the_same_however_many_rows_are_taken_at_once(
    data: bytes, at_once: int, duplicates: Duplicates
) -> None:
    options = CsvOptions(duplicates=duplicates)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kataven_core.contacts_csv.parser._PLAIN_ROWS", at_once)
        patch.setattr("kataven_core.contacts_csv.parser.MAX_ROWS", 20)
        together = outcome([data], options)
        patch.setattr("kataven_core.contacts_csv.parser._PLAIN_ROWS", 1)
        assert together == outcome([data], options)


@THOROUGH
@given(files() | SOUP)
@example(b"")
@example(b'x,"\n\0')
def test_result_is_that_of_the_dumb_parser(data: bytes) -> None:
    assert comparable(outcome([data])) == dumb_outcome(data)


@given(files())
def test_every_row_with_text_is_accepted_or_rejected(data: bytes) -> None:
    result = outcome([data])
    if isinstance(result, Contacts):
        text, flaw = dumb_text(data)
        reader = csv.reader(StringIO(text, newline=""), delimiter=dumb_header(text, flaw)[1])
        rows_with_text = sum(bool("".join(cells).strip()) for cells in reader) - 1
        lines = {row.line for row in result.accepted} | {row.line for row in result.rejected}
        assert len(result.accepted) + len(result.rejected) == rows_with_text == len(lines)
        assert [row.position for row in result.accepted] == list(range(len(result.accepted)))


def test_before_the_header_there_are_no_custom_fields() -> None:
    row = AcceptedRow(0, 1, PhoneNumber("+14155550001"), ())
    assert (ContactsParser().custom_fields(row), ContactsParser().encoded_fields([row])) == ({}, ["{}"])


LETTERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(
    st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=1, max_size=5, unique=True).flatmap(
        lambda names: st.tuples(st.just(names), st.lists(st.tuples(*[LETTERS for _ in names]), min_size=1, max_size=5))
    ),
    st.sampled_from([",", ";", "\t"]),
    END,
)
def test_custom_fields_are_kept_to_the_letter_and_in_file_order(
    table: tuple[list[str], list[tuple[str, ...]]], delimiter: str, end: str
) -> None:
    names, cells = table

    def line(row: Iterable[str]) -> str:
        return delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) + end

    numbered = [(*row, f"+1415555{n:04}") for n, row in enumerate(cells)]
    text = "".join(map(line, [[*names, "phone_number"], *numbered]))
    assert contacts(text).fields == [list(zip(names, row, strict=True)) for row in cells]


# What a file says.


def test_header_tells_names_and_delimiter_once_it_is_read() -> None:
    parser = ContactsParser()
    parser.feed(b"\n name ;Phone_Number")
    before = parser.header
    parser.feed(b";city;;\r\n")
    assert (before, parser.header) == (None, Header(2, ("name", "Phone_Number", "city"), 1, ";"))


def test_rows_come_out_as_soon_as_they_are_whole() -> None:
    parser = ContactsParser()
    assert parser.feed(b"phone_number\n+14155550123") == ((), ())
    assert parser.feed(b"\n+1415").accepted == (AcceptedRow(0, 2, PhoneNumber("+14155550123"), ()),)
    assert parser.finish().rejected[0].line == 3


def test_rejected_row_names_line_column_code_and_value() -> None:
    assert contacts("name,phone_number\n\nAda,123\nBob,+14155550123\n").rejected == [
        RejectedRow(
            3,
            "phone_number",
            RejectCode.INVALID_NUMBER,
            "'123' has no country code: write + and the country code first, or name a default region",
            "123",
        )
    ]


def test_duplicate_names_the_line_of_the_first() -> None:
    text = "phone_number,name\n+14155550123,Ada\n+1 415 555 0123,Bob\n"
    assert contacts(text).rejected == [
        RejectedRow(
            3,
            "phone_number",
            RejectCode.DUPLICATE,
            "the same number stands on line 2: remove one of the two",
            "+1 415 555 0123",
        )
    ]


def test_what_becomes_of_duplicates_has_the_words_of_forms_and_commands() -> None:
    assert [*map(str, Duplicates)] == ["reject", "keep"]


def test_duplicates_are_kept_where_asked() -> None:
    text = "phone_number,name\n+14155550123,Ada\n+1 415 555 0123,Bob\n"
    result = contacts(text, CsvOptions(duplicates=Duplicates.KEEP))
    assert [(row.position, row.phone_number, row.values) for row in result.accepted] == [
        (0, "+14155550123", ("Ada",)),
        (1, "+14155550123", ("Bob",)),
    ]
    assert result.rejected == []


def test_a_rejected_row_is_no_first_for_a_duplicate() -> None:
    assert numbers("phone_number,name\n+14155550123,Ada,x\n+14155550123,Bob\n") == ["+14155550123"]


def test_too_many_cells_are_told_with_what_is_too_much() -> None:
    assert contacts("phone_number,name\n+14155550123,Doe, John,\n+14155550124\n").rejected == [
        RejectedRow(
            2,
            "",
            RejectCode.TOO_MANY_CELLS,
            "the row has 3 cells, the header 2: quote what holds a delimiter",
            " John",
        )
    ]


def test_surplus_is_kept_up_to_a_limit() -> None:
    rejected = contacts("phone_number\n+14155550123" + "," + ",".join(["x" * 4000] * 2) + "\n+14155550124\n").rejected
    assert len(rejected[0].value) == MAX_FIELD_CHARS


@pytest.mark.parametrize("column", ["mobile", "MOBILE", " Mobile "])
def test_another_column_can_be_the_number(column: str) -> None:
    result = contacts("phone_number,Mobile\nx,+14155550123\n", CsvOptions(phone_column=column))
    assert result.accepted == [AcceptedRow(0, 2, PhoneNumber("+14155550123"), ("x",))]
    assert result.fields == [[("phone_number", "x")]]


def of_the_us(written: str) -> PhoneNumber:
    digits = "".join(filter(str.isdigit, written))
    if len(digits) != 10:
        raise InvalidValue("invalid_number", f"{written} is no number of the US")
    return PhoneNumber(f"+1{digits}")


def test_national_numbers_are_read_by_the_function_given() -> None:
    text = "phone_number\n(415) 555-0123\n+44 20 7946 0958\n555-0123\n1-800-FLOWERS\n415-555-0123 x9\n"
    result = contacts(text, CsvOptions(national=of_the_us))
    assert [row.phone_number for row in result.accepted] == ["+14155550123", "+442079460958"]
    assert [(row.line, row.message) for row in result.rejected] == [
        (4, "555-0123 is no number of the US"),
        (5, "'1-800-FLOWERS' holds F, which is no part of a number: write only the digits 0 to 9"),
        (6, "'415-555-0123 x9' has an extension, which can't be dialled: leave only the number"),
    ]


def test_a_national_and_an_international_spelling_are_duplicates() -> None:
    result = contacts("phone_number\n(415) 555-0123\n+14155550123\n", CsvOptions(national=of_the_us))
    assert [row.code for row in result.rejected] == [RejectCode.DUPLICATE]


def test_strict_accepts_a_file_without_a_fault() -> None:
    assert numbers("phone_number\n+14155550123\n", CsvOptions(is_strict=True)) == ["+14155550123"]


def test_strict_refuses_the_file_for_one_row_and_lists_the_first_hundred() -> None:
    parser = ContactsParser(CsvOptions(is_strict=True))
    parser.feed(b"phone_number\n+14155550123\n")
    for n in range(150):
        parser.feed(f"{n}\n".encode())
    with pytest.raises(ContactsFileError) as caught:
        parser.finish()
    error = caught.value
    assert (error.code, error.line, error.column) == (FileFault.REJECTED_ROWS, 3, "phone_number")
    assert error.message == (
        "line 3, column phone_number: 150 of 151 rows can't be dialled: mend or remove them; the first: '0' has no "
        "country code: write + and the country code first, or name a default region"
    )
    assert [row.value for row in error.rejected] == [str(n) for n in range(100)]


def test_a_file_without_an_accepted_row_is_refused_with_its_rejects() -> None:
    parser = ContactsParser()
    parser.feed(b"phone_number\nx\n1,2\n")
    with pytest.raises(ContactsFileError) as caught:
        parser.finish()
    assert (caught.value.code, caught.value.line) == (FileFault.NO_ACCEPTED_ROW, 2)
    assert [row.line for row in caught.value.rejected] == [2, 3]


def test_a_file_without_any_row_is_refused() -> None:
    assert refusal(b"phone_number,name\n , \n\n") == (
        "no_accepted_row",
        None,
        "",
        "there is a header but no contact below it: add a row for each",
    )


# Limits.

HEADER = b"phone_number,note\n"


def padding(size: int) -> bytes:
    """Make rows of just so many bytes."""
    rows = []
    for n in range(size // 4000 + 1):
        length = min(4000, size - 4000 * n)
        if length:
            rows.append(f"+1415{n:07},".encode().ljust(length - 1, b"x") + b"\n")
    return b"".join(rows)


def test_a_file_of_the_largest_size_is_accepted() -> None:
    data = HEADER + padding(MAX_FILE_BYTES - len(HEADER))
    result = outcome([data])
    assert isinstance(result, Contacts)
    assert len(data) == 10 * 1024 * 1024
    assert len(result.accepted) == 2622


@pytest.mark.parametrize("last", [b"x", b"\0", b"\xff", b"\n"])
def test_one_byte_more_is_refused_whatever_it_is(last: bytes) -> None:
    data = HEADER + padding(MAX_FILE_BYTES - len(HEADER))
    expected = Refusal(
        "too_large",
        2624,
        "",
        "line 2624: the file is larger than 10,485,760 bytes (10 MiB): split it before this line",
    )
    assert outcome([data, last]) == expected
    assert outcome([data + last + b"\0" * 100_000]) == expected
    assert outcome([data[:-1], data[-1:] + last]) == expected


def test_a_letter_across_the_limit_is_too_large_not_wrong() -> None:
    data = HEADER + padding(MAX_FILE_BYTES - len(HEADER) - 1) + "é".encode()
    assert refusal(data)[:3] == ("too_large", 2624, "")


def test_the_largest_number_of_rows_is_accepted_and_one_more_refused() -> None:
    parser = ContactsParser()
    data = b"phone_number\n" + b"".join(b"+%d\n" % (14155000000 + n) for n in range(MAX_ROWS))
    assert len(parser.feed(data).accepted) == 250_000
    assert parser.feed(b" \n,,\n") == ((), ())
    with pytest.raises(ContactsFileError) as caught:
        parser.feed(b"x\n")
    assert (caught.value.code, caught.value.line) == (FileFault.TOO_MANY_ROWS, 250_004)
    assert caught.value.message == "line 250004: there are more than 250,000 contacts: split the file before this line"


def test_rejected_rows_count_as_rows() -> None:
    parser = ContactsParser()
    parser.feed(b"phone_number\n+14155550123\n" + b"+14155550123\n" * (MAX_ROWS - 1))
    assert (parser.accepted_rows, parser.rejected_rows) == (1, 249_999)
    with pytest.raises(ContactsFileError, match=r"^line 250002: there are more than 250,000 contacts"):
        parser.feed(b"+14155550124\n")


@pytest.mark.parametrize("tail", ["", ",,,", ", , "])
def test_as_many_columns_as_allowed(tail: str) -> None:
    names = ",".join(["phone_number", *(f"c{n}" for n in range(MAX_COLUMNS - 1))])
    result = contacts(f"{names}{tail}\n+14155550123{tail}\n")
    assert len(result.fields[0]) == 63


@pytest.mark.parametrize("name", ["phone_number", "number"])
def test_one_column_more_is_refused(name: str) -> None:
    names = ",".join([name, *(f"c{n}" for n in range(MAX_COLUMNS))])
    assert refusal(f"\n{names}\n+14155550123\n".encode()) == (
        "too_many_columns",
        2,
        "",
        "line 2: the header has 65 columns, and 64 are allowed: remove some",
    )


SIZES = [None, 1, 1000]


LONGEST = "é" * MAX_FIELD_CHARS


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "cell", [LONGEST, f'"{LONGEST}"', '"' + '""' * MAX_FIELD_CHARS + '"', '"' + "\r\n" * 2048 + '"']
)
def test_the_longest_cell_is_accepted(cell: str, size: int | None) -> None:
    text = f"phone_number,note,x\n+14155550123,{cell},x\n"
    result = outcome(in_pieces(text.encode(), size))
    assert isinstance(result, Contacts)
    assert len(result.accepted[0].values[0]) == MAX_FIELD_CHARS


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "cell", [LONGEST + "é", f'"{LONGEST}é"', '"' + '""' * (MAX_FIELD_CHARS + 1) + '"', '"\n' + "\r\n" * 2048 + '"']
)
def test_a_longer_cell_is_refused(cell: str, size: int | None) -> None:
    text = f'phone_number,a,note\n+14155550123,x,x\n\n+14155550124,"\n",{cell},x\n'
    assert outcome(in_pieces(text.encode(), size)) == (
        "field_too_long",
        5,
        "note",
        "line 5, column note: this cell has more than 4,096 characters: shorten it",
    )


@pytest.mark.parametrize("size", SIZES)
def test_a_long_cell_beyond_the_header_has_no_column(size: int | None) -> None:
    data = b"phone_number\n+14155550123,,,," + b"x" * 5000 + b"\n"
    assert outcome(in_pieces(data, size))[:3] == ("field_too_long", 2, "")


@pytest.mark.parametrize(("unit", "size"), [(",", None), (",xyz", None), (",xyz", 1000), (',""', 1000)])
def test_a_million_cells_are_refused(unit: str, size: int | None) -> None:
    data = ("phone_number,x\n+14155550123,x\n+14155550124" + unit * 1_000_000).encode()
    expected = (
        "too_many_columns",
        3,
        "",
        "line 3: this row is longer than 64 full cells: remove those that have no column",
    )
    assert outcome(in_pieces(data, size)) == expected


@pytest.mark.parametrize(("end", "size"), [(b"", 1000), (b"\n+14155550123\n", 1000), (b"\n", None)])
def test_a_million_columns_are_refused(end: bytes, size: int | None) -> None:
    data = b"phone_number" + b",xyz" * 1_000_000 + end
    assert outcome(in_pieces(data, size))[:3] == ("too_many_columns", 1, "")


@pytest.mark.parametrize("size", [None, 1000])
@pytest.mark.parametrize("lead", ["phone_number,a\n+14155550123,", "\n"])
@pytest.mark.parametrize(("unit", "end"), [("x", b""), ("x\n", b'"\n'), ('""\r\n', b"")])
def test_a_huge_open_quote_is_refused_where_it_opens(unit: str, end: bytes, lead: str, size: int | None) -> None:
    data = (lead + '"' + unit * (600_000 // len(unit))).encode()
    expected = ("unclosed_quote", 2, "a" if "a" in lead else "")
    assert outcome(in_pieces(data + end, size))[:3] == expected


@pytest.mark.parametrize("size", [None, 97])
@pytest.mark.parametrize("row", [b"1;,,,,;x\n", b";".join([b"x" * 4000] * 70) + b"\n"])
def test_a_delimiter_under_which_the_header_never_ends_gives_way_to_the_next(row: bytes, size: int | None) -> None:
    data = b'a;b,"x;phone_number\n+14155550124;,,,,;+14155550123\n' + row * (600_000 // len(row) + 1)
    result = outcome(in_pieces(data, size))
    assert isinstance(result, Contacts)
    assert result.fields == [[("a", "+14155550124"), ('b,"x', ",,,,")]]
    assert [rejected.line for rejected in result.rejected] == list(range(3, 3 + 600_000 // len(row) + 1))


@pytest.mark.parametrize(
    ("unit", "delimiter"),
    [(b"\n", b","), (b" \r\n", b";"), (b",\n", b","), (b'"\n",\n', b","), (b"\t;\r", b";"), (b'\t""\n', b"\t")],
)
def test_rows_without_text_above_the_header_are_skipped_however_many(unit: bytes, delimiter: bytes) -> None:
    data = unit * 70_000 + b"name,phone_number\nAda,+14155550123\n".replace(b",", delimiter)
    result = outcome([data])
    assert isinstance(result, Contacts)
    assert result.accepted == [
        AcceptedRow(0, len(unit.splitlines()) * 70_000 + 2, PhoneNumber("+14155550123"), ("Ada",))
    ]


@pytest.mark.parametrize("limit", [1, 10])
@pytest.mark.parametrize(
    "text",
    [
        'phone_number,name\n+14155550123,Ada Lovelace\n123,x\n+14155550124,"Bob\nby the River"\n',
        'phone_number,name\n+14155550123,"Ada Lovelace and so on\n\n',
        'phone_number,name\n+14155550123,"Ada Lovelace" x\n\n',
        "phone_number,name\n+14155550123," + "x" * 5000 + "\n\n",
        "first name of all;phone_number\nAda Lovelace;+14155550123\n",
    ],
)
def test_a_host_that_lowers_the_limit_of_the_csv_module_changes_nothing(text: str, limit: int) -> None:
    expected = outcome([text.encode()])
    before = csv.field_size_limit(limit)
    try:
        assert outcome([text.encode()]) == expected
        assert outcome(in_pieces(text.encode(), 1)) == expected
    finally:
        csv.field_size_limit(before)
