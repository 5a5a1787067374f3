import subprocess
import sys
from pathlib import Path

import pytest
from tools.http_load import judge

TOOL = Path(__file__).parents[2] / "tools" / "http_load.py"
WELL = {
    "p99 ms": 20.0,
    "streams": 1000,
    "heard no second one": 0,
    "shortest gap s": 1.9,
    "longest gap s": 2.1,
    "rss growth bytes": 4096,
    "bytes a stream": 6500,
    "streams ended after s": 0.2,
    "process ended after s": 0.4,
}


def test_a_small_load_is_carried_and_every_figure_is_shown() -> None:
    words = ["--uploads", "1", "--mib", "0.1", "--listeners", "8", "--deaf", "2", "--seconds", "1"]
    done = subprocess.run([sys.executable, TOOL, *words], capture_output=True, check=False, text=True, timeout=120)
    assert done.stderr == ""
    for what in [*WELL, "median ms", "cpu us a frame", "rss at begin MB", "rss at end MB"]:
        assert what in done.stdout
    assert "streams heard nothing" not in done.stdout
    assert done.returncode == int("all bounds hold" not in done.stdout)  # how fast it was is not asked here


def test_nothing_is_wrong_where_all_is_well() -> None:
    assert judge(WELL) == []


@pytest.mark.parametrize(
    ("what", "value", "said"),
    [
        ("p99 ms", 50.1, "p99 is 50.1 ms"),
        ("heard no second one", 3, "3 streams heard nothing"),
        ("shortest gap s", 1.4, "a snapshot came 1.40 s after another"),
        ("longest gap s", 2.6, "a snapshot came 2.60 s after another"),
        ("rss growth bytes", 9_000_000, "memory grew by 9,000,000 bytes"),
        ("bytes a stream", 13_000, "a stream takes 13,000 bytes"),
        ("streams ended after s", 1.1, "streams ended 1.10 s after the signal"),
        ("process ended after s", 1.1, "the process ended 1.10 s after the signal"),
    ],
)
def test_what_is_wrong_is_named(what: str, value: float, said: str) -> None:
    assert judge(WELL | {what: value}) == [said]
