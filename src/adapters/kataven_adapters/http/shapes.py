"""The shapes of what the API takes and shows: the core's classes, with what their types do not say."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from kataven_core import (
    MAX_CONCURRENT_CALLS,
    MAX_NAME_CHARS,
    MAX_RETRIES,
    NO_LIMIT,
    RETRY_DELAY_MAX_S,
    RETRY_DELAY_MIN_S,
    Campaign,
    CampaignSettings,
    Caps,
    Contact,
    CsvOptions,
    Duplicates,
    RejectCode,
    Snapshot,
)
from kataven_core.codec import CAMPAIGN_MEMBERS, CONTACT_MEMBERS
from kataven_core.ports import PAGE_SIZE

from .fields import CONTACTS, STEERING
from .schemas import Schema, exactly, member_of, object_of, schema_of

_TEXT: Final = {
    "minLength": 1,
    "maxLength": MAX_NAME_CHARS,
    "pattern": r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$",
}
_RANGES: Final[Mapping[str, Schema]] = {
    "name": _TEXT,
    "agent_id": _TEXT,
    "phone_number_id": _TEXT,
    "max_concurrent_calls": {"minimum": 1, "maximum": MAX_CONCURRENT_CALLS},
    "retries_per_contact": {"minimum": 0, "maximum": MAX_RETRIES},
    "retry_delay_seconds": {"minimum": RETRY_DELAY_MIN_S, "maximum": RETRY_DELAY_MAX_S},
}
"""The core's."""

_OF_SETTINGS: Final = {
    "name": "Kept to the letter.",
    "agent_id": "The voice agent that talks; one of the account's, and active.",
    "phone_number_id": "The id of the account's number to call from, not the number itself.",
    "max_concurrent_calls": "So many of its calls are up at once; what is reserved of the account's budget.",
    "retries_per_contact": "So often is a contact called again that was not reached.",
    "retry_delay_seconds": "From the end of a failed attempt to the next one.",
}
_OF_CAMPAIGN: Final = {
    **_OF_SETTINGS,
    "scheduled_at": "When it starts by itself; it stays as it was, also after an early start.",
    "started_at": "Its first start.",
    "completed_at": "When it was completed, or failed.",
    "created_by": "The id of the API key.",
}
_OF_CONTACT: Final = {
    "position": "From 0, in file order.",
    "custom_fields": "What stood in the other columns, to the letter.",
    "attempts": "How often it was dialled.",
    "last_outcome": "How its last attempt ended.",
    "next_attempt_at": "Set while it waits for a retry.",
}
_OF_SNAPSHOT: Final = {
    "total": "Contacts; the six counts behind it always sum to it.",
    "answer_rate": "Answered by ended attempts; null before the first has ended.",
    "calls_per_minute": "Dials of the last 60 s.",
    "eta": "When it will be through at this pace; null while nothing tells.",
}
_OF_CAPS: Final = {
    "concurrent_max": "Calls at once.",
    "calls_per_minute": "Dials in a UTC minute.",
    "daily_calls_max": "Dials in a UTC day.",
    "daily_minutes_max": "Minutes of calls that ended, in a UTC day.",
}
_OF_STEERING: Final[Mapping[str, Schema]] = {
    "default_region": {
        "type": "string",
        "pattern": "^[A-Za-z]{2}$",
        "examples": ["US"],
        "description": "An ISO 3166 region, in which numbers without + are read.",
    },
    "phone_column": {
        "type": "string",
        "minLength": 1,
        "default": CsvOptions().phone_column,
        "description": "The header of the numbers' column.",
    },
    "duplicates": {
        **schema_of(Duplicates),
        "default": CsvOptions().duplicates.value,
        "description": "What becomes of a number that stood in an earlier row: rejected, or kept as one more contact.",
    },
    "strict": {
        "type": "boolean",
        "default": CsvOptions().is_strict,
        "description": "Whether one rejected row is a 400 for the whole file, naming the first 100.",
    },
}


