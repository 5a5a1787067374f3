"""Measure which share of random seeds catches each planted bug.

    python tools/planted.py --seeds 0-99 --jobs 2
    python tools/planted.py --seeds 0-9 --bug "pause does not wait for sends under way"

Each bug is a known-wrong variant of the engine (tests/promises/planted.py); a seed catches it when the simulation that
the seed draws breaches one of the bug's invariants. Ends 1 when a bug that is wanted is not known; a bug that no seed
catches is no failure: its own scenario catches it, in tests/promises/test_planted.py.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.promises.planted import BUGS  # noqa: E402 - it is found from here on
from tests.promises.planted_bug import PlantedBug  # noqa: E402 - the same

from kataven_adapters.memory import MemoryStore  # noqa: E402 - the same
from kataven_core.testing.simulation import simulate  # noqa: E402 - the same

BY_NAME = {bug.name: bug for bug in BUGS}


class Tried(NamedTuple):
    """What one seed found of one bug: the invariants that it saw breached."""

    bug: str
    seed: int
    breached: list[str]

    @property
    def is_caught(self) -> bool:
        """Whether any of them is one that the bug is known to breach."""
        return not BY_NAME[self.bug].invariants.isdisjoint(self.breached)


def try_seed(case: tuple[str, int]) -> Tried:
    """Plant a bug and run a seed. A run that breaks down names no invariant, and catches nothing."""
    name, seed = case
    try:
        with BY_NAME[name].plant():
            outcome = simulate(seed, make_store=MemoryStore)
    except Exception as error:  # noqa: BLE001 - the others go on
        return Tried(name, seed, [type(error).__name__])
    return Tried(name, seed, sorted({each.invariant for each in outcome.violations}))


def try_all(bugs: Sequence[PlantedBug], seeds: range, jobs: int) -> Iterator[list[Tried]]:
    """Try all seeds on each bug, on so many cores."""
    with ProcessPoolExecutor(jobs) as pool:
        tried = pool.map(try_seed, product((bug.name for bug in bugs), seeds), chunksize=5)
        take = partial(next, tried)
        for _ in bugs:
            yield [take() for _ in seeds]


def a_range(text: str) -> range:
    """Read ``A-B``, both ends included."""
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise argparse.ArgumentTypeError(f"{text!r} is no range of seeds: write two numbers, like 0-99")
    return range(int(first), int(last) + 1)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=a_range, default=range(100), metavar="A-B", help="run these (default: 0-99)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many at once (default: 1)")
    parser.add_argument("--json", metavar="FILE", help="write what each seed came to, one JSON object a line")
    parser.add_argument("--bug", metavar="NAME", help="only this one")
    return parser.parse_args()


def main() -> int:
    """Try what is asked for, and print a table."""
    options = arguments()
    if options.bug is not None and options.bug not in BY_NAME:
        print(f"no bug is called {options.bug!r}: there are {'; '.join(BY_NAME)}", file=sys.stderr)
        return 1
    bugs = BUGS if options.bug is None else (BY_NAME[options.bug],)
    wide = max(len(bug.name) for bug in bugs)
    print(f"{'bug':{wide}}  caught by seeds  breaches")
    all_tried, escaped = [], 0
    for bug, tried in zip(bugs, try_all(bugs, options.seeds, options.jobs), strict=True):
        all_tried += tried
        caught = sum(each.is_caught for each in tried)
        escaped += not caught
        print(f"{bug.name:{wide}}  {caught / len(tried):>15.0%}  {', '.join(sorted(bug.invariants))}", flush=True)
    print(f"{len(bugs)} bugs, {len(options.seeds)} seeds each; {escaped} caught by their own scenario only")
    if options.json:
        lines = (json.dumps(each._asdict() | {"is_caught": each.is_caught}) + "\n" for each in all_tried)
        Path(options.json).write_text("".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
