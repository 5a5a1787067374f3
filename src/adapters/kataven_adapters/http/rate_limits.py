"""How many requests an account may make in a minute."""

from collections.abc import Callable
from math import ceil

from kataven_core import AccountId

from .problems import HttpProblem

_MINUTE_S = 60.0


class RateLimits:
    """Counts an account's requests in windows of a minute. ``clock`` gives monotonic seconds."""

    def __init__(self, requests_per_minute: int | None, clock: Callable[[], float]) -> None:
        self._limit = requests_per_minute
        self._clock = clock
        self._window = 0
        self._counts: dict[AccountId, int] = {}

    def take(self, account_id: AccountId) -> None:
        """Count one request; ``HttpProblem`` 429 says when to come again where there were too many."""
        if self._limit is None:
            return
        now = self._clock()
        window = int(now // _MINUTE_S)
        if window != self._window:
            self._window = window
            self._counts.clear()
        count = self._counts[account_id] = self._counts.get(account_id, 0) + 1
        if count > self._limit:
            raise rate_limited("requests_per_minute", self._limit, retry_after_s=(window + 1) * _MINUTE_S - now)


def rate_limited(scope: str, limit: int, *, retry_after_s: float) -> HttpProblem:
    """Refuse for now."""
    headers = {"Retry-After": str(max(ceil(retry_after_s), 1))}
    return HttpProblem(429, "rate_limited", f"rate_limited: {scope} ({limit}) exceeded", headers=headers)
