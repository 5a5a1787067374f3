"""An engine that nobody measures has a meter all the same."""

from kataven_core.ports import Meter
from kataven_core.runtime.unmetered import Unmetered


def test_it_is_a_meter_that_keeps_nothing() -> None:
    meter: Meter = Unmetered()
    meter.settled([], 0.1)
    meter.sent(0.1)
    assert vars(meter) == {}
