"""Bytes in chunks to the header and located records; every fault gets its line and its column's name here."""

from collections.abc import Iterator

from .decoder import Decoder, Flaw
from .header import commonest_delimiter, find_header
from .lines import LineBuffer
from .records import RecordFault, read_records, scan, split_lines
from .rows import ContactsFileError, Header


class RecordSource:
    """Feeds on bytes; yields ``(line on which the record begins, its cells)`` for every record below the header."""

    def __init__(self, phone_column: str) -> None:
        self.header: Header | None = None
        self._phone_column = phone_column
        self._decoder = Decoder()
        self._buffer = LineBuffer()

    def read(self, data: bytes, *, final: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Read the next bytes, lazily: what stands before a fault comes out before the fault is raised.

        So the first fault in the file is the one that counts, however the bytes are split.
        """
        text, flaw = self._decoder.feed(data, final=final)
        self._buffer.push(text)
        at_end = final and flaw is None
        lines = self._buffer.take_all() if at_end else self._buffer.take_lines(force=flaw is not None)
        if lines or at_end:
            yield from self._records(lines, final=at_end)
        if self._buffer.is_overlong:
            self._refuse_overlong()
        if flaw:
            raise self._flawed(flaw)

    def _records(self, lines: list[str], *, final: bool) -> Iterator[tuple[int, list[str]]]:
        used = 0
        if self.header is None:
            found = find_header(lines, self._buffer.line, self._phone_column, final=final)
            if found is None:
                self._buffer.put_back(lines, 0)
                return
            self.header, used = found
            self._buffer.put_back(lines[:used], used)
            lines = lines[used:]
        first, used = self._buffer.line, 0
        try:
            for begin, end, cells in read_records(lines, self.header.delimiter, final=final):
                yield first + begin, cells
                used = end
        except RecordFault as fault:
            raise self._located(fault, first) from None
        self._buffer.put_back(lines, used)

    def _refuse_overlong(self) -> None:
        waiting = self._buffer.text
        try:
            scan(waiting, self._delimiter(waiting), final=False)
        except RecordFault as fault:
            raise self._located(fault, self._buffer.line) from None

    def _located(self, fault: RecordFault, first_line: int) -> ContactsFileError:
        return ContactsFileError(
            fault.code, fault.sentence, line=first_line + fault.line, column=self._column(fault.cell)
        )

    def _flawed(self, flaw: Flaw) -> ContactsFileError:
        waiting = self._buffer.text
        try:
            cell = len(scan(waiting, self._delimiter(waiting), final=False).cells) - 1
        except RecordFault as fault:
            cell = fault.cell
        line = self._buffer.line + len(split_lines(waiting + ".")) - 1
        return ContactsFileError(flaw.code, flaw.sentence, line=line, column=self._column(cell))

    def _delimiter(self, waiting: str) -> str:
        return self.header.delimiter if self.header else commonest_delimiter(waiting)

    def _column(self, cell: int) -> str:
        names = self.header.names if self.header else ()
        return names[cell] if cell < len(names) else ""
