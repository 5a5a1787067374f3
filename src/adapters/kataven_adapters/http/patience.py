"""How long, and how much, a binding goes on with a client that sends what nobody wants, or does not read."""

from collections.abc import AsyncIterator
from typing import Final

from kataven_core import MAX_FILE_BYTES

CHUNK_BYTES: Final = 32 * 1024
"""Pieces of a body in which others have their turn."""
LINGER_BYTES: Final = MAX_FILE_BYTES + 64 * 1024
LINGER_S: Final = 2.0
"""So much, and so long, of a refused request is still taken and thrown away.

A connection that is closed while its client sends is reset, and most clients then never read why they were refused: so
an upload of the size that is allowed gets its answer. What is larger is cut off.
"""
PIECE_BYTES: Final = 64 * 1024
SEND_S: Final = 30.0
"""How long a client may take to accept each piece of a large answer."""


async def pieces_of(body: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield an answer's body in pieces that are waited for one by one."""
    if isinstance(body, bytes):
        for at in range(0, len(body), PIECE_BYTES):
            yield body[at : at + PIECE_BYTES]
    else:
        async for piece in body:
            yield piece
