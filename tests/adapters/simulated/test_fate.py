from collections import Counter

import pytest

from kataven_adapters.simulated.fate import Fate, Fates
from kataven_adapters.simulated.settings import SimulatedSettings
from kataven_core import AttemptId, Outcome

IDS = [AttemptId(f"campaign.{position}.1") for position in range(2000)]


def test_a_fate_is_the_same_in_whatever_order_calls_come() -> None:
    forth, back = Fates(SimulatedSettings()), Fates(SimulatedSettings())
    assert {each: forth.of(each) for each in IDS} == {each: back.of(each) for each in reversed(IDS)}
    assert forth.of(IDS[0]) == forth.of(IDS[0])


def test_a_fate_is_the_same_on_every_machine_and_python() -> None:
    fate = Fates(SimulatedSettings(seed=7)).of(AttemptId("campaign.0.1"))
    assert fate.outcome is Outcome.BUSY
    assert (round(fate.ring_s, 6), round(fate.talk_s, 6)) == (0.037677, 0.109298)


def test_another_seed_is_another_world() -> None:
    first, second = (Fates(SimulatedSettings(seed=seed)) for seed in (1, 2))
    assert [first.of(each) for each in IDS] != [second.of(each) for each in IDS]


def test_the_order_in_which_chances_are_given_does_not_matter() -> None:
    chances = {Outcome.ANSWERED: 0.5, Outcome.BUSY: 0.25, Outcome.MACHINE: 0.25}
    reverse = dict(reversed(chances.items()))
    first, second = (Fates(SimulatedSettings(chances=each)) for each in (chances, reverse))
    assert [first.of(each) for each in IDS] == [second.of(each) for each in IDS]


def test_outcomes_come_about_as_often_as_their_chances_say() -> None:
    fates = Fates(SimulatedSettings())
    seen = Counter(fates.of(each).outcome for each in IDS)
    for outcome, chance in SimulatedSettings().chances.items():
        assert abs(seen[outcome] / len(IDS) - chance) < 0.05
    assert set(seen) == set(SimulatedSettings().chances)


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.BUSY, Outcome.INVALID_NUMBER])
def test_what_is_certain_comes_always(outcome: Outcome) -> None:
    chances = {Outcome.FAILED: 0.0, outcome: 1.0, Outcome.DECLINED: 0.0}
    fates = Fates(SimulatedSettings(chances=chances))
    assert {fates.of(each).outcome for each in IDS} == {outcome}


def test_chances_that_rounding_leaves_below_1_are_filled_up() -> None:
    fates = Fates(SimulatedSettings(chances={Outcome.ANSWERED: 0.4999996, Outcome.BUSY: 0.4999996}))
    assert {fates.of(each).outcome for each in IDS} == {Outcome.ANSWERED, Outcome.BUSY}


def test_durations_lie_evenly_around_their_means() -> None:
    fates = Fates(SimulatedSettings(ring_s=2, talk_s=10))
    drawn = [fates.of(each) for each in IDS]
    for mean_s, seen_s in ((2, [each.ring_s for each in drawn]), (10, [each.talk_s for each in drawn])):
        assert 0.5 * mean_s <= min(seen_s) < 0.51 * mean_s
        assert 1.49 * mean_s < max(seen_s) < 1.5 * mean_s
        assert abs(sum(seen_s) / len(seen_s) - mean_s) < 0.05 * mean_s


def test_a_mean_of_0_is_no_time_at_all() -> None:
    fates = Fates(SimulatedSettings(ring_s=0, talk_s=0))
    assert {(fates.of(each).ring_s, fates.of(each).talk_s) for each in IDS[:50]} == {(0, 0)}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_people_and_machines_answer(outcome: Outcome) -> None:
    assert Fate(outcome, 0, 0).is_answered is (outcome in (Outcome.ANSWERED, Outcome.MACHINE))
