import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def bench(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )


def test_a_row_that_is_not_there_is_named_with_those_that_are() -> None:
    done = bench("dispach")
    assert done.returncode == 2
    assert "there is no row dispach: take of contacts_csv, upload, dispatch" in done.stderr


def test_one_row_is_measured_printed_and_written(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    done = bench("imports", "--repeats", "1", "--results", str(file))
    assert done.returncode == 0, done.stderr  # how fast it is here is for nobody to say
    (row,) = json.loads(file.read_text())["rows"]
    assert row["name"] in done.stdout
    assert "of 1 goals are missed" in done.stderr
    assert f"Written to {file}." in done.stderr
    assert "drivers loaded: none" in row["floor_or_peer"]
