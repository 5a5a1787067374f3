"""Bytes in chunks to the header and located records; every fault gets its line and its column's name here."""

from collections.abc import Iterator

from .decoder import Decoder, Flaw
from .header import HeaderSearch
from .lines import LineBuffer
from .records import RecordFault, read_records, scan, split_lines
from .rows import ContactsFileError, FileFault, Header


class RecordSource:
    """Feeds on bytes; yields ``(line on which the record begins, its cells)`` for every record below the header."""

    def __init__(self, phone_column: str) -> None:
        self.header: Header | None = None
        self._search = HeaderSearch(phone_column)
        self._decoder = Decoder()
        self._buffer = LineBuffer()

    def read(self, data: bytes, *, final: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Read the next bytes, lazily: what stands before a fault comes out before the fault is raised.

        So the first fault in the file is the one that counts, however the bytes are split.
        """
        text, flaw = self._decoder.feed(data, final=final)
        self._buffer.push(text)
        at_end = final and flaw is None
        lines = self._buffer.take_all() if at_end else self._buffer.take_lines(is_last=flaw is not None)
        if lines or at_end or self._buffer.is_overlong:
            yield from self._records(lines, final=at_end)
        if flaw:
            raise self._flawed(flaw)

    def _records(self, lines: list[str], *, final: bool) -> Iterator[tuple[int, list[str]]]:
        first, rest = self._buffer.line, self._buffer.text
        if self.header is None:
            self.header, used = self._search.look(lines, first, rest=rest, final=final)
            if self.header is None:
                self._buffer.put_back(lines, used)
                return
            self._buffer.put_back(lines[:used], used)
            lines, first = lines[used:], first + used
        used = 0
        try:
            for begin, end, cells in read_records(lines, self.header.delimiter, rest=rest, final=final):
                if cells:
                    yield first + begin, cells
                used = end
        except RecordFault as fault:
            raise _located(fault, first, self.header) from None
        self._buffer.put_back(lines, used)

    def _flawed(self, flaw: Flaw) -> ContactsFileError:
        """Say where the bytes are flawed, unless something is wrong with the same record before that."""
        waiting = self._buffer.text
        line = self._buffer.line + len(split_lines(waiting + ".")) - 1
        if self.header is None or flaw.code is FileFault.TOO_LARGE:
            return ContactsFileError(flaw.code, flaw.sentence, line=line)
        try:
            cells = scan(waiting, self.header.delimiter, final=False).cells
        except RecordFault as fault:
            return _located(fault, self._buffer.line, self.header)
        return ContactsFileError(flaw.code, flaw.sentence, line=line, column=_column(self.header, len(cells) - 1))


def _located(fault: RecordFault, first_line: int, header: Header) -> ContactsFileError:
    column = _column(header, fault.cell)
    return ContactsFileError(fault.code, fault.sentence, line=first_line + fault.line, column=column)


def _column(header: Header, cell: int) -> str:
    return header.names[cell] if cell < len(header.names) else ""
