from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from kataven_core.contacts_csv import ContactsFileError, ContactsParser, CsvOptions

FOLDER = Path(__file__).parent / "corpus"
PHONE_COLUMNS = {"crm_export": "mobile phone"}
"""Files whose number stands in another column than ``phone_number``."""


class Contacts(NamedTuple):
    """A file that can be used: (line, number, custom fields) and (line, column, code, value)."""

    accepted: list[tuple[int, str, dict[str, str]]]
    rejected: list[tuple[int, str, str, str]] = []  # noqa: RUF012 - never changed


class Refusal(NamedTuple):
    """A file that can't be used: the error's code, line and column."""

    code: str
    line: int | None
    column: str


CORPUS: dict[str, Contacts | Refusal] = {
    "backslash_quotes": Refusal("text_after_quote", 3, "name"),
    "blank_lines": Contacts(
        [
            (7, "+14155550119", {"name": "Ada", "city": "Bonn"}),
            (10, "+14155550120", {"name": "Bob", "city": ""}),
        ],
    ),
    "concatenated": Contacts(
        [
            (2, "+14155550188", {"name": "Ada"}),
            (4, "+14155550189", {"name": "Bob"}),
        ],
        [
            (3, "phone_number", "invalid_number", "\ufeffphone_number"),
        ],
    ),
    "cr_only": Contacts(
        [
            (2, "+14155550107", {"name": "Ada"}),
            (3, "+14155550108", {"name": "Bob"}),
        ],
    ),
    "crm_export": Contacts(
        [
            (
                2,
                "+447700900137",
                {
                    "Record ID": "0031000001",
                    "First Name": "Ada",
                    "Last Name": "Lovelace",
                    "Work Phone": "",
                    "Email": "ada@example.com",
                    "Create Date": "2026-01-31 09:30",
                    "Lead Status": "New",
                    "Notes": 'said "call me"',
                },
            ),
            (
                3,
                "+14155550138",
                {
                    "Record ID": "0031000002",
                    "First Name": "Bob",
                    "Last Name": "O'Hara",
                    "Work Phone": "+1 (415) 555-0199",
                    "Email": "bob@example.com",
                    "Create Date": "2026-02-01 10:00",
                    "Lead Status": "Open",
                    "Notes": "line 1\nline 2",
                },
            ),
        ],
        [
            (5, "Mobile Phone", "invalid_number", ""),
        ],
    ),
    "duplicates": Contacts(
        [
            (2, "+442079460153", {"name": "Ada"}),
            (5, "+442079460154", {"name": "Di"}),
        ],
        [
            (3, "phone_number", "duplicate", "+44 20 7946 0153"),
            (4, "phone_number", "duplicate", "+44 (0)20-7946-0153"),
            (6, "phone_number", "duplicate", "+44.20.7946.0154"),
        ],
    ),
    "empty": Refusal("no_header", None, ""),
    "extensions": Contacts(
        [
            (7, "+14155550185", {}),
        ],
        [
            (2, "phone_number", "invalid_number", "+1 415 555 0180 x12"),
            (3, "phone_number", "invalid_number", "+1 415 555 0181 ext. 12"),
            (4, "phone_number", "invalid_number", "+1 415 555 0182#12"),
            (5, "phone_number", "invalid_number", "+14155550183;ext=12"),
            (6, "phone_number", "invalid_number", "+14155550184x12"),
        ],
    ),
    "extra_cells": Contacts(
        [
            (3, "+14155550156", {"name": "Ada"}),
            (4, "+14155550157", {"name": "Bob"}),
        ],
        [
            (2, "", "too_many_cells", " John"),
            (5, "", "too_many_cells", "stray"),
        ],
    ),
    "formulas": Contacts(
        [
            (2, "+14155550149", {"name": '=HYPERLINK("http://example.com","x")', "note": "@SUM(A1)"}),
        ],
        [
            (3, "phone_number", "invalid_number", "=1+14155550150"),
            (4, "phone_number", "invalid_number", '="+14155550151"'),
            (5, "phone_number", "invalid_number", "'+14155550152"),
        ],
    ),
    "header_only": Refusal("no_accepted_row", None, ""),
    "headerless": Refusal("no_phone_number", 1, ""),
    "headers_alike": Refusal("duplicate_header", 1, "name"),
    "junk_row": Contacts(
        [
            (2, "+14155550124", {"name": "Ada"}),
            (4, "+14155550126", {"name": "Cy"}),
            (5, "+14155550127", {"name": "Di"}),
        ],
        [
            (3, "", "too_many_cells", " ".join("x" * 998)),
        ],
    ),
    "latin1": Refusal("not_utf8", 3, "city"),
    "mixed_line_ends": Contacts(
        [
            (2, "+14155550109", {"name": "Ada"}),
            (3, "+14155550110", {"name": "Bob"}),
            (4, "+14155550111", {"name": "Cy"}),
        ],
    ),
    "national": Refusal("no_accepted_row", 2, "phone_number"),
    "no_break_spaces": Contacts(
        [
            (2, "+33199001228", {"name": "Ada"}),
            (3, "+33639981229", {"name": "Bob"}),
            (4, "+4930901820130", {"name": "Cy"}),
            (5, "+14155550131", {"name": "Di\xa0Fu"}),
        ],
    ),
    "no_number_column": Refusal("no_phone_number", 1, ""),
    "nul": Refusal("nul_byte", 3, "name"),
    "only_blank_rows": Refusal("no_header", None, ""),
    "only_mark": Refusal("no_header", None, ""),
    "other_delimiter_quoted": Contacts(
        [
            (2, "+14155550194", {"name, city": "Ada, Bonn", "note": "a;b"}),
        ],
    ),
    "pipes": Refusal("no_phone_number", 1, ""),
    "quoted_everything": Contacts(
        [
            (2, "+14155550147", {"name": "Ada", "note": 'says "hi"'}),
            (3, "+14155550148", {"name": "", "note": ""}),
        ],
    ),
    "quoted_newlines": Contacts(
        [
            (2, "+14155550112", {"address": "1 Main St\nSpringfield", "name": "Ada"}),
            (4, "+14155550113", {"address": "Line one\r\n\r\nLine three", "name": "Bob"}),
            (7, "+14155550114", {"address": "old\rmac", "name": "Cy"}),
        ],
        [
            (9, "phone_number", "invalid_number", "not a number"),
        ],
    ),
    "scientific": Contacts(
        [
            (5, "+14155550146", {"name": "Di"}),
        ],
        [
            (2, "phone_number", "invalid_number", "1.41556E+10"),
            (3, "phone_number", "invalid_number", "1,41556E+10"),
            (4, "phone_number", "invalid_number", "14155550145.0"),
        ],
    ),
    "separator_hint": Refusal("no_phone_number", 1, ""),
    "short_rows": Contacts(
        [
            (2, "+14155550158", {"name": "Ada", "city": "", "note": ""}),
            (3, "+14155550159", {"name": "Bob", "city": "Bonn", "note": ""}),
        ],
        [
            (4, "phone_number", "invalid_number", ""),
        ],
    ),
    "spreadsheet_bom_crlf": Contacts(
        [
            (2, "+14155550101", {"First name": "José", "City": "São Paulo"}),
            (3, "+442079460102", {"First name": "Zoë", "City": "Köln, Altstadt"}),
        ],
    ),
    "spreadsheet_semicolons": Contacts(
        [
            (2, "+4930901820103", {"Name": "Jörg Groß", "Betrag": "1.234,50"}),
            (3, "+46812345604", {"Name": "Åsa", "Betrag": "0,99"}),
        ],
    ),
    "stray_quotes": Contacts(
        [
            (2, "+14155550165", {"name": 'Ada "the" Countess', "size": "5' 6\""}),
            (3, "+14155550166", {"name": ' "Bob"', "size": '7"'}),
        ],
    ),
    "tabs": Contacts(
        [
            (2, "+14155550105", {"name": "Ada", "note": "commas, semicolons; fine"}),
            (3, "+14155550106", {"name": "Bob", "note": ""}),
        ],
    ),
    "trailing_delimiters": Contacts(
        [
            (2, "+14155550121", {"name": "Ada"}),
            (3, "+14155550122", {"name": "Bob"}),
            (4, "+14155550123", {"name": "Cy"}),
        ],
    ),
    "trunk_zero": Contacts(
        [
            (2, "+442079460132", {}),
            (3, "+4930901820133", {}),
            (4, "+41446681834", {}),
            (5, "+390669820135", {}),
            (6, "+4420079460136", {}),
        ],
    ),
    "two_number_columns": Refusal("duplicate_header", 1, "phone_number"),
    "unclosed_quote": Refusal("unclosed_quote", 3, "name"),
    "unnamed_column": Refusal("empty_header", 1, ""),
    "utf16_be_mark": Refusal("not_utf8", 1, ""),
    "utf16_le_mark": Refusal("not_utf8", 1, ""),
    "utf16_le_no_mark": Refusal("nul_byte", 1, ""),
    "vcard_export": Contacts(
        [
            (
                3,
                "+14155550142",
                {
                    "Given Name": "Bob",
                    "Family Name": "",
                    "Phone 1 - Type": "work",
                    "Phone 1 - Value": "+1 415-555-0142",
                    "Labels": "* myContacts",
                },
            ),
        ],
        [
            (2, "phone_number", "invalid_number", "tel:+447700900141"),
            (4, "phone_number", "invalid_number", "+1 415-555-0143 ::: +1 415-555-0144"),
        ],
    ),
    "windows1252": Refusal("not_utf8", 2, "price"),
    "world": Contacts(
        [
            (2, "+14155550175", {"name": "יוסי כהן", "note": "שלום"}),  # noqa: RUF001 - a name as people write it
            (3, "+14155550176", {"name": "محمد", "note": "\u200fمرحبا\u200f"}),  # noqa: RUF001 - the same
            (4, "+14155550177", {"name": "👩\u200d👩\u200d👧 Zoe\u0301", "note": "e\u0301 is not \xe9"}),
            (5, "+14155550178", {"name": "\u3000山田\u3000太郎 ", "note": "\u2028\x85\x0b\x1c|"}),
        ],
        [
            (6, "phone_number", "invalid_number", "+١٤١٥٥٥٥٠١٧٩"),
        ],
    ),
    "wrong_lengths": Contacts(
        [
            (3, "+1234567", {}),
            (4, "+123456789012345", {}),
        ],
        [
            (2, "phone_number", "invalid_number", "+123456"),
            (5, "phone_number", "invalid_number", "+1234567890123456"),
            (6, "phone_number", "invalid_number", "+0123456789"),
            (8, "phone_number", "invalid_number", "+"),
            (9, "phone_number", "invalid_number", "n/a"),
        ],
    ),
    "xlsx_renamed": Refusal("nul_byte", 1, ""),
}


