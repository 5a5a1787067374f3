import pytest

from kataven_core.testing.simulation.chance import Chance


def drawn(chance: Chance) -> list[float]:
    return [chance.between(0.0, 1.0) for _ in range(5)]


def test_the_same_seed_and_concern_draw_the_same() -> None:
    assert drawn(Chance(7, "line")) == drawn(Chance(7, "line"))


@pytest.mark.parametrize("other", [Chance(7, "store"), Chance(8, "line")])
def test_another_seed_or_concern_draws_something_else(other: Chance) -> None:
    assert drawn(other) != drawn(Chance(7, "line"))


def test_draws_stay_the_same_over_versions_of_python() -> None:
    assert Chance(7, "line").whole(0, 10**9) == 165293763


def test_whole_numbers_reach_both_ends_and_no_further() -> None:
    chance = Chance(7, "line")
    assert {chance.whole(1, 3) for _ in range(100)} == {1, 2, 3}


def test_what_is_certain_happens_and_what_is_impossible_never() -> None:
    chance = Chance(7, "line")
    assert {(chance.meets(1.0), chance.meets(0.0)) for _ in range(100)} == {(True, False)}


def test_each_thing_is_drawn() -> None:
    chance = Chance(7, "line")
    assert {chance.one_of("abc") for _ in range(100)} == {*"abc"}
