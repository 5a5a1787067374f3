"""The report of the long runs: every part in its place, with its command and what it came to."""

import json
from pathlib import Path

import pytest

from tools import deep

TOOL = Path(__file__).parents[2] / "tools" / "deep.py"


@pytest.fixture(autouse=True)
def two_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good.py").write_text("print('1,000 tries')\nprint('nothing')\n")
    (tmp_path / "bad.py").write_text("print('found: a.0.1')\nraise SystemExit(1)\n")
    parts = {
        name: deep.Part(name.title(), f"What {name} shows.", (str(tmp_path / f"{name}.py"), "--seed", "1"))
        for name in ("good", "bad")
    }
    for name, value in {"PARTS": parts, "REPORT": tmp_path / "report.md", "RESULTS": tmp_path / "run.json"}.items():
        monkeypatch.setattr(deep, name, value)


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["deep.py", *words])
    return deep.main()


def test_each_part_is_told_with_its_command_and_what_it_printed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert run(monkeypatch) == 1
    report = (tmp_path / "report.md").read_text()
    assert [line for line in report.splitlines() if line.startswith("## ")] == ["## Good", "## Bad"]
    assert f"$ python {tmp_path / 'good.py'} --seed 1\n1,000 tries\nnothing\n" in report
    assert "found nothing" in report
    assert "ended 1" in report


def test_a_part_that_was_run_before_keeps_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run(monkeypatch)
    (tmp_path / "bad.py").write_text("print('nothing any more')\n")
    assert run(monkeypatch, "--only", "bad") == 0
    results = json.loads((tmp_path / "run.json").read_text())
    assert {name: each["code"] for name, each in results.items()} == {"good": 0, "bad": 0}
    assert "nothing any more" in (tmp_path / "report.md").read_text()
    assert "1,000 tries" in (tmp_path / "report.md").read_text()
