"""Every row of the table, or those that are named, side by side with its floor or peer.

    python -m bench                 all rows, five runs of each side
    python -m bench dispatch slots  these only
    python -m bench --repeats 1     once, to see whether it runs
    python -m bench --strict        for a script: ends 1 when a goal is missed

Prints the table and writes bench/results.json; a run of fewer than five bench/results.quick.json, which counts for
nothing.
"""

import argparse
import importlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.figures import QUICK, RESULTS, Figure, keep, misses, table

ENOUGH = 5
ROWS = (
    "contacts_csv",
    "upload",
    "dispatch",
    "slots",
    "stored",
    "growth",
    "http",
    "streams",
    "idle",
    "imports",
)


def main() -> int:
    """Run, print, write."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    words.add_argument("--repeats", type=int, default=ENOUGH, help="runs of each side")
    words.add_argument("--results", type=Path, metavar="FILE", help="where figures are written")
    words.add_argument("--strict", action="store_true", help="end 1 when a goal is missed")
    asked = words.parse_args()
    if unknown := {*asked.rows} - {*ROWS}:
        words.error(f"there is no row {', '.join(sorted(unknown))}: take of {', '.join(ROWS)}")
    figures, results = [], asked.results or (RESULTS if asked.repeats >= ENOUGH else QUICK)
    for figure in _measured(asked.rows or ROWS, asked.repeats):
        figures.append(figure)
        keep([figure], results)  # a row that fails takes nothing along that was measured before
    print(*table(figures), sep="\n", flush=True)
    print(misses(figures), f"Written to {results}.", file=sys.stderr)
    return 1 if asked.strict and not all(each.met for each in figures) else 0


def _measured(rows: Sequence[str], repeats: int) -> Iterator[Figure]:
    for row in rows:
        for figure in importlib.import_module(f"bench.rows.{row}").figures(repeats):
            print(f"{figure.name}: {figure.ratio:.3g} ({figure.goal})", file=sys.stderr, flush=True)
            yield figure


if __name__ == "__main__":
    sys.exit(main())
