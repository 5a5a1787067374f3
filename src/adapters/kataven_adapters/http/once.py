"""Requests with an ``Idempotency-Key``: done once, and answered the same for a day.

The first answer is stored with its effect, in one transaction. While it is still being made, the same key is refused;
with another payload it is refused always.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Final

from attrs import frozen

from kataven_core import Campaign, CommandRefused, Once, Receipt

from .calls import Call
from .problems import HttpProblem

HEADER: Final = "idempotency-key"
REPLAYED: Final[Mapping[str, str]] = {"Idempotency-Replayed": "true"}
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


@frozen(kw_only=True)
class Attempted:
    """One request under a key. ``receipt`` is there where it was answered before."""

    scope: str
    key: str
    receipt: Receipt | None

    def once(self, payload: bytes, note: Mapping[str, str] | None = None) -> Once:
        """Give what makes a command be done once; ``note`` are headers of its answer."""
        return Once(
            scope=self.scope, key=self.key, fingerprint=sha256(payload).hexdigest(), note=json.dumps(dict(note or {}))
        )

    def replay(self, payload: bytes) -> tuple[Campaign, dict[str, str]] | None:
        """Give what was answered before, and its headers; ``CommandRefused`` where it was asked otherwise."""
        if self.receipt is None:
            return None
        first = self.receipt.once
        if first.fingerprint != sha256(payload).hexdigest():
            raise CommandRefused(
                "idempotency_key_reused",
                "this Idempotency-Key was used for another payload: use a new key for a new request",
            )
        return self.receipt.answer, {**json.loads(first.note), **REPLAYED}


@asynccontextmanager
async def attempted(call: Call, scope: str) -> AsyncIterator[Attempted | None]:
    """Hold the request's key while it is answered; None where it has none."""
    key = call.request.headers.get(HEADER)
    if key is None:
        yield None
        return
    if not _KEY.fullmatch(key):
        sentence = "Idempotency-Key must be 1 to 255 printable ASCII characters: a UUID is best"
        raise HttpProblem(400, "invalid_idempotency_key", sentence)
    mine = call.account_id, scope, key
    under_way = call.services.under_way
    if mine in under_way:
        sentence = "the first request with this Idempotency-Key is still being answered: ask again in a moment"
        raise HttpProblem(409, "idempotency_key_in_use", sentence, headers={"Retry-After": "1"})
    under_way.add(mine)
    try:
        receipt = await call.engine.receipt(*mine)
        is_good = receipt is not None and receipt.counts_at(call.services.clock.now())
        yield Attempted(scope=scope, key=key, receipt=receipt if is_good else None)
    finally:
        under_way.discard(mine)
