"""Rejected rows as a CSV file that is safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

from .rows import RejectedRow

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet would run (OWASP, CSV injection)."""


def rejects_csv(rows: Iterable[RejectedRow]) -> Iterator[str]:
    """Yield the file's lines, header first: ``line,column,code,message,value``.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front, which it shows as text.
    """
    yield "line,column,code,message,value\r\n"
    text = StringIO()
    writer = csv.writer(text)
    for row in rows:
        writer.writerow((row.line, _safe(row.column), row.code.value, _safe(row.message), _safe(row.value)))
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
