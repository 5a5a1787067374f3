"""What a line that hears by HTTP is to whoever answers its report URL."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from kataven_core import CommandRefused

Take = Callable[[Mapping[str, str], bytes], Awaitable[None]]
"""Takes headers, by their names in small letters, and a body; it is done when what they state is durable.

It raises ``CommandRefused`` with the code ``bad_signature`` for what somebody else has sent, ``InvalidValue`` for what
can't be read, ``AdapterFault`` where it can't be written now: then it is to be sent again.
"""

_EVERY_S: Final = 60.0


def complaining(take: Take, complain: Callable[[str], None], monotonic: Callable[[], float]) -> Take:
    """Say that somebody's reports are refused, once a minute: the dialer is told, and may keep it to itself."""
    said_at = -_EVERY_S

    async def taken(headers: Mapping[str, str], body: bytes) -> None:
        nonlocal said_at
        try:
            await take(headers, body)
        except CommandRefused as refusal:
            if monotonic() - said_at >= _EVERY_S:
                said_at = monotonic()
                complain(f"reports of the dialer are refused: {refusal.message}")
            raise

    return taken


MAX_BYTES: Final = 1024 * 1024
"""The most that one request may bring: a thousand reports of the longest kind."""
