"""Files written from rows of which all is known, in every form, option and cut: what was written is what is read.

Beside the laws of ``test_parser``, which holds any bytes against a second parser. ``HYPOTHESIS_PROFILE=deep`` tries
many more files.
"""

import re
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataven_core.contacts_csv import (
    ContactsFileError,
    ContactsParser,
    CsvOptions,
    Duplicates,
    FileFault,
    RejectCode,
    RejectedRow,
)
from kataven_core.errors import InvalidValue
from kataven_core.phone_number import PhoneNumber


class Accepted(NamedTuple):
    line: int
    number: str
    fields: dict[str, str]


class Rejected(NamedTuple):
    line: int
    column: str
    code: RejectCode
    value: str


class Written(NamedTuple):
    """A file, how to read it, and what was written into it."""

    text: str
    mark: bytes
    options: CsvOptions
    names: list[str]
    accepted: list[Accepted]
    rejected: list[Rejected]

    @property
    def data(self) -> bytes:
        return self.mark + self.text.encode()


class Read(NamedTuple):
    """What a parser made of a file: its rows, or the error."""

    accepted: list[Accepted]
    rejected: list[RejectedRow]
    error: tuple[str, int | None, str, str, tuple[RejectedRow, ...]] | None = None


def of_the_us(written: str) -> PhoneNumber:
    digits = "".join(filter(str.isdigit, written))
    if len(digits) != 10:
        raise InvalidValue("invalid_number", f"{written} is no number of the US")
    return PhoneNumber(f"+1{digits}")


def read(pieces: Iterator[bytes], options: CsvOptions) -> Read:
    parser = ContactsParser(options)
    result = Read([], [])
    try:
        for batch in [*map(parser.feed, pieces), parser.finish()]:
            result.rejected.extend(batch.rejected)
            for row in batch.accepted:
                assert row.position == len(result.accepted)
                result.accepted.append(Accepted(row.line, row.phone_number, parser.custom_fields(row)))
    except ContactsFileError as error:
        return Read([], [], (error.code, error.line, error.column, error.message, error.rejected))
    assert (parser.accepted_rows, parser.rejected_rows) == (len(result.accepted), len(result.rejected))
    return result


def cut(data: bytes, places: list[int]) -> Iterator[bytes]:
    inside = sorted(place % (len(data) + 1) for place in places)
    return (data[begin:end] for begin, end in pairwise([0, *inside, len(data)]))


# Rows of which all is known.

SEPARATORS = st.text(" .-/()[]\t\u00a0\u202f\u2009\u2013", max_size=2)
BAD = [
    *("", " ", "12", "+123456", "+1234567890123456", "+0123456789", "n/a", "+1415555012x", "1.41556E+10", "=1+1", "+"),
    *("+1 415 555 0123 ext 4", "+14155550123;ext=4", "+1415+5550123", "+١٤١٥٥٥٥٠١٢٣", "'+14155550123", "0014155550123"),
]
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXT = st.text(st.sampled_from('ab é🙂ש,;\t"\r\n=\u00a0\u2028\ufeff') | LETTERS, max_size=8)
NAMES = st.lists(
    st.sampled_from(["name", "city", "Name", " note ", "a,b", "a;b", "tab\tin", "line\nend", 'a "quote"', "é", "数"]),
    unique_by=str.strip,
    max_size=4,
)
CUTS = st.lists(st.integers(0, 5000), max_size=8)


