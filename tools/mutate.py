"""Mutation testing of the pure core: make every small change that a test should notice, one at a time, and see.

``python tools/mutate.py`` copies the core and its tests to a temporary folder and works there; nothing here is touched.
Each mutant runs in a fork that has everything but the core imported already: first the tests of the changed module,
then all others of the core that reach the changed function. Hypothesis draws the same examples every time, so that a
run repeats.

What survives is held against ``tools/mutation/reasons.toml``: a survivor without a reason, a reason without a survivor
and a score below the goal end the run with exit code 1 (the first two only where the whole core was changed).
``--report`` writes docs/explanation/mutation-survivors.md.
"""

import argparse
import math
import os
import sys
import tempfile
import time
from pathlib import Path
from zlib import crc32

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # a script finds only its own folder by itself

from tools.mutation.cases import (  # noqa: E402 - it is found from here on
    ROOT,
    Result,
    cases_of,
    core_modules,
    known_before,
    known_reasons,
    write,
)
from tools.mutation.forks import copy_to, get_ready, look_around, run  # noqa: E402 - the same
from tools.mutation.report import REPORT, tell  # noqa: E402 - the same


def main() -> None:
    """Change, test, count."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--only", nargs="+", default=[], metavar="MODULE", help="such as kataven_core/budget.py")
    words.add_argument("--jobs", type=int, default=1, help="mutants at once")
    words.add_argument("--minutes", type=float, default=math.inf, help="stop then; what was tried is spread evenly")
    words.add_argument("--json", type=Path, help="write what became of each mutant to this file")
    words.add_argument(
        "--again",
        type=Path,
        metavar="JSON",
        help="run only what is new since this run, or survived it without a reason",
    )
    words.add_argument("--report", action="store_true", help=f"write {REPORT.relative_to(ROOT)}")
    asked = words.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets in one order, every time
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606 - itself
    results, reasons = list[Result](), known_reasons()
    here, asked.json = Path.cwd(), asked.json and asked.json.resolve()
    cases = list(cases_of(core_modules(asked.only)))
    if asked.again:
        results = known_before(cases, asked.again, reasons)
        known = {result.case.number for result in results}
        cases = [case for case in cases if case.number not in known]
    cases.sort(key=lambda case: crc32(case.name.encode()))  # so that a run that is stopped tells of all modules
    untried, begin = len(cases), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        copy_to(Path(folder))
        get_ready(Path(folder))
        reach = look_around(Path(folder) / "reach.json")
        print(f"{len(cases):,} mutants; the tests pass without them")
        for result in run(cases, asked.jobs, reach, begin + 60 * asked.minutes):
            results.append(result)
            untried -= 1
            if result.fate == "survived" and result.case.name not in reasons:
                print(f"survived without a reason, line {result.case.mutant.line}: {result.case.name}", flush=True)
            if len(results) % 50 == 0:
                print(f"{len(results):,} done", flush=True)
                write(results, asked.json)
        os.chdir(here)
    results.sort(key=lambda result: result.case.number)
    write(results, asked.json)
    code = tell(results, untried, is_whole=not asked.only and not untried, is_reported=asked.report)
    print(f"{(time.perf_counter() - begin) / 60:.0f} min")
    sys.exit(code)


if __name__ == "__main__":
    main()
