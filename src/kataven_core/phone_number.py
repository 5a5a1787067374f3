"""Phone numbers in E.164, read as people write them.

A number is ``+`` and 7 to 15 ASCII digits, the first 1 to 9, once spaces, dots, dashes, slashes and brackets are taken
out. Numbers without ``+`` are national: they are read by a function that is handed in, or refused. What cannot be
dialled as written (an extension, letters, a number that a spreadsheet has rounded) is refused with a sentence, never
guessed at.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Self

from .errors import InvalidValue

# ITU-T E.164 (11/2010) §6: at most 15 digits, country code included. Below 7 no subscriber can be reached from abroad.
E164 = re.compile(r"\+[1-9][0-9]{6,14}")

_SPACES = "".join(map(chr, range(0x2000, 0x200B))) + " \t\u00a0\u1680\u202f\u205f\u3000"
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_WITHOUT_SEPARATORS = str.maketrans("", "", _SPACES + _DASHES + "./()[]")
_WITHOUT_SPACES_AND_DASHES = str.maketrans("", "", _SPACES + _DASHES + "./")

# E.164 country codes are prefix-free: 1 and 7, these of two digits, all others of three.
_TWO_DIGIT_CODES = "2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
_COUNTRY_CODE = rf"[17]|{_TWO_DIGIT_CODES}|(?!{_TWO_DIGIT_CODES})[2-689][0-9]{{2}}"
_TRUNK_ZERO = re.compile(rf"[(\[]?\+[(\[]?({_COUNTRY_CODE})[)\]]?[(\[]0[)\]]")

SIGNIFICANT_ZERO_CODES = frozenset({"39", "225", "229", "241", "242", "378"})
"""Country codes whose subscriber numbers begin with a zero that is dialled from abroad too.

There ``(0)`` is no trunk prefix, and dropping it would ring a stranger. Held against the ``phonenumbers`` metadata by a
test.
"""

_EXTENSION = re.compile(r"[;#]|x\W*\d|(?<![a-z])ext|доб", re.IGNORECASE)
_SPREADSHEET = re.compile(r"\d+(?:[.,]\d+)?E\+?\d+|\d+\.0+", re.IGNORECASE | re.ASCII)


class PhoneNumber(str):
    """A phone number in E.164, such as ``+442079460958``; one that exists is well-formed.

    Raises ``InvalidValue`` for text in any other form; ``parse_phone_number`` reads what people write.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check ``text`` to the letter."""
        if not E164.fullmatch(text):
            raise _invalid(f"{_short(text)} is no E.164 number: write + and 7 to 15 digits, the first 1 to 9")
        return super().__new__(cls, text)


NationalParser = Callable[[str], PhoneNumber]
"""Reads a number without ``+`` by the rules of one region, or raises ``InvalidValue``; it is never given letters."""


def parse_phone_number(text: str, national: NationalParser | None = None) -> PhoneNumber:
    """Read a number as people and spreadsheets write it; ``InvalidValue`` says why it can't be dialled."""
    if E164.fullmatch(text):
        return str.__new__(PhoneNumber, text)
    written = text.strip()
    if not written:
        raise _invalid("the number is missing")
    if _SPREADSHEET.fullmatch(written):
        raise _invalid(f"{_short(written)} was rewritten by a spreadsheet: format the column as text and export again")
    digits = _without_trunk_zero(written).translate(_WITHOUT_SEPARATORS)
    if E164.fullmatch(digits):
        return str.__new__(PhoneNumber, digits)
    if national and not digits.startswith("+") and not any(map(str.isalpha, digits)):
        return national(written)
    raise _invalid(_what_is_wrong(written, digits))


def _without_trunk_zero(written: str) -> str:
    """Drop a ``(0)`` right after the country code, as in ``+44 (0)20 7946 0958``: it is dialled at home only."""
    if "0" not in written or not ("(" in written or "[" in written):
        return written
    tight = written.translate(_WITHOUT_SPACES_AND_DASHES)
    found = _TRUNK_ZERO.match(tight)
    if not found or found[1] in SIGNIFICANT_ZERO_CODES:
        return written
    rest = tight[found.end() :]
    if rest.startswith(("(0)", "[0]")):
        raise _invalid(f"{_short(written)} has two (0): write the number as it is dialled from abroad")
    return f"+{found[1]}{rest}"


def _what_is_wrong(written: str, digits: str) -> str:
    quoted = _short(written)
    if _EXTENSION.search(written):
        return f"{quoted} has an extension, which can't be dialled: leave only the number"
    strange = next((char for char in digits if char not in "+0123456789"), None)
    if strange is not None:
        name = unicodedata.name(strange, "a control character").lower()
        shown = strange if strange.isascii() and strange.isprintable() else f"U+{ord(strange):04X} ({name})"
        return f"{quoted} holds {shown}, which is no part of a number: write only the digits 0 to 9"
    if "+" in digits[1:]:
        return f"{quoted} holds a + that is not at its beginning: leave one number, beginning with +"
    if digits.startswith("00"):
        return f"{quoted} begins with 00: write + in its place, or name a default region"
    if not digits.startswith("+"):
        return f"{quoted} has no country code: write + and the country code first, or name a default region"
    if digits.startswith("+0"):
        return f"{quoted} begins with +0, and no country code does: write + and the country code first"
    return f"{quoted} has {len(digits) - 1} digits, and an international number 7 to 15: complete it"


def _short(text: str) -> str:
    """Quote what was written, cut where it is far longer than a number."""
    return repr(text if len(text) <= 40 else text[:40] + "…")  # noqa: PLR2004 - about twice the longest number


def _invalid(message: str) -> InvalidValue:
    return InvalidValue("invalid_number", message)
