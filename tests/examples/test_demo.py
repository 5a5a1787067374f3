"""What `make demo` shows, as it is shown."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, str(ROOT / "examples" / "demo.py")]


def test_a_file_is_dialled_through_server_and_client_to_its_end(tmp_path: Path) -> None:
    done = subprocess.run(DEMO, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "291 rows accepted, 9 rejected" in done.stdout
    assert "running: " in done.stderr
    table = done.stdout.partition("last outcome")[2]
    assert sum(int(count) for count in re.findall(r"^\w+ +(\d+)$", table, re.MULTILINE)) == 291
    assert (tmp_path / "kataven.db").exists()
    again = subprocess.run(DEMO, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert again.returncode == 0, again.stderr


def test_ctrl_c_ends_it_in_a_sentence_and_leaves_no_server(tmp_path: Path) -> None:
    with subprocess.Popen(
        DEMO, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stderr
        for line in running.stderr:
            if line.startswith("running: "):
                break
        os.killpg(running.pid, signal.SIGINT)
        _, left = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "Traceback" not in left
    assert '"message": "stopping' in (tmp_path / "kataven-serve.log").read_text()


def test_who_reads_no_further_is_told_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("phone_number\n+15550100001\n")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*DEMO, "one.csv"], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=120
    )
    os.close(writing)
    assert (done.returncode, "Error" in done.stderr) == (1, False), done.stderr
    assert '"message": "stopping' in (tmp_path / "kataven-serve.log").read_text()


def test_make_demo_is_this() -> None:
    dry = subprocess.run(
        ["make", "--dry-run", "demo"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert any(line.endswith("python examples/demo.py") for line in dry.stdout.splitlines())
