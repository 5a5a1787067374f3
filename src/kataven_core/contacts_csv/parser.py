"""The contacts of a file: which rows can be dialled, which can't and why."""

from collections.abc import Iterator
from enum import StrEnum, unique
from json.encoder import encode_basestring

from attrs import frozen

from kataven_core.errors import InvalidValue
from kataven_core.phone_number import E164, NationalParser, PhoneNumber, parse_phone_number

from .header import without_empty_tail
from .limits import MAX_LISTED_REJECTS, MAX_ROWS, MAX_VALUE_CHARS
from .rows import AcceptedRow, Batch, ContactsFileError, FileFault, Header, RejectCode, RejectedRow
from .source import RecordSource

_PIECE_BYTES = 64 * 1024
"""How much is looked at in one go: large enough to be fast, small enough to keep memory flat."""


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
        self._form: str | None = None
        self.accepted_rows = 0
        self.rejected_rows = 0

    @property
    def header(self) -> Header | None:
        """The header, once it has been read."""
        return self._source.header

    def custom_fields(self, row: AcceptedRow) -> dict[str, str]:
        """Give a row's cells by column name, in file order, the number's left out."""
        return dict(zip(self.header.field_names, row.values, strict=True)) if self.header else {}

    def encoded_fields(self, row: AcceptedRow) -> str:
        """Give the same as a JSON object: a store keeps it so, and an answer that shows it need not read it."""
        if self._form is None:
            if self.header is None:
                return "{}"
            self._form = f"{{{', '.join(f'{_in_a_form(name)}: %s' for name in self.header.field_names)}}}"
        return self._form % tuple(map(encode_basestring, row.values))

    def feed(self, chunk: bytes) -> Batch:
        """Read the next bytes."""
        pieces = (chunk[begin : begin + _PIECE_BYTES] for begin in range(0, len(chunk), _PIECE_BYTES))
        return self._settle(record for piece in pieces for record in self._source.read(piece))

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

    def _settle(self, records: Iterator[tuple[int, list[str]]]) -> Batch:
        accepted: list[AcceptedRow] = []
        rejected: list[RejectedRow] = []
        is_plain, make, row = E164.fullmatch, str.__new__, tuple.__new__  # past what Python does for each of them
        line_of = self._line_of if self._options.duplicates is Duplicates.REJECT else None
        position, room = self.accepted_rows, MAX_ROWS - self.rejected_rows
        width = phone_index = -1
        for line, cells in records:
            if width < 0:
                width, phone_index = self._shape()
            number: PhoneNumber | RejectedRow | None
            if len(cells) == width and is_plain(cells[phone_index]):
                number = make(PhoneNumber, cells[phone_index])
            else:
                number = self._read_slowly(line, cells, width, phone_index)
            if number is None:
                continue
            if position >= room:
                sentence = f"there are more than {MAX_ROWS:,} contacts: split the file before this line"
                raise ContactsFileError(FileFault.TOO_MANY_ROWS, sentence, line=line)
            if isinstance(number, PhoneNumber):
                first = line_of.setdefault(int(number), line) if line_of is not None else line
                if first == line:
                    del cells[phone_index]
                    accepted.append(row(AcceptedRow, (position, line, number, tuple(cells))))
                    position += 1
                    continue
                sentence = f"the same number stands on line {first}: remove one of the two"
                number = self._rejected(line, RejectCode.DUPLICATE, sentence, cells[phone_index])
            rejected.append(number)
            room -= 1
        self.accepted_rows, self.rejected_rows = position, MAX_ROWS - room
        self._first_rejects += rejected[: MAX_LISTED_REJECTS - len(self._first_rejects)]
        return Batch(tuple(accepted), tuple(rejected))

    def _shape(self) -> tuple[int, int]:
        header = self._source.header
        assert header is not None  # noqa: S101 - no record comes before the header
        return len(header.names), header.phone_index

    def _read_slowly(
        self, line: int, cells: list[str], width: int, phone_index: int
    ) -> PhoneNumber | RejectedRow | None:
        """Read a row that is no plain one: its number, why it can't be dialled, or None for a row without any text.

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


def _in_a_form(name: str) -> str:
    """Write a name so that it stays what it is when a form is filled in."""
    return encode_basestring(name).replace("%", "%%")
