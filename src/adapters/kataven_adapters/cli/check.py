"""``kataven check``: what of a contacts file would be dialled, what not and why."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from kataven_core import ContactsFileError, ContactsParser, RejectedRow

from .contacts_file import read_contacts
from .failure import DONE, FAILED, CommandFailure
from .output import one_line, refuse_overwriting, rejected_line, with_options, write_rejects
from .reading import add_reading_options, reading_options
from .words import not_blank

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
        "file", metavar="CONTACTS.csv", type=not_blank, help="the contacts file; - reads standard input"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, with every rejected row")
    parser.add_argument("--rejects", metavar="FILE", type=not_blank, help="write every rejected row to FILE, as CSV")
    add_reading_options(parser)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Read the file and print what would become of it."""
    if arguments.rejects is not None:
        refuse_overwriting(arguments.file, "--rejects", arguments.rejects)
    parser = ContactsParser(reading_options(arguments))
    rejected: list[RejectedRow] = []
    fault: ContactsFileError | None = None
    try:
        read_contacts(arguments.file, parser, rejected)
    except ContactsFileError as error:
        fault = error
    if arguments.rejects is not None:
        write_rejects(arguments.rejects, rejected)
    if arguments.json:
        _print_json(arguments.file, parser, rejected, fault)
    else:
        _print_text(arguments, parser, rejected, fault)
    if fault and not arguments.json:
        raise CommandFailure(one_line(f"{arguments.file}: {with_options(fault.message)}"))
    return FAILED if rejected or fault else DONE


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
        print(rejected_line(arguments.file, row))
    if len(rejected) > _SHOWN:
        where = f"all are in {arguments.rejects}" if arguments.rejects else "--rejects FILE writes all of them"
        print(f"... and {len(rejected) - _SHOWN:,} more; {where}")
    if parser.header and not fault:
        others = ", ".join(parser.header.field_names) or "none"
        print(one_line(f"number column: {parser.header.phone_column}; custom fields: {others}"))
        print(f"accepted {parser.accepted_rows:,}, rejected {parser.rejected_rows:,}")
