"""multipart/form-data as it comes, part by part; none is held whole unless its reader does so."""

import re
from collections.abc import AsyncIterator
from typing import Final

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from .body import Body
from .problems import HttpProblem

MAX_PARTS: Final = 64
"""More than four times what the API knows."""
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
"""RFC 2046, 5.1.1."""


class Form:
    """The parts of one form. Use it as ``async for name in form``, and read ``form.data()`` in between, or not.

    Raises ``HttpProblem`` where it is no such form.
    """

    def __init__(self, content_type: str, body: Body) -> None:
        self._events = _events(_parser(content_type), body)
        self._is_in_part = False

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield the name of each part."""
        while True:
            async for _ in self.data():  # what nobody has read
                pass
            segment = await anext(self._events, None)
            if segment is None:
                return
            assert isinstance(segment, MultipartSegment)  # noqa: S101 - a part begins with one
            self._is_in_part = True
            yield segment.name

    async def data(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the part that has begun; what is not read of it is skipped later."""
        while self._is_in_part:
            event = await anext(self._events, None)
            if event is None:
                self._is_in_part = False
            elif isinstance(event, bytes | bytearray):
                yield bytes(event)


def _parser(content_type: str) -> PushMultipartParser:
    kind, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if kind.lower() != "multipart/form-data":
        named = f"it is {kind[:64]}" if kind else "there is none"
        raise _no_form(f"the content type must be multipart/form-data, and {named}: send a form with the contacts file")
    if not _BOUNDARY.fullmatch(boundary):
        raise _no_form("the content type names no boundary: let your HTTP library make the form")
    return PushMultipartParser(boundary, max_segment_count=MAX_PARTS)


async def _events(
    parser: PushMultipartParser, body: Body
) -> AsyncIterator[MultipartSegment | bytes | bytearray | None]:
    """Yield what the parser finds: a part's head, its bytes, None at its end."""
    try:
        async for chunk in body:
            for event in parser.parse(chunk):
                yield event
        parser.close()
    except MultipartError as error:
        # Its first argument is the sentence; what may follow holds pieces of what was sent.
        raise _no_form(f"the form can't be read: {error.args[0]}: let your HTTP library make it") from None


def _no_form(sentence: str) -> HttpProblem:
    return HttpProblem(400, "invalid_form", sentence)
