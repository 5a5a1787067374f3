"""The machine's own clock and ids."""

from datetime import UTC, timedelta

from kataven_core.ports import Clock
from kataven_core.runtime import SystemClock
from kataven_core.runtime.system import chance, new_campaign_id


def test_the_wall_time_is_utc() -> None:
    clock: Clock = SystemClock()
    before = clock.now()
    assert before.tzinfo is UTC
    assert timedelta() <= clock.now() - before < timedelta(hours=1)


def test_monotonic_time_never_goes_back() -> None:
    clock = SystemClock()
    moments = [clock.monotonic() for _ in range(100)]
    assert moments == sorted(moments)


def test_no_id_is_drawn_twice() -> None:
    drawn = [new_campaign_id() for _ in range(1000)]
    assert len(set(drawn)) == 1000
    assert all(len(each) == 36 for each in drawn)


def test_chance_is_a_number_from_0_to_1_and_not_always_the_same() -> None:
    drawn = [chance() for _ in range(100)]
    assert all(0 <= number < 1 for number in drawn)
    assert len(set(drawn)) > 1
