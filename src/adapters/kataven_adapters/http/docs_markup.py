"""Markup that can't be broken by what is written in it, and words for JSON schemas."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, Final

_VOID: Final = frozenset({"meta"})
_TYPES: Final[Mapping[str, str]] = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "array": "list",
    "null": "null",
}
_FORMATS: Final[Mapping[str, str]] = {"date-time": "RFC 3339 time", "binary": "file"}


class Html(str):
    """Text that is markup already; all other text is escaped on its way into an element."""

    __slots__ = ()


def element(name: str, /, *inner: str, **attributes: str) -> Html:
    """Give an element around markup and text. An attribute that is a word of Python ends in ``_``."""
    said = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items() if value)
    content = "" if name in _VOID else f"{''.join(map(_markup, inner))}</{name}>"
    return Html(f"<{name}{said}>{content}")


def _markup(text: str) -> str:
    return text if isinstance(text, Html) else escape(text)


def prose(text: str) -> Iterator[str]:
    """Yield a text whose parts between backticks are code."""
    for index, part in enumerate(text.split("`")):
        yield element("code", part) if index % 2 else part


def table(rows: Iterable[tuple[Iterable[str], ...]], **attributes: str) -> Html:
    """Give a table; the first cell of a row heads it."""
    lines = [
        element("tr", *(element("td" if index else "th", *cell) for index, cell in enumerate(cells))) for cells in rows
    ]
    return element("table", element("tbody", *lines), **attributes)


def kind_of(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a value is, in words; a shape that has a name by a link to it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield element("a", name, href=f"#{name}")
    elif "enum" in schema:
        yield from _values(schema["enum"])
    elif "const" in schema:
        yield from ("always ", element("code", str(schema["const"])))
    elif schema.get("type") == "array":
        yield "list of "
        yield from kind_of(schema["items"])
    else:
        yield _plain(schema)


def _values(values: Iterable[str | None]) -> Iterator[str]:
    for index, value in enumerate(values):
        yield from (" " if index else "", element("code", "null" if value is None else value))


def _plain(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type", "object")
    named = [kinds] if isinstance(kinds, str) else kinds
    words = [_FORMATS.get(schema.get("format", ""), "") or _TYPES[named[0]], *(_TYPES[each] for each in named[1:])]
    return " or ".join(words) + _range(schema)


def _range(schema: Mapping[str, Any]) -> str:
    if "maximum" in schema and schema["maximum"] < 2**31:
        return f", {schema.get('minimum', 0)} to {schema['maximum']:,}"
    if schema.get("minimum", 0) > 0:
        return f", at least {schema['minimum']}"
    return f", up to {schema['maxLength']:,} characters" if "maxLength" in schema else ""


def note_of(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is said about a value, and what it is where none is sent."""
    yield from prose(schema.get("description", ""))
    if "default" in schema:
        default = schema["default"]
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        yield from (" Default ", element("code", shown), ".")
