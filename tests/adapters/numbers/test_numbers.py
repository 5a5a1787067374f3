"""Our reading of numbers held against the ``phonenumbers`` library: each region's example number of each type."""

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from kataven_adapters.numbers import national_parser
from kataven_core.contacts_csv import ContactsParser, CsvOptions
from kataven_core.errors import InvalidValue
from kataven_core.phone_number import SIGNIFICANT_ZERO_CODES, PhoneNumber, parse_phone_number

TYPES = {name: value for name, value in vars(PhoneNumberType).items() if name.isupper()}
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
GEOGRAPHIC = {
    (region, name): number
    for region in REGIONS
    for name, value in TYPES.items()
    if (number := phonenumbers.example_number_for_type(region, value))
}
"""(region, type) to the example number; not every region has every type."""
OTHER = {
    (str(code), "non-geographic"): number
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)
    if (number := phonenumbers.example_number_for_non_geo_entity(code))
}
TOO_SHORT = {
    ("IR", "UAN"): "+989601",
}
"""Numbers of fewer than 7 digits, which cannot be relied on to be reached from abroad: we refuse them."""
LOCAL_ONLY = {
    ("CA", "UAN"): "310-1234",
}
"""Numbers that are written, at home, as no other region can dial them: we refuse that spelling."""


def e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def refusal(text: str, region: str) -> str:
    with pytest.raises(InvalidValue) as caught:
        parse_phone_number(text, national_parser(region))
    assert caught.value.code == "invalid_number"
    return caught.value.message


def result(text: str, region: str | None = None) -> str:
    """Give the number, or nothing where it is refused."""
    try:
        return parse_phone_number(text, national_parser(region) if region else None)
    except InvalidValue:
        return ""


def test_there_are_examples_of_every_region_and_code() -> None:
    assert {region for region, _ in GEOGRAPHIC} == phonenumbers.SUPPORTED_REGIONS
    assert {int(code) for code, _ in OTHER} == phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS
    assert {name for _, name in GEOGRAPHIC} == TYPES.keys() - {"UNKNOWN"}


@pytest.mark.parametrize("form", [PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL])
def test_international_numbers_are_read_as_the_library_writes_them(form: int) -> None:
    examples = GEOGRAPHIC | OTHER
    wrong = {
        key: e164(number)
        for key, number in examples.items()
        if result(phonenumbers.format_number(number, form)) != e164(number)
    }
    assert wrong == TOO_SHORT


def test_the_numbers_that_are_too_short_are_told_so() -> None:
    for number in TOO_SHORT.values():
        assert refusal(number, "US").endswith("digits, and an international number 7 to 15: complete it")


def test_national_numbers_are_read_as_the_library_writes_them() -> None:
    written = {
        (region, name): phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        for (region, name), number in GEOGRAPHIC.items()
    }
    wrong = {key: text for key, text in written.items() if result(text, key[0]) != e164(GEOGRAPHIC[key])}
    assert wrong == LOCAL_ONLY | {key: written[key] for key in TOO_SHORT}


def test_national_numbers_are_read_without_their_separators_too() -> None:
    wrong = {
        (region, name)
        for (region, name), number in GEOGRAPHIC.items()
        if result("".join(filter(str.isdigit, phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))), region)
        != e164(number)
    }
    assert wrong == LOCAL_ONLY.keys() | TOO_SHORT.keys()


def test_a_zero_in_brackets_is_read_as_each_country_means_it() -> None:
    def in_brackets(number: phonenumbers.PhoneNumber) -> str:
        """Write the number as for readers at home and abroad at once."""
        return f"+{number.country_code} (0){number.national_number}"

    dialled = {key: number for key, number in GEOGRAPHIC.items() if key[1] in ("FIXED_LINE", "MOBILE")}
    begins_with_zero = {key for key, number in dialled.items() if number.italian_leading_zero}
    keeps_zero = {key for key, number in dialled.items() if str(number.country_code) in SIGNIFICANT_ZERO_CODES}
    wrong = {key for key, number in dialled.items() if result(in_brackets(number)) != e164(number)}
    # Where the zero may be part of the number, only a person can know: it is kept, as it is written.
    assert wrong == keeps_zero - begins_with_zero


def test_significant_zero_codes_are_those_of_the_library() -> None:
    assert {
        str(number.country_code)
        for (_, name), number in GEOGRAPHIC.items()
        if number.italian_leading_zero and name in ("FIXED_LINE", "MOBILE")
    } == SIGNIFICANT_ZERO_CODES


