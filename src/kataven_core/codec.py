"""Values to plain forms and back: dicts, lists, strings and numbers that any JSON library writes.

Times are RFC 3339 in UTC, statuses their words, numbers E.164. ``campaign_members`` and ``contact_members`` give
exactly what the API shows; ``to_plain`` and ``from_plain`` keep everything, for stores and streams.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from functools import partial
from types import GenericAlias, UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, overload

import attrs
import cattrs
from cattrs.errors import AttributeValidationNote, IterableValidationNote
from cattrs.gen import make_dict_structure_fn

from .campaign import Campaign
from .contact import Contact
from .custom_fields import CustomFields
from .errors import InvalidValue, Problem
from .events import Event
from .phone_number import PhoneNumber
from .reports import Report
from .values import format_rfc3339, parse_rfc3339

T = TypeVar("T")

CAMPAIGN_MEMBERS = (
    "id",
    "name",
    "agent_id",
    "phone_number_id",
    "status",
    "max_concurrent_calls",
    "retries_per_contact",
    "retry_delay_seconds",
    "scheduled_at",
    "started_at",
    "completed_at",
    "created_at",
    "created_by",
)
CONTACT_MEMBERS = (
    "id",
    "position",
    "phone_number",
    "custom_fields",
    "status",
    "attempts",
    "last_outcome",
    "last_attempt_at",
    "next_attempt_at",
    "updated_at",
)

_NAMES: Final = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    list: "an array",
    dict: "an object",
}

_AS_THEY_ARE: Final = frozenset({str, int, bool, float, type(None), CustomFields})
_UNIONS: Final[Mapping[Any, str]] = {Event: "Event", Report: "Report"}


def _expect(data: Any, kind: type) -> Any:
    """Take data of this kind and of no other: ``"5"`` is no number, and ``"false"`` is not true."""
    if type(data) is kind:
        return data
    if kind is float and type(data) is int:
        return float(data)
    raise InvalidValue("invalid_data", f"must be {_NAMES[kind]}")


def _is_of(origin: Any, kind: Any) -> bool:
    return get_origin(kind) is origin


def _read_array(data: Any, kind: Any) -> Any:
    items: Any = GenericAlias(list, get_args(kind)[0])
    return tuple(_CONVERTER.structure(_expect(data, list), items))


def _read_mapping(data: Any, kind: Any) -> Any:
    pairs: Any = GenericAlias(dict, get_args(kind))
    return _CONVERTER.structure(_expect(data, dict), pairs)


def _object_reader(kind: type) -> Callable[[Any, Any], Any]:
    read: Callable[[Any, Any], Any] = make_dict_structure_fn(kind, _CONVERTER)
    return lambda data, _: read(_expect(data, dict), kind)


def _tagged(converter: cattrs.Converter, union: UnionType) -> None:
    """Let each kind of a union carry its name as ``type``."""
    kinds = {kind.__name__: kind for kind in get_args(union)}

    def read(data: Any, _: Any) -> Any:
        members = dict(_expect(data, dict))
        kind = kinds.get(str(members.pop("type", "")))
        if kind is None:
            raise InvalidValue.of("invalid_data", [Problem("type", f"must be one of {', '.join(kinds)}")])
        return converter.structure(members, kind)

    converter.register_structure_hook(union, read)
    converter.register_unstructure_hook(
        union, lambda value: {"type": type(value).__name__, **converter.unstructure(value)}
    )


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind in (str, int, float, bool):
        converter.register_structure_hook(kind, _expect)
    converter.register_structure_hook(StrEnum, lambda data, kind: kind(_expect(data, str)))
    converter.register_unstructure_hook(StrEnum, str.__str__)
    converter.register_structure_hook(datetime, lambda data, _: parse_rfc3339(_expect(data, str)))
    converter.register_unstructure_hook(datetime, format_rfc3339)
    converter.register_structure_hook(PhoneNumber, lambda data, _: PhoneNumber(_expect(data, str)))
    converter.register_unstructure_hook(PhoneNumber, str.__str__)
    converter.register_structure_hook_func(partial(_is_of, tuple), _read_array)
    converter.register_structure_hook_func(partial(_is_of, Mapping), _read_mapping)
    converter.register_structure_hook_factory(attrs.has, _object_reader)
    _tagged(converter, Event)
    _tagged(converter, Report)
    return converter


_CONVERTER = _converter()


def to_plain(value: object, kind: Any = None) -> Any:
    """Give the plain form of a value; name ``Event`` or ``Report`` as ``kind`` to keep which it was."""
    return _CONVERTER.unstructure(value, unstructure_as=kind)


@overload
def from_plain(data: Any, kind: type[T]) -> T: ...
@overload
def from_plain(data: Any, kind: UnionType) -> Any: ...
def from_plain(data: Any, kind: Any) -> Any:
    """Read a plain form back; ``InvalidValue`` names every member that does not fit.

    Nothing is bent to fit: a number in quotes is a string, and refused where a number belongs.
    """
    try:
        return _CONVERTER.structure(data, kind)
    except (cattrs.BaseValidationError, InvalidValue, ValueError) as error:
        problems = list(_problems(error, _UNIONS.get(kind) or kind.__name__))
        raise InvalidValue.of("invalid_data", problems) from None


def campaign_members(campaign: Campaign) -> dict[str, Any]:
    """Give a campaign's 13 members, all of them always there."""
    return _members(campaign, CAMPAIGN_MEMBERS)


def contact_members(contact: Contact, show_fields: Callable[[Mapping[str, str]], Any] = dict) -> dict[str, Any]:
    """Give a contact's members; ``show_fields`` gives its custom fields, where they are not to be a dict."""
    members = _members(contact, CONTACT_MEMBERS)
    members["custom_fields"] = show_fields(contact.custom_fields)
    return members


def _members(value: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _member(getattr(value, name)) for name in names}


def _member(value: object) -> Any:
    """Give the plain form of what an answer shows, by the shortest way: there may be thousands of them."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if isinstance(value, datetime):
        return format_rfc3339(value)
    return value.value if isinstance(value, StrEnum) else to_plain(value)


def _problems(error: Exception, where: str) -> Iterator[Problem]:
    """Yield a problem for each wrong member below ``where``, by the way to it."""
    match error:
        case cattrs.ClassValidationError() | cattrs.IterableValidationError():
            named, others = error.group_exceptions()
            for inner, note in named:
                yield from _problems(inner, f"{where}{_step(note)}")
            for inner in others:
                yield from _problems(inner, where)
        case cattrs.ForbiddenExtraKeysError():
            for name in sorted(map(str, error.extra_fields)):
                yield _problem(f"{where}.{name}", "is no member of it: leave it out")
        case InvalidValue(problems=(_, *_)):
            for problem in error.problems:
                yield _problem(f"{where}.{problem.field}", problem.message)
        case KeyError():
            yield _problem(where, "is missing")
        case _:
            yield _problem(where, str(error))


def _step(note: AttributeValidationNote | IterableValidationNote) -> str:
    return f".{note.name}" if isinstance(note, AttributeValidationNote) else f"[{note.index!r}]"


def _problem(where: str, message: str) -> Problem:
    return Problem(where, f"{where}: {message}")
