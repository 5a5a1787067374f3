"""When a contact is dialled again: policy, history and outcome give a time, or never."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from attrs import frozen

from .statuses import Outcome

RETRYABLE: Final = frozenset({Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED, Outcome.CANCELLED, Outcome.LOST})
"""Outcomes after which trying again makes sense: nobody said no, and the number may be right."""


@frozen(kw_only=True)
class RetryPolicy:
    """The waits before each retry, in seconds, the first retry's first; as many retries as waits.

    ``outcomes`` are those that are retried.
    """

    delays_s: tuple[int, ...] = ()
    outcomes: frozenset[Outcome] = RETRYABLE

    @classmethod
    @lru_cache(maxsize=1_000)
    def fixed(cls, *, retries: int, delay_s: int) -> "RetryPolicy":
        """Wait the same time before each of so many retries."""
        return cls(delays_s=(delay_s,) * retries)


def next_attempt_at(
    policy: RetryPolicy, *, outcome: Outcome, attempts: int, ended_at: datetime, jitter_s: float = 0.0
) -> datetime | None:
    """Say when to dial again after the ``attempts``-th attempt ended with ``outcome``; None: never.

    The delay runs from the end of the attempt. ``jitter_s``, drawn by the caller, is added, so that contacts that
    failed together need not ring together; it never shortens the delay.
    """
    if outcome not in policy.outcomes or attempts > len(policy.delays_s):
        return None
    return ended_at + timedelta(seconds=policy.delays_s[attempts - 1] + max(jitter_s, 0.0))
