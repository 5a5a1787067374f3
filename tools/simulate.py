"""Run the engine in virtual time through everything that goes wrong, and let an oracle at the phones judge it.

    python tools/simulate.py --seed 7 --trace
    python tools/simulate.py --seeds 0-1999 --jobs 2

Each seed draws its own people, processes and faults, and is the same run everywhere. Prints what was breached, with the
command that repeats it, and which fault has met which state how often. Ends 1 when anything was breached.
"""

import argparse
import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

from kataven_adapters.memory import MemoryStore
from kataven_core.testing.simulation import Violation, simulate
from kataven_core.testing.simulation.coverage import MEETINGS

DAY_S = 86_400


class Told(NamedTuple):
    """What one seed came to."""

    seed: int
    breaches: list[str]
    trace_hash: str
    dials: int
    rings: int
    simulated_s: float
    coverage: dict[tuple[str, str], int]


def run_seed(seed: int) -> Told:
    """Run one seed; an error of the simulation itself counts as a breach."""
    try:
        outcome = simulate(seed, make_store=MemoryStore)
    except Exception:  # noqa: BLE001 - it is told with its seed, and the others go on
        return Told(seed, [traceback.format_exc()], "", 0, 0, 0.0, {})
    breaches = [*map(str, outcome.violations)]
    return Told(
        seed,
        breaches,
        outcome.trace_hash,
        outcome.dials,
        outcome.rings,
        outcome.simulated_s,
        {(str(fault), str(state)): count for (fault, state), count in outcome.coverage.items()},
    )


def run_seeds(seeds: Iterable[int], jobs: int) -> Iterator[Told]:
    """Run many, on so many cores."""
    if jobs == 1:
        yield from map(run_seed, seeds)
        return
    with Pool(jobs) as pool:
        yield from pool.imap(run_seed, seeds, chunksize=4)


def print_breaches(told: Told) -> None:
    """Say what a seed breached, and how to see it again."""
    again = f"python tools/simulate.py --seed {told.seed} --trace"
    print(f"seed {told.seed}: {len(told.breaches)} breaches; again: {again}", flush=True)
    for breach in told.breaches[:10]:
        print(f"  {breach}")


def print_meetings(coverage: Counter[tuple[str, str]]) -> None:
    """Print which fault has met which state how often; a dash where that can't be."""
    states = sorted({state for _, state in MEETINGS})
    wide = max(len(fault) for fault, _ in MEETINGS)
    print(" ".join([" " * wide, *(f"{state:>10}" for state in states)]))
    for fault in sorted({fault for fault, _ in MEETINGS}):
        counts = (f"{coverage[fault, state] if (fault, state) in MEETINGS else '-':>10}" for state in states)
        print(" ".join([f"{fault:{wide}}", *counts]))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seed", type=int, metavar="N", help="run this one")
    which.add_argument("--seeds", type=a_range, metavar="A-B", help="run these, both ends included")
    which.add_argument("--fresh", type=at_least_one, metavar="N", help="run so many that nobody has chosen")
    parser.add_argument("--trace", action="store_true", help="with --seed: print all that happens")
    parser.add_argument("--jobs", type=at_least_one, default=1, metavar="N", help="how many at once (default: 1)")
    parser.add_argument("--json", metavar="FILE", help="write what each seed came to, one JSON object a line")
    return parser.parse_args()


def a_range(text: str) -> range:
    """Read ``A-B``."""
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise argparse.ArgumentTypeError(f"{text!r} is no range of seeds: write two numbers, like 0-99")
    return range(int(first), int(last) + 1)


def at_least_one(text: str) -> int:
    """Read a whole number."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number: write 1 or more")
    return int(text)


def chosen(options: argparse.Namespace) -> range:
    """Say which seeds are asked for."""
    if options.seed is not None:
        return range(options.seed, options.seed + 1)
    if options.seeds is not None:
        seeds: range = options.seeds
        return seeds
    first = int.from_bytes(os.urandom(6), "big")
    return range(first, first + options.fresh)


def trace(seed: int) -> list[Violation]:
    """Print all that happens in one run."""
    return [*simulate(seed, make_store=MemoryStore, tell=print).violations]


def write_json(path: str, all_told: Iterable[Told]) -> None:
    """Write what each seed came to."""
    with Path(path).open("w", encoding="utf-8") as file:
        for told in all_told:
            coverage = {f"{fault} x {state}": count for (fault, state), count in sorted(told.coverage.items())}
            file.write(json.dumps(told._asdict() | {"coverage": coverage}) + "\n")


def main() -> int:
    """Run what is asked for, and say what came of it."""
    options = arguments()
    seeds = chosen(options)
    if options.trace and len(seeds) == 1:
        trace(seeds[0])
    all_told = []
    for told in run_seeds(seeds, options.jobs):
        all_told.append(told)
        if told.breaches:
            print_breaches(told)
    coverage: Counter[tuple[str, str]] = Counter()
    for told in all_told:
        coverage.update(told.coverage)
    failed = sum(bool(told.breaches) for told in all_told)
    dials, rings = sum(told.dials for told in all_told), sum(told.rings for told in all_told)
    days = sum(told.simulated_s for told in all_told) / DAY_S
    print_meetings(coverage)
    never = [f"{fault} x {state}" for fault, state in sorted(MEETINGS) if not coverage[fault, state]]
    print(f"{len(seeds)} seeds, {dials} dials, {rings} rings, {days:.1f} simulated days; {failed} seeds with breaches")
    if len(seeds) == 1:
        print(f"trace {all_told[0].trace_hash}")
    elif never:
        print(f"never met: {', '.join(never)}")
    if options.json:
        write_json(options.json, all_told)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
