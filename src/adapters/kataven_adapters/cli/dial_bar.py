"""The bar that a terminal shows while a file is dialled (extra ``cli``: rich)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kataven_core import Snapshot
from kataven_core.runtime import ImportProgress


@contextmanager
def bar(stream: TextIO) -> Iterator[Callable[[Snapshot | ImportProgress], None]]:
    """Draw on ``stream`` from the first that is shown until left; the last state stays on the screen."""
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[calls]}"),
        TimeElapsedColumn(),
    )
    drawn = Progress(*columns, console=Console(file=stream))
    task = drawn.add_task("reading", total=None, calls="")

    def show(now: Snapshot | ImportProgress) -> None:
        drawn.start()
        if isinstance(now, ImportProgress):
            drawn.update(task, completed=now.accepted, calls=f"{now.rejected:,} rejected")
            return
        rate = "" if now.answer_rate is None else f", {now.answer_rate:.0%} answered"
        drawn.update(
            task,
            description=now.status.value,
            completed=now.total - now.pending - now.in_progress,
            total=now.total,
            calls=f"{now.calls_in_flight} up, {now.calls_per_minute:,}/min{rate}",
        )

    try:
        yield show
    finally:
        drawn.stop()
