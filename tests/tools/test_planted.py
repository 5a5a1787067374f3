"""The tool that plants bugs in random runs."""

import json
import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "planted.py"


def planted(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TOOL), *words], capture_output=True, text=True, check=False)


def test_a_bug_is_tried_in_every_seed_and_its_share_is_told(tmp_path: Path) -> None:
    file = tmp_path / "bugs.json"
    done = planted("--seeds", "0-3", "--bug", "there is one retry too many", "--json", str(file))
    assert done.returncode == 0, done.stderr
    assert "there is one retry too many" in done.stdout
    tries = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(each["seed"], each["is_caught"]) for each in tries] == [(seed, True) for seed in range(4)]


def test_a_bug_that_nobody_has_planted_is_told() -> None:
    done = planted("--seeds", "0-1", "--bug", "all is well")
    assert done.returncode == 1
    assert "all is well" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