@pytest.mark.parametrize("code", sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
def test_every_country_code_is_known_as_one(code: int) -> None:
    zero = "0" if str(code) in SIGNIFICANT_ZERO_CODES else ""
    assert parse_phone_number(f"+{code} (0)1234567") == f"+{code}{zero}1234567"


@pytest.mark.parametrize("region", ["GB", "gb", " Gb\n"])
def test_a_region_is_its_iso_code_in_any_case(region: str) -> None:
    assert national_parser(region)("020 7946 0958") == "+442079460958"


@pytest.mark.parametrize("region", ["", " ", "XX", "USA", "1", "001", "U S", "UK", "en-US"])
def test_an_unknown_region_is_refused(region: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        national_parser(region)
    assert caught.value.code == "invalid_region"
    assert caught.value.message == f"{region!r} is no region: write its ISO 3166 code, such as US, GB or DE"


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("(415) 555-0123", "US", "+14155550123"),
        ("1 415 555 0123", "US", "+14155550123"),
        ("011 44 20 7946 0958", "US", "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("(0)20 7946 0958", "GB", "+442079460958"),
        ("00 1 415 555 0123", "GB", "+14155550123"),
        ("44 20 7946 0958", "GB", "+442079460958"),
        ("06 6982 0135", "IT", "+390669820135"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("011 15-2345-6789", "AR", "+5491123456789"),
        ("03\uff0d1234\uff0d5678", "JP", "+81312345678"),
        ("\uff10\uff13-1234-5678", "JP", "+81312345678"),
        ("030\u00a0901820", "DE", "+4930901820"),
        ("+1 415 555 0123", "GB", "+14155550123"),
    ],
)
def test_numbers_are_read_as_people_of_a_region_write_them(text: str, region: str, number: str) -> None:
    assert parse_phone_number(text, national_parser(region)) == number
    assert type(parse_phone_number(text, national_parser(region))) is PhoneNumber


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("555-0123", "US"),
        ("5550123", "US"),
        ("310 1234", "CA"),
        ("415 555 0123 4", "US"),
        ("7946 0958", "GB"),
        ("020 7946", "GB"),
        ("0 20 79 46", "GB"),
        ("020 7946 0958 123", "GB"),
        ("01 2345", "FR"),
        ("0301", "DE"),
        ("0039 06", "DE"),
    ],
)
def test_a_local_number_or_one_cut_short_is_refused(text: str, region: str) -> None:
    wrong = f"has not as many digits as a number of {region}: write it with its area code"
    assert refusal(text, region) == f"{text!r} {wrong}"


@pytest.mark.parametrize("text", ["?", "-", "()", "*", "415 555 0123 / 415 555 0124 / 415 555 0125", "415_555_0123"])
def test_what_is_no_number_is_refused(text: str) -> None:
    assert refusal(text, "US").startswith(f"{text[:40]!r} ")


@pytest.mark.parametrize(
    "text",
    [
        "415 555 0123 x12",
        "415 555 0123 ext. 12",
        "415 555 0123 #12",
        "415-555-0123,,12#",
        "(415) 555-0123 extension 12",
    ],
)
def test_an_extension_is_refused(text: str) -> None:
    assert refusal(text, "US") == f"{text!r} has an extension, which can't be dialled: leave only the number"


def test_the_function_itself_refuses_an_extension() -> None:
    with pytest.raises(InvalidValue, match="has an extension, which can't be dialled: leave only the number"):
        national_parser("US")("415 555 0123 ext. 12")


@pytest.mark.parametrize("text", ["1-800-FLOWERS", "1 (800) FLOWERS", "call 415 555 0123", "415 555 0123 home"])
def test_letters_are_refused_not_dialled(text: str) -> None:
    assert refusal(text, "US").endswith(", which is no part of a number: write only the digits 0 to 9")


def test_a_message_quotes_no_more_than_a_number_s_worth() -> None:
    assert len(refusal("9" * 10_000, "US")) < 150


def test_a_contacts_file_is_read_with_the_numbers_of_a_region() -> None:
    parser = ContactsParser(CsvOptions(national=national_parser("GB")))
    parser.feed(b"phone_number\n020 7946 0958\n+44 20 7946 0958\n0044 20 7946 0959\n7946 0958\n")
    batch = parser.finish()
    assert (batch.accepted, batch.rejected) == ((), ())
    assert (parser.accepted_rows, parser.rejected_rows) == (2, 2)
