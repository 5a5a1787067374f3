import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.errors import InvalidValue
from kataven_core.phone_number import SIGNIFICANT_ZERO_CODES, PhoneNumber, parse_phone_number


def message(text: str) -> str:
    with pytest.raises(InvalidValue) as caught:
        parse_phone_number(text)
    assert caught.value.code == "invalid_number"
    return caught.value.message


@pytest.mark.parametrize("text", ["+1234567", "+442079460958", "+123456789012345", "+9999999"])
def test_plus_and_seven_to_fifteen_digits_are_a_number(text: str) -> None:
    assert PhoneNumber(text) == parse_phone_number(text) == text
    assert type(parse_phone_number(text)) is PhoneNumber


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "+123456",
        "+1234567890123456",
        "+0123456789",
        "442079460958",
        "+44 2079460958",
        "+442079460958\n",
        "+\uff14\uff14\uff12\uff10\uff17\uff19\uff14\uff16",
    ],
)
def test_a_number_that_is_not_to_the_letter_does_not_exist(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"is no E\.164 number: write \+ and 7 to 15 digits, the first 1 to 9$"):
        PhoneNumber(text)


@pytest.mark.parametrize(
    "text",
    [
        "+44 20 7946 0958",
        " \t+442079460958\r\n",
        "\u3000+44\u00a020\u202f7946\u20090958\u2003",
        "+44-20-7946-0958",
        "+44\u201020\u20117946\u20130958",
        "+44\u2014207946\u22120958",
        "+44.20.7946.0958",
        "+44/20/7946/0958",
        "+44 (20) 7946 0958",
        "+44 [20] 7946-0958",
        "(+44) 20 7946 0958",
        "+ 44 20 7946 0958",
        "+(44) 20 7946 0958",
    ],
)
def test_separators_are_taken_out(text: str) -> None:
    assert parse_phone_number(text) == "+442079460958"
    assert type(parse_phone_number(text)) is PhoneNumber


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("+44(0)2079460958", "+442079460958"),
        ("+44-(0)-20-7946-0958", "+442079460958"),
        ("+44 ( 0 ) 20 7946 0958", "+442079460958"),
        ("(+44) (0)20 7946 0958", "+442079460958"),
        ("[+44](0)20 7946 0958", "+442079460958"),
        ("+(44)(0)20 7946 0958", "+442079460958"),
        ("+44 (0)(20) 7946 0958", "+442079460958"),
        ("+49 (0)30 901820", "+4930901820"),
        ("+353 (0)1 234 5678", "+35312345678"),
        ("+7 (0)495 1234567", "+74951234567"),
        ("+1 (0)415 555 0123", "+14155550123"),
        ("+971 (0)50 123 4567", "+971501234567"),
        # No country code stands before it, or more than one: brackets like any others.
        ("+4420 (0) 7946 0958", "+4420079460958"),
        ("+49 30 (0) 901820", "+49300901820"),
        ("+44 (01) 20 7946 095", "+4401207946095"),
        ("+442 (0) 7946 0958", "+442079460958"),
        ("+202 (0) 7946 0958", "+202079460958"),
    ],
)
def test_a_zero_in_brackets_is_dropped_right_after_the_country_code(text: str, number: str) -> None:
    assert parse_phone_number(text) == number


@pytest.mark.parametrize("code", sorted(SIGNIFICANT_ZERO_CODES))
def test_a_zero_in_brackets_stays_where_it_is_dialled_from_abroad(code: str) -> None:
    assert parse_phone_number(f"+{code} (0)6 6982 0135") == f"+{code}0669820135"


def test_a_missing_number_is_said_to_be_missing() -> None:
    assert {message(text) for text in ("", " ", " \u00a0\n")} == {"the number is missing"}


REWRITTEN = "was rewritten by a spreadsheet: format the column as text and export again"
EXTENSION = "has an extension, which can't be dialled: leave only the number"
STRANGE = "which is no part of a number: write only the digits 0 to 9"
SECOND_PLUS = "holds a + that is not at its beginning: leave one number, beginning with +"
NO_CODE = "has no country code: write + and the country code first, or name a default region"
LENGTH = "digits, and an international number 7 to 15: complete it"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("1.41556E+10", REWRITTEN),
        ("1,41556e10", REWRITTEN),
        ("1E10", REWRITTEN),
        ("14155550123.0", REWRITTEN),
        ("+1 415 555 0123 x12", EXTENSION),
        ("+14155550123x12", EXTENSION),
        ("+14155550123 X: 12", EXTENSION),
        ("+14155550123ext12", EXTENSION),
        ("+14155550123 Extn. 12", EXTENSION),
        ("+14155550123,,12#", EXTENSION),
        ("+14155550123;ext=1", EXTENSION),
        ("+79161234567 доб. 12", EXTENSION),
        ("call me", f"holds c, {STRANGE}"),
        ("next week", f"holds n, {STRANGE}"),
        ("+1 800 FLOWERS", f"holds F, {STRANGE}"),
        ("'+14155550123", f"holds ', {STRANGE}"),
        ("tel:+14155550123", f"holds t, {STRANGE}"),
        ("+1٤155550123", f"holds U+0664 (arabic-indic digit four), {STRANGE}"),
        ("\u202a+14155550123\u202c", f"holds U+202A (left-to-right embedding), {STRANGE}"),
        ("+1415\x07", f"holds U+0007 (a control character), {STRANGE}"),
        ("+14155550123 / +14155550124", SECOND_PLUS),
        ("++14155550123", SECOND_PLUS),
        ("0044 20 7946 0958", "begins with 00: write + in its place, or name a default region"),
        ("020 7946 0958", NO_CODE),
        ("-", NO_CODE),
        ("+044 20 7946 0958", "begins with +0, and no country code does: write + and the country code first"),
        ("+123 456", f"has 6 {LENGTH}"),
        ("+1234567890123456", f"has 16 {LENGTH}"),
        ("+", f"has 0 {LENGTH}"),
    ],
)
def test_what_cannot_be_dialled_is_said(text: str, wrong: str) -> None:
    assert message(text) == f"{text!r} {wrong}"


