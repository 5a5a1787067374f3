"""JSON as it comes from strangers: each member is what it must be, or named in a sentence. What nobody knows passes."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from kataven_core import InvalidValue, Outcome, PhoneNumber, Problem, parse_rfc3339

MAX_ID_CHARS: Final = 200
MAX_TEXT_CHARS: Final = 10_000
MAX_DURATION_S: Final = 604_800.0
"""A week; whoever says that a call lasts longer does not count in seconds."""
MAX_SEQUENCE: Final = 2**53 - 1
"""The last whole number that every JSON library keeps."""

OUTCOMES: Final = tuple(each for each in Outcome if each not in {Outcome.LOST, Outcome.UNSENT})
"""How a carrier can say that a call ended; the other two are the engine's own conclusions."""

Read = Callable[[Any], Any]
"""Gives a member's value, or raises ``InvalidValue`` with what it must be."""


class Member(NamedTuple):
    """How one member is read. One that is not needed may be missing or null, and is None then."""

    read: Read
    is_needed: bool = True


def read_object(body: bytes) -> dict[str, Any]:
    """Read a body that is one JSON object; ``InvalidValue`` where it is anything else."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):  # bytes that are no text are a ValueError too
        members = None
    if not isinstance(members, dict):
        raise InvalidValue("invalid_body", "the body is no JSON object")
    return members


def read_members(data: Any, table: Mapping[str, Member], where: str = "") -> dict[str, Any]:
    """Read the members that the table names; ``InvalidValue`` names each that is wrong, by its way from the top."""
    if not isinstance(data, dict):
        raise wrong(where, "must be an object")
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, member in table.items():
        try:
            values[name] = _read(data, name, member)
        except InvalidValue as error:
            problems.append(_problem(_below(where, name), error.message))
    if problems:
        raise InvalidValue.of("invalid_body", problems)
    return values


def read_array(data: Any, name: str, limit: int | None = None) -> list[Any]:
    """Read the member that is an array, of ``limit`` items at most."""
    items = data.get(name)
    if not isinstance(items, list):
        raise wrong(name, "is missing" if name not in data else "must be an array")
    if limit is not None and len(items) > limit:
        raise wrong(name, f"has {len(items):,} items: send at most {limit:,} at a time")
    return items


def wrong(where: str, what: str) -> InvalidValue:
    """Give the error that one member is wrong."""
    return InvalidValue.of("invalid_body", [_problem(where, what)])


def _read(data: dict[str, Any], name: str, member: Member) -> Any:
    if data.get(name) is not None:
        return member.read(data[name])
    if member.is_needed:
        raise _must("must not be null" if name in data else "is missing")
    return None


def _below(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _problem(where: str, what: str) -> Problem:
    return Problem(where, f"{where}: {what}")


def _must(what: str) -> InvalidValue:
    return InvalidValue("invalid_member", what)


# What members are.


def a_name(value: Any) -> str:
    """Read an id: it is stored and looked up, so it holds nothing that a store could stumble over."""
    if not isinstance(value, str):
        raise _must("must be a string")
    if not (1 <= len(value) <= MAX_ID_CHARS and value.isprintable()):
        raise _must(f"must have 1 to {MAX_ID_CHARS} characters, all of them printable")
    return value


def a_text(value: Any) -> str:
    """Read what merely passes."""
    if not isinstance(value, str):
        raise _must("must be a string")
    if len(value) > MAX_TEXT_CHARS:
        raise _must(f"must have at most {MAX_TEXT_CHARS:,} characters")
    return value


def a_remark(value: Any) -> str | None:
    """Read what nothing depends on: cut off where it is too long, left out where it is no text."""
    return value[:MAX_TEXT_CHARS] if isinstance(value, str) else None


def a_number(value: Any) -> PhoneNumber:
    """Read a phone number in E.164."""
    return PhoneNumber(a_text(value))


def a_time(value: Any) -> datetime:
    """Read an RFC 3339 time of any offset, as UTC."""
    return parse_rfc3339(a_text(value))


def a_duration(value: Any) -> float:
    """Read seconds, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_DURATION_S:
        raise _must(f"must be a number of seconds from 0 to {MAX_DURATION_S:,.0f}")
    return float(value)


def a_limit(value: Any) -> float:
    """Read seconds, more than 0."""
    if a_duration(value) == 0:
        raise _must("must be more than 0 seconds")
    return float(value)


def a_sequence(value: Any) -> int:
    """Read a whole number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEQUENCE:
        raise _must("must be a whole number, 0 or more")
    return value


def an_outcome(value: Any) -> Outcome:
    """Read how a call ended, as a carrier can say it."""
    return Outcome(one_of(OUTCOMES)(value))


def texts(value: Any) -> Mapping[str, str]:
    """Read names and their texts."""
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise _must("must be an object of strings")
    return value


def one_of(words: Iterable[str]) -> Read:
    """Give what reads one of these words."""
    known = tuple(words)

    def read(value: Any) -> str:
        if value not in known:
            raise _must(f"must be one of {', '.join(known)}")
        return str(value)

    return read
