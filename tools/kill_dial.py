"""Kill ``kataven dial`` in the middle, again and again, and hold what phones heard against the two promises.

    python tools/kill_dial.py --rows 100000 --kills 3

Writes a contacts file of so many rows, dials it on the simulated line with calls of no length, kills the process with
SIGKILL each time that another part of the file is through, and runs the same command again until it is done. Then:
every row has come to its end, no attempt rang twice, no contact was in two calls at once or rang more often than
retries allow, and there were never more calls at once than the cap. Ends 1 and says which when one does not hold.
"""

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

WIDTH = 70
"""Characters of a made-up note: 100,000 rows come to 9.9 MB."""


def write_contacts(path: Path, rows: int) -> None:
    """Write a contacts file."""
    with path.open("w") as file:
        file.write("phone_number,name,note\n")
        file.writelines(f"+1415{n:07d},Contact {n:06d},{'x' * WIDTH}\n" for n in range(rows))


def heard(log: Path) -> Iterator[dict[str, str]]:
    """Give what phones heard; a kill may have cut off a line."""
    with log.open() as file:
        for line in file:
            if line.endswith("}\n"):
                yield json.loads(line)


def dial(command: list[str], log: Path, until_rings: int | None) -> subprocess.CompletedProcess[str] | None:
    """Run the command to its end, or kill it when so many phones have rung in all."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        while until_rings is not None and running.poll() is None:
            if log.exists() and log.stat().st_size // LINE_BYTES >= until_rings:
                os.kill(running.pid, signal.SIGKILL)
                running.wait()
                return None
            time.sleep(0.01)
        out, _ = running.communicate()
    return subprocess.CompletedProcess(command, running.returncode, out)


LINE_BYTES = 400
"""About what one call writes to the log: ring, answer, end."""


def judge(log: Path, contacts: Path, results: Path, *, cap: int, retries: int) -> list[str]:
    """Say what does not hold."""
    rings: Counter[str] = Counter()
    dials: Counter[str] = Counter()
    answered: set[str] = set()
    up: dict[str, str] = {}
    busy: Counter[str] = Counter()
    wrong = []
    for event in heard(log):
        attempt, number = event["attempt_id"], event["to"]
        if event["event"] == "ring":
            rings[attempt] += 1
            dials[number] += 1
            if busy[number]:
                wrong.append(f"{number} in two calls at once")
            up[attempt] = number
            busy[number] += 1
            if len(up) > cap:
                wrong.append(f"{len(up)} calls at once at {event['at']}")
        elif event["event"] == "killed":
            up.clear()
            busy.clear()
        elif up.get(attempt) != number:
            wrong.append(f"{attempt} heard {event['event']} in no call to {number}")
        elif event["event"] == "answer":
            answered.add(number)
        else:
            busy[up.pop(attempt)] -= 1
    wrong += [f"attempt {name} rang {count} times" for name, count in rings.items() if count > 1]
    wrong += [f"{number} was dialled {count} times" for number, count in dials.items() if count > 1 + retries]
    wrong += _judge_results(contacts, results, dials, answered)
    return wrong


def _judge_results(contacts: Path, results: Path, dials: Counter[str], answered: set[str]) -> Iterator[str]:
    """Hold what the engine says of each contact against the file, and against what phones heard."""
    numbers = [row["phone_number"] for row in _rows(contacts)]
    ends = list(_rows(results))
    if [row["phone_number"] for row in ends] != numbers:
        yield f"of {len(numbers)} contacts, {len(ends)} are in the results, or not in file order"
    for row in ends:
        number = row["phone_number"]
        if row["status"] not in {"completed", "failed"}:
            yield f"{number} has come to no end: it is {row['status']}"
        if row["status"] == "completed" and number not in answered:
            yield f"{number} is completed, and nobody has answered there"
        if int(row["attempts"]) < dials[number]:
            yield f"{number} was dialled {dials[number]} times, and {row['attempts']} are known"
    for number in dials.keys() - set(numbers):
        yield f"{number} was dialled and is in no row"


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def main() -> int:
    """Dial, kill, dial again, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--cap", type=int, default=100)
    parser.add_argument("--retries", type=int, default=1)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contacts, log, results = folder / "contacts.csv", folder / "phones.jsonl", folder / "results.csv"
        write_contacts(contacts, words.rows)
        line = f"simulated://?seed=7&ring_s=0.001&talk_s=0.001&log={log}"
        options = ["--max-concurrent", str(words.cap), "--retries", str(words.retries), "--retry-delay", "1", "--json"]
        files = ["--store", f"sqlite:///{folder / 'kataven.db'}", "--line", line, "--results", str(results)]
        command = [sys.executable, "-m", "kataven_adapters.cli", "dial", str(contacts), *options, *files]
        began = time.monotonic()  # noqa: TID251 - a person waits for it
        for kill in range(words.kills):
            done = dial(command, log, until_rings=words.rows * (kill + 1) // (words.kills + 1))
            if done is not None:
                print("ended before it was killed")
                break
            print(f"killed at {log.stat().st_size:,} bytes of log")
            with log.open("a") as file:
                file.write('\n{"event": "killed", "attempt_id": "", "to": ""}\n')
        else:
            done = dial(command, log, until_rings=None)
        if done is None or done.returncode:
            print(f"the last run ended {done and done.returncode}")
            return 1
        print(done.stdout.strip())
        wrong = judge(log, contacts, results, cap=words.cap, retries=words.retries)
        print("\n".join(wrong[:20]) or "no contact lost, none rung twice for one attempt, no cap passed")
        print(f"{contacts.stat().st_size:,} bytes, {time.monotonic() - began:.1f} s")  # noqa: TID251 - it is told how long a run took
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