def _campaign_form() -> Schema:
    """Give the form of a new campaign: its settings, what says how the file is read, and the file."""
    settings = attrs.fields(CampaignSettings)
    file = {"type": "string", "format": "binary", "description": "The CSV file: UTF-8, 10 MiB, 250,000 rows at most."}
    return exactly(
        {each.name: _part(each) for each in settings}
        | {name: dict(_OF_STEERING[name]) for name in STEERING}
        | {CONTACTS: file},
        [*(each.name for each in settings if each.default is attrs.NOTHING), CONTACTS],
    )


def _part(setting: "attrs.Attribute[Any]") -> Schema:
    schema = member_of(CampaignSettings, setting.name, _OF_SETTINGS, _RANGES)
    if setting.default is None:
        note = "Starts the campaign by itself: RFC 3339 with an offset, in the future, at most 5 years ahead."
        return {**schema, "type": "string", "description": note}
    return schema if setting.default is attrs.NOTHING else {**schema, "default": setting.default}


def shapes() -> dict[str, Schema]:
    """Give all shapes by name."""
    return {
        "Campaign": object_of(Campaign, CAMPAIGN_MEMBERS, notes=_OF_CAMPAIGN, ranges=_RANGES),
        "CampaignList": exactly({"campaigns": _list_of("Campaign"), "count": schema_of(int)}),
        "CampaignForm": _campaign_form(),
        "Contact": object_of(Contact, CONTACT_MEMBERS, notes=_OF_CONTACT),
        "ContactsPage": _contacts_page(),
        "Snapshot": object_of(Snapshot, notes=_OF_SNAPSHOT, ranges={"answer_rate": {"maximum": 1}}),
        "Event": _event(),
        "CallLimits": _call_limits(),
        "Problem": _problem(),
        "WrongField": _wrong_field(),
    }


def _list_of(name: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


def _contacts_page() -> Schema:
    return exactly(
        {
            "contacts": {**_list_of("Contact"), "maxItems": PAGE_SIZE},
            "page": {**schema_of(int), "description": "From 0."},
            "page_size": {"type": "integer", "const": PAGE_SIZE},
            "total": {**schema_of(int), "description": "Contacts on all pages."},
            "has_next": schema_of(bool),
        }
    )


def _event() -> Schema:
    """Give one event of a stream, as who reads the stream sees it."""
    snapshot = {"contentMediaType": "application/json", "contentSchema": {"$ref": "#/components/schemas/Snapshot"}}
    return exactly(
        {
            "event": {"type": "string", "enum": ["message", "end"], "description": "`end` is the last one."},
            "id": {"type": "string", "pattern": "^[0-9]+$", "description": "Grows with what happens; may repeat."},
            "data": {"type": "string", **snapshot, "description": "A Snapshot as JSON."},
        }
    )


def _call_limits() -> Schema:
    return object_of(Caps, notes=_OF_CAPS, ranges={each.name: {"maximum": NO_LIMIT} for each in attrs.fields(Caps)})


def _problem() -> Schema:
    """Give what went wrong, as RFC 9457 has it; the last three are the account's budget, where it is that."""
    always: dict[str, Schema] = {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "One sentence: what is wrong and what to do."},
        "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "description": "For programs; it never changes."},
    }
    sometimes: dict[str, Schema] = {
        "errors": {**_list_of("WrongField"), "minItems": 1, "description": "Where fields or rows are wrong."},
        "reserved": {**schema_of(int), "description": "Calls that running campaigns reserve now."},
        "wanted": {**schema_of(int), "description": "Calls that this campaign asks for."},
        "allowed": {**schema_of(int), "description": "Calls that the account allows at once."},
    }
    return exactly(always | sometimes, [*always])


def _wrong_field() -> Schema:
    always = {"field": schema_of(str), "message": schema_of(str)}
    sometimes: dict[str, Schema] = {
        "line": {"type": ["integer", "null"], "minimum": 1, "description": "Where the row begins; the header is 1."},
        "column": {"type": "string", "description": "A header of the file; empty where it is the row."},
        "code": schema_of(RejectCode),
    }
    return exactly(always | sometimes, [*always])
