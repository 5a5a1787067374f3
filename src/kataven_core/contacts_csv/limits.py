"""How large a contacts file may be; each limit with its reason."""

from typing import Final

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
"""The API's limit for an upload. Exactly so many bytes are accepted; one more is refused and read no further."""

MAX_ROWS: Final = 250_000
"""Data rows, the rejected ones too: what 10 MiB hold at some 40 bytes a contact; it bounds the duplicate index."""

MAX_COLUMNS: Final = 64
"""Named columns: far above any contact list; each is copied into every contact as a custom field."""

MAX_FIELD_CHARS: Final = 4_096
"""Characters of one cell: every field travels with each dial, and a longer one is nearly always an unclosed quote."""

MAX_RECORD_CHARS: Final = MAX_COLUMNS * (2 * MAX_FIELD_CHARS + 3)
"""Characters of one record as written: ``MAX_COLUMNS`` full cells, each quoted, each character a doubled quote.

What is longer breaks one of the two limits above or carries an absurd tail of empty cells. It bounds the memory of the
parser, whatever is sent.
"""

MAX_LISTED_REJECTS: Final = 100
"""Rejected rows that a refused strict upload names: enough to see the pattern, small enough to read."""

MAX_VALUE_CHARS: Final = MAX_FIELD_CHARS
"""Characters that a rejected row keeps of what stood there; a row of a thousand stray cells need not be kept whole."""
