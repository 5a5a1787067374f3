"""National numbers, read by the ``phonenumbers`` library: ``pip install kataven-core[numbers]``."""

import phonenumbers

from kataven_core import InvalidValue, NationalParser, PhoneNumber


def national_parser(region: str) -> NationalParser:
    """Give the function that reads numbers without ``+`` as they are written in ``region`` (ISO 3166, such as ``US``).

    Hand it to ``CsvOptions(national=…)``. It takes what is possible in the region's numbering plan, which is newer than
    any table of numbers in use. Raises ``InvalidValue`` for a region that does not exist.
    """
    code = region.strip().upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise InvalidValue("invalid_region", f"{region!r} is no region: write its ISO 3166 code, such as US, GB or DE")

    def read(written: str) -> PhoneNumber:
        try:
            number = phonenumbers.parse(written, code)
        except phonenumbers.NumberParseException:
            raise _invalid(written, f"is no phone number of {code}: write + and the country code, or mend it") from None
        if number.extension:
            raise _invalid(written, "has an extension, which can't be dialled: leave only the number")
        if not _is_whole(number):
            raise _invalid(written, f"has not as many digits as a number of {code}: write it with its area code")
        return PhoneNumber(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    return read


def _is_whole(number: phonenumbers.PhoneNumber) -> bool:
    # A zero left at the front of a number that is none is a trunk zero: without it, the library found too few digits.
    if number.italian_leading_zero and not phonenumbers.is_valid_number(number):
        return False
    return phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE


def _invalid(written: str, what: str) -> InvalidValue:
    return InvalidValue("invalid_number", f"{written[:40]!r} {what}")
