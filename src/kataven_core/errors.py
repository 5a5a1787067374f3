"""The core's errors, one root, sorted by who is to blame.

``InvalidValue``: what was given is wrong, and trying again as it is won't help.
``CommandRefused``: the request is sound, the campaign or the account does not allow it now; nothing changed.
``NotFound``: no such object in this account.
``AdapterFault``: neither is to blame: a store could not write, a line could not be reached, an address is wrong.

Every error carries a stable ``code`` for programs and one sentence for people, which says what is wrong and what to do.
Anything else that the core raises is a bug in it.
"""

from collections.abc import Sequence
from typing import NamedTuple


class KatavenError(Exception):
    """The root of all errors that are part of the interface."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Problem(NamedTuple):
    """One wrong field of an input: its name, and one sentence that says what is wrong and what to do."""

    field: str
    message: str


class InvalidValue(KatavenError):
    """A value that cannot be used; ``problems`` names every wrong field, not only the first."""

    def __init__(self, code: str, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(code, message)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, code: str, problems: Sequence[Problem]) -> "InvalidValue":
        """All of ``problems`` as one error whose message holds each of their sentences."""
        return cls(code, "; ".join(problem.message for problem in problems), problems)


class CommandRefused(KatavenError):
    """A command that the campaign's status or its account does not allow; nothing changed."""


class BudgetExhausted(CommandRefused):
    """A campaign does not fit into its account's concurrency budget.

    ``reserved`` is what the account's running campaigns hold now, ``wanted`` what this campaign asks for, ``allowed``
    the account's ``concurrent_max``; all three in calls.
    """

    def __init__(self, *, reserved: int, wanted: int, allowed: int, request: str = "cannot run a campaign") -> None:
        super().__init__(
            "budget_exhausted",
            f"{request}: running campaigns reserve {reserved} concurrent calls, this one wants {wanted}, "
            f"the account allows {allowed}; stop or pause a running campaign, or lower max_concurrent_calls",
        )
        self.reserved = reserved
        self.wanted = wanted
        self.allowed = allowed


class NotFound(KatavenError):
    """No such object in this account; the same for an id that never was and for one of another account."""

    def __init__(self, kind: str) -> None:
        super().__init__("not_found", f"no such {kind} in this account")


class AdapterFault(KatavenError):
    """A store, a line or whatever else is plugged in could not do its part; the driver's own errors stay inside it.

    ``is_retryable`` where the same call may succeed later, with nothing to be mended by hand: a lock that is held, a
    disk that is full, a server that restarts.
    """

    def __init__(self, code: str, message: str, *, is_retryable: bool = False) -> None:
        super().__init__(code, message)
        self.is_retryable = is_retryable
