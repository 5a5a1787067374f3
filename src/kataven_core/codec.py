"""Values to plain forms and back: dicts, lists, strings and numbers that any JSON library writes.

Times are RFC 3339 in UTC, statuses their words, numbers E.164. ``campaign_members`` and ``contact_members`` give
exactly what the API shows; ``to_plain`` and ``from_plain`` keep everything, for stores and streams.
"""

from datetime import datetime
from typing import Any, TypeVar

import cattrs
from cattrs.strategies import configure_tagged_union

from .campaign import Campaign
from .contact import Contact
from .errors import InvalidValue, KatavenError, Problem
from .events import Event
from .phone_number import PhoneNumber
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


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(datetime, format_rfc3339)
    converter.register_structure_hook(datetime, lambda text, _: parse_rfc3339(text))
    converter.register_unstructure_hook(PhoneNumber, str.__str__)
    converter.register_structure_hook(PhoneNumber, lambda text, _: PhoneNumber(text))
    configure_tagged_union(Event, converter, tag_name="type")
    return converter


_CONVERTER = _converter()


def to_plain(value: object, kind: Any = None) -> Any:
    """Give the plain form of a value; ``kind`` is to be named for a union, such as ``Event``, to keep which it was."""
    return _CONVERTER.unstructure(value, unstructure_as=kind)


def from_plain(data: Any, kind: type[T]) -> T:
    """Read a plain form back; ``InvalidValue`` names every member that does not fit."""
    try:
        return _CONVERTER.structure(data, kind)
    except (cattrs.BaseValidationError, KatavenError, TypeError, ValueError, KeyError) as error:
        problems = [Problem(*_split(line)) for line in cattrs.transform_error(error, path=kind.__name__)]
        raise InvalidValue.of("invalid_data", problems) from None


def campaign_members(campaign: Campaign) -> dict[str, Any]:
    """Give a campaign's 13 members, all of them always there."""
    return _members(campaign, CAMPAIGN_MEMBERS)


def contact_members(contact: Contact) -> dict[str, Any]:
    """Give a contact's members."""
    return _members(contact, CONTACT_MEMBERS)


def _members(value: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: to_plain(getattr(value, name)) for name in names}


def _split(line: str) -> tuple[str, str]:
    """Take one line of what cattrs says apart: where, and what is wrong there."""
    what, _, where = line.rpartition(" @ ")
    return where, f"{where}: {what}"
