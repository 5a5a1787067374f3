"""``kataven campaigns``: campaigns on a server, over its API. Here what is one question and one answer."""

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from kataven_adapters.cli.failure import DONE
from kataven_adapters.cli.output import one_line

from . import contacts, create, watch
from .client import action, opened
from .shown import Table, campaign_lines, members_of, text

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_MOVES: Final = {
    "start": "let a campaign dial",
    "pause": "dial nobody new; calls that are up go on",
    "resume": "let a paused campaign go on",
    "stop": "end a campaign for good; calls that are up go on",
}
_LISTED: Final = ("id", "status", "created_at", "name")


def add_to(commands: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its actions."""
    about = commands.add_parser(
        "campaigns",
        help="make, steer and watch campaigns on a server",
        description="Make, steer and watch campaigns on a server.",
        epilog="The API key is read from KATAVEN_API_KEY, so that no list of processes shows it.",
    )
    actions = about.add_subparsers(dest="action", required=True, metavar="ACTION")
    action(actions, "list", "list all campaigns, the newest first", _list)
    _on_one(actions, "get", "show a campaign", _get)
    create.add_to(actions)
    for name, about_it in _MOVES.items():
        parser = _on_one(actions, name, about_it, _move)
        parser.add_argument("--idempotency-key", metavar="KEY", help="sent again with the same key, it is done once")
    _on_one(actions, "delete", "delete a campaign that does not run", _delete)
    contacts.add_to(actions)
    watch.add_to(actions)


def _on_one(
    actions: "_SubParsersAction[argparse.ArgumentParser]",
    name: str,
    about: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = action(actions, name, about, run)
    parser.add_argument("campaign", metavar="ID", help="the campaign's id")
    return parser


def _list(arguments: argparse.Namespace) -> int:
    with opened(arguments) as client:
        found = client.campaigns.list()
    if arguments.json:
        return _print_json(found)
    rows = [[text(each.get(name)) for name in _LISTED] for each in members_of(found, "campaigns")]
    print(*(Table(_LISTED).lines(rows) if rows else ["there are no campaigns"]), sep="\n")
    return DONE


def _get(arguments: argparse.Namespace) -> int:
    with opened(arguments) as client:
        campaign = client.campaigns.get(arguments.campaign)
    if arguments.json:
        return _print_json(campaign)
    print(*campaign_lines(campaign), sep="\n")
    return DONE


def _move(arguments: argparse.Namespace) -> int:
    with opened(arguments) as client:
        move = getattr(client.campaigns, arguments.action)
        campaign: dict[str, Any] = move(arguments.campaign, idempotency_key=arguments.idempotency_key)
    if arguments.json:
        return _print_json(campaign)
    print(f"{text(campaign.get('id'))}: {text(campaign.get('status'))}")
    return DONE


def _delete(arguments: argparse.Namespace) -> int:
    with opened(arguments) as client:
        client.campaigns.delete(arguments.campaign)
    if arguments.json:
        return _print_json({"id": arguments.campaign, "deleted": True})
    print(one_line(f"{arguments.campaign}: deleted"))
    return DONE


def _print_json(members: dict[str, Any]) -> int:
    print(json.dumps(members, ensure_ascii=False))
    return DONE
