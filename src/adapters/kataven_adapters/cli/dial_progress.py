"""How far a dial has come: a bar on a terminal, a line now and then where nobody watches."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from kataven_core import Snapshot, format_rfc3339
from kataven_core.runtime import ImportProgress

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
    shown: list[object] = [None, clock()]

    def show(now: Snapshot | ImportProgress) -> None:
        if isinstance(now, ImportProgress):
            return
        if now.status != shown[0] or clock() - float(str(shown[1])) >= _LINE_EVERY_S:
            shown[:] = [now.status, clock()]
            print(line(now), file=stream, flush=True)

    return show


def line(now: Snapshot) -> str:
    """Say in one line where a campaign stands."""
    done = now.total - now.pending - now.in_progress
    eta = f", done about {format_rfc3339(now.eta.replace(microsecond=0))}" if now.eta else ""
    return (
        f"{now.status}: {done:,} of {now.total:,} contacts done, {now.calls_in_flight} calls up, "
        f"{now.attempts:,} dials, {now.calls_per_minute:,} in the last minute{eta}"
    )
