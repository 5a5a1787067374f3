"""Bytes to text: UTF-8 with or without a mark, no NUL, no more than the limit; split anywhere, the same result."""

import codecs
from typing import NamedTuple

from .limits import MAX_FILE_BYTES
from .rows import FileFault

_UTF16_FIRST_BYTES = {codecs.BOM_UTF16_LE[0], codecs.BOM_UTF16_BE[0]}


class Flaw(NamedTuple):
    """What is wrong with the bytes right after the text that came before it."""

    code: FileFault
    sentence: str


_TOO_LARGE = Flaw(
    FileFault.TOO_LARGE,
    f"the file is larger than {MAX_FILE_BYTES:,} bytes (10 MiB): split it before this line",
)
_NUL = Flaw(FileFault.NUL_BYTE, "there is a NUL byte, so this is no text in UTF-8: export it again as CSV UTF-8")
_WORKBOOK = "the file is a workbook such as Excel's, or another zip archive: save it as CSV UTF-8 first"
_ZIP_FIRST_BYTES = b"PK\x03\x04"
_UTF16 = Flaw(FileFault.NOT_UTF8, "the file is UTF-16: export it again as CSV UTF-8")


class Decoder:
    """Feeds on bytes; gives text up to the first flaw, and the flaw."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._bytes_read = 0
        self._first_bytes = b""
        self._is_at_start = True

    def feed(self, data: bytes, *, final: bool = False) -> tuple[str, Flaw | None]:
        """Decode the next bytes. After a flaw there is nothing more to read."""
        room = MAX_FILE_BYTES - self._bytes_read
        flaw = _TOO_LARGE if len(data) > room else None
        data = data[:room]
        self._first_bytes += data[: len(_ZIP_FIRST_BYTES) - len(self._first_bytes)]
        offset = self._bytes_read
        self._bytes_read += len(data)
        try:
            text = self._utf8.decode(data, final and not flaw)
        except UnicodeDecodeError as error:
            text, flaw = self._before(error, offset)
        text = self._without_mark(text)
        nul = text.find("\0")
        if nul >= 0:
            text, flaw = text[:nul], _NUL
        if flaw and flaw is not _TOO_LARGE and self._first_bytes == _ZIP_FIRST_BYTES:
            flaw = flaw._replace(sentence=_WORKBOOK)
        return text, flaw

    def _before(self, error: UnicodeDecodeError, offset: int) -> tuple[str, Flaw]:
        """Give the text before the bytes that are no UTF-8, and say which bytes they are."""
        held_back = self._bytes_read - offset - len(error.object)  # negative: bytes of the piece before this one
        begin = offset + held_back + error.start
        bad = error.object[error.start]
        if begin == 0 and bad in _UTF16_FIRST_BYTES:
            return "", _UTF16
        sentence = (
            f"byte {begin:,} (0x{bad:02X}) is no UTF-8: export the file again as CSV UTF-8, not Latin-1 or Windows-1252"
        )
        return error.object[: error.start].decode(), Flaw(FileFault.NOT_UTF8, sentence)

    def _without_mark(self, text: str) -> str:
        if self._is_at_start and text:
            self._is_at_start = False
            return text.removeprefix("\ufeff")
        return text
