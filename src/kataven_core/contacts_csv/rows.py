"""What a contacts file turns into: accepted rows, rejected rows, or one error for the file as a whole."""

from enum import StrEnum, unique
from typing import NamedTuple

from kataven_core.errors import InvalidValue
from kataven_core.phone_number import PhoneNumber


@unique
class RejectCode(StrEnum):
    """Why one row can't be dialled while the rest of the file can."""

    INVALID_NUMBER = "invalid_number"
    TOO_MANY_CELLS = "too_many_cells"
    DUPLICATE = "duplicate"


@unique
class FileFault(StrEnum):
    """Why a file as a whole can't be used; nothing of it is kept."""

    NO_HEADER = "no_header"
    NO_PHONE_NUMBER = "no_phone_number"
    EMPTY_HEADER = "empty_header"
    DUPLICATE_HEADER = "duplicate_header"
    NO_ACCEPTED_ROW = "no_accepted_row"
    REJECTED_ROWS = "rejected_rows"
    NOT_UTF8 = "not_utf8"
    NUL_BYTE = "nul_byte"
    UNCLOSED_QUOTE = "unclosed_quote"
    TEXT_AFTER_QUOTE = "text_after_quote"
    TOO_LARGE = "too_large"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_COLUMNS = "too_many_columns"
    FIELD_TOO_LONG = "field_too_long"


class AcceptedRow(NamedTuple):
    """One contact of the file. A plain tuple: a quarter of a million of them merely pass.

    ``position`` is 0-based among the accepted rows; ``line`` is where the record begins (the file's first line is 1);
    ``values`` are the cells under ``Header.field_names``, to the letter.
    """

    position: int
    line: int
    phone_number: PhoneNumber
    values: tuple[str, ...]


class RejectedRow(NamedTuple):
    """One row that can't be dialled, and what stood there. ``column`` is a header name, empty when it is the row."""

    line: int
    column: str
    code: RejectCode
    message: str
    value: str


class Header(NamedTuple):
    """The file's header: where it begins, its names in file order, and which of them is the number's column."""

    line: int
    names: tuple[str, ...]
    phone_index: int
    delimiter: str

    @property
    def phone_column(self) -> str:
        """The name of the number's column as the file writes it."""
        return self.names[self.phone_index]

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of all other columns, in file order."""
        return self.names[: self.phone_index] + self.names[self.phone_index + 1 :]


class Batch(NamedTuple):
    """What a piece of the file gave, in file order."""

    accepted: tuple[AcceptedRow, ...]
    rejected: tuple[RejectedRow, ...]


class ContactsFileError(InvalidValue):
    """The file as a whole can't be used.

    ``line`` (the file's first is 1) and ``column`` (a header name) say where, as far as there is a where; ``rejected``
    holds the first rows that a strict reading refused.
    """

    def __init__(
        self,
        code: FileFault,
        sentence: str,
        *,
        line: int | None = None,
        column: str = "",
        rejected: tuple[RejectedRow, ...] = (),
    ) -> None:
        places = (f"line {line}" if line else "", f"column {column[:64]}" if column else "")
        where = ", ".join(filter(None, places))
        super().__init__(code.value, f"{where}: {sentence}" if where else sentence)
        self.line = line
        self.column = column
        self.rejected = rejected
