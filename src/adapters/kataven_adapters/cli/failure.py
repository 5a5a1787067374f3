"""How a command ends: done, failed with one sentence, or used wrongly."""

from typing import Final

DONE: Final = 0
FAILED: Final = 1
"""Refused or failed: what was asked for is sound, the file, the store or the server did not allow it."""
USAGE: Final = 2
"""Wrong usage: another command line is needed."""


class CommandFailure(Exception):
    """Ends the command with one sentence on stderr."""

    def __init__(self, sentence: str, exit_code: int = FAILED) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.exit_code = exit_code
