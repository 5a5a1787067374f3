"""Rejected rows as a CSV file that is safe to open in a spreadsheet."""

import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO

from .rows import RejectedRow

_FORMULA = re.compile('^[\t\r\n]|(?:^|(?<=[",;\t\r\n]))[-=+@\uff0d\uff1d\uff0b\uff20]')
"""How a cell begins that a spreadsheet would run (OWASP, CSV injection).

Also inside: a spreadsheet that splits at semicolons or tabs begins a new cell there, whatever our quotes say.
"""


def rejects_csv(rows: Iterable[RejectedRow]) -> Iterator[str]:
    """Yield the file's lines, header first: ``line,column,code,message,value``.

    What a spreadsheet would take for a formula gets an apostrophe in front, so that it stays text.
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
    return _FORMULA.sub(r"'\g<0>", cell)
