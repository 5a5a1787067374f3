"""The long runs: what the tests show in minutes, shown for hours of dialling, and written down.

    python tools/deep.py                    (what `make deep` runs)
    python tools/deep.py --only kills soak

Runs each part as a command of its own, the next when the last has ended, and writes docs/explanation/deep-run.md: each
command, what it came to, and what it has printed at its end. A part that was run before keeps its place in the report
while others are run again. Ends 1 when any part has found something.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
REPORT: Final = ROOT / "docs" / "explanation" / "deep-run.md"
RESULTS: Final = ROOT / "tools" / "deep-run.json"
CORES: Final = os.cpu_count() or 1
SHOWN_LINES: Final = 60
INTRODUCTION: Final = """\
# The deep run

What `make deep` came to when it was run last. Each part can be run by itself with the command that stands above it; how
the parts work is told in [how it is tested](how-it-is-tested.md).
"""


class Part(NamedTuple):
    """One command, and what it is to show."""

    title: str
    claim: str
    words: Sequence[str]


PARTS: Final[Mapping[str, Part]] = {
    "simulation": Part(
        "Simulation",
        "The real engine in virtual time, 2,500 seeds: no invariant breached, and every fault has met every state.",
        ("tools/simulate.py", "--seeds", "0-2499", "--jobs", str(CORES)),
    ),
    "planted": Part(
        "Planted bugs",
        "Each known-wrong variant of the engine is caught by its scenario; here, by which share of random seeds.",
        ("tools/planted.py", "--seeds", "0-99", "--jobs", str(CORES)),
    ),
    "kills": Part(
        "Kills",
        "The real server on SQLite, killed 200 times at random moments: nobody lost, nobody rung twice, no cap passed.",
        ("tools/kill_serve.py", "--kills", "200", "--seed", "1"),
    ),
    "soak": Part(
        "Soak",
        "The same left alone for a quarter of an hour: it holds no more memory and no more files at the end.",
        ("tools/kill_serve.py", "--kills", "0", "--seconds", "900", "--seed", "2"),
    ),
    "fuzz": Part(
        "Fuzzing",
        "The contacts parser under a fuzzer that watches which branches its inputs take.",
        ("tools/fuzz_contacts_csv.py", "--seconds", "300"),
    ),
    "mutation": Part(
        "Mutation",
        "Every small change of the pure core that a test should notice, and how many are noticed.",
        ("tools/mutate.py", "--jobs", str(CORES), "--report"),
    ),
}


def run(part: Part) -> dict[str, Any]:
    """Run a part to its end; what it prints is shown as it comes."""
    print(f"== {part.title}: python {' '.join(part.words)}", flush=True)
    began = time.monotonic()  # noqa: TID251 - it is measured
    lines: list[str] = []
    with subprocess.Popen([sys.executable, *part.words], cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout or ():
            print(line, end="", flush=True)
            lines.append(line.rstrip().rpartition("\r")[2])
    return {
        "code": running.returncode,
        "minutes": round((time.monotonic() - began) / 60, 1),  # noqa: TID251 - the same
        "day": datetime.now(UTC).date().isoformat(),  # noqa: TID251 - when it was run
        "machine": f"Python {platform.python_version()}, {CORES} cores",
        "command": f"python {' '.join(part.words)}",
        "lines": lines[-SHOWN_LINES:],
    }


def report(results: Mapping[str, dict[str, Any]]) -> str:
    """Write the report."""
    parts = [INTRODUCTION]
    for name, part in PARTS.items():
        if name not in results:
            continue
        told = results[name]
        verdict = "found nothing" if told["code"] == 0 else f"ended {told['code']}"
        when = f"{told['day']}, {told['minutes']} minutes, {told['machine']}: {verdict}."
        shown = "\n".join(told["lines"])
        parts.append(f"## {part.title}\n\n{part.claim}\n\n{when}\n\n```text\n$ {told['command']}\n{shown}\n```\n")
    return "\n".join(parts)


def main() -> int:
    """Run what is asked for, and write it down after each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[*PARTS], default=[*PARTS], metavar="PART", help=", ".join(PARTS))
    chosen = parser.parse_args().only
    results: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in chosen:
        results[name] = run(PARTS[name])
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        REPORT.write_text(report(results))
    failed = [name for name in chosen if results[name]["code"]]
    print(f"found something: {', '.join(failed)}" if failed else "nothing was found")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
