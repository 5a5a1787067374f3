"""Text lines to CSV records, strictly.

``csv.reader`` does the work at its full speed; ``scan`` reads one record again, slowly and to the letter, only where
something is wrong with it, and says what and where.
"""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from typing import NamedTuple

from .limits import MAX_COLUMNS, MAX_FIELD_CHARS, MAX_RECORD_CHARS
from .rows import FileFault

_QUOTED = re.compile(r'"([^"]*+(?:""[^"]*+)*+)("?)')
"""A quoted cell: what is inside, and its closing quote where there is one."""


class RecordFault(Exception):
    """What is wrong with a record, and where: ``line`` counts lines from 0, ``cell`` cells of the record from 0."""

    def __init__(self, code: FileFault, sentence: str, *, line: int, cell: int) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.line = line
        self.cell = cell


class Record(NamedTuple):
    """The cells of one record, and the lines it spans: indices into what was read, ``end`` exclusive."""

    begin: int
    end: int
    cells: list[str]


def split_lines(text: str) -> list[str]:
    """Split at LF, CRLF and CR only, line ends kept."""
    return StringIO(text, newline="").readlines()


def read_plain(lines: list[str], delimiter: str) -> list[list[str]]:
    """Read lines each of which is a record of its own all at once; nothing where one is not, or may be wrong."""
    if max(map(len, lines), default=0) > MAX_FIELD_CHARS:
        return []
    try:
        records = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return []
    return records if len(records) == len(lines) else []


def read_records(lines: list[str], delimiter: str, *, rest: str = "", final: bool) -> Iterator[Record]:
    """Yield every whole record of ``lines``; raise ``RecordFault`` at the first that is wrong.

    ``rest`` is the unfinished line below. A record whose quoted cell is still open after the last line ends the
    iteration, unless it is longer than any may be; when ``final`` it is a fault. Empty lines are passed over, as there
    may be ten million of them; those at the end come out as one record without cells.
    """
    at, told, make = 0, 0, tuple.__new__  # past what Python does for each of a quarter of a million
    has_long_line = max(map(len, lines), default=0) > MAX_FIELD_CHARS
    while at < len(lines):
        base = at
        reader = csv.reader(lines[base:] if base else lines, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                end = base + reader.line_num
                if cells:
                    if has_long_line or end - at > 1:
                        _check_limits(lines, at, end, delimiter, cells)
                    yield make(Record, (at, end, cells))
                    told = end
                at = end
        except csv.Error:  # a quote still open, something wrong, or a host that has lowered csv.field_size_limit
            found = _scan_from(lines, at, delimiter, final=final)
            if not found.is_whole:
                break
            end = at + found.line + 1
            yield Record(at, end, found.cells)
            at = told = end
    if at > told:
        yield Record(at, at, [])
    if sum(map(len, lines[at:])) + len(rest) > MAX_RECORD_CHARS + 1:
        _scan_from([*lines, rest], at, delimiter, final=final)


def _check_limits(lines: list[str], begin: int, end: int, delimiter: str, cells: list[str]) -> None:
    """Raise ``RecordFault`` for a record that is too long as a whole or has too long a cell."""
    length = sum(map(len, lines[begin:end]))
    if length > MAX_RECORD_CHARS or max(map(len, cells), default=0) > MAX_FIELD_CHARS:
        _scan_from(lines, begin, delimiter, final=False)


def _scan_from(lines: list[str], begin: int, delimiter: str, *, final: bool) -> "Scan":
    try:
        return scan("".join(lines[begin:]), delimiter, final=final)
    except RecordFault as fault:
        fault.line += begin
        raise


class Scan(NamedTuple):
    """A record read slowly: its cells, the line its last cell ends on (from 0), and whether that cell is closed."""

    cells: list[str]
    line: int
    is_whole: bool


def scan(text: str, delimiter: str, *, final: bool) -> Scan:
    """Read the record that ``text`` begins with; raise ``RecordFault`` for the first thing that is wrong with it.

    Unless ``final``, text that stops inside a quoted cell is a record that is not whole yet.
    """
    head = text[: MAX_RECORD_CHARS + 1]
    plain = re.compile(rf"[^{re.escape(delimiter)}\r\n]*")
    cells: list[str] = []
    at = line = 0
    while True:
        quoted = _QUOTED.match(head, at)
        found = quoted or plain.match(head, at)
        assert found is not None  # noqa: S101 - `plain` matches the empty text too
        cell = quoted[1].replace('""', '"') if quoted else found[0]
        opened, at = line, found.end()
        line += len(split_lines(cell + ".")) - 1 if quoted else 0
        if quoted and not quoted[2]:
            if not final and len(head) <= MAX_RECORD_CHARS:
                return Scan([*cells, cell], line, is_whole=False)
            raise _fault(FileFault.UNCLOSED_QUOTE, opened, len(cells))
        if len(cell) > MAX_FIELD_CHARS:
            raise _fault(FileFault.FIELD_TOO_LONG, opened, len(cells))
        if quoted and at < len(head) and not head.startswith((delimiter, "\r", "\n"), at):
            raise _fault(FileFault.TEXT_AFTER_QUOTE, opened, len(cells))
        cells.append(cell)
        if not head.startswith(delimiter, at):
            break
        at += 1
    if at > MAX_RECORD_CHARS:
        raise _fault(FileFault.TOO_MANY_COLUMNS, 0, MAX_COLUMNS)
    return Scan(cells, line, is_whole=True)


_SENTENCES = {
    FileFault.UNCLOSED_QUOTE: 'the quote that opens this cell is never closed: close it, or write "" for a quote',
    FileFault.FIELD_TOO_LONG: f"this cell has more than {MAX_FIELD_CHARS:,} characters: shorten it",
    FileFault.TEXT_AFTER_QUOTE: 'text follows the closing quote of this cell: write "" for a quote inside quotes',
    FileFault.TOO_MANY_COLUMNS: f"this row is longer than {MAX_COLUMNS} full cells: remove those that have no column",
}


def _fault(code: FileFault, line: int, cell: int) -> RecordFault:
    return RecordFault(code, _SENTENCES[code], line=line, cell=cell)
