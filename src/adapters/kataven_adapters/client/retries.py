"""Whether, and after how long, a call that has failed is tried again; the decision alone."""

from collections.abc import Callable
from typing import Any, Final

from .calls import IN_USE, Call
from .errors import APIError, ConnectionError, KatavenError, RateLimitError, ServerError, TimeoutError  # noqa: A004 - the client's own

MAX_RETRIES: Final = 3
MAX_WAIT_S: Final = 120.0
"""Where the server asks for a longer wait, the caller is told instead."""
_FIRST_WAIT_S: Final = 0.5


class Retries:
    """The rule of one client; ``chance`` gives numbers from 0 up to 1."""

    def __init__(self, *, is_on: bool, chance: Callable[[], float]) -> None:
        self._is_on = is_on
        self._chance = chance

    def wait_s(self, call: Call[Any], error: KatavenError, failures: int) -> float | None:
        """Give how many seconds to wait before the next try; None where there is none.

        ``failures`` is how many tries have failed so far, at least 1. What the server asks for is waited at the least.
        """
        if not self._is_on or failures > MAX_RETRIES or not call.is_there_again or not _may_pass(call, error):
            return None
        asked_s = error.retry_after if isinstance(error, APIError) else None
        if asked_s is None:
            return backoff_s(failures, self._chance())
        return None if asked_s > MAX_WAIT_S else asked_s + backoff_s(1, self._chance())


def backoff_s(failures: int, chance: float) -> float:
    """Double the wait with each failure; chance takes away up to half, so that not all come back at once."""
    return float(_FIRST_WAIT_S * 2 ** (failures - 1) * (1 - chance / 2))


def _may_pass(call: Call[Any], error: KatavenError) -> bool:
    """Say whether the same call may succeed later, and nothing is done twice by it."""
    if isinstance(error, RateLimitError):
        return True
    if isinstance(error, APIError) and error.code == IN_USE:
        return call.is_harmless_twice
    return call.is_harmless_twice and isinstance(error, ServerError | ConnectionError | TimeoutError)
