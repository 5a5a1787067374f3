"""Words of the command line that are checked as they are read."""

import argparse
from collections.abc import Callable


def not_blank(word: str) -> str:
    """Take a word that says something."""
    if not word.strip():
        raise argparse.ArgumentTypeError("it is blank")
    return word


def whole(low: int, high: int) -> Callable[[str], int]:
    """Give what takes a whole number from ``low`` to ``high``, both included."""

    def read(word: str) -> int:
        if not (word.isascii() and word.isdigit() and low <= int(word) <= high):
            raise argparse.ArgumentTypeError(f"{word!r} is no whole number from {low} to {high:,}")
        return int(word)

    return read
