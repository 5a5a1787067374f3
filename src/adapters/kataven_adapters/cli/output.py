"""What commands leave behind: files that overwrite nothing that matters, and lines that stay lines."""

import os
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from kataven_core import RejectedRow, rejects_csv

from .contacts_file import STDIN
from .failure import USAGE, CommandFailure


def refuse_overwriting(file: str, option: str, name: str, what: str = "the contacts file") -> None:
    """Never write over a file that is read or kept, by whatever name or through standard input."""
    try:
        read = os.fstat(sys.stdin.fileno()) if file == STDIN and sys.stdin else Path(file).stat()
        is_same = os.path.samestat(read, Path(name).stat())
    except (OSError, ValueError):  # one of them is not there, or no file: nothing to lose
        return
    if is_same and stat.S_ISREG(read.st_mode):
        raise CommandFailure(f"{option} {name} would overwrite {what}: name another file", USAGE)


def refuse_unwritable(option: str, name: str) -> None:
    """Find out before the work is done that what comes of it can't be written; leave everything as it is."""
    try:
        is_there = Path(name).exists()
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600))
        if not is_there:
            Path(name).resolve().unlink()
    except OSError as error:
        raise _unwritable(option, name, error) from None


def write_rejects(name: str, rejected: Iterable[RejectedRow]) -> None:
    """Write rejected rows, safe to open in a spreadsheet."""
    write_lines("--rejects", name, rejects_csv(rejected))


def write_lines(option: str, name: str, lines: Iterable[str]) -> None:
    """Write a file that an option names."""
    try:
        with Path(name).open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
    except OSError as error:
        raise _unwritable(option, name, error) from None


def _unwritable(option: str, name: str, error: OSError) -> CommandFailure:
    return CommandFailure(one_line(f"{option} {name}: it can't be written: {error.strerror or error}"))


def with_options(sentence: str) -> str:
    """Name what the command line calls by another name than the library: options."""
    named = sentence.replace("name it as phone_column", "name it with --phone-column")
    return named.replace("name a default region", "name its region with --default-region")


def rejected_line(file: str, row: RejectedRow) -> str:
    """Say where a row stands and why it can't be dialled, as compilers do."""
    column = f" {row.column}:" if row.column else ""
    return one_line(f"{file}:{row.line}:{column} {row.code}: {with_options(row.message)}")


def note(sentence: str, stream: TextIO | None = None) -> None:
    """Tell a person something by the way; nothing fails because nobody listens any more."""
    with suppress(OSError):
        print(sentence, file=stream or sys.stderr, flush=True)


def counted(count: int, thing: str) -> str:
    """Say how many there are of a thing whose plural takes an s."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def one_line(text: str) -> str:
    """Show control characters by their escapes: a column's name must not move the cursor, nor break the line."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
