"""The contacts of a file: which rows can be dialled, which can't and why."""

from collections.abc import Iterable, Sequence
from enum import StrEnum, unique
from functools import partial
from itertools import count, repeat

from attrs import frozen

from kataven_core.errors import InvalidValue
from kataven_core.phone_number import E164, NationalParser, PhoneNumber, parse_phone_number

from .header import without_empty_tail
from .json_form import JsonForm
from .limits import MAX_LISTED_REJECTS, MAX_ROWS, MAX_VALUE_CHARS
from .rows import AcceptedRow, Batch, ContactsFileError, FileFault, Header, RejectCode, RejectedRow
from .source import RecordSource, Run

_PIECE_BYTES = 64 * 1024
"""How much is looked at in one go: large enough to be fast, small enough to keep memory flat."""
_PLAIN_ROWS = 64
"""How many rows are taken at once where nothing is wrong with any of them: one that is slows so many down."""
_make_number = partial(str.__new__, PhoneNumber)
_make_row = partial(tuple.__new__, AcceptedRow)
"""Past what Python does for each of a quarter of a million."""


@unique
class Duplicates(StrEnum):
    """What becomes of a number that stood in an earlier row: rejected, or kept as a contact of its own."""

    REJECT = "reject"
    KEEP = "keep"


@frozen(kw_only=True)
class CsvOptions:
    """How a contacts file is to be read.

    ``phone_column`` names the number's column (compared case-folded). ``national`` reads numbers without ``+``; without
    it they are rejected. ``is_strict`` refuses the whole file for one rejected row.
    """

    phone_column: str = "phone_number"
    duplicates: Duplicates = Duplicates.REJECT
    national: NationalParser | None = None
    is_strict: bool = False


