"""What was measured, held against its goal: a table for people, and a file for programs."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import asdict, frozen
from bench.measuring import Sample, median

RESULTS = Path(__file__).with_name("results.json")
QUICK = RESULTS.with_suffix(".quick.json")


@frozen(kw_only=True)
class Figure:
    """A line of the table. ``ratio`` is to the floor or peer that ran in turn with it, and what the goal speaks of."""

    name: str
    goal: str
    measured: float
    unit: str
    floor_or_peer: str
    ratio: float
    met: bool
    cpu_s: float
    peak_mb: float


def at_most(limit: float) -> "Goal":
    """Give the goal of a ratio, or a figure, that must not be larger."""
    return Goal(limit=limit, is_least=False)


def at_least(limit: float) -> "Goal":
    """Give the goal of a ratio, or a figure, that must not be smaller."""
    return Goal(limit=limit, is_least=True)


@frozen(kw_only=True)
class Goal:
    """What a ratio, or a figure, should come to."""

    limit: float
    is_least: bool

    def __str__(self) -> str:
        if self.limit == float("inf"):
            return "stated"
        return f"{'≥' if self.is_least else '≤'} {self.limit:g}"

    def is_met(self, ratio: float) -> bool:
        """Whether this is good enough."""
        if self.limit == float("inf"):
            return True
        return ratio >= self.limit if self.is_least else ratio <= self.limit


def compared(name: str, ours: tuple[Sequence[Sample], str], theirs: tuple[Sequence[Sample], str], goal: Goal) -> Figure:
    """Hold our runs against theirs by what they came to, in our unit; theirs have a name."""
    (mine, unit), (its, what) = ours, theirs
    return figure(name, ours, f"{what}: {shown(middle(its))} {unit}", ratio_of(mine, its), goal)


def ratio_of(ours: Sequence[Sample], theirs: Sequence[Sample]) -> float:
    """Give the middle one of the ratios of the runs that were made in turn."""
    return median([mine.value / its.value for mine, its in zip(ours, theirs, strict=True)])


def middle(samples: Sequence[Sample]) -> float:
    """Give what the middle one came to."""
    return median([each.value for each in samples])


def figure(name: str, ours: tuple[Sequence[Sample], str], what: str, ratio: float, goal: Goal) -> Figure:
    """Judge a ratio that was found otherwise."""
    samples, unit = ours
    return Figure(
        name=name,
        goal=str(goal),
        measured=middle(samples),
        unit=unit,
        floor_or_peer=what,
        ratio=ratio,
        met=goal.is_met(ratio),
        cpu_s=median([each.cpu_s for each in samples]),
        peak_mb=median([each.peak_mb for each in samples]),
    )


STATED = Goal(limit=float("inf"), is_least=False)
"""No goal: what it costs is said."""


def table(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| what | goal | ratio or figure | measured | floor or peer | CPU s | MB | met |"
    yield "|---|---|---|---|---|---|---|---|"
    for each in figures:
        cells = (
            each.name,
            each.goal,
            shown(each.ratio),
            f"{shown(each.measured)} {each.unit}",
            each.floor_or_peer,
            shown(each.cpu_s),
            f"{each.peak_mb:.0f}" if each.peak_mb else "-",
            "-" if each.goal == str(STATED) else "yes" if each.met else "**no**",
        )
        yield f"| {' | '.join(cells)} |"


def misses(figures: Sequence[Figure]) -> str:
    """Say in a sentence or two how many goals there are, and which are missed."""
    goals = [each for each in figures if each.goal != str(STATED)]
    missed = [f"{each.name}: {shown(each.ratio)} ({each.goal})" for each in goals if not each.met]
    which = f": {'; '.join(missed)}" if missed else ""
    return f"All was measured; {len(missed)} of {len(goals)} goals are missed{which}."


def shown(value: float) -> str:
    """Write three digits that count."""
    if abs(value) >= 999.5:  # noqa: PLR2004 - from here on digits behind the point say nothing
        return f"{value:,.0f}"
    return f"{value:.3g}"


def keep(figures: Sequence[Figure], file: Path = RESULTS) -> None:
    """Write them down; those of the same name that were there are replaced, all others stay."""
    known = {each["name"]: each for each in json.loads(file.read_text())["rows"]} if file.exists() else {}
    known |= {each.name: asdict(each) for each in figures}
    file.write_text(json.dumps({"rows": [*known.values()]}, indent=1, ensure_ascii=False) + "\n")