def test_a_message_quotes_no_more_than_a_number_s_worth() -> None:
    assert message("9" * 10_000) == f"'{'9' * 40}…' {NO_CODE}"


def in_country_one(written: str) -> PhoneNumber:
    return PhoneNumber("+1" + "".join(filter(str.isdigit, written)))


@pytest.mark.parametrize("text", ["(415) 555-0123", " 415.555.0123 ", "415 555 0123"])
def test_a_number_without_plus_is_read_by_the_national_function(text: str) -> None:
    assert parse_phone_number(text, in_country_one) == "+14155550123"


def test_a_number_with_plus_is_not() -> None:
    assert parse_phone_number("+44 20 7946 0958", in_country_one) == "+442079460958"
    with pytest.raises(InvalidValue, match="has 6 digits"):
        parse_phone_number("+123456", in_country_one)


@pytest.mark.parametrize(
    "text", ["1-800-FLOWERS", "call 4155550123", "415 555 0123 ext 4", "4155550123x4", "1.41556E+10", ""]
)
def test_the_national_function_is_never_given_letters_or_nothing(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_phone_number(text, in_country_one)
    assert caught.value.message == message(text)


def test_what_the_national_function_refuses_is_refused_in_its_words() -> None:
    with pytest.raises(InvalidValue, match=r"'\+123' is no E\.164 number"):
        parse_phone_number("23", in_country_one)


SEPARATORS = st.text(" -./\u00a0\u202f\u2011\t", max_size=2)


@given(
    st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True).flatmap(
        lambda number: st.tuples(st.just(number), st.lists(SEPARATORS, min_size=len(number), max_size=len(number)))
    )
)
def test_a_number_is_the_same_with_any_separators_anywhere(drawn: tuple[str, list[str]]) -> None:
    number, separators = drawn
    written = "".join(char + separator for char, separator in zip(number, separators, strict=True))
    assert parse_phone_number(written) == number


@given(st.text() | st.text("+0123456789 ()-x.E\u00a0", max_size=20))
def test_any_text_is_a_number_in_e164_or_refused_with_a_sentence(text: str) -> None:
    try:
        number = parse_phone_number(text)
    except InvalidValue:
        assert 10 < len(message(text)) < 400
    else:
        assert PhoneNumber(number) == number


def test_a_zero_in_square_brackets_is_dropped_too_and_two_are_refused() -> None:
    assert parse_phone_number("+44 [0] 20 7946 0958") == "+442079460958"
    for two in ("(0) (0)", "(0) [0]", "[0](0)"):
        written = message(f"+44 {two}20 7946 0958")
        assert written.endswith("has two (0): write the number as it is dialled from abroad")


def test_every_space_of_a_width_of_its_own_is_a_separator_and_its_neighbors_are_none() -> None:
    spaces = [*map(chr, range(0x2000, 0x200B))]
    assert {parse_phone_number(f"+44{space}20 7946 0958") for space in spaces} == {"+442079460958"}
    for other in ("\u1fff", "\u200b", "~"):
        assert "is no part of a number" in message(f"+44{other}20 7946 0958")
        assert "is no part of a number" in message(f"+44 (0){other}20 7946 0958")


def test_what_was_written_is_shown_up_to_its_fortieth_character() -> None:
    assert message("x" * 40).startswith(f"'{'x' * 40}' ")
    assert message("x" * 41).startswith(f"'{'x' * 40}…' ")


@pytest.mark.parametrize(
    "code",
    [
        *(
            "1",
            "7",
            "20",
            "27",
            "30",
            "31",
            "34",
            "36",
            "40",
            "41",
            "43",
            "49",
            "51",
            "55",
            "58",
            "60",
            "66",
            "81",
            "82",
        ),
        *(
            "84",
            "86",
            "90",
            "95",
            "98",
            "211",
            "299",
            "350",
            "387",
            "420",
            "500",
            "670",
            "800",
            "855",
            "880",
            "960",
            "998",
        ),
    ],
)
def test_a_trunk_zero_is_dropped_after_a_country_code_of_any_length(code: str) -> None:
    assert parse_phone_number(f"+{code} (0) 23 456 789") == f"+{code}23456789"


def test_commas_are_no_separators() -> None:
    assert message("+1,415,555,0100").endswith("holds ,, which is no part of a number: write only the digits 0 to 9")
