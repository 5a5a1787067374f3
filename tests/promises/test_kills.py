"""The real server, killed with SIGKILL while it dials, forty times: judged by what phones heard."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "kill_serve.py"
KILLS = 20


@pytest.mark.parametrize("seed", [11, 12])
def test_nobody_is_lost_or_rung_twice_and_no_cap_is_passed(seed: int, tmp_path: Path) -> None:
    words = [sys.executable, str(TOOL), "--kills", str(KILLS), "--seed", str(seed), "--json", "--keep", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["wrong"] == []
    assert (told["kills"], done.returncode) == (KILLS, 0)
    assert told["rings"] >= told["contacts"] / 2
