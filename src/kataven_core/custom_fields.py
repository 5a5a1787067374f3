"""A contact's custom fields as they are stored: JSON that is read only where somebody looks into it.

Most contacts pass through a decision without that, and an answer that shows them takes ``encoded`` as it is.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Final, final


@final
class CustomFields(Mapping[str, str]):
    """What stood in the other columns of a contact's row, by name; ``encoded`` is a JSON object, name to string."""

    __slots__ = ("_read", "encoded")

    def __init__(self, encoded: str) -> None:
        self.encoded: Final = encoded
        self._read: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"CustomFields({self.encoded!r})"

    @property
    def _fields(self) -> dict[str, str]:
        if self._read is None:
            self._read = json.loads(self.encoded)
        return self._read
