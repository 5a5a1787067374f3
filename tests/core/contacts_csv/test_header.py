import pytest

from kataven_core.contacts_csv import ContactsFileError, Header
from kataven_core.contacts_csv.header import HeaderSearch, has_text, without_empty_tail
from kataven_core.contacts_csv.records import split_lines


def find(text: str, phone_column: str = "phone_number") -> tuple[Header | None, int]:
    """Look at a whole file."""
    return HeaderSearch(phone_column).look(split_lines(text), 1, rest="", final=True)


def error(text: str, phone_column: str = "phone_number") -> tuple[str, str]:
    with pytest.raises(ContactsFileError) as caught:
        find(text, phone_column)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize("cell", ["", " ", "\t", "\u00a0\u2003\u202f\u3000", "\r\n", "\x1c\x85"])
def test_white_space_is_no_text(cell: str) -> None:
    assert not has_text(cell)


@pytest.mark.parametrize("cell", ["0", " x ", "\ufeff", "\u200b"])
def test_anything_else_is_text(cell: str) -> None:
    assert has_text(cell)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [([], []), (["", " "], []), (["a", "", ""], ["a"]), (["", "a", "\u00a0"], ["", "a"]), (["a"], ["a"])],
)
def test_only_trailing_empty_cells_are_dropped(cells: list[str], expected: list[str]) -> None:
    assert without_empty_tail(cells) == expected


@pytest.mark.parametrize(
    ("text", "header", "used"),
    [
        ("phone_number", Header(1, ("phone_number",), 0, ","), 1),
        ("phone_number,a\n+1,x\n", Header(1, ("phone_number", "a"), 0, ","), 1),
        ("a;phone_number\n+1;x\n", Header(1, ("a", "phone_number"), 1, ";"), 1),
        ("a\tphone_number\r+1\tx\r", Header(1, ("a", "phone_number"), 1, "\t"), 1),
        (" a\u00a0,\tPhone_Number ,,  \n", Header(1, ("a", "Phone_Number"), 1, ","), 1),
        ('\n , \n"",\n"a\nb",phone_number\n', Header(4, ("a\nb", "phone_number"), 1, ","), 5),
        ('"\n"\nphone_number\n', Header(3, ("phone_number",), 0, ","), 3),
        (";;\nphone_number;a,b\n", Header(2, ("phone_number", "a,b"), 0, ";"), 2),
        ("a,b,c;phone_number\n", Header(1, ("a,b,c", "phone_number"), 1, ";"), 1),
        ("phone_number,a;b;c;d\n", Header(1, ("phone_number", "a;b;c;d"), 0, ","), 1),
        ('"a";phone_number\n', Header(1, ("a", "phone_number"), 1, ";"), 1),
        ('a,"b;phone_number\n', Header(1, ('a,"b', "phone_number"), 1, ";"), 1),
        (
            "x" * 4000 + ";" + "y" * 4000 + ";phone_number",
            Header(1, ("x" * 4000, "y" * 4000, "phone_number"), 2, ";"),
            1,
        ),
    ],
)
def test_header_is_the_first_row_with_text_under_the_first_delimiter_that_gives_the_number(
    text: str, header: Header, used: int
) -> None:
    assert find(text) == (header, used)


@pytest.mark.parametrize("column", ["STRASSE", " straße ", "Strasse"])
def test_the_number_s_column_is_compared_case_folded(column: str) -> None:
    header, _ = find("phone_number,Straße\n", column)
    assert header is not None
    assert header.phone_column == "Straße"


MISSING = "no column of the header is called phone_number"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "no_header", "the file is empty: its first row must name the columns, phone_number among them"),
        (" \n,,\n", "no_header", "the file is empty: its first row must name the columns, phone_number among them"),
        (
            "\nphone_number,,b\n",
            "empty_header",
            "line 2: column 2 of the header has no name: name it, or remove the column",
        ),
        (
            "phone_number,a, a \n",
            "duplicate_header",
            "line 1, column a: two columns of the header have this name: rename one",
        ),
        (
            "phone_number,a,PHONE_NUMBER\n",
            "duplicate_header",
            "line 1, column PHONE_NUMBER: two columns of the header have this name: rename one",
        ),
        (
            ",".join(map(str, range(65))) + "\n",
            "too_many_columns",
            "line 1: the header has 65 columns, and 64 are allowed: remove some",
        ),
        (
            "phone_number" + ",x" * 1000,
            "too_many_columns",
            "line 1: the header has 1,001 columns, and 64 are allowed: remove some",
        ),
        (
            "name,+1 415 555 0123\n",
            "no_phone_number",
            f"line 1: {MISSING}, and this row looks like a contact: put a row with the column names above it",
        ),
        (
            "name;Handy-Nummer;Téléphone\n",
            "no_phone_number",
            f"line 1: {MISSING}: rename the right one, or name it as phone_column; likely 'Handy-Nummer', 'Téléphone'",
        ),
        (
            "a\tb\n",
            "no_phone_number",
            f"line 1: {MISSING}: rename the one that holds the numbers, or name it as phone_column; there are 'a', 'b'",
        ),
        (
            '\n"a,b\n',
            "unclosed_quote",
            'line 2: the quote that opens this cell is never closed: close it, or write "" for a quote',
        ),
        (
            '\n"a\nb","c\n',
            "unclosed_quote",
            'line 3: the quote that opens this cell is never closed: close it, or write "" for a quote',
        ),
        (
            "a;b\n1,2,3,4\n",
            "no_phone_number",
            f"line 1: {MISSING}: rename the one that holds the numbers, or name it as phone_column; there are 'a', 'b'",
        ),
        (
            '"a"x,b\n',
            "text_after_quote",
            'line 1: text follows the closing quote of this cell: write "" for a quote inside quotes',
        ),
        ("x" * 4097 + ",b\n", "field_too_long", "line 1: this cell has more than 4,096 characters: shorten it"),
    ],
)
def test_what_keeps_a_row_from_being_a_header_is_said(text: str, code: str, message: str) -> None:
    assert error(text) == (code, message)


