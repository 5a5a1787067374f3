"""``kataven keys new``: a new API key, of which only the hash is ever written down here."""

import argparse
import json
import secrets  # noqa: TID251 - a key is chance, and nothing else
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from kataven_core import AccountId, InvalidValue, account_id

from .failure import DONE
from .output import note
from .words import not_blank

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_SECRET_BYTES: Final = 32


class NewKey(NamedTuple):
    """A key that was made just now. ``key`` is shown once; what is kept is ``sha256``, that of the whole key."""

    key: str
    sha256: str


def new_key(account: AccountId) -> NewKey:
    """Make a key that nobody can guess."""
    key = f"sk_live_{account}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return NewKey(key, sha256(key.encode()).hexdigest())


def add_to(commands: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    about = commands.add_parser("keys", help="make an API key", description="Make an API key.")
    actions = about.add_subparsers(dest="action", required=True, metavar="new")
    parser = actions.add_parser(
        "new",
        help="print a new key once, and the lines for the configuration",
        description="Print a new key once, and the lines for the configuration, which holds its hash alone.",
    )
    parser.add_argument("account", metavar="ACCOUNT", type=_account, help="the account whose key it is")
    parser.add_argument(
        "--id", metavar="NAME", type=_name, help="whom its campaigns are by (default: made of its hash)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object: account, id, key, sha256")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Make the key and print it."""
    key, digest = new_key(arguments.account)
    name = arguments.id or f"key-{digest[:8]}"
    if arguments.json:
        print(json.dumps({"account": arguments.account, "id": name, "key": key, "sha256": digest}))
        return DONE
    note(f"this key of {arguments.account} is shown once: keep it where secrets are kept")
    print(key)
    note(f"in the configuration, below the account {arguments.account}:")
    print(f"\n  [[accounts.api_keys]]\n  id = {json.dumps(name, ensure_ascii=False)}\n  sha256 = {json.dumps(digest)}")
    return DONE


def _account(word: str) -> AccountId:
    try:
        return account_id(word)
    except InvalidValue as error:
        raise argparse.ArgumentTypeError(error.message) from None


def _name(word: str) -> str:
    if not word.isprintable():
        raise argparse.ArgumentTypeError(f"{word!r} holds characters that can't be printed")
    return not_blank(word)
