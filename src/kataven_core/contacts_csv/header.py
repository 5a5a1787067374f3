"""The header: which delimiter the file uses, what its columns are called, which of them is the number."""

import re
from typing import NamedTuple

from kataven_core.errors import InvalidValue
from kataven_core.phone_number import parse_phone_number

from .limits import MAX_COLUMNS
from .records import Record, RecordFault, read_records
from .rows import ContactsFileError, FileFault, Header

DELIMITERS = (",", ";", "\t")
"""In the order in which they are tried."""

_LIKELY_PHONE = re.compile(
    r"phone|mobile|cell|tel|number|msisdn|nummer|handy|numero|número|numéro|e\.?164", re.IGNORECASE
)


class FoundHeader(NamedTuple):
    """A header, and how many lines of the text it and the blank ones before it take."""

    header: Header
    end: int


def has_text(cell: str) -> bool:
    """Whether a cell holds more than white space."""
    return bool(cell.strip())


def without_empty_tail(cells: list[str]) -> list[str]:
    """Drop the trailing cells without text, which spreadsheets leave behind."""
    width = len(cells)
    while width and not has_text(cells[width - 1]):
        width -= 1
    return cells[:width]


def find_header(lines: list[str], first_line: int, phone_column: str, *, final: bool) -> FoundHeader | None:
    """Find the header: the first row with text, under the first delimiter that makes one of its names the number's.

    None means that more of the file is needed to tell; never so when ``final``. Raises ``ContactsFileError``.
    """
    wanted = phone_column.strip().casefold()
    rows: dict[str, Record] = {}
    faults: dict[str, RecordFault] = {}
    for delimiter in DELIMITERS:
        try:
            record = _first_row(lines, delimiter, final=final)
        except RecordFault as fault:
            faults[delimiter] = fault
            continue
        if record is None:
            if not final:
                return None
            continue
        names = tuple(name.strip() for name in without_empty_tail(record.cells))
        phones = [index for index, name in enumerate(names) if name.casefold() == wanted]
        if phones:
            header = Header(first_line + record.begin, names, phones[0], delimiter)
            _check_names(header, phones)
            return FoundHeader(header, record.end)
        rows[delimiter] = record._replace(cells=list(names))
    raise _no_header(lines, rows, faults, first_line, phone_column)


def _first_row(lines: list[str], delimiter: str, *, final: bool) -> Record | None:
    return next(
        (record for record in read_records(lines, delimiter, final=final) if any(map(has_text, record.cells))),
        None,
    )


def _check_names(header: Header, phones: list[int]) -> None:
    names, line = header.names, header.line
    if len(names) > MAX_COLUMNS:
        raise _too_wide(len(names), line)
    if "" in names:
        sentence = f"column {names.index('') + 1} of the header has no name: name it, or remove the column"
        raise ContactsFileError(FileFault.EMPTY_HEADER, sentence, line=line)
    twice = names[phones[1]] if len(phones) > 1 else next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        sentence = "two columns of the header have this name: rename one"
        raise ContactsFileError(FileFault.DUPLICATE_HEADER, sentence, line=line, column=twice)


def _too_wide(width: int, line: int) -> ContactsFileError:
    sentence = f"the header has {width:,} columns, and {MAX_COLUMNS} are allowed: remove some"
    return ContactsFileError(FileFault.TOO_MANY_COLUMNS, sentence, line=line)


def _no_header(
    lines: list[str],
    rows: dict[str, Record],
    faults: dict[str, RecordFault],
    first_line: int,
    phone_column: str,
) -> ContactsFileError:
    """Say what keeps the first row from being a header, under the delimiter that is commonest in it."""
    delimiter = commonest_delimiter(next(filter(has_text, lines), ""))
    if delimiter in faults:
        fault = faults[delimiter]
        return ContactsFileError(fault.code, fault.sentence, line=first_line + fault.line)
    if delimiter not in rows:
        sentence = f"the file is empty: its first row must name the columns, {phone_column} among them"
        return ContactsFileError(FileFault.NO_HEADER, sentence)
    row = rows[delimiter]
    line = first_line + row.begin
    if len(row.cells) > MAX_COLUMNS:
        return _too_wide(len(row.cells), line)
    return ContactsFileError(FileFault.NO_PHONE_NUMBER, _advice(row.cells, phone_column), line=line)


def commonest_delimiter(text: str) -> str:
    """Guess what a row is delimited with."""
    return max(DELIMITERS, key=text.count)


def _advice(names: list[str], phone_column: str) -> str:
    missing = f"no column of the header is called {phone_column}"
    if any(map(_is_number, names)):
        return f"{missing}, and this row looks like a contact: put a row with the column names above it"
    likely = [name for name in names if _LIKELY_PHONE.search(name)]
    if likely:
        return f"{missing}: rename the right one, or name it as phone_column; likely {', '.join(map(repr, likely[:5]))}"
    there = ", ".join(map(repr, names[:8]))
    return f"{missing}: rename the one that holds the numbers, or name it as phone_column; there are {there}"


def _is_number(cell: str) -> bool:
    try:
        parse_phone_number(cell)
    except InvalidValue:
        return False
    return True
