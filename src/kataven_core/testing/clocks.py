"""What every clock must do; and one that stands still, for the suites."""

# ruff: noqa: S101 - tests assert on plain numbers, and their names are their docstrings

from datetime import datetime, timedelta
from itertools import pairwise

from kataven_core.ports import Clock

from .samples import NOON


class ClockContract:
    """Tests of a clock; ``new_clock`` says which."""

    def new_clock(self) -> Clock:
        """Make a clock."""
        raise NotImplementedError

    def test_the_time_is_aware_and_in_utc(self) -> None:
        """Time is an instant, whatever zone the machine is in."""
        assert self.new_clock().now().utcoffset() == timedelta(0)

    def test_monotonic_time_never_goes_back(self) -> None:
        """It may stand still between two readings."""
        clock = self.new_clock()
        readings = [clock.monotonic() for _ in range(10_000)]
        assert all(earlier <= later for earlier, later in pairwise(readings))


class StillClock:
    """A clock that goes on only when it is told to."""

    def __init__(self) -> None:
        self._passed_s = 0.0

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._passed_s += seconds

    def now(self) -> datetime:
        """Give the time."""
        return NOON + timedelta(seconds=self._passed_s)

    def monotonic(self) -> float:
        """Give the seconds that have passed."""
        return self._passed_s