class ContactsParser:
    """Reads one contacts file: ``feed`` it the bytes as they come, then ``finish`` it.

    The result is the same however the bytes are split. Both methods return what they have settled, and raise
    ``ContactsFileError`` when the file as a whole can't be used; then nothing of it counts.
    """

    def __init__(self, options: CsvOptions | None = None) -> None:
        self._options = options or CsvOptions()
        self._source = RecordSource(self._options.phone_column)
        self._line_of: dict[int, int] = {}
        self._first_rejects: list[RejectedRow] = []
        self._form: JsonForm | None = None
        self.accepted_rows = 0
        self.rejected_rows = 0

    @property
    def header(self) -> Header | None:
        """The header, once it has been read."""
        return self._source.header

    def custom_fields(self, row: AcceptedRow) -> dict[str, str]:
        """Give a row's cells by column name, in file order, the number's left out."""
        return dict(zip(self.header.field_names, row.values, strict=True)) if self.header else {}

    def encoded_fields(self, rows: Sequence[AcceptedRow]) -> list[str]:
        """Give the same of many rows as JSON objects: a store keeps them so, and who shows them need not read them.

        The names stand in each of them: where they are long, ask for few rows at a time.
        """
        if self._form is None:
            if self.header is None:
                return ["{}"] * len(rows)
            self._form = JsonForm(self.header.field_names)
        return self._form.filled([row.values for row in rows])

    def feed(self, chunk: bytes) -> Batch:
        """Read the next bytes."""
        pieces = (chunk[begin : begin + _PIECE_BYTES] for begin in range(0, len(chunk), _PIECE_BYTES))
        return self._settle(run for piece in pieces for run in self._source.read(piece))

    def finish(self) -> Batch:
        """Read to the end; the last row may have no line end. Raises where no row is good, or if strict one is bad."""
        batch = self._settle(self._source.read(b"", final=True))
        if self._options.is_strict and self.rejected_rows:
            rows = self.accepted_rows + self.rejected_rows
            raise self._refusal(
                FileFault.REJECTED_ROWS,
                f"{self.rejected_rows:,} of {rows:,} rows can't be dialled: mend or remove them",
            )
        if not self.accepted_rows and self.rejected_rows:
            raise self._refusal(
                FileFault.NO_ACCEPTED_ROW,
                f"no row can be dialled ({self.rejected_rows:,} rejected): mend them",
            )
        if not self.accepted_rows:
            sentence = "there is a header but no contact below it: add a row for each"
            raise ContactsFileError(FileFault.NO_ACCEPTED_ROW, sentence)
        return batch

    def _settle(self, runs: Iterable[Run]) -> Batch:
        accepted: list[AcceptedRow] = []
        rejected: list[RejectedRow] = []
        for lines, records in runs:
            for begin in range(0, len(records), _PLAIN_ROWS):
                run = Run(lines[begin : begin + _PLAIN_ROWS], records[begin : begin + _PLAIN_ROWS])
                plain = self._take_plain(run)
                accepted += plain
                if not plain:
                    self._take_each(run, accepted, rejected)
        self._first_rejects += rejected[: MAX_LISTED_REJECTS - len(self._first_rejects)]
        return Batch(tuple(accepted), tuple(rejected))

    def _take_plain(self, run: Run) -> list[AcceptedRow]:
        """Take all rows at once, column by column; none where there is something about any of them."""
        width, phone_index = self._shape()
        if {*map(len, run.records)} != {width} or len(run.records) > self._room:
            return []
        columns = [*zip(*run.records, strict=True)]
        numbers = columns.pop(phone_index)
        if not all(map(E164.fullmatch, numbers)):
            return []
        if self._options.duplicates is Duplicates.REJECT:
            line_of = dict(zip(map(int, numbers), run.lines, strict=True))
            if len(line_of) < len(numbers) or not self._line_of.keys().isdisjoint(line_of):
                return []
            self._line_of |= line_of
        positions = count(self.accepted_rows)
        self.accepted_rows += len(numbers)
        cells = zip(*columns, strict=True) if columns else repeat(())
        made = zip(positions, run.lines, map(_make_number, numbers), cells, strict=False)  # the first has no end
        return [*map(_make_row, made)]

    def _take_each(self, run: Run, accepted: list[AcceptedRow], rejected: list[RejectedRow]) -> None:
        """Take one row after the other."""
        width, phone_index = self._shape()
        for line, cells in zip(run.lines, run.records, strict=True):
            found = self._read(line, cells, width, phone_index)
            if found is None:
                continue
            if self._room <= 0:
                sentence = f"there are more than {MAX_ROWS:,} contacts: split the file before this line"
                raise ContactsFileError(FileFault.TOO_MANY_ROWS, sentence, line=line)
            number = self._once(line, found, cells[phone_index]) if isinstance(found, PhoneNumber) else found
            if isinstance(number, RejectedRow):
                rejected.append(number)
                self.rejected_rows += 1
            else:
                del cells[phone_index]
                accepted.append(AcceptedRow(self.accepted_rows, line, number, tuple(cells)))
                self.accepted_rows += 1

    @property
    def _room(self) -> int:
        return MAX_ROWS - self.accepted_rows - self.rejected_rows

    def _once(self, line: int, number: PhoneNumber, value: str) -> PhoneNumber | RejectedRow:
        """Reject a number that stood in an earlier row, where it is to be rejected."""
        if self._options.duplicates is Duplicates.KEEP:
            return number
        first = self._line_of.setdefault(int(number), line)
        if first == line:
            return number
        sentence = f"the same number stands on line {first}: remove one of the two"
        return self._rejected(line, RejectCode.DUPLICATE, sentence, value)

    def _shape(self) -> tuple[int, int]:
        header = self._source.header
        assert header is not None  # noqa: S101 - no record comes before the header
        return len(header.names), header.phone_index

    def _read(self, line: int, cells: list[str], width: int, phone_index: int) -> PhoneNumber | RejectedRow | None:
        """Read a row: its number, why it can't be dialled, or None for a row without any text.

        ``cells`` are brought to the header's width: empty ones are filled in or cut off at the end.
        """
        if not "".join(cells).strip():
            return None
        if len(cells) > width:
            surplus = without_empty_tail(cells)[width:]
            if surplus:
                sentence = f"the row has {width + len(surplus)} cells, the header {width}: quote what holds a delimiter"
                return RejectedRow(line, "", RejectCode.TOO_MANY_CELLS, sentence, " ".join(surplus)[:MAX_VALUE_CHARS])
            del cells[width:]
        cells += [""] * (width - len(cells))
        try:
            return parse_phone_number(cells[phone_index], self._options.national)
        except InvalidValue as error:
            return self._rejected(line, RejectCode.INVALID_NUMBER, error.message, cells[phone_index])

    def _rejected(self, line: int, code: RejectCode, sentence: str, value: str) -> RejectedRow:
        column = self.header.phone_column if self.header else ""
        return RejectedRow(line, column, code, sentence, value)

    def _refusal(self, code: FileFault, sentence: str) -> ContactsFileError:
        """Refuse the file for its rejected rows, the first of which is named in full."""
        first = self._first_rejects[0]
        return ContactsFileError(
            code,
            f"{sentence}; the first: {first.message}",
            line=first.line,
            column=first.column,
            rejected=tuple(self._first_rejects),
        )
