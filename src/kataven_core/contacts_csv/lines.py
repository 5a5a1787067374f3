"""Text in pieces to whole lines, with the unfinished rest kept back."""

from .limits import MAX_RECORD_CHARS
from .records import split_lines


class LineBuffer:
    """Text that waits until it is worth looking at.

    A record that is not whole yet is looked at again only when the text has doubled, so that a file sent a byte at a
    time costs no more than a file sent whole. ``line`` is the number of the first line that waits.
    """

    def __init__(self) -> None:
        self.line = 1
        self._parts: list[str] = []
        self._length = 0
        self._again_at = 0
        self._has_line_end = False

    @property
    def text(self) -> str:
        """All that waits."""
        return "".join(self._parts)

    @property
    def is_overlong(self) -> bool:
        """Whether more waits than one record and its line end may have."""
        return self._length > MAX_RECORD_CHARS + 1

    def push(self, text: str) -> None:
        """Add the next text."""
        self._parts.append(text)
        self._length += len(text)
        self._has_line_end = self._has_line_end or _has_line_end(text)

    def take_lines(self, *, is_last: bool) -> list[str]:
        """Take out the whole lines, if there are any and they are worth a look; when nothing follows, they are."""
        if not self._has_line_end or not (is_last or self._length >= self._again_at or self.is_overlong):
            return []
        text = self.text
        # A CR at the very end may be half of a CRLF.
        cut = max(text.rfind("\n"), text.rfind("\r", 0, len(text) if is_last else -1)) + 1
        self._keep(text[cut:])
        return split_lines(text[:cut])

    def take_all(self) -> list[str]:
        """Take out all that waits: there is no more to come, so that the last line is whole, too."""
        text = self.text
        self._keep("")
        return split_lines(text)

    def put_back(self, lines: list[str], used: int) -> None:
        """Give back what was not used of the lines taken out."""
        self.line += used
        if used < len(lines):
            self._keep("".join(lines[used:]) + self.text)
            self._again_at = 2 * self._length
        else:
            self._again_at = 0

    def _keep(self, text: str) -> None:
        self._parts = [text]
        self._length = len(text)
        self._has_line_end = _has_line_end(text)


def _has_line_end(text: str) -> bool:
    return "\n" in text or "\r" in text
