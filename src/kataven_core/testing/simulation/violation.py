"""A breach of an invariant, as the oracle notes it."""

from typing import NamedTuple


class Violation(NamedTuple):
    """Of which invariant, what happened, and at which second of the run."""

    invariant: str
    sentence: str
    at_s: float

    def __str__(self) -> str:
        return f"{self.invariant} at {self.at_s:.3f} s: {self.sentence}"
