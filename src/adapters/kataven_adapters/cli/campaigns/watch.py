"""``kataven campaigns watch``: live progress of a campaign on a server, until it is over."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import fields_dict

from kataven_adapters.cli.failure import DONE, CommandFailure
from kataven_adapters.cli.output import counted, one_line
from kataven_adapters.cli.progress import progress
from kataven_core import CampaignStatus, ContactStatus, InvalidValue, Snapshot
from kataven_core.codec import from_plain

from .client import action, opened

if TYPE_CHECKING:
    from argparse import _SubParsersAction

Show = Callable[[dict[str, Any]], None]


def add_to(actions: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the action and its options."""
    about = "show a campaign's progress until it is over; exit code 1 where it failed"
    parser = action(actions, "watch", about, run, "print each snapshot as a line of JSON")
    parser.add_argument("campaign", metavar="ID", help="the campaign's id")


def run(arguments: argparse.Namespace) -> int:
    """Show snapshots as they come, over a connection that is made anew where it breaks."""
    last: dict[str, Any] | None = None
    with opened(arguments) as client, _shown(is_json=arguments.json) as show:
        for item in client.campaigns.stream_events(arguments.campaign, reconnect=True):
            if isinstance(item, dict) and item != last:  # the end holds the last one once more
                last = item
                show(item)
    return _end(last, arguments)


@contextmanager
def _shown(*, is_json: bool) -> Iterator[Show]:
    """Give what shows a snapshot: to programs as it is, to people as progress on stderr."""
    if is_json:
        yield lambda now: print(json.dumps(now, ensure_ascii=False), flush=True)
        return
    with progress(sys.stderr) as show:
        yield lambda now: show(_snapshot(now))


def _end(last: dict[str, Any] | None, arguments: argparse.Namespace) -> int:
    """Tell how it ended."""
    if last is None:
        raise CommandFailure("the events ended before the first of them came: ask again")
    if not arguments.json:
        print(*_lines(_snapshot(last)), sep="\n")
    status = last.get("status")
    if status == CampaignStatus.FAILED:
        raise CommandFailure("the campaign has failed: its agent or its number is gone, or may not call any more")
    if status != CampaignStatus.COMPLETED:
        raise CommandFailure(one_line(f"the campaign was deleted while it was {status}"))
    return DONE


def _lines(end: Snapshot) -> Iterator[str]:
    yield f"{one_line(end.campaign_id)}: {end.status}"
    yield f"{end.total:>9,}  {counted(end.total, 'contact').partition(' ')[2]}"
    for status in ContactStatus:
        if count := getattr(end, status.value):
            yield f"{count:>13,}  {status}"
    yield f"{end.attempts:>9,}  {counted(end.attempts, 'attempt').partition(' ')[2]}"


def _snapshot(members: dict[str, Any]) -> Snapshot:
    """Read a snapshot; members that are not known here are left out."""
    try:
        return from_plain({name: members[name] for name in fields_dict(Snapshot) if name in members}, Snapshot)
    except InvalidValue as error:
        raise CommandFailure(one_line(f"the server sends a snapshot that can't be read: {error.message}")) from None
