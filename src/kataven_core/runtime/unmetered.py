"""The meter of an engine that nobody measures."""

from collections.abc import Sequence

from kataven_core.cycle import Decision


class Unmetered:
    """Counts nothing."""

    def settled(self, decisions: Sequence[Decision], took_s: float) -> None:
        """Let it pass."""

    def sent(self, took_s: float) -> None:
        """Let it pass."""
