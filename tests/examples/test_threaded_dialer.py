import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "examples/threaded_dialer.py"]


def contacts(path: Path, count: int) -> Path:
    rows = "".join(f"+1415555{n:04d},Contact {n}\n" for n in range(count))
    path.write_text(f"phone_number,name\n{rows}nonsense,Nobody\n")
    return path


def ends(out: str) -> dict[str, int]:
    """Read the last block of the output: how many contacts came to which end."""
    lines = out.rstrip().rsplit("\n\n", 1)[1].splitlines()
    return {end: int(count) for count, end in (line.split(maxsplit=1) for line in lines)}


def test_it_dials_every_contact_to_an_end(tmp_path: Path) -> None:
    path = contacts(tmp_path / "contacts.csv", 40)
    done = subprocess.run([*COMMAND, path], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0
    assert f"{path}:42: 'nonsense' holds n" in done.stderr
    assert sum(ends(done.stdout).values()) == 40
    assert all(end.startswith(("completed", "failed")) for end in ends(done.stdout))
    assert "Traceback" not in done.stderr


def test_ctrl_c_stops_the_campaign_and_still_says_who_was_reached(tmp_path: Path) -> None:
    screen, terminal = pty.openpty()
    path = contacts(tmp_path / "contacts.csv", 2000)
    with subprocess.Popen([*COMMAND, path], cwd=ROOT, stdout=subprocess.PIPE, stderr=terminal, text=True) as dialer:
        os.close(terminal)
        shown = b""
        while b"12 calls up" not in shown:
            shown += os.read(screen, 4096)
        dialer.send_signal(signal.SIGINT)
        assert dialer.stdout is not None
        out = dialer.stdout.read()
    os.close(screen)
    assert dialer.returncode == 0
    assert "\nReached " in out
    assert sum(ends(out).values()) == 2000
    assert ends(out)["cancelled (never dialled)"] > 1000
    assert not any(end.startswith(("pending", "in_progress")) for end in ends(out))


def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("phone_number\nnonsense\n")
    for name in ("bad.csv", "missing.csv", "."):
        done = subprocess.run([*COMMAND, tmp_path / name], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith(f"{tmp_path / name}: ")
        assert "Traceback" not in done.stderr
