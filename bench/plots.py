"""Three pictures of how things grow, for docs/explanation/speed.md: ``python -m bench.plots``, or ``make bench-plots``.

Each point is the median of three runs in processes of their own.
"""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.measuring import Sample, alone, run_async
from bench.rows.dispatch import dispatch, floor
from bench.rows.stored import built, claims
from bench.rows.upload import uploaded

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "explanation" / "speed"
RUNS = 3
GROUPS = (1, 3, 10, 30, 100, 300)
ROWS = (1_000, 10_000, 100_000, 1_000_000)
FILES = (1_000, 10_000, 50_000, 100_000)


def middle(run: Callable[..., Sample], *args: object) -> float:
    """Give the middle one of some runs."""
    return statistics.median(run(*args).value for _ in range(RUNS))


def dispatch_against_groups() -> None:
    """Draw how many contacts a second come to their end, by how many calls may be up at once."""
    ours = [middle(alone, run_async, dispatch, 500 + 100 * min(cap, 60), cap) for cap in GROUPS]
    bare = [middle(alone, floor, 500 + 100 * min(cap, 60), cap) for cap in GROUPS]
    drawn(
        "dispatch.svg",
        ("calls at once, and so claims in a commit", "contacts a second"),
        {"Kataven Core": (GROUPS, ours), "bare script": (GROUPS, bare)},
    )


def claims_against_rows() -> None:
    """Draw what a claim of fifty takes, by how many contacts the campaign has."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in ROWS:
            path = Path(folder, f"{rows}.db")
            alone(run_async, built, path, rows)
            took.append(middle(alone, run_async, claims, path))
    drawn("claims.svg", ("contacts of the campaign", "ms for fifty claims"), {"Kataven Core": (ROWS, took)}, least=0)


def memory_against_rows() -> None:
    """Draw how much memory the server takes while a file comes in, by its rows."""
    grown = [middle(grown_by, rows) for rows in FILES]
    drawn("memory.svg", ("rows of the file", "MB more while it comes in"), {"Kataven Core": (FILES, grown)}, least=0)


def grown_by(rows: int) -> Sample:
    """Give by how many MB the server grows while a file comes in."""
    return uploaded(rows)[1]


def drawn(
    name: str,
    axes: tuple[str, str],
    lines: dict[str, tuple[Sequence[float], Sequence[float]]],
    least: float | None = None,
) -> None:
    """Draw lines into a file."""
    import matplotlib as mpl  # noqa: PLC0415 - it is installed for the bench only

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "kataven", "svg.fonttype": "none", "font.size": 11}
    from matplotlib import pyplot as plt  # noqa: PLC0415 - once it is told where to draw

    figure, picture = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for label, (x, y) in lines.items():
        picture.plot(x, y, marker="o", label=label)
    picture.set(xlabel=axes[0], ylabel=axes[1], xscale="log")
    if least is not None:
        picture.set_ylim(bottom=least)
    picture.grid(alpha=0.3)
    picture.spines[["top", "right"]].set_visible(False)
    if len(lines) > 1:
        picture.legend(frameon=False)
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(FOLDER / name, metadata={"Date": None})
    plt.close(figure)
    print(FOLDER / name)


if __name__ == "__main__":
    dispatch_against_groups()
    claims_against_rows()
    memory_against_rows()
