import json
from pathlib import Path

import pytest
from bench.figures import STATED, Goal, at_least, at_most, compared, figure, keep, misses, shown, table
from bench.measuring import Sample


def samples(*values: float) -> list[Sample]:
    return [Sample(value, wall_s=1.0, cpu_s=0.5, peak_mb=40.0) for value in values]


@pytest.mark.parametrize(
    ("goal", "ratio", "is_met"),
    [
        (at_least(0.3), 0.3, True),
        (at_least(0.3), 0.29, False),
        (at_most(3), 3.0, True),
        (at_most(3), 3.1, False),
        (STATED, 99.0, True),
    ],
)
def test_a_goal_is_met_from_its_limit_on(goal: Goal, ratio: float, *, is_met: bool) -> None:
    assert goal.is_met(ratio) is is_met


def test_runs_are_compared_in_pairs_and_the_middle_ratio_counts() -> None:
    found = compared("dispatch", (samples(10, 30, 20), "/s"), (samples(10, 10, 40), "floor"), at_least(1))
    assert (found.ratio, found.measured, found.floor_or_peer, found.met) == (1.0, 20, "floor: 10 /s", True)


def test_the_table_says_what_is_missed() -> None:
    met = figure("a", (samples(1), "ms"), "itself", 0.5, at_most(1))
    missed = figure("b", (samples(12_345.6), "/s"), "floor: 1 /s", 2.0, at_most(1))
    stated = figure("c", ([Sample(3.0, 1.0, 0.5, 0.0)], "ms"), "itself", 3.0, STATED)
    assert [*table([met, missed, stated])][2:] == [
        "| a | ≤ 1 | 0.5 | 1 ms | itself | 0.5 | 40 | yes |",
        "| b | ≤ 1 | 2 | 12,346 /s | floor: 1 /s | 0.5 | 40 | **no** |",
        "| c | stated | 3 | 3 ms | itself | 0.5 | - | - |",
    ]
    assert misses([met, missed, stated]) == "All was measured; 1 of 2 goals are missed: b: 2 (≤ 1)."
    assert misses([met, stated]) == "All was measured; 0 of 1 goals are missed."


def test_what_was_measured_before_stays_and_what_is_measured_again_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    for name, value in (("a", 1.0), ("b", 2.0), ("a", 3.0)):
        keep([figure(name, (samples(value), "ms"), "itself", value, STATED)], file)
    rows = json.loads(file.read_text())["rows"]
    assert [(row["name"], row["measured"]) for row in rows] == [("a", 3.0), ("b", 2.0)]
    assert [*rows[0]] == ["name", "goal", "measured", "unit", "floor_or_peer", "ratio", "met", "cpu_s", "peak_mb"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "0.123"), (12.0, "12"), (999.9, "1,000"), (123_456.0, "123,456")]
)
def test_three_digits_count(value: float, text: str) -> None:
    assert shown(value) == text
