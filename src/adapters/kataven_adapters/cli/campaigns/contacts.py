"""``kataven campaigns contacts`` and ``rejects``: who is in a campaign, and which rows are not."""

import argparse
import json
import sys
from codecs import iterdecode
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from kataven_adapters.cli.failure import DONE
from kataven_adapters.cli.output import counted, note, refuse_unwritable, write_lines
from kataven_adapters.cli.words import not_blank

from .client import action, opened
from .shown import Table, members_of, text

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from kataven_adapters.client import KatavenClient

_STATUSES: Final = ("pending", "in_progress", "completed", "failed", "cancelled", "suppressed")
_LISTED: Final = ("position", "phone_number", "status", "attempts", "last_outcome", "next_attempt_at")


def add_to(actions: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both actions."""
    help_json = "print the page as one JSON object; with --all, one line of JSON for each contact"
    parser = action(actions, "contacts", "list a campaign's contacts, a page of 100 at a time", _contacts, help_json)
    add = parser.add_argument
    add("campaign", metavar="ID", help="the campaign's id")
    add("--status", metavar="S", choices=_STATUSES, help=f"only those that are {', '.join(_STATUSES)}")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--page", metavar="N", type=_page, default=0, help="which page, from 0 (default: 0)")
    which.add_argument("--all", action="store_true", help="all pages")
    parser = action(actions, "rejects", "print the rows that were rejected and why, as CSV", _rejects, "")
    parser.add_argument("campaign", metavar="ID", help="the campaign's id")
    parser.add_argument("--output", metavar="FILE", type=not_blank, help="write them to FILE")


def _page(word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise argparse.ArgumentTypeError(f"{word!r} is no page: give 0 or more")
    return int(word)


def _contacts(arguments: argparse.Namespace) -> int:
    table = Table(_LISTED)
    with opened(arguments, is_patient=arguments.all) as client:
        for page in _pages(client, arguments):
            _print_page(page, table, arguments)
    return DONE


def _pages(client: "KatavenClient", arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    number, has_next = arguments.page, True
    while has_next:
        page = client.campaigns.list_contacts(arguments.campaign, arguments.status, number)
        yield page
        number, has_next = number + 1, arguments.all and bool(page.get("has_next"))


def _print_page(page: dict[str, Any], table: Table, arguments: argparse.Namespace) -> None:
    contacts = members_of(page, "contacts")
    if arguments.json:
        for each in contacts if arguments.all else [page]:
            print(json.dumps(each, ensure_ascii=False))
        return
    for line in table.lines([[text(each.get(name)) for name in _LISTED] for each in contacts]):
        print(line)
    if not page.get("has_next"):
        note(_total(page))
    elif not arguments.all:
        note(f"{_total(page)}: --page {arguments.page + 1} lists the next, --all all")


def _total(page: dict[str, Any]) -> str:
    total = page.get("total")
    return counted(total, "contact") if isinstance(total, int) else f"{text(total)} contacts"


def _rejects(arguments: argparse.Namespace) -> int:
    if arguments.output is not None:
        refuse_unwritable("--output", arguments.output)
    with opened(arguments) as client:
        rows = client.rejects(arguments.campaign)
        begin = next(rows, b"")  # before a file is opened: where there are none, none is written over
        chunks = chain([begin], rows)
        if arguments.output is None:
            for chunk in chunks:
                sys.stdout.buffer.write(chunk)
        else:
            write_lines("--output", arguments.output, iterdecode(chunks, "utf-8"))
    return DONE
