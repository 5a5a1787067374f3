"""What commands leave behind: files that overwrite nothing that matters, and lines that stay lines."""

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from kataven_core import RejectedRow, rejects_csv

from .contacts_file import STDIN
from .failure import USAGE, CommandFailure


def refuse_overwriting(file: str, option: str, name: str) -> None:
    """Never write over the file that is being read, by whatever name or through standard input."""
    try:
        read = os.fstat(sys.stdin.fileno()) if file == STDIN and sys.stdin else Path(file).stat()
        is_same = os.path.samestat(read, Path(name).stat())
    except (OSError, ValueError):  # one of them is not there, or no file: nothing to lose
        return
    if is_same and stat.S_ISREG(read.st_mode):
        raise CommandFailure(f"{option} {name} would overwrite the contacts file: name another file", USAGE)


def write_rejects(name: str, rejected: Iterable[RejectedRow]) -> None:
    """Write rejected rows, safe to open in a spreadsheet."""
    write_lines("--rejects", name, rejects_csv(rejected))


def write_lines(option: str, name: str, lines: Iterable[str]) -> None:
    """Write a file that an option names."""
    try:
        with Path(name).open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
    except OSError as error:
        raise CommandFailure(f"{option} {name}: it can't be written: {error.strerror or error}") from None


def rejected_line(file: str, row: RejectedRow) -> str:
    """Say where a row stands and why it can't be dialled, as compilers do."""
    column = f" {row.column}:" if row.column else ""
    return one_line(f"{file}:{row.line}:{column} {row.code}: {row.message}")


def one_line(text: str) -> str:
    """Show control characters by their escapes: a column's name must not move the cursor, nor break the line."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
