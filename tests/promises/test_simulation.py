"""The engine keeps its promises in every simulated run: in those that are fixed, and in some that nobody has chosen."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterable

import pytest

from kataven_adapters.memory import MemoryStore
from kataven_core import Caps
from kataven_core.testing.simulation import Broken, CampaignPlan, Phones, Plan, Put, Sick, run, simulate

FIXED = 300
CHUNK = 25
FRESH_CHUNKS = 4

PRINT_HASHES = """
import sys
from kataven_adapters.memory import MemoryStore
from kataven_core.testing.simulation import simulate
print([simulate(seed, make_store=MemoryStore).trace_hash for seed in map(int, sys.argv[1:])])
"""


def breaches(seeds: Iterable[int]) -> list[str]:
    """Run these, and give what was breached, each time with the command that repeats it."""
    return [
        f"{violation}; again: python tools/simulate.py --seed {seed} --trace"
        for seed in seeds
        for violation in simulate(seed, make_store=MemoryStore).violations
    ]


@pytest.mark.parametrize("first", range(0, FIXED, CHUNK))
def test_no_fixed_seed_breaches_an_invariant(first: int) -> None:
    assert breaches(range(first, first + CHUNK)) == []


@pytest.mark.parametrize("chunk", range(FRESH_CHUNKS))
def test_no_fresh_seed_breaches_an_invariant(chunk: int) -> None:
    first = int.from_bytes(os.urandom(6), "big") + chunk
    assert breaches(range(first, first + CHUNK)) == []


def test_a_campaign_that_fits_only_when_all_is_calm_is_waited_for_to_its_last_retry() -> None:
    plan = Plan(
        campaigns=(CampaignPlan(name="c", cap=8, retries=1, retry_delay_s=3_600, created_s=5.0, scheduled_s=60.0),),
        deeds=(Put(at_s=10.0, caps=Caps(concurrent_max=2)),),
        phones=Phones(answer=0.0, busy=1.0, no_answer=0.0),
        calm_s=1_000.0,
    )
    outcome = run(plan, make_store=MemoryStore)
    assert outcome.violations == ()
    assert outcome.dials == 2


def test_a_process_that_has_to_be_replaced_when_a_schedule_comes_is_given_the_time() -> None:
    looked_at_s = 1_000.0 + 40 * 300.0
    plan = Plan(
        campaigns=(CampaignPlan(name="c", created_s=5.0, scheduled_s=looked_at_s - 10.0),),
        deeds=(Broken(at_s=500.0),),
        calm_s=1_000.0,
    )
    outcome = run(plan, make_store=MemoryStore)
    assert outcome.violations == ()
    assert outcome.dials == 1


def test_caps_that_could_not_be_put_in_time_give_way_to_those_of_calm_times() -> None:
    plan = Plan(
        campaigns=(CampaignPlan(name="c", numbers=(1, 2), created_s=5.0, scheduled_s=2_000.0),),
        deeds=(Sick(at_s=900.0, for_s=90.0), Put(at_s=980.0, caps=Caps(daily_calls_max=1))),
        calm_s=985.0,
    )
    outcome = run(plan, make_store=MemoryStore)
    assert outcome.violations == ()
    assert outcome.dials == 2


def test_the_same_seeds_are_the_same_runs_in_processes_with_other_hashes() -> None:
    printed = set()
    for hash_seed in ("1", "2"):
        command = [sys.executable, "-c", PRINT_HASHES, *map(str, range(6))]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        printed.add(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
    assert len(printed) == 1
    assert len(set(printed.pop().split(", "))) == 6


def test_what_the_engine_logs_after_a_run_is_heard_again(caplog: pytest.LogCaptureFixture) -> None:
    simulate(1, make_store=MemoryStore)
    logging.getLogger("kataven_core.engine").warning("heard")
    assert "heard" in caplog.text
