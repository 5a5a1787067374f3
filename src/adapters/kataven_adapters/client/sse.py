"""Server-sent events as they come, in chunks cut anywhere (WHATWG HTML, 9.2); no I/O."""

import json
import re
from typing import Any, Final

from .errors import KatavenError

Item = dict[str, Any] | str
"""A snapshot, a comment as it stands (``: heartbeat``), or which event the next snapshot is (``event: end``)."""
END: Final = "event: end"
MAX_FRAME_BYTES: Final = 1024 * 1024
"""A snapshot has a few hundred bytes: what is larger comes from no campaigns API."""
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM: Final = b"\xef\xbb\xbf"


class EventParser:
    """Reads one stream."""

    def __init__(self) -> None:
        self.last_event_id: str | None = None
        """The last ``id:`` of a whole frame, what a reconnect begins after."""
        self._line = b""
        self._is_first_line = True
        self._ends_in_cr = False
        self._id: str | None = None
        self._forget()

    def feed(self, chunk: bytes) -> list[Item]:
        """Take the next bytes and give what they complete; ``KatavenError`` where they are no such events."""
        if not chunk:
            return []
        if self._ends_in_cr:
            chunk = chunk.removeprefix(b"\n")
        self._ends_in_cr = chunk.endswith(b"\r")
        *whole, rest = _LINE_END.split(self._line + chunk)
        self._line = rest
        items = [item for line in whole for item in self._take(line)]
        if len(self._line) + self._data_bytes > MAX_FRAME_BYTES:
            raise KatavenError("the server sends an event that has no end: check base_url")
        return items

    def _forget(self) -> None:
        self._event = ""
        self._data: list[str] = []
        self._data_bytes = 0

    def _take(self, line: bytes) -> list[Item]:
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._finish_frame()
        text = line.decode(errors="replace")
        if text.startswith(":"):
            return [text]
        name, _, value = text.partition(":")
        self._set(name, value.removeprefix(" "))
        return []

    def _set(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
            self._data_bytes += len(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value

    def _finish_frame(self) -> list[Item]:
        """Give a frame's event, if it names one, and its data; an end needs no data."""
        event, data = f"event: {self._event}", self._data
        self._forget()
        self.last_event_id = self._id
        if not data:
            return [END] if event == END else []
        return (
            [_object("\n".join(data))] if event in {"event: ", "event: message"} else [event, _object("\n".join(data))]
        )


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise KatavenError("the server sends an event that is no JSON object: check base_url")
    return found
