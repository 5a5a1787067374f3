"""Contacts files: bytes in chunks to contacts and rejected rows. Opens nothing.

``limits`` how large; ``decoder`` bytes to text; ``lines`` text to whole lines; ``records`` lines to cells; ``header``
what the columns are; ``source`` all of these in a row; ``parser`` which rows can be dialled; ``json_form`` their cells
as JSON; ``rejects`` the rest as a file; ``rows`` what comes of it all.
"""

from .limits import MAX_COLUMNS, MAX_FIELD_CHARS, MAX_FILE_BYTES, MAX_LISTED_REJECTS, MAX_ROWS
from .parser import ContactsParser, CsvOptions, Duplicates
from .rejects import rejects_csv
from .rows import AcceptedRow, Batch, ContactsFileError, FileFault, Header, RejectCode, RejectedRow

__all__ = [
    "MAX_COLUMNS",
    "MAX_FIELD_CHARS",
    "MAX_FILE_BYTES",
    "MAX_LISTED_REJECTS",
    "MAX_ROWS",
    "AcceptedRow",
    "Batch",
    "ContactsFileError",
    "ContactsParser",
    "CsvOptions",
    "Duplicates",
    "FileFault",
    "Header",
    "RejectCode",
    "RejectedRow",
    "rejects_csv",
]