@st.composite
def numbers(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a number of a small pool, so that some come twice, and a way to write it."""
    last = draw(st.integers(0, 19))
    kind = draw(st.sampled_from(["plain", "plain", "spaced", "trunk zero", "national"]))
    if kind == "trunk zero":
        return f"+44207946{last:04}", f" +44{draw(st.sampled_from([' (0)', '(0) ', ' [0]']))}20 7946 {last:04} "
    number = f"+1415555{last:04}"
    if kind == "national":
        return number, f"(415) 555-{last:04}"
    return number, number if kind == "plain" else number[0] + "".join(digit + draw(SEPARATORS) for digit in number[1:])


@st.composite
def files(draw: st.DrawFn, *, may_be_strict: bool = True) -> Written:
    """Draw a file and its truth."""
    names = draw(NAMES)
    delimiter = draw(st.sampled_from([",", ";", "\t"] if names else [","]))
    phone, where = draw(st.sampled_from(["phone_number", " Phone_Number", "PHONE_NUMBER"])), draw(st.integers(0, 4))
    where = min(where, len(names))
    names.insert(where, phone)
    options = CsvOptions(
        duplicates=draw(st.sampled_from(Duplicates)),
        national=draw(st.sampled_from([None, of_the_us])),
        is_strict=may_be_strict and draw(st.booleans()),
    )
    file = Written("", draw(st.sampled_from([b"", b"\xef\xbb\xbf"])), options, [name.strip() for name in names], [], [])
    text = ""
    for row in [
        *draw(st.lists(BLANK, max_size=2)),
        names,
        *draw(st.lists(BLANK | rows(len(names), where), max_size=8)),
    ]:
        if isinstance(row, Row):
            _tell(file, row, line=line_of(text), where=where)
        text += draw(written(row.cells if isinstance(row, Row) else row, delimiter))
    return file._replace(text=text if draw(st.booleans()) else text.removesuffix("\n"))


BLANK = st.lists(st.sampled_from(["", " ", "\u00a0", "\t"]), max_size=3)


class Row(NamedTuple):
    cells: list[str]
    number: str


@st.composite
def rows(draw: st.DrawFn, width: int, where: int) -> Row:
    """Draw the cells of a row, maybe too few or too many, and the number in it, empty where there is none."""
    number, spelling = draw(numbers() | st.sampled_from(BAD).map(lambda bad: ("", bad)))
    size = draw(st.just(width) | st.integers(1, width + 2))
    cells = draw(st.lists(TEXT, min_size=size, max_size=size))
    if where < size:
        cells[where] = spelling
    return Row(cells, number if where < size else "")


@st.composite
def written(draw: st.DrawFn, cells: list[str], delimiter: str) -> str:
    """Draw how cells are written: what has to be quoted is, the rest maybe; maybe a tail of empty cells."""
    parts = [
        '"' + cell.replace('"', '""') + '"'
        if any(char in cell for char in f'{delimiter}"\r\n') or draw(st.booleans())
        else cell
        for cell in cells
    ]
    line = delimiter.join(parts) + delimiter * draw(st.sampled_from([0, 0, 0, 1, 3]))
    # An empty line that ends in LF would make one line end of the CR before it and itself.
    return line + draw(st.sampled_from(["\n", "\r\n", "\r"] if line else ["\r\n"]))


def line_of(text: str) -> int:
    """Give the number of the line that begins after this text."""
    return len(re.findall(r"\r\n|\r|\n", text)) + 1


def _tell(file: Written, row: Row, *, line: int, where: int) -> None:
    """Say what must become of a row: the contract, read as plainly as can be."""
    names, cells = file.names, [*row.cells]
    while cells and not cells[-1].strip():
        cells.pop()
    if not cells:
        return
    if len(cells) > len(names):
        surplus = " ".join(cells[len(names) :])
        file.rejected.append(Rejected(line, "", RejectCode.TOO_MANY_CELLS, surplus))
        return
    # Trailing cells without text count only where there is a column for them: there they are kept to the letter.
    cells = [*row.cells[: len(names)], *[""] * (len(names) - len(row.cells))]
    is_national = not cells[where].strip().startswith("+")
    if not row.number or (is_national and not file.options.national):
        file.rejected.append(Rejected(line, names[where], RejectCode.INVALID_NUMBER, cells[where]))
    elif file.options.duplicates is Duplicates.REJECT and any(row.number == each.number for each in file.accepted):
        file.rejected.append(Rejected(line, names[where], RejectCode.DUPLICATE, cells[where]))
    else:
        fields = dict(zip(names, cells, strict=True))
        del fields[names[where]]
        file.accepted.append(Accepted(line, row.number, fields))


# Laws.


@given(files(), CUTS)
def test_what_was_written_is_what_is_read(file: Written, cuts: list[int]) -> None:
    result = read(cut(file.data, cuts), file.options)
    if result.error is None:
        assert [*result.accepted] == file.accepted
        assert [[*each.fields] for each in result.accepted] == [[*each.fields] for each in file.accepted]
        assert [Rejected(row.line, row.column, row.code, row.value) for row in result.rejected] == file.rejected
        return
    code, line, column, _message, rejected = result.error
    first = file.rejected[0] if file.rejected else Rejected(0, "", RejectCode.DUPLICATE, "")
    is_refused = file.options.is_strict and file.rejected
    assert code == (FileFault.REJECTED_ROWS if is_refused else FileFault.NO_ACCEPTED_ROW)
    assert is_refused or not file.accepted
    assert (line or 0, column) == first[:2]
    assert [Rejected(row.line, row.column, row.code, row.value) for row in rejected] == file.rejected


@given(files(), CUTS)
def test_options_change_nothing_about_how_the_bytes_may_be_split(file: Written, cuts: list[int]) -> None:
    whole = read(iter([file.data]), file.options)
    assert read(cut(file.data, cuts), file.options) == whole
    assert read((bytes([byte]) for byte in file.data), file.options) == whole


@given(files(may_be_strict=False))
def test_keeping_duplicates_moves_them_and_nothing_else(file: Written) -> None:
    kept = read(iter([file.data]), CsvOptions(national=file.options.national, duplicates=Duplicates.KEEP))
    once = read(iter([file.data]), CsvOptions(national=file.options.national))
    duplicates = {row.line for row in once.rejected if row.code is RejectCode.DUPLICATE}
    assert [each for each in kept.accepted if each.line not in duplicates] == once.accepted
    assert [row for row in once.rejected if row.line not in duplicates] == kept.rejected
    assert {each.number for each in kept.accepted} == {each.number for each in once.accepted}
    assert (kept.error is None) == (once.error is None)


@given(files(may_be_strict=False))
def test_a_rejected_row_says_where_why_and_what_stood_there(file: Written) -> None:
    result = read(iter([file.data]), file.options)
    for row in result.error[4] if result.error else result.rejected:
        assert 1 < row.line < line_of(file.text) + 1
        assert row.column == ("" if row.code is RejectCode.TOO_MANY_CELLS else result_column(file))
        assert row.message == row.message.strip() != ""
        assert "\n" not in row.message


def result_column(file: Written) -> str:
    return next(name for name in file.names if name.casefold() == "phone_number")


FLAWS = {b"\0": FileFault.NUL_BYTE, b"\xff": FileFault.NOT_UTF8, b"\xe9t": FileFault.NOT_UTF8}


@given(files(), st.sampled_from([*FLAWS]), st.integers(0, 5000), CUTS)
def test_bytes_that_are_no_text_are_told_with_their_line(file: Written, flaw: bytes, at: int, cuts: list[int]) -> None:
    before = file.text[: at % (len(file.text) + 1)]
    data = file.mark + before.encode() + flaw + file.text[len(before) :].encode()
    error = read(cut(data, cuts), file.options).error
    assert error is not None
    assert error[:2] == (FLAWS[flaw], line_of(before))


@given(files(), st.sampled_from(["utf-16", "utf-16-le", "utf-16-be", "utf-32"]), CUTS)
def test_a_file_in_another_encoding_is_refused_on_its_first_line(file: Written, encoding: str, cuts: list[int]) -> None:
    error = read(cut(f"x{file.text}".encode(encoding), cuts), file.options).error
    assert error is not None
    assert error[0] in {FileFault.NUL_BYTE, FileFault.NOT_UTF8}
    assert error[1] == 1


@given(st.integers(0, 200), st.integers(0, 3))
def test_a_strict_refusal_lists_the_first_hundred_whatever_the_pieces(bad: int, good: int) -> None:
    lines = [*(f"+1415555{n:04}" for n in range(good)), *map(str, range(bad))]
    data = "\n".join(["phone_number", *lines]).encode()
    result = read((data[at : at + 50] for at in range(0, len(data), 50)), CsvOptions(is_strict=True))
    if good and not bad:
        assert [each.number for each in result.accepted] == lines
    else:
        assert result.error is not None
        assert result.error[0] == (FileFault.REJECTED_ROWS if bad else FileFault.NO_ACCEPTED_ROW)
        assert [row.value for row in result.error[4]] == lines[good : good + 100]


# Memory: what is read again and again, or never ends.

UNITS = ["x", '"', '""', ",", '"x",', "\n", "\r\n", " \n", '"\n', ",\n", "é", "🙂", "+14155550123\n", "x,y,z\n", "\t;,"]
SMALL = {
    "header.MAX_FIELD_CHARS": 14,
    "header.MAX_RECORD_CHARS": 40,
    "lines.MAX_RECORD_CHARS": 40,
    "parser._PIECE_BYTES": 64,
    "parser._PLAIN_ROWS": 16,  # of 20, CPython 3.11 keeps up to 2,000 freed tuples, and never takes one again
    "records.MAX_FIELD_CHARS": 14,
    "records.MAX_RECORD_CHARS": 40,
}
FILE_BYTES = 20_000
"""Far more than the text of one record and the first hundred rejected rows, which is all that is kept."""


def peak_of(data: bytes, size: int) -> int:
    """Read a file, its rows thrown away, and give the most memory that took, in bytes."""
    parser = ContactsParser(CsvOptions(duplicates=Duplicates.KEEP))
    tracemalloc.start()
    try:
        for at in range(0, len(data), size):
            parser.feed(data[at : at + size])
        parser.finish()
    except ContactsFileError as error:
        assert error.message  # noqa: PT017 - whether a file is refused is not the point
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@settings(max_examples=max(5, settings().max_examples // 4))
@given(
    st.sampled_from(["", "phone_number\n", 'phone_number,"', "x;phone_number\r"]),
    st.lists(st.sampled_from(UNITS), min_size=1, max_size=2).map("".join),
    st.sampled_from([50, 700]),
)
def test_a_file_of_twice_the_size_takes_no_more_memory(head: str, unit: str, size: int) -> None:
    times = FILE_BYTES // len(unit.encode())
    with pytest.MonkeyPatch.context() as patch:
        for name, limit in SMALL.items():
            patch.setattr(f"kataven_core.contacts_csv.{name}", limit)
        once, twice = (peak_of((head + unit * count).encode(), size) for count in (times, 2 * times))
    assert twice - once < FILE_BYTES // 4
