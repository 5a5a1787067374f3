"""How far a dial has come: a bar on a terminal, a line now and then where nobody watches."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final, TextIO

from kataven_core import CampaignStatus, Snapshot
from kataven_core.runtime import ImportProgress

from .output import counted, note

_LINE_EVERY_S: Final = 5.0
_STILL_EVERY_S: Final = 60.0
"""How often the same is said again, so that it is seen to be alive."""
_LONG_S: Final = 60
"""From here on, time left is said in minutes and hours."""

Show = Callable[[Snapshot | ImportProgress], None]


@contextmanager
def progress(stream: TextIO) -> Iterator[Show]:
    """Give what shows progress on ``stream``."""
    if stream.isatty():
        try:
            from .bar import bar  # noqa: PLC0415 - loaded only where it is seen
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
    shown, shown_at = "", clock()

    def show(now: Snapshot | ImportProgress) -> None:
        nonlocal status, shown, shown_at
        became = "reading" if isinstance(now, ImportProgress) else now.status
        waited_s = clock() - shown_at
        if became == status and (waited_s < _LINE_EVERY_S or (line(now) == shown and waited_s < _STILL_EVERY_S)):
            return
        status, shown, shown_at = became, line(now), clock()
        note(shown, stream)

    return show


def line(now: Snapshot | ImportProgress) -> str:
    """Say in one line where an import or a campaign stands."""
    if isinstance(now, ImportProgress):
        return f"reading: {counted(now.accepted, 'contact')}, {now.rejected:,} rejected"
    done = now.total - now.pending - now.in_progress
    return (
        f"{now.status}: {done:,} of {counted(now.total, 'contact')} done, {counted(now.calls_in_flight, 'call')} up, "
        f"{counted(now.attempts, 'dial')}{outlook(now)}"
    )


def outlook(now: Snapshot) -> str:
    """Say when it will be through, or what it waits for."""
    if waiting(now):
        return f", {now.pending:,} wait for their next dial"
    if now.status is not CampaignStatus.RUNNING or not now.eta:
        return ""
    left_s = max(round((now.eta - now.timestamp).total_seconds()), 1)
    return f", about {timedelta(seconds=left_s)} left" if left_s >= _LONG_S else f", about {left_s} s left"


def waiting(now: Snapshot) -> bool:
    """Say whether nobody is called at the moment, and somebody will be again: most often at a retry's time."""
    is_idle = now.status is CampaignStatus.RUNNING and not now.calls_in_flight
    return bool(is_idle and now.pending and now.attempts)
