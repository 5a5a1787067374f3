import pytest

from kataven_core.contacts_csv import ContactsFileError, FileFault, Header
from kataven_core.errors import InvalidValue, KatavenError


def test_header_tells_the_number_s_column_from_the_fields() -> None:
    header = Header(1, ("a", "Phone", "b"), 1, ",")
    assert (header.phone_column, header.field_names) == ("Phone", ("a", "b"))


def test_a_header_of_the_number_alone_has_no_fields() -> None:
    assert Header(1, ("phone_number",), 0, ",").field_names == ()


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        (None, "", "it is wrong"),
        (3, "", "line 3: it is wrong"),
        (3, "name", "line 3, column name: it is wrong"),
        (3, "x" * 100, f"line 3, column {'x' * 64}: it is wrong"),
    ],
)
def test_a_file_error_says_where(line: int | None, column: str, message: str) -> None:
    error = ContactsFileError(FileFault.NUL_BYTE, "it is wrong", line=line, column=column)
    assert (error.code, error.message, str(error)) == ("nul_byte", message, message)
    assert (error.line, error.column, error.rejected) == (line, column, ())


def test_a_file_error_is_an_invalid_value() -> None:
    error: KatavenError = ContactsFileError(FileFault.NO_HEADER, "it is empty")
    assert isinstance(error, InvalidValue)
    assert type(error.code) is str


def test_the_words_for_what_is_wrong_with_a_file() -> None:
    assert [*map(str, FileFault)] == [
        "no_header",
        "no_phone_number",
        "empty_header",
        "duplicate_header",
        "no_accepted_row",
        "rejected_rows",
        "not_utf8",
        "nul_byte",
        "unclosed_quote",
        "text_after_quote",
        "too_large",
        "too_many_rows",
        "too_many_columns",
        "field_too_long",
    ]
