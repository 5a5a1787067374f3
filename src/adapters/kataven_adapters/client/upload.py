"""A form with a file as it is sent: the file is read while it leaves and never held whole (RFC 7578)."""

from collections.abc import Callable, Iterator, Mapping
from io import SEEK_END, TextIOBase
from typing import BinaryIO, Final

from .errors import KatavenError

OnProgress = Callable[[int, int | None], None]
"""Told how many bytes of the file have been sent, and of how many; None where the file does not say."""
CHUNK_BYTES: Final = 64 * 1024


class Upload:
    """The body of one request: text parts, then the file ``contacts`` from where it stands to its end."""

    def __init__(self, file: BinaryIO, texts: Mapping[str, str], boundary: str, on_progress: OnProgress | None) -> None:
        _refuse_others(file)
        self._file = file
        self._head = _head(texts, boundary)
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._on_progress = on_progress
        self.can_rewind = _is_seekable(file)
        """Whether it can be sent once more."""
        self._begin = file.tell() if self.can_rewind else 0
        self._file_bytes = _bytes_left(file, self._begin) if self.can_rewind else None

    @property
    def length(self) -> int | None:
        """How many bytes the body has; None where the file does not say."""
        return None if self._file_bytes is None else len(self._head) + self._file_bytes + len(self._tail)

    def chunks(self) -> Iterator[tuple[bytes, int]]:
        """Yield the body, from the file's first byte at every call, each piece with what ``tell`` is to be told of it.

        Raises ``KatavenError`` where the file has changed meanwhile.
        """
        if self.can_rewind:
            self._file.seek(self._begin)
        yield self._head, 0
        sent = 0
        while chunk := self._read(sent):
            sent += len(chunk)
            yield chunk, sent
        if self._file_bytes not in {None, sent}:
            raise KatavenError("the contacts file became shorter while it was sent: send it once nobody writes to it")
        yield self._tail, 0

    def tell(self, sent: int) -> None:
        """Say that a piece has left, and so many bytes of the file with it."""
        if self._on_progress and sent:
            self._on_progress(sent, self._file_bytes)

    def _read(self, sent: int) -> bytes:
        """Read on, never beyond the length that was announced."""
        wanted = CHUNK_BYTES if self._file_bytes is None else min(CHUNK_BYTES, self._file_bytes - sent)
        chunk = self._file.read(wanted)
        _refuse_others(self._file, chunk)
        return chunk


def _refuse_others(file: object, chunk: object = b"") -> None:
    """Refuse what gives text, or is no file."""
    if isinstance(file, TextIOBase) or not hasattr(file, "read") or not isinstance(chunk, bytes):
        raise KatavenError("contacts must be a file that is open in binary mode: open(path, 'rb')")


def _is_seekable(file: BinaryIO) -> bool:
    return hasattr(file, "seekable") and file.seekable()


def _bytes_left(file: BinaryIO, begin: int) -> int:
    end = file.seek(0, SEEK_END)
    file.seek(begin)
    return max(end - begin, 0)


def _head(texts: Mapping[str, str], boundary: str) -> bytes:
    """Write the text parts and what stands before the file."""
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{each}"\r\n\r\n{texts[each]}\r\n' for each in texts
    )
    file = 'Content-Disposition: form-data; name="contacts"; filename="contacts.csv"\r\nContent-Type: text/csv\r\n\r\n'
    try:
        return "".join((*parts, f"--{boundary}\r\n{file}")).encode()
    except UnicodeEncodeError:
        raise KatavenError("a setting holds half a character (a lone surrogate): read it as UTF-8") from None
