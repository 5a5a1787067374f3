"""What a line that hears by HTTP is to whoever answers its report URL."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

Take = Callable[[Mapping[str, str], bytes], Awaitable[None]]
"""Takes headers, by their names in small letters, and a body; it is done when what they state is durable.

It raises ``CommandRefused`` with the code ``bad_signature`` for what somebody else has sent, ``InvalidValue`` for what
can't be read, ``AdapterFault`` where it can't be written now: then it is to be sent again.
"""

MAX_BYTES: Final = 1024 * 1024
"""The most that one request may bring: a thousand reports of the longest kind."""
