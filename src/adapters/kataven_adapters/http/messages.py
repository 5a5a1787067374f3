"""What a handler is given and what it gives back: no framework's, so that every server can carry them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from attrs import field, frozen

from .listeners import Listener

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"

NOWHERE: Final = "/%2F"
"""The path of a request whose own holds a slash that is no separator: there is nothing at such a path."""


@frozen(kw_only=True)
class Request:
    """One request, its head read and its body still to come.

    ``path`` is what is asked for below ``mount``, where the host has put the API; both unquoted. ``headers`` have names
    in lower case, values of one name joined by commas. ``body`` yields bytes as they arrive.
    """

    method: str
    path: str
    mount: str = ""
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(factory=dict)
    body: AsyncIterator[bytes]

    def header(self, name: str) -> str:
        """Give a header's value; nothing where it is not there."""
        return self.headers.get(name, "")


@frozen(kw_only=True)
class Response:
    """One answer. ``body`` is whole, or comes in pieces.

    ``is_last`` where the request was not read to its end, so that the connection can't be used again.
    """

    status: int = 200
    body: bytes | AsyncIterator[bytes] = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(factory=dict)
    is_last: bool = False


@frozen(kw_only=True)
class EventStream:
    """An answer that goes on: ``first`` at once, and then what ``listener`` hears, unless ``first`` is all there is."""

    first: bytes
    listener: Listener
    is_whole: bool = False
    headers: Mapping[str, str] = field(factory=dict)


Answer = Response | EventStream


class Disconnected(Exception):
    """The client has gone, in the middle of its request: there is nobody to answer."""