def read(name: str, pieces: Iterable[bytes]) -> Contacts | Refusal:
    parser = ContactsParser(CsvOptions(phone_column=PHONE_COLUMNS.get(name, "phone_number")))
    try:
        batches = [*map(parser.feed, pieces), parser.finish()]
    except ContactsFileError as error:
        return Refusal(error.code, error.line, error.column)
    return Contacts(
        [(row.line, row.phone_number, parser.custom_fields(row)) for batch in batches for row in batch.accepted],
        [(row.line, row.column, row.code.value, row.value) for batch in batches for row in batch.rejected],
    )


def bytes_of(name: str) -> bytes:
    return (FOLDER / f"{name}.csv").read_bytes()


def test_every_file_is_in_the_table() -> None:
    assert {path.stem for path in FOLDER.glob("*.csv")} == CORPUS.keys()


@pytest.mark.parametrize("name", CORPUS)
def test_reads_as_expected(name: str) -> None:
    # As text, so that the order of the custom fields counts, too.
    assert repr(read(name, [bytes_of(name)])) == repr(CORPUS[name])


@pytest.mark.parametrize("name", CORPUS)
def test_reads_the_same_a_byte_at_a_time(name: str) -> None:
    assert read(name, (bytes([byte]) for byte in bytes_of(name))) == CORPUS[name]


@pytest.mark.parametrize("name", [name for name in CORPUS if len(bytes_of(name)) <= 512])
def test_reads_the_same_split_at_any_byte(name: str) -> None:
    data = bytes_of(name)
    assert all(read(name, [data[:at], data[at:]]) == CORPUS[name] for at in range(len(data) + 1))
