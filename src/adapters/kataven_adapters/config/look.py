"""A second look at a file, for what making the values does not say: which key or word was meant, and what stands twice.

A value is made, and its range checked, only where all types in its table are right: so ranges are looked at here too.
"""

from difflib import get_close_matches
from enum import StrEnum
from typing import Any, get_args, get_origin

import attrs

from .checks import Must

Wrong = dict[str, str]
"""The way to each wrong key, such as ``accounts[0].id``, and why it is wrong."""


class Look:
    """Finds what reading values does not say: likely names of strange keys, second wrong keys of a table, twins."""

    def __init__(self, wrong: Wrong) -> None:
        self._wrong = wrong
        self._seen: set[tuple[str, str]] = set()

    def at_table(self, kind: type, table: dict[str, Any], where: str) -> None:
        """Look at a table that is to become a value of ``kind``."""
        known = {each.name: each for each in attrs.fields(kind)}
        for name, value in table.items():
            path = f"{where}.{name}" if where else name
            reason = self._reason(known[name], value, path) if name in known else _no_key(name, list(known))
            if reason:
                self._wrong[path] = reason
            else:
                self._within(known[name].type, value, path)

    def _within(self, kind: Any, value: Any, path: str) -> None:
        """Look into a table, or into each of several, where it is one."""
        if path in self._wrong:
            return
        if attrs.has(kind):
            self.at_table(kind, value, path)
        elif get_origin(kind) is tuple:
            for index, item in enumerate(value):
                self._within(get_args(kind)[0], item, f"{path}[{index}]")

    def _reason(self, attribute: "attrs.Attribute[Any]", value: Any, path: str) -> str | None:
        """Give a reason, or a better one where there is one."""
        if path in self._wrong:
            return _no_word(attribute.type, value)
        if isinstance(attribute.validator, Must) and (reason := attribute.validator.reason(value)):
            return reason
        return self._twin(attribute.name, value, path) if attribute.name in {"id", "sha256"} else None

    def _twin(self, name: str, value: str, path: str) -> str | None:
        """Refuse an id that stands twice in its list, and a key that stands twice anywhere."""
        twin = (path.rpartition("[")[0], value) if name == "id" else ("", value.lower())
        if twin in self._seen:
            return "stands twice: each needs its own"
        self._seen.add(twin)
        return None


def _no_key(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f"there is no such key: did you mean {close[0]}" if close else "there is no such key: leave it out"


def _no_word(kind: Any, value: Any) -> str | None:
    is_word = isinstance(kind, type) and issubclass(kind, StrEnum) and isinstance(value, str)
    return f"must be one of {', '.join(kind)}" if is_word else None
