from math import nan
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError

from kataven_adapters.simulated import DEFAULT_CHANCES, SimulatedSettings
from kataven_core import InvalidValue, Outcome


def refusal(**members: Any) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        SimulatedSettings(**members)
    assert caught.value.code == "invalid_settings"
    return caught.value


def test_the_defaults_are_those_of_the_documentation() -> None:
    settings = SimulatedSettings()
    assert (settings.seed, settings.ring_s, settings.talk_s, settings.log) == (7, 0.05, 0.2, None)
    assert settings.chances == DEFAULT_CHANCES
    assert DEFAULT_CHANCES == {
        Outcome.ANSWERED: 0.6,
        Outcome.BUSY: 0.1,
        Outcome.NO_ANSWER: 0.2,
        Outcome.FAILED: 0.1,
    }


def test_settings_do_not_change() -> None:
    chances = {Outcome.ANSWERED: 1.0}
    settings = SimulatedSettings(chances=chances)
    chances[Outcome.ANSWERED] = 0.0
    assert settings.chances == {Outcome.ANSWERED: 1.0}
    with pytest.raises(FrozenInstanceError):
        settings.seed = 8  # type: ignore[misc] # that it can't be set is the point
    with pytest.raises(TypeError):
        settings.chances[Outcome.BUSY] = 1.0  # type: ignore[index] # that it can't be set is the point


@pytest.mark.parametrize(
    ("chances", "message"),
    [
        (
            {Outcome.ANSWERED: 0.5, Outcome.BUSY: 0.1},
            "the chances sum to 0.6 (answer 0.5 + busy 0.1): change them so that they sum to 1",
        ),
        (
            {Outcome.ANSWERED: 0.9, Outcome.NO_ANSWER: 0.2},
            "the chances sum to 1.1 (answer 0.9 + no_answer 0.2): change them so that they sum to 1",
        ),
        (
            {Outcome.ANSWERED: 1 - 2e-6},
            "the chances sum to 0.999998 (answer 0.999998): change them so that they sum to 1",
        ),
        ({}, "the chances sum to 0 (none of them): change them so that they sum to 1"),
        ({Outcome.ANSWERED: 1.5}, "answer is 1.5: a chance must be from 0 to 1"),
        ({Outcome.ANSWERED: 1, Outcome.MACHINE: -0.1}, "machine is -0.1: a chance must be from 0 to 1"),
        ({Outcome.ANSWERED: nan}, "answer is nan: a chance must be from 0 to 1"),
        ({Outcome.LOST: 1}, "lost has no chance on a simulated line: leave it out"),
        ({Outcome.ANSWERED: 1, Outcome.UNSENT: 0}, "unsent has no chance on a simulated line: leave it out"),
        ({Outcome.ANSWERED: 1, Outcome.CANCELLED: 0}, "cancelled has no chance on a simulated line: leave it out"),
    ],
)
def test_chances_that_can_t_be_are_refused(chances: dict[Outcome, float], message: str) -> None:
    assert refusal(chances=chances).message == message


def test_chances_may_be_off_by_rounding() -> None:
    tenths = dict.fromkeys([Outcome.ANSWERED, Outcome.BUSY, Outcome.NO_ANSWER], 0.333333333)
    assert SimulatedSettings(chances=tenths).chances == tenths


@pytest.mark.parametrize("name", ["ring_s", "talk_s"])
def test_means_are_seconds_of_at_most_a_day(name: str) -> None:
    for allowed in (0, 86_400):
        members: dict[str, Any] = {name: allowed}
        assert getattr(SimulatedSettings(**members), name) == allowed
    for wrong, shown in ((-0.1, "-0.1"), (86_401, "86401"), (nan, "nan")):
        assert refusal(**{name: wrong}).message == f"{name} is {shown}: it must be from 0 to 86400 seconds"


def test_a_log_has_a_name() -> None:
    assert refusal(log="").message == "log is empty: name a file"


def test_every_wrong_setting_is_named() -> None:
    error = refusal(chances={Outcome.LOST: 1, Outcome.BUSY: 2}, ring_s=-1, talk_s=-1, log="")
    assert [problem.field for problem in error.problems] == ["lost", "busy", "ring_s", "talk_s", "log"]
    assert error.message == "; ".join(problem.message for problem in error.problems)
