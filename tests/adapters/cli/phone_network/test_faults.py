import pytest

from kataven_adapters.cli.phone_network.faults import CHANCES, MEANS_S, Faults, Mishaps, changed
from kataven_core import InvalidValue


def test_without_faults_nothing_goes_wrong() -> None:
    mishaps = Mishaps(7, Faults())
    for number in range(100):
        assert not any(mishaps.meets(fault, f"march.{number}.1", 0) for fault in CHANCES)
        assert not any(mishaps.wait_s(mean, f"march.{number}.1", 0) for mean in MEANS_S)


@pytest.mark.parametrize("fault", CHANCES)
def test_a_chance_of_1_meets_every_case_and_others_about_their_share(fault: str) -> None:
    cases = [(f"march.{number}.1", case) for number in range(1_000) for case in (0, 1)]
    always, often = Mishaps(7, Faults(**{fault: 1.0})), Mishaps(7, Faults(**{fault: 0.3}))
    assert all(always.meets(fault, *case) for case in cases)
    assert 500 < sum(often.meets(fault, *case) for case in cases) < 700
    assert 900 < sum(often.is_placed_before(fault, *case) for case in cases) < 1_100


@pytest.mark.parametrize("mean", MEANS_S)
def test_a_wait_is_from_none_to_twice_its_mean(mean: str) -> None:
    mishaps = Mishaps(7, Faults(**{mean: 3.0}))
    waits = [mishaps.wait_s(mean, f"march.{number}.1", 0) for number in range(1_000)]
    assert 0 <= min(waits) < 0.2
    assert 5.8 < max(waits) <= 6
    assert 2.8 < sum(waits) / 1_000 < 3.2


def test_what_goes_wrong_is_drawn_from_the_seed_the_attempt_the_fault_and_the_case() -> None:
    def met(seed: int, fault: str, case: int) -> list[bool]:
        mishaps = Mishaps(seed, Faults(lose=0.5, repeat=0.5))
        return [mishaps.meets(fault, f"march.{number}.1", case) for number in range(64)]

    assert met(7, "lose", 1) == met(7, "lose", 1)
    others = [met(8, "lose", 1), met(7, "repeat", 1), met(7, "lose", 2)]
    assert all(other != met(7, "lose", 1) for other in others)


def test_a_chance_that_is_raised_meets_whom_it_met_before_too() -> None:
    mishaps = Mishaps(7, Faults(lose=0.2))
    before = {number for number in range(200) if mishaps.meets("lose", f"march.{number}.1", 1)}
    mishaps.faults = Faults(lose=0.6)
    after = {number for number in range(200) if mishaps.meets("lose", f"march.{number}.1", 1)}
    assert before < after


def test_tries_are_counted_for_each_attempt() -> None:
    mishaps = Mishaps(7, Faults())
    assert [mishaps.count_try(name) for name in ("a", "a", "b", "a")] == [0, 1, 0, 2]


def test_only_what_is_named_changes() -> None:
    assert changed(Faults(lose=0.1, slow_s=2), {"lose": 1, "repeat": 0.5}) == Faults(lose=1, repeat=0.5, slow_s=2)
    assert changed(Faults(lose=0.1), {}) == Faults(lose=0.1)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ([], "write a JSON object, such as"),
        (None, "write a JSON object, such as"),
        (
            {"lsoe": 1},
            "there is no fault 'lsoe': use lose, repeat, reorder, refuse, fail, never, fail_look_up, delay_s",
        ),
        ({"lose": 1.1}, "lose is 1.1: write a chance from 0 to 1"),
        ({"fail": -0.1}, "fail is -0.1: write a chance from 0 to 1"),
        ({"never": True}, "never is True: write a chance from 0 to 1"),
        ({"never": "1"}, "never is 1: write a chance from 0 to 1"),
        ({"refuse": float("nan")}, "refuse is nan: write a chance from 0 to 1"),
        ({"delay_s": -1}, "delay_s is -1: write 0 to 3600 seconds"),
        ({"slow_s": 3601}, "slow_s is 3601: write 0 to 3600 seconds"),
        ({"lose": 2, "slow_s": None}, "lose is 2: write a chance from 0 to 1; slow_s is None: write 0 to 3600 seconds"),
    ],
)
def test_what_can_not_be_is_refused_with_what_is_allowed(members: object, sentence: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        changed(Faults(), members)
    assert caught.value.message.startswith(sentence)
