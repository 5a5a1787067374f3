"""The words of ASGI 3, for answers and for event streams."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def start_of(status: int, headers: Mapping[str, str]) -> Message:
    """Give the head of an answer."""
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": raw}


def body_of(body: bytes, *, has_more: bool = False) -> Message:
    """Give a piece of its body."""
    return {"type": "http.response.body", "body": body, "more_body": has_more}
