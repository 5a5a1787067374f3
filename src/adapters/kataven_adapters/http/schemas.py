"""JSON schemas made of the core's own classes: a member that is added to one can't be forgotten."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import NoneType
from typing import Any, Final, NewType, get_args, get_origin, get_type_hints

import attrs

from kataven_core import Outcome, PhoneNumber

Schema = dict[str, Any]

_PLAIN: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0},
    float: {"type": "number", "minimum": 0},
    datetime: {"type": "string", "format": "date-time"},
    PhoneNumber: {"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$"},
}
_UNSEEN: Final = frozenset({Outcome.UNSENT})
"""What no answer ever holds: an attempt that was never sent counts for nothing."""


def schema_of(annotation: Any) -> Schema:
    """Give the schema of a type; ``KeyError`` where it is none that goes over the wire."""
    if NoneType in get_args(annotation):
        return _or_null(schema_of(next(each for each in get_args(annotation) if each is not NoneType)))
    if isinstance(annotation, NewType):
        return schema_of(annotation.__supertype__)
    if get_origin(annotation) is Mapping:
        return {"type": "object", "additionalProperties": schema_of(get_args(annotation)[1])}
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return {"type": "string", "enum": [each.value for each in annotation if each not in _UNSEEN]}
    return dict(_PLAIN[annotation])


def _or_null(schema: Schema) -> Schema:
    values = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **values}


def object_of(
    kind: type,
    names: Sequence[str] = (),
    *,
    notes: Mapping[str, str] | None = None,
    ranges: Mapping[str, Schema] | None = None,
) -> Schema:
    """Give the schema of a class, or of these members of it: all of them are always there, and no others."""
    members = names or [each.name for each in attrs.fields(kind)]
    return exactly({name: member_of(kind, name, notes or {}, ranges or {}) for name in members})


def member_of(kind: type, name: str, notes: Mapping[str, str], ranges: Mapping[str, Schema]) -> Schema:
    """Give the schema of one member, be it a field or a property."""
    found = getattr(kind, name, None)
    annotation = get_type_hints(found.fget)["return"] if isinstance(found, property) else get_type_hints(kind)[name]
    note = {"description": notes[name]} if name in notes else {}
    return {**schema_of(annotation), **ranges.get(name, {}), **note}


def exactly(properties: Mapping[str, Schema], required: Sequence[str] | None = None) -> Schema:
    """Give the schema of an object that holds nothing else; all of it, where ``required`` does not say less."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [*properties] if required is None else [*required],
        "additionalProperties": False,
    }
