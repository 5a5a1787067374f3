"""How far a dial has come: a bar on a terminal, a line now and then where nobody watches."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from kataven_core import Snapshot, format_rfc3339
from kataven_core.runtime import ImportProgress

from .output import counted, note

_LINE_EVERY_S: Final = 5.0

Show = Callable[[Snapshot | ImportProgress], None]


@contextmanager
def progress(stream: TextIO) -> Iterator[Show]:
    """Give what shows progress on ``stream``."""
    if stream.isatty():
        try:
            from .dial_bar import bar  # noqa: PLC0415 - loaded only where it is seen
        except ModuleNotFoundError:  # rich is an extra: lines do as well
            pass
        else:
            with bar(stream) as show:
                yield show
            return
    yield _lines(stream)


def _lines(stream: TextIO) -> Show:
    """Write a line for every change of status, and every few seconds in between."""
    clock = time.monotonic  # noqa: TID251 - how often a person is told
    status: str = "reading"
    shown_at = clock()

    def show(now: Snapshot | ImportProgress) -> None:
        nonlocal status, shown_at
        became = "reading" if isinstance(now, ImportProgress) else now.status
        if became == status and clock() - shown_at < _LINE_EVERY_S:
            return
        status, shown_at = became, clock()
        note(line(now), stream)

    return show


def line(now: Snapshot | ImportProgress) -> str:
    """Say in one line where an import or a campaign stands."""
    if isinstance(now, ImportProgress):
        return f"reading: {counted(now.accepted, 'contact')}, {now.rejected:,} rejected"
    done = now.total - now.pending - now.in_progress
    eta = f", done about {format_rfc3339(now.eta.replace(microsecond=0))}" if now.eta else ""
    return (
        f"{now.status}: {done:,} of {counted(now.total, 'contact')} done, {counted(now.calls_in_flight, 'call')} up, "
        f"{counted(now.attempts, 'dial')}, {now.calls_per_minute:,} in the last minute{eta}"
    )
