"""What a run of mutants comes to: on the screen, and as a page."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tools.mutation.cases import ROOT, Case, Result, known_reasons

REPORT = ROOT / "docs" / "explanation" / "mutation-survivors.md"
GOAL = 0.90
SHOWN_CHARS = 90
INTRODUCTION = """\
A mutant is the core with one small change: a comparison turned round, a number off by one, a condition always true, a
statement, an argument or an operand left out, another member of an enumeration. The tests are run against each; one
that makes no test fail survives. Left alone is what no test should notice: annotations, docstrings, assertions, and the
words of sentences (what is filled into them is changed like all else). `ports.py` holds what adapters must do, and
`runtime` needs more than the core's own tests, so neither is changed.
"""


def tell(results: Sequence[Result], untried: int, *, is_whole: bool, is_reported: bool) -> int:
    """Print the score and the survivors, write the report if asked; give the exit code."""
    reasons = known_reasons()
    survivors = [result.case for result in results if result.fate == "survived"]
    new = [case for case in survivors if case.name not in reasons]
    unnoticed = {result.case.name for result in results if result.fate != "killed"}  # what is only slow may be stuck
    gone = sorted(reasons.keys() - unnoticed) if is_whole else []
    score = 1 - len(survivors) / max(1, len(results))
    for name in gone:
        print(f"has a reason to survive, and did not: {name}")
    fates = Counter(result.fate for result in results)
    print(
        f"{len(results):,} mutants, {fates['killed']:,} killed, {fates['stuck']:,} stuck, {len(survivors):,} survived"
    )
    print(f"score {score:.1%}, the goal is {GOAL:.0%}; {len(new)} survivors without a reason; {untried:,} not tried")
    if is_reported:
        REPORT.write_text("\n".join(report(results, untried, reasons)) + "\n")
    return int(score < GOAL or bool(new) or bool(gone))


def report(results: Sequence[Result], untried: int, reasons: dict[str, str]) -> Iterator[str]:
    """Yield the lines of the page of survivors."""
    survivors = [result.case for result in results if result.fate == "survived"]
    score = 1 - len(survivors) / max(1, len(results))
    yield "# Mutants that survive"
    yield ""
    yield "<!-- Written by `python tools/mutate.py --report`; the reasons stand in tools/mutation/reasons.toml. -->"
    yield ""
    yield INTRODUCTION
    yield f"Of {len(results):,} mutants {len(results) - len(survivors):,} are noticed: **{score:.1%}**."
    if untried:
        yield f"{untried:,} more, spread evenly over the modules, were not tried in that run."
    yield from ("", "| module | mutants | noticed | survive |", "|---|---|---|---|")
    totals = Counter(result.case.file for result in results)
    alive = Counter(case.file for case in survivors)
    yield from (f"| `{file}` | {n} | {n - alive[file]} | {alive[file] or ''} |" for file, n in totals.items())
    groups: dict[str, list[Case]] = {}
    for case in survivors:
        groups.setdefault(reasons.get(case.name, "No reason known yet"), []).append(case)
    for reason, cases in groups.items():
        yield from ("", f"## {reason}", "", "| where | before | after |", "|---|---|---|")
        for case in cases:
            scope = f"`{case.mutant.scope}`" if case.mutant.scope else "the module"
            cells = (f"`{case.file.removeprefix('kataven_core/')}`, {scope}", *map(as_cell, case.mutant[3:5]))
            yield f"| {' | '.join(cells)} |"


def as_cell(code: str) -> str:
    """Give code as a cell of a table."""
    return f"`{code if len(code) <= SHOWN_CHARS else code[:SHOWN_CHARS] + '…'}`".replace("|", "\\|")
