"""``kataven campaigns create``: a campaign of a contacts file, which is read while it is sent."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from kataven_adapters.cli.contacts_file import opened as opened_file
from kataven_adapters.cli.contacts_file import reason
from kataven_adapters.cli.failure import DONE, CommandFailure
from kataven_adapters.cli.output import counted, note, one_line, with_options
from kataven_adapters.cli.reading import add_reading_options
from kataven_adapters.cli.words import not_blank, whole

from .client import action, failing, opened
from .shown import campaign_lines, text

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from kataven_adapters.client import CreatedCampaign, KatavenClient

_SHOWN: Final = 20
"""Rows that are told one by one, where the server refuses a file for them."""
_PROGRESS_EVERY_S: Final = 0.2
_DEFAULTS: Final = {"phone_column": "phone_number", "duplicates": "reject"}
"""What the server does of itself; not sent, as others than ours may not know of it."""


def add_to(actions: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the action and its options."""
    parser = action(
        actions,
        "create",
        "make a campaign of a contacts file",
        run,
        "print the campaign, accepted_rows and rejected_rows as one JSON object",
    )
    add = parser.add_argument
    add("file", metavar="CONTACTS.csv", type=not_blank, help="the contacts file; - reads standard input")
    add("--name", metavar="NAME", required=True, help="what the campaign is called")
    add("--agent", metavar="ID", required=True, help="the agent's id")
    add("--number", metavar="ID", required=True, help="the phone number's id (not the number itself)")
    add("--max-concurrent", metavar="N", type=whole(1, 100), default=5, help="calls at once, 1 to 100 (default: 5)")
    add("--retries", metavar="N", type=whole(0, 5), default=0, help="further dials, 0 to 5 (default: 0)")
    add("--retry-delay", metavar="S", type=whole(0, 30 * 86_400), default=300, help="seconds before (default: 300)")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--scheduled-at", metavar="TIME", type=not_blank, help="when it starts: 2030-01-31T09:00:00Z")
    when.add_argument("--start", action="store_true", help="start it at once")
    add_reading_options(parser)
    add("--strict", action="store_true", help="make no campaign where any row is rejected")
    add("--idempotency-key", metavar="KEY", help="sent again with the same key, it is made once")


def run(arguments: argparse.Namespace) -> int:
    """Make the campaign, start it where that is wanted, and print it."""
    with opened(arguments) as client:
        created = _create(client, arguments)
        campaign, failure = dict(created), None
        if arguments.start:
            campaign, failure = _start(client, campaign, arguments.idempotency_key)
    if arguments.json:
        counts = {"accepted_rows": created.accepted_rows, "rejected_rows": created.rejected_rows}
        print(json.dumps(campaign | counts, ensure_ascii=False))
    else:
        print(*campaign_lines(campaign), *_rows(created), sep="\n")
    if failure:
        raise failure
    return DONE


def _create(client: "KatavenClient", arguments: argparse.Namespace) -> "CreatedCampaign":
    from kataven_adapters.client import BadRequestError  # noqa: PLC0415 - it is there: a client was opened

    try:
        with opened_file(arguments.file) as file, _progress() as show:
            return client.campaigns.create(
                arguments.name,
                arguments.agent,
                arguments.number,
                file,
                arguments.max_concurrent,
                arguments.retries,
                arguments.retry_delay,
                arguments.scheduled_at,
                idempotency_key=arguments.idempotency_key,
                on_progress=show,
                **_reading(arguments),
            )
    except OSError as error:
        raise CommandFailure(one_line(f"{arguments.file}: {reason(error)}")) from None
    except BadRequestError as error:
        raise CommandFailure(_refusal(arguments.file, str(error), error.errors)) from None


def _reading(arguments: argparse.Namespace) -> dict[str, Any]:
    """Give how the file is to be read, as far as that was said."""
    chosen = {name: getattr(arguments, name) for name in ("default_region", *_DEFAULTS)}
    said = {name: value for name, value in chosen.items() if value != _DEFAULTS.get(name)}
    return said | ({"strict": True} if arguments.strict else {})


def _start(
    client: "KatavenClient", campaign: dict[str, Any], key: str | None
) -> tuple[dict[str, Any], CommandFailure | None]:
    try:
        with failing():
            return client.campaigns.start(str(campaign.get("id")), idempotency_key=key), None
    except CommandFailure as failure:
        sentence = f"{text(campaign.get('id'))} was created and not started: {failure.sentence}"
        return campaign, CommandFailure(sentence)


def _rows(created: "CreatedCampaign") -> Iterator[str]:
    if created.accepted_rows is None or created.rejected_rows is None:
        return
    yield f"accepted {counted(created.accepted_rows, 'row')}, rejected {created.rejected_rows:,}"
    if created.rejected_rows:
        yield f"which and why: kataven campaigns rejects {text(created.get('id'))}"


def _refusal(file: str, sentence: str, errors: Sequence[Mapping[str, Any]]) -> str:
    """Tell of each wrong row as compilers do, and give the sentence that says what is wrong beside them."""
    rows = [each for each in errors if "line" in each and "code" in each]
    for row in rows[:_SHOWN]:
        column = f" {row['column']}:" if row.get("column") else ""
        note(one_line(with_options(f"{file}:{row['line']}:{column} {row['code']}: {row.get('message')}")))
    if len(rows) > _SHOWN:
        note(f"... and {len(rows) - _SHOWN:,} more")
    others = "; ".join(str(each["message"]) for each in errors if each not in rows and "message" in each)
    return one_line(with_options(f"{file}: {others}" if rows and others else sentence))


@contextmanager
def _progress() -> Iterator[Callable[[int, int | None], None] | None]:
    """Give what tells on stderr, while a person watches, how much of the file is sent."""
    if not sys.stderr.isatty():
        yield None
        return
    clock = time.monotonic  # noqa: TID251 - how often a person's screen is drawn
    shown_at = clock() - _PROGRESS_EVERY_S

    def show(sent: int, total: int | None) -> None:
        nonlocal shown_at
        if clock() - shown_at >= _PROGRESS_EVERY_S or sent == total:
            shown_at = clock()
            of = "" if total is None else f" of {total:,}"
            print(f"\r\033[Ksent {sent:,}{of} bytes", end="", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
