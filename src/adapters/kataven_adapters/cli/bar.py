"""The bar that a terminal shows while a file is dialled (extra ``cli``: rich)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

from kataven_core import Snapshot
from kataven_core.runtime import ImportProgress

from .progress import outlook, waiting


@contextmanager
def bar(stream: TextIO) -> Iterator[Callable[[Snapshot | ImportProgress], None]]:
    """Draw on ``stream`` from the first that is shown until left; the last state stays on the screen.

    Where the line is short, the bar alone gets shorter: what is said in words and figures stays whole.
    """
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[calls]}"),
        TimeElapsedColumn(table_column=Column(no_wrap=True)),
    )
    drawn = Progress(*columns, console=Console(file=stream))
    task = drawn.add_task("reading", total=None, calls="")

    def show(now: Snapshot | ImportProgress) -> None:
        drawn.start()
        if isinstance(now, ImportProgress):
            drawn.update(task, completed=now.accepted, calls=f"{now.rejected:,} rejected")
            return
        known = () if now.answer_rate is None or waiting(now) else (f"{now.answer_rate:.0%} answered",)
        drawn.update(
            task,
            description=now.status.value,
            completed=now.total - now.pending - now.in_progress,
            total=now.total,
            calls=", ".join((f"{now.calls_in_flight} up", *known)) + outlook(now),
        )

    try:
        yield show
    finally:
        drawn.stop()
