"""Bytes in chunks to the header and located records; every fault gets its line and its column's name here."""

from collections.abc import Iterator
from typing import NamedTuple

from .decoder import Decoder, Flaw
from .header import HeaderSearch
from .lines import LineBuffer
from .records import RecordFault, read_plain, read_records, scan, split_lines
from .rows import ContactsFileError, FileFault, Header


class Run(NamedTuple):
    """Records that follow each other: the line on which each begins, and its cells."""

    lines: list[int]
    records: list[list[str]]


class RecordSource:
    """Feeds on bytes; yields every record below the header, many at a time."""

    def __init__(self, phone_column: str) -> None:
        self.header: Header | None = None
        self._search = HeaderSearch(phone_column)
        self._decoder = Decoder()
        self._buffer = LineBuffer()

    def read(self, data: bytes, *, final: bool = False) -> Iterator[Run]:
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

    def _records(self, lines: list[str], *, final: bool) -> Iterator[Run]:
        first, rest = self._buffer.line, self._buffer.text
        if self.header is None:
            self.header, used = self._search.look(lines, first, rest=rest, final=final)
            if self.header is None:
                self._buffer.put_back(lines, used)
                return
            self._buffer.put_back(lines[:used], used)
            lines, first = lines[used:], first + used
        plain = read_plain(lines, self.header.delimiter)
        run = _without_empty(first, plain)
        self._buffer.put_back(lines[: len(plain)], len(plain))
        lines, first = lines[len(plain) :], first + len(plain)
        used = 0
        try:
            for begin, end, cells in read_records(lines, self.header.delimiter, rest=rest, final=final):
                if cells:
                    run.lines.append(first + begin)
                    run.records.append(cells)
                used = end
        except RecordFault as fault:
            yield run
            raise _located(fault, first, self.header) from None
        self._buffer.put_back(lines, used)
        yield run

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


def _without_empty(first: int, records: list[list[str]]) -> Run:
    """Give records that stand on a line each, the first of which is told, without the empty ones."""
    if [] not in records:
        return Run([*range(first, first + len(records))], records)
    lines = [line for line, cells in enumerate(records, first) if cells]
    return Run(lines, [cells for cells in records if cells])


def _located(fault: RecordFault, first_line: int, header: Header) -> ContactsFileError:
    column = _column(header, fault.cell)
    return ContactsFileError(fault.code, fault.sentence, line=first_line + fault.line, column=column)


def _column(header: Header, cell: int) -> str:
    return header.names[cell] if cell < len(header.names) else ""
