"""Kill ``kataven serve`` again and again while it dials, and hold what phones heard against the two promises.

    python tools/kill_serve.py --kills 200 --seed 1
    python tools/kill_serve.py --kills 0 --seconds 600

A phone network in a process of its own is the truth: it writes down, synced, what every phone hears, and on its way
reports get lost, repeated, late and out of order, calls are answered 429, 500 or never. Two customers upload files,
start, pause, resume and stop their campaigns over HTTP all the while, each request under a key of its own until it is
answered. The server, on a SQLite file, is killed with SIGKILL at moments drawn from the seed and started again. When
all kills are done, and so many seconds without any, everything must come to its end; then each sentence of ``judge`` is
held against the log, the API and the file. Ends 1 and says which one does not hold. Of the quiet seconds it tells how
much memory and how many files the server held at their beginning, when it was warm, and at their end.
"""

import argparse
import json
import random  # noqa: TID251 - chance is drawn from the seed
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.kills.customer import PATIENCE_S, Customer, contacts_of, until_idle
from tools.kills.processes import KEY, PHONES, Server, phone_network
from tools.kills.verdict import heard, held_in, integrity, judge, most_at_once

from kataven_adapters.client import KatavenClient

WORLD: Final = {"answer": 0.5, "busy": 0.2, "no_answer": 0.2, "failed": 0.1, "ring_s": 0.1, "talk_s": 0.2}
FAULTS: Final = {
    "lose": 0.05,
    "repeat": 0.1,
    "reorder": 0.1,
    "refuse": 0.005,
    "fail": 0.01,
    "never": 0.003,
    "fail_look_up": 0.02,
    "delay_s": 0.05,
    "slow_s": 0.02,
}


def torture(folder: Path, kills: int, seconds: float, seed: int) -> dict[str, Any]:
    """Kill so often, then leave it alone for so long; give the figures, and what is ``wrong``."""
    chance = random.Random(seed)  # noqa: S311 - it keeps no secret
    wrong: list[str] = []
    with ExitStack() as ending:
        server = Server(folder, ending.enter_context(phone_network(folder, {**WORLD, **FAULTS, "seed": seed})))
        server.start()
        ending.callback(server.stop)
        enough = threading.Event()
        customers = [Customer(name, server, seed, enough) for name in ("left", "right")]
        for each in customers:
            each.start()
        for _ in range(kills):
            time.sleep(chance.uniform(0.0, 0.8))
            server.kill()
            wrong += integrity(server.file)
            server.start()
        quiet = leave_alone(server, seconds)
        enough.set()
        for each in customers:
            each.join(PATIENCE_S)
        wrong += [f"I12: {each.name} still waits after {PATIENCE_S:g} s" for each in customers if each.is_alive()]
        wrong += [f"{each.name} could not go on: {each.failure!r}" for each in customers if each.failure]
        with KatavenClient(KEY, server.url) as client:
            until_idle(client, [each for customer in customers for each in customer.campaigns])
            known = [each["id"] for each in client.campaigns.list()["campaigns"]]
            made = [each for customer in customers for each in customer.campaigns]
            if sorted(known) != sorted(made):
                wrong.append(f"{len(known)} campaigns, of {len(made)} that were created")
            contacts = [each for name in made for each in contacts_of(client, name)]
    events = list(heard(folder / PHONES))
    wrong += judge(events, contacts, [each for customer in customers for each in customer.pauses])
    wrong += held_in(server.file)
    return {
        "seed": seed,
        "kills": kills,
        "campaigns": len(made),
        "contacts": len(contacts),
        "rings": sum(event["event"] == "ring" for event in events),
        "most_at_once": most_at_once(events),
        "longest_start_s": round(max(server.restarts_s), 3),
        **quiet,
        "wrong": wrong,
    }


def leave_alone(server: Server, seconds: float) -> dict[str, Any]:
    """Let it work; give what it held when it was warm, after a quarter of the time, and what in the end."""
    if not seconds:
        return {}
    time.sleep(seconds / 4)
    warm = {"memory_mb_warm": server.memory_mb, "open_files_warm": server.open_files}
    time.sleep(seconds * 3 / 4)
    return {"quiet_s": seconds, **warm, "memory_mb_end": server.memory_mb, "open_files_end": server.open_files}


def main() -> int:
    """Read the words, torture, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=0.0, help="how long to leave it alone after the last kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="leave logs and file there")
    words = parser.parse_args()
    with ExitStack() as ending:
        folder = words.keep or Path(ending.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        told = torture(folder, words.kills, words.seconds, words.seed)
    if words.json:
        print(json.dumps(told))
    else:
        print(*(f"{name:18} {value}" for name, value in told.items() if name != "wrong"), sep="\n")
        print(*told["wrong"][:20], sep="\n")
        print("nobody lost, nobody rung twice, no cap passed" if not told["wrong"] else f"{len(told['wrong'])} wrong")
    return 1 if told["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
