"""The clock of a simulated machine: monotonic time is the loop's, wall time may be set."""

from datetime import datetime, timedelta

from .loop import VirtualLoop


class VirtualClock:
    """Wall time begins at ``start``, and goes with the loop's until somebody sets it."""

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        self._loop = loop
        self._start = start
        self._set_by = timedelta()

    def now(self) -> datetime:
        """Give the wall time, in UTC."""
        return self._start + timedelta(seconds=self._loop.time()) + self._set_by

    def monotonic(self) -> float:
        """Give the loop's seconds."""
        return self._loop.time()

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back where that is negative."""
        self._set_by += timedelta(seconds=seconds)
