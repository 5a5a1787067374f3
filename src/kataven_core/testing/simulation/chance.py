"""Chance, drawn from the seed: a stream for each concern, so that one that is switched off moves no other."""

from collections.abc import Sequence
from random import Random  # noqa: TID251 - chance is drawn from the seed
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """One stream. Only ``Random.random`` is used: its sequence is the same in every Python."""

    def __init__(self, seed: int, concern: str) -> None:
        self._draw = Random(f"{seed}:{concern}").random  # noqa: S311 - nothing here is a secret

    def meets(self, likelihood: float) -> bool:
        """Draw whether something so likely happens; for what never does, nothing is drawn."""
        return likelihood > 0 and self._draw() < likelihood

    def between(self, low: float, high: float) -> float:
        """Draw a number."""
        return low + (high - low) * self._draw()

    def whole(self, low: int, high: int) -> int:
        """Draw a whole number, both ends included."""
        return low + int((high - low + 1) * self._draw())

    def one_of(self, things: Sequence[T]) -> T:
        """Draw one of these."""
        return things[int(len(things) * self._draw())]
