"""The other cells of rows as JSON objects: written once, here, and passed on as they are from then on."""

from collections.abc import Sequence
from itertools import chain
from json.encoder import encode_basestring

_AT_ONCE = 64
"""Rows that are looked at together for what JSON writes otherwise: one that holds it slows so many down."""


class JsonForm:
    """A form with a place for each cell under these names."""

    def __init__(self, names: Sequence[str]) -> None:
        written = [encode_basestring(name).replace("%", "%%") for name in names]
        self._form = _form(written, "%s")
        self._plain = _form(written, '"%s"')

    def filled(self, rows: Sequence[tuple[str, ...]]) -> list[str]:
        """Give an object for each row of cells."""
        filled: list[str] = []
        for begin in range(0, len(rows), _AT_ONCE):
            some = rows[begin : begin + _AT_ONCE]
            text = "".join(chain.from_iterable(some))
            if text.isprintable() and '"' not in text and "\\" not in text:  # what is printable is no control character
                filled += map(self._plain.__mod__, some)
            else:
                filled += (self._form % tuple(map(encode_basestring, cells)) for cells in some)
        return filled


def _form(names: Sequence[str], place: str) -> str:
    return "{" + ", ".join(f"{name}: {place}" for name in names) + "}"
