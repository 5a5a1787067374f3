"""What the actions of ``kataven campaigns`` share: their options, and a client whose errors are a command's."""

import argparse
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from kataven_adapters.cli.failure import FAILED, USAGE, CommandFailure
from kataven_adapters.cli.output import one_line
from kataven_adapters.cli.words import not_blank

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from kataven_adapters.client import KatavenClient

_NO_KEY: Final = "there is no API key: set KATAVEN_API_KEY in the environment"


def action(
    actions: "_SubParsersAction[argparse.ArgumentParser]",
    name: str,
    about: str,
    run: Callable[[argparse.Namespace], int],
    json_help: str = "print what the server answers, as JSON",
) -> argparse.ArgumentParser:
    """Add an action with the options that all of them have."""
    parser = actions.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
    add = parser.add_argument
    add(
        "--base-url",
        metavar="URL",
        type=not_blank,
        help="the server (default: $KATAVEN_BASE_URL, or else http://127.0.0.1:8080)",
    )
    add("--account", metavar="ID", type=not_blank, help="refuse to speak for any account but this one")
    if json_help:
        add("--json", action="store_true", help=json_help)
    parser.set_defaults(run=run, parser=parser, command=f"campaigns {name}")
    return parser


@contextmanager
def opened(arguments: argparse.Namespace, *, is_patient: bool = False) -> Iterator["KatavenClient"]:
    """Give a client, and end the command with a sentence where it fails; a patient one asks again where it may."""
    try:
        from kataven_adapters.client import KatavenClient  # noqa: PLC0415 - an extra that other commands do without
    except ModuleNotFoundError as error:
        if str(error.name).startswith("kataven_"):
            raise  # ours is missing: no extra would bring it
        raise CommandFailure(f"it needs {error.name}: pip install 'kataven-core[client]'") from None
    if not os.environ.get("KATAVEN_API_KEY", "").strip():
        raise CommandFailure(_NO_KEY, USAGE)
    with failing(USAGE):
        client = KatavenClient(base_url=arguments.base_url, account_id=arguments.account, retry=is_patient)
    with _ended_alike(), client, failing():
        yield client


@contextmanager
def failing(exit_code: int = FAILED) -> Iterator[None]:
    """End the command with one sentence where the client fails."""
    from kataven_adapters.client import KatavenError  # noqa: PLC0415 - it is there: a client was opened

    try:
        yield
    except KatavenError as error:
        raise CommandFailure(one_line(_with_options(str(error))), exit_code) from error


@contextmanager
def _ended_alike() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C: what is drawn on a terminal is put in order before the end."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _with_options(sentence: str) -> str:
    return sentence.replace("base_url", "--base-url (or KATAVEN_BASE_URL)").replace("account_id", "--account")
