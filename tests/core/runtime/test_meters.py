"""An engine that nobody measures has a meter all the same; one that fails does no harm."""

from collections.abc import Sequence

import pytest

from kataven_core import Decision
from kataven_core.ports import Meter
from kataven_core.runtime.meters import Harmless, Unmetered


class Heard:
    def __init__(self) -> None:
        self.told: list[object] = []

    def settled(self, decisions: Sequence[Decision], took_s: float) -> None:
        self.told.append((decisions, took_s))

    def sent(self, took_s: float) -> None:
        self.told.append(took_s)

    def passed_over(self, reports: int) -> None:
        self.told.append(reports)


class Broken:
    def settled(self, decisions: Sequence[Decision], took_s: float) -> None:
        raise ZeroDivisionError(decisions, took_s)

    def sent(self, took_s: float) -> None:
        raise ZeroDivisionError(took_s)

    def passed_over(self, reports: int) -> None:
        raise ZeroDivisionError(reports)


def tell(meter: Meter) -> None:
    meter.settled([], 0.1)
    meter.sent(0.2)
    meter.passed_over(3)


def test_it_is_a_meter_that_keeps_nothing() -> None:
    meter = Unmetered()
    tell(meter)
    assert vars(meter) == {}


def test_all_is_passed_on() -> None:
    heard = Heard()
    tell(Harmless(heard))
    assert heard.told == [([], 0.1), 0.2, 3]


def test_what_a_meter_raises_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    tell(Harmless(Broken()))
    assert [record.getMessage() for record in caplog.records] == [
        "a commit was not counted; dialling goes on",
        "a call was not counted; dialling goes on",
        "a report was not counted; dialling goes on",
    ]
