"""Who asks: API keys, of which only the hash is known here."""

import hmac
import re
from collections.abc import Awaitable, Callable, Iterable
from hashlib import sha256
from typing import NamedTuple

from kataven_core import AccountId

from .messages import Request

_BEARER = re.compile(r"bearer +([\x21-\x7e]+) *", re.IGNORECASE)


class Caller(NamedTuple):
    """Whose request it is. ``key_id`` names the key, or the user of a host, in what is created."""

    account_id: AccountId
    key_id: str


Authenticate = Callable[[Request], Awaitable[Caller | None]]
"""Says who asks; None: nobody known. A host that has users of its own gives one of its own."""


class ApiKey(NamedTuple):
    """A key by the SHA-256 of the whole of it, in hex."""

    sha256: str
    account_id: AccountId
    key_id: str


class ApiKeys:
    """Knows callers by ``Authorization: Bearer <key>``."""

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        self._callers: dict[str, ApiKey] = {}
        self.replace(keys)

    def replace(self, keys: Iterable[ApiKey]) -> None:
        """Know these keys, and no others, from now on."""
        self._callers = {key.sha256: key for key in keys}

    async def __call__(self, request: Request) -> Caller | None:
        """Look the key up by its hash, never by a part of it: an account's id may hold what separates the parts."""
        found = _BEARER.fullmatch(request.header("authorization"))
        if not found:
            return None
        digest = sha256(found[1].encode()).hexdigest()
        key = self._callers.get(digest)
        if key is None or not hmac.compare_digest(key.sha256, digest):
            return None
        return Caller(key.account_id, key.key_id)
