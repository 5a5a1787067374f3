"""Opening and reading a contacts file for a person: progress while it lasts, one sentence when it can't be read."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from kataven_core import MAX_FILE_BYTES, ContactsParser, RejectedRow

from .failure import CommandFailure

_CHUNK_BYTES = 64 * 1024
_PROGRESS_EVERY_S = 0.2
STDIN = "-"


def read_contacts(name: str, parser: ContactsParser, rejected: list[RejectedRow]) -> None:
    """Feed a file, or standard input, to the parser, and collect the rejected rows as they come.

    Raises ``CommandFailure`` when it can't be read and ``ContactsFileError`` when it can't be used.
    """
    show = _progress(parser)
    try:
        with opened(name) as file:
            while chunk := file.read(_CHUNK_BYTES):
                rejected += parser.feed(chunk).rejected
                show(done=False)
    except OSError as error:
        raise CommandFailure(f"{name}: {reason(error)}") from None
    finally:
        show(done=True)
    rejected += parser.finish().rejected


def read_whole(name: str) -> bytes:
    """Read a file, or standard input, up to more than any contacts file may have."""
    try:
        with opened(name) as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CommandFailure(f"{name}: {reason(error)}") from None


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """Open a file to read, or standard input."""
    if name == STDIN:
        if sys.stdin is None:
            raise CommandFailure("-: standard input is closed: name a file")
        yield sys.stdin.buffer
    else:
        with Path(name).open("rb") as file:
            yield file


def reason(error: OSError) -> str:
    """Say in words what the system said in a code."""
    match error:
        case FileNotFoundError():
            return "there is no such file: check the name and the folder"
        case IsADirectoryError():
            return "this is a folder: name a CSV file in it"
        case PermissionError():
            return "no permission to read it: change its mode or run as its owner"
        case _:
            return f"it can't be read: {error.strerror or error}"


def _progress(parser: ContactsParser) -> Callable[..., None]:
    """Give a function that counts rows on stderr while a person watches; national numbers take their time."""
    clock = time.monotonic  # noqa: TID251 - how often a person's screen is drawn
    shown_at = clock()
    is_shown = False

    def show(*, done: bool) -> None:
        nonlocal shown_at, is_shown
        if done and is_shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        elif not done and sys.stderr.isatty() and clock() - shown_at >= _PROGRESS_EVERY_S:
            shown_at, is_shown = clock(), True
            rows = parser.accepted_rows + parser.rejected_rows
            print(f"\r{rows:,} rows, {parser.rejected_rows:,} rejected", end="", file=sys.stderr, flush=True)

    return show
