"""The header: which delimiter the file uses, what its columns are called, which of them is the number."""

import re
from collections.abc import Sequence

from kataven_core.errors import InvalidValue
from kataven_core.phone_number import parse_phone_number

from .limits import MAX_COLUMNS, MAX_FIELD_CHARS, MAX_RECORD_CHARS
from .records import RecordFault, read_records
from .rows import ContactsFileError, FileFault, Header

DELIMITERS = (",", ";", "\t")
"""In the order in which they are tried."""

_LIKELY_PHONE = re.compile(
    r"phone|mobile|cell|tel|number|msisdn|nummer|handy|numero|número|numéro|e\.?164", re.IGNORECASE
)
_SHOWN_CHARS = 40


def has_text(cell: str) -> bool:
    """Whether a cell holds more than white space."""
    return bool(cell.strip())


def without_empty_tail(cells: list[str]) -> list[str]:
    """Drop the trailing cells without text, which spreadsheets leave behind."""
    width = len(cells)
    while width and not has_text(cells[width - 1]):
        width -= 1
    return cells[:width]


class HeaderSearch:
    """Looks for the header: the first row with text, under the first delimiter that gives it the number's column.

    What a delimiter makes of that row is settled once and for all, so that the rows without text above it can go: a
    file of nothing else takes no more time and memory than any other.
    """

    def __init__(self, phone_column: str) -> None:
        self._phone_column = phone_column
        self._trials = [_Trial(delimiter, phone_column) for delimiter in DELIMITERS]
        self._commonest = ""

    def look(self, lines: list[str], first_line: int, *, rest: str, final: bool) -> tuple[Header | None, int]:
        """Give the header, if it can be told yet, and how many of the lines are done with.

        The others are part of the next look, with more below; when ``final`` there is none. ``rest`` is the unfinished
        line below. Raises ``ContactsFileError`` when no delimiter gives a header.
        """
        blank = next((index for index, line in enumerate(lines) if not _is_blank(line)), len(lines))
        below, below_line = lines[blank:], first_line + blank
        if below and not self._commonest:
            self._commonest = _commonest_delimiter(below[0])
        for trial in self._trials:
            if not trial.is_settled:
                trial.go_on(below, below_line, rest=rest, final=final)
        for trial in self._trials:
            if trial.header:
                _check_names(trial.header)
                return trial.header, trial.end - first_line
            if not trial.is_settled and not final:
                return None, min(trial.begin for trial in self._trials if not trial.error) - first_line
        raise self._refusal(self._commonest or _commonest_delimiter(rest))

    def _refusal(self, commonest: str) -> ContactsFileError:
        sentence = f"the file is empty: its first row must name the columns, {self._phone_column} among them"
        errors = (trial.error for trial in self._trials if trial.delimiter == commonest)
        return next(errors, None) or ContactsFileError(FileFault.NO_HEADER, sentence)


class _Trial:
    """What one delimiter makes of the first row with text: a header or an error, once that is settled.

    ``begin`` is the line on which that row begins, as far as is known, ``end`` the one below it.
    """

    def __init__(self, delimiter: str, phone_column: str) -> None:
        self.delimiter = delimiter
        self.begin = self.end = 1
        self.header: Header | None = None
        self.error: ContactsFileError | None = None
        self._phone_column = phone_column

    @property
    def is_settled(self) -> bool:
        return bool(self.header or self.error)

    def go_on(self, lines: list[str], first_line: int, *, rest: str, final: bool) -> None:
        self.begin = first_line
        try:
            for record in read_records(lines, self.delimiter, rest=rest, final=final):
                self.begin, self.end = first_line + record.begin, first_line + record.end
                if any(map(has_text, record.cells)):
                    self._settle(tuple(name.strip() for name in without_empty_tail(record.cells)))
                    break
                self.begin = self.end
        except RecordFault as fault:
            self.error = ContactsFileError(fault.code, fault.sentence, line=first_line + fault.line)

    def _settle(self, names: tuple[str, ...]) -> None:
        wanted = self._phone_column.strip().casefold()
        phone_index = next((index for index, name in enumerate(names) if name.casefold() == wanted), None)
        if phone_index is not None:
            self.header = Header(self.begin, names, phone_index, self.delimiter)
        elif len(names) > MAX_COLUMNS:
            self.error = _too_wide(len(names), self.begin)
        else:
            advice = _advice(names, self._phone_column)
            self.error = ContactsFileError(FileFault.NO_PHONE_NUMBER, advice, line=self.begin)


def _check_names(header: Header) -> None:
    names, line, wanted = header.names, header.line, header.phone_column.casefold()
    if len(names) > MAX_COLUMNS:
        raise _too_wide(len(names), line)
    if "" in names:
        sentence = f"column {names.index('') + 1} of the header has no name: name it, or remove the column"
        raise ContactsFileError(FileFault.EMPTY_HEADER, sentence, line=line)
    seen: set[str] = set()
    for name in names:
        key = wanted if name.casefold() == wanted else name
        if key in seen:
            sentence = "two columns of the header have this name: rename one"
            raise ContactsFileError(FileFault.DUPLICATE_HEADER, sentence, line=line, column=name)
        seen.add(key)


def _too_wide(width: int, line: int) -> ContactsFileError:
    sentence = f"the header has {width:,} columns, and {MAX_COLUMNS} are allowed: remove some"
    return ContactsFileError(FileFault.TOO_MANY_COLUMNS, sentence, line=line)


def _is_blank(line: str) -> bool:
    """Whether a line that begins a row is one without text, whatever the delimiter."""
    return len(line) <= MAX_FIELD_CHARS and not has_text(line)


def _commonest_delimiter(text: str) -> str:
    """Guess what a row is delimited with that begins with a line of ``text``."""
    return max(DELIMITERS, key=text[:MAX_RECORD_CHARS].count)


def _advice(names: tuple[str, ...], phone_column: str) -> str:
    """Say what to do where no column is the number's."""
    missing = f"no column of the header is called {phone_column}"
    if any(map(_is_number, names)):
        return f"{missing}, and this row looks like a contact: put a row with the column names above it"
    likely = [name for name in names if _LIKELY_PHONE.search(name)]
    if likely:
        return f"{missing}: rename the right one, or name it as phone_column; likely {_quoted(likely[:5])}"
    return (
        f"{missing}: rename the one that holds the numbers, or name it as phone_column; there are {_quoted(names[:8])}"
    )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:_SHOWN_CHARS]) for name in names)


def _is_number(cell: str) -> bool:
    try:
        parse_phone_number(cell)
    except InvalidValue:
        return False
    return True
