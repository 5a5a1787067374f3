"""What can go wrong: one root, below it what the server answered and what kept it from answering."""

from collections.abc import Mapping, Sequence
from typing import Any


class KatavenError(Exception):
    """Root of all errors of this client, raised itself where what was asked for can't even be sent."""


class APIError(KatavenError):
    """An answer that is no success.

    ``code`` is stable and made for programs, ``message`` for people. ``errors`` are the fields or rows that are wrong,
    where the server names them; ``retry_after`` is in how many seconds to ask again, where it says so.
    """

    def __init__(self, status_code: int, code: str, message: str) -> None:
        super().__init__(status_code, code, message)
        self.status_code = status_code
        self.code = code
        self.message = message
        self.errors: Sequence[Mapping[str, Any]] = ()
        self.retry_after: float | None = None

    def __str__(self) -> str:
        return self.message


class BadRequestError(APIError):
    """400: what was sent is wrong."""


class AuthenticationError(APIError):
    """401: there is no such key."""


class PermissionDeniedError(APIError):
    """403: the key is not one of that account."""


class NotFoundError(APIError):
    """404: the account has no such campaign."""


class ConflictError(APIError):
    """409: the campaign's status, or the account's budget, does not allow it now."""


class RateLimitError(APIError):
    """429: asked too often; ``retry_after`` says when to ask again."""


class ServerError(APIError):
    """5xx: the server, or what stands before it, can't answer."""


class ConnectionError(KatavenError):  # noqa: A001 - the client's own
    """The server can't be reached, or the connection broke. What was asked for may have been done all the same."""


class TimeoutError(KatavenError):  # noqa: A001 - the client's own
    """The server did not answer in time. What was asked for may have been done all the same."""