def test_as_many_columns_as_allowed_may_still_lack_the_number_s() -> None:
    assert error(",".join(map(str, range(64))) + "\n")[0] == "no_phone_number"


def test_names_that_differ_only_in_case_are_two() -> None:
    header, _ = find("phone_number,a,A\n")
    assert header is not None
    assert header.field_names == ("a", "A")


@pytest.mark.parametrize("name", ["Mobile", "cell", "Tel.", "MSISDN", "Número", "E.164", "Rufnummer", "telefono"])
def test_likely_columns_are_named(name: str) -> None:
    assert f"likely {name!r}" in error(f"a,{name},b\n")[1]


def test_a_message_shows_eight_names_or_five_likely_ones_and_forty_characters_of_each() -> None:
    names, likely = ([f"{kind}{n}{'x' * 4000}" for n in range(10)] for kind in ("", "phone "))
    all_shown, likely_shown = (", ".join(repr(name[:40]) for name in each) for each in (names[:8], likely[:5]))
    assert error(",".join(names))[1].endswith(f"; there are {all_shown}")
    assert error(",".join(likely))[1].endswith(f"; likely {likely_shown}")


def test_another_column_s_name_is_the_one_asked_for() -> None:
    assert error("phone_number\n", "mobile")[1].startswith("line 1: no column of the header is called mobile:")


# Looks, one after the other.


def test_more_is_needed_while_the_row_may_go_on() -> None:
    search = HeaderSearch("phone_number")
    assert search.look(['"a\n'], 1, rest="", final=False) == (None, 0)
    assert search.look(['"a\n', 'b",phone_number\n', "x\n"], 1, rest="", final=False) == (
        Header(1, ("a\nb", "phone_number"), 1, ","),
        2,
    )


def test_more_is_needed_while_an_earlier_delimiter_may_give_the_header() -> None:
    search = HeaderSearch("phone_number")
    lines = ['a,"b;phone_number\n', "x;+14155550123\n"]
    assert search.look(lines, 1, rest="", final=False) == (None, 0)
    assert search.look(lines, 1, rest="", final=True) == (Header(1, ('a,"b', "phone_number"), 1, ";"), 1)


def test_rows_without_text_are_done_with() -> None:
    search = HeaderSearch("phone_number")
    assert search.look(["\n", " \n", ",,\n", '"\n', '",\n', '"x\n'], 1, rest="", final=False) == (None, 5)
    header = Header(6, ("x\ny", "phone_number"), 1, ",")
    assert search.look(['"x\n', 'y",phone_number\n', "c\n"], 6, rest="", final=False) == (header, 2)


def test_a_row_of_delimiters_is_the_first_row_with_text_under_the_others() -> None:
    search = HeaderSearch("phone_number")
    assert search.look([",,\n"], 1, rest="", final=False) == (None, 1)
    with pytest.raises(ContactsFileError, match="line 2: no column of the header is called phone_number"):
        search.look(["phone_number;a\n"], 2, rest="", final=False)


def test_a_refusal_is_that_of_the_delimiter_commonest_in_the_first_line_with_text() -> None:
    assert error(';;,\n"a\n')[0] == "no_phone_number"
    assert error(',,;\n"a\n')[0] == "no_phone_number"
    assert error(',,\n"a\n')[0] == "unclosed_quote"


def test_an_unfinished_line_that_is_overlong_is_refused() -> None:
    search = HeaderSearch("phone_number")
    with pytest.raises(ContactsFileError, match="line 3: this cell has more than 4,096 characters"):
        search.look(["\n", "\n"], 1, rest="x" * 600_000, final=False)
