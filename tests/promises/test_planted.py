"""Each known-wrong variant of the engine is caught by its scenario; the real engine breaches nothing in it."""

import pytest
from tests.promises.planted import BUGS
from tests.promises.planted_bug import PlantedBug

from kataven_adapters.memory import MemoryStore
from kataven_core.testing.simulation import run

EACH = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name.replace(" ", "-"))


@EACH
def test_a_planted_bug_is_caught_by_its_scenario(bug: PlantedBug) -> None:
    with bug.plant():
        outcome = run(bug.plan, make_store=MemoryStore)
    assert {each.invariant for each in outcome.violations} & bug.invariants, outcome.violations


@EACH
def test_the_real_engine_breaches_nothing_in_the_same_scenario(bug: PlantedBug) -> None:
    outcome = run(bug.plan, make_store=MemoryStore)
    assert outcome.violations == ()
    assert outcome.rings


def test_every_invariant_has_a_bug_that_breaches_it() -> None:
    assert {invariant for bug in BUGS for invariant in bug.invariants} == {f"I{n}" for n in range(1, 13)}


def test_there_are_enough_bugs_and_each_has_a_name_of_its_own() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 24
