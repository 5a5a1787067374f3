"""What each call sends and how its answer is read; nothing here does any I/O."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final, Generic, TypeVar
from urllib.parse import quote

import httpx

from .answers import EVENT_STREAM, CreatedCampaign, created_of, json_of, nothing_of
from .errors import KatavenError, NotFoundError
from .upload import OnProgress, Upload

T = TypeVar("T")

_PROBLEMS: Final = "application/problem+json"
_ID = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f\x7f\ud800-\udfff]+")
"""What can stand in a path and stays there: nothing else is ever sent."""
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
IN_USE: Final = "idempotency_key_in_use"
"""The code of an answer to a repetition that came while the first was still being answered."""


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One request. ``path`` goes after the API's address."""

    method: str = "GET"
    path: str
    read: Callable[[httpx.Response], T]
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=lambda: {"Accept": f"application/json, {_PROBLEMS}"})
    upload: Upload | None = None
    is_stream: bool = False
    """Whether the answer is read as it comes."""

    @property
    def is_harmless_twice(self) -> bool:
        """Whether to do it twice is to do it once."""
        return self.method == "GET" or "Idempotency-Key" in self.headers

    @property
    def is_there_again(self) -> bool:
        """Whether what it sends can be sent once more."""
        return self.upload is None or self.upload.can_rewind


def listing() -> Call[dict[str, Any]]:
    """List campaigns."""
    return Call(path="/campaigns", read=json_of)


def getting(campaign_id: str) -> Call[dict[str, Any]]:
    """Get a campaign."""
    return Call(path=_path(campaign_id), read=json_of)


def moving(campaign_id: str, operation: str, idempotency_key: str | None) -> Call[dict[str, Any]]:
    """Start, pause, resume or stop a campaign."""
    headers = _posted(idempotency_key)
    return Call(method="POST", path=_path(campaign_id, operation), read=json_of, headers=headers)


def deleting(campaign_id: str) -> Call[None]:
    """Delete a campaign."""
    return Call(method="DELETE", path=_path(campaign_id), read=nothing_of)


def listing_contacts(campaign_id: str, status: str | None, page: int) -> Call[dict[str, Any]]:
    """Get a page of a campaign's contacts."""
    query: dict[str, str | int] = {"page": page} if status is None else {"status": status, "page": page}
    return Call(path=_path(campaign_id, "contacts"), read=json_of, query=query)


def limits() -> Call[dict[str, Any]]:
    """Get the account's call limits."""
    return Call(path="/call-limits", read=json_of)


def rejecting(campaign_id: str) -> Call[None]:
    """Get the rejected rows as they come."""
    headers = {"Accept": f"text/csv, {_PROBLEMS}"}
    return Call(path=_path(campaign_id, "rejects"), read=nothing_of, headers=headers, is_stream=True)


def listening(campaign_id: str, last_event_id: str | None) -> Call[None]:
    """Get a campaign's events as they come."""
    headers = {"Accept": f"{EVENT_STREAM}, {_PROBLEMS}", "Accept-Encoding": "identity", "Cache-Control": "no-cache"}
    if last_event_id:
        headers["Last-Event-ID"] = _sendable("last_event_id", last_event_id)
    return Call(path=_path(campaign_id, "events"), read=nothing_of, headers=headers, is_stream=True)


def creating(
    contacts: BinaryIO,
    parts: Mapping[str, object],
    boundary: str,
    idempotency_key: str | None,
    on_progress: OnProgress | None,
) -> Call[CreatedCampaign]:
    """Create a campaign of a file and parts; those that are None are left out."""
    texts = {name: _text(name, value) for name, value in parts.items() if value is not None}
    upload = Upload(contacts, texts, boundary, on_progress)
    headers = {**_posted(idempotency_key), "Content-Type": f"multipart/form-data; boundary={boundary}"}
    return Call(method="POST", path="/campaigns", read=created_of, headers=headers, upload=upload)


def _path(campaign_id: object, *more: str) -> str:
    campaign_id = str(campaign_id)  # a UUID will do
    if not _ID.fullmatch(campaign_id):
        raise NotFoundError(404, "not_found", f"no campaign has the id {campaign_id!r}: check the id")
    return "/".join(("/campaigns", quote(campaign_id, safe=""), *more))


def _posted(idempotency_key: str | None) -> dict[str, str]:
    headers = {"Accept": f"application/json, {_PROBLEMS}"}
    if idempotency_key is not None:
        headers["Idempotency-Key"] = _sendable("idempotency_key", idempotency_key)
    return headers


def is_sendable(text: str) -> bool:
    """Say whether a header can hold it as it is."""
    return bool(_KEY.fullmatch(text))


def _sendable(name: str, text: str) -> str:
    if not is_sendable(text):
        raise KatavenError(f"{name} must be 1 to 255 printable ASCII characters")
    return text


def _text(name: str, value: object) -> str:
    """Write a part's value as the API reads it."""
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            if value.utcoffset() is None:
                raise KatavenError(f"{name} is a time without a zone: give it one, such as tzinfo=UTC")
            return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
        case _:
            return str(value)
