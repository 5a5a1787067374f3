"""``kataven check``: what of a contacts file would be dialled, what not and why."""

import argparse
import json
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kataven_core import ContactsFileError, ContactsParser, CsvOptions, Duplicates, RejectedRow, rejects_csv

from .contacts_file import STDIN, national_numbers, read_contacts
from .failure import DONE, FAILED, USAGE, CommandFailure

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_SHOWN = 20
"""Rejected rows that are printed; more would push the result off the screen."""


def add_to(commands: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "check",
        help="say what of a contacts file would be dialled, what not and why",
        description="Say what of a contacts file would be dialled, what not and why. Exit code 1 when a row is bad.",
    )
    parser.add_argument(
        "file", metavar="CONTACTS.csv", type=_not_blank, help="the contacts file; - reads standard input"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, with every rejected row")
    parser.add_argument("--rejects", metavar="FILE", type=_not_blank, help="write every rejected row to FILE, as CSV")
    parser.add_argument(
        "--default-region", metavar="REGION", help="read numbers without + as those of REGION: US, GB, DE, …"
    )
    parser.add_argument(
        "--phone-column",
        metavar="NAME",
        type=_not_blank,
        default="phone_number",
        help="the header of the numbers' column",
    )
    parser.add_argument(
        "--duplicates",
        choices=[each.value for each in Duplicates],
        default=Duplicates.REJECT.value,
        help="what becomes of a number that stood in an earlier row (default: reject)",
    )
    parser.set_defaults(run=run)


def _not_blank(word: str) -> str:
    if not word.strip():
        raise argparse.ArgumentTypeError("it is blank")
    return word


def run(arguments: argparse.Namespace) -> int:
    """Read the file and print what would become of it."""
    if arguments.rejects is not None:
        _refuse_overwriting(arguments.file, arguments.rejects)
    parser = ContactsParser(
        CsvOptions(
            phone_column=arguments.phone_column,
            duplicates=Duplicates(arguments.duplicates),
            national=national_numbers(arguments.default_region),
        )
    )
    rejected: list[RejectedRow] = []
    fault: ContactsFileError | None = None
    try:
        read_contacts(arguments.file, parser, rejected)
    except ContactsFileError as error:
        fault = error
    if arguments.rejects is not None:
        _write_rejects(arguments.rejects, rejected)
    if arguments.json:
        _print_json(arguments.file, parser, rejected, fault)
    else:
        _print_text(arguments, parser, rejected, fault)
    if fault and not arguments.json:
        raise CommandFailure(_one_line(f"{arguments.file}: {fault.message}"))
    return FAILED if rejected or fault else DONE


def _refuse_overwriting(file: str, rejects: str) -> None:
    """Never write over the file that is being read, by whatever name or through standard input."""
    try:
        read = os.fstat(sys.stdin.fileno()) if file == STDIN and sys.stdin else Path(file).stat()
        is_same = os.path.samestat(read, Path(rejects).stat())
    except (OSError, ValueError):  # one of them is not there, or no file: nothing to lose
        return
    if is_same and stat.S_ISREG(read.st_mode):
        raise CommandFailure(f"--rejects {rejects} would overwrite the contacts file: name another file", USAGE)


def _write_rejects(name: str, rejected: list[RejectedRow]) -> None:
    try:
        with Path(name).open("w", encoding="utf-8", newline="") as file:
            file.writelines(rejects_csv(rejected))
    except OSError as error:
        raise CommandFailure(f"--rejects {name}: it can't be written: {error.strerror or error}") from None


def _print_json(
    name: str, parser: ContactsParser, rejected: list[RejectedRow], fault: ContactsFileError | None
) -> None:
    header = parser.header
    result: dict[str, object] = {
        "file": name,
        "accepted": 0 if fault else parser.accepted_rows,
        "rejected": len(rejected),
        "columns": list(header.names) if header else [],
        "phone_column": header.phone_column if header else None,
        "rejects": [row._asdict() for row in rejected],
    }
    if fault:
        result["error"] = {"code": fault.code, "line": fault.line, "column": fault.column, "message": fault.message}
    json.dump(result, sys.stdout, ensure_ascii=False)
    print()


def _print_text(
    arguments: argparse.Namespace,
    parser: ContactsParser,
    rejected: list[RejectedRow],
    fault: ContactsFileError | None,
) -> None:
    for row in rejected[:_SHOWN]:
        column = f" {row.column}:" if row.column else ""
        print(_one_line(f"{arguments.file}:{row.line}:{column} {row.code}: {row.message}"))
    if len(rejected) > _SHOWN:
        where = f"all are in {arguments.rejects}" if arguments.rejects else "--rejects FILE writes all of them"
        print(f"... and {len(rejected) - _SHOWN:,} more; {where}")
    if parser.header and not fault:
        others = ", ".join(parser.header.field_names) or "none"
        print(_one_line(f"number column: {parser.header.phone_column}; custom fields: {others}"))
        print(f"accepted {parser.accepted_rows:,}, rejected {parser.rejected_rows:,}")


def _one_line(text: str) -> str:
    """Show control characters by their escapes: a column's name must not move the cursor, nor break the line."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
