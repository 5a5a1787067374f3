from kataven_core.ports import Clock
from kataven_core.runtime import SystemClock
from kataven_core.testing import ClockContract, StillClock


class TestSystemClock(ClockContract):
    def new_clock(self) -> Clock:
        return SystemClock()


class TestStillClock(ClockContract):
    def new_clock(self) -> Clock:
        return StillClock()
