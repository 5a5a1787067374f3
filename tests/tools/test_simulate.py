"""The tool that runs seeds: what it prints can be scripted, and a breach names the command that repeats it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kataven_core.testing.simulation import Violation
from kataven_core.testing.simulation import simulate as engine_simulate
from tools import simulate as tool

TOOL = Path(__file__).parents[2] / "tools" / "simulate.py"


def simulate(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TOOL), *words], capture_output=True, text=True, check=False)


def test_many_seeds_are_summed_up_and_written_down_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "seeds.jsonl"
    done = simulate("--seeds", "0-3", "--jobs", "2", "--json", str(file))
    seeds = [json.loads(line) for line in file.read_text().splitlines()]
    assert done.returncode == 0, done.stdout
    assert [each["seed"] for each in seeds] == [0, 1, 2, 3]
    assert all(each["rings"] and not each["breaches"] for each in seeds)
    assert f"4 seeds, {sum(each['dials'] for each in seeds)} dials" in done.stdout


def test_one_seed_shows_all_that_happens_and_is_the_same_again() -> None:
    first, second = simulate("--seed", "3", "--trace"), simulate("--seed", "3", "--trace")
    assert first.stdout == second.stdout
    assert {"ring", "commit", "calm"} <= {
        line.split()[1] for line in first.stdout.splitlines() if len(line.split()) > 1
    }


def test_a_seed_that_breaches_names_the_command_that_repeats_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:

    def wrong(seed: int, **more: Any) -> Any:
        outcome = engine_simulate(seed, **more)
        object.__setattr__(outcome, "violations", (Violation("I2", "a.0.1 rings 2 times", 1.0),))
        return outcome

    monkeypatch.setattr(tool, "simulate", wrong)
    monkeypatch.setattr(sys, "argv", ["simulate.py", "--seeds", "5-5"])
    assert tool.main() == 1
    printed = capsys.readouterr().out
    assert "again: python tools/simulate.py --seed 5 --trace" in printed
    assert "I2 at 1.000 s: a.0.1 rings 2 times" in printed


@pytest.mark.parametrize(
    "words",
    [("--seeds", "9-3"), ("--seeds", "x"), ("--seed", "x"), ("--fresh", "-1"), ("--seeds", "1-2", "--jobs", "0"), ()],
)
def test_wrong_words_are_told(words: tuple[str, ...]) -> None:
    done = simulate(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
