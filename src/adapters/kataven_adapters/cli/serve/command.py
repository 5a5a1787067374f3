"""``kataven serve``: the campaigns API as a process. Reads the words; ``serving`` does it."""

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING, Final

from attrs import evolve

from kataven_adapters.cli.config_file import read_config
from kataven_adapters.cli.failure import DONE, FAILED, USAGE, CommandFailure
from kataven_adapters.cli.keys import new_key
from kataven_adapters.cli.output import note, one_line
from kataven_adapters.cli.words import not_blank
from kataven_adapters.config import AccountConfig, ApiKeyConfig, Config
from kataven_core import AccountId, Agent, KatavenError, OutboundNumber, PhoneNumber

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from .serving import Plan

_DEMO: Final = AccountId("demo")
_DEMO_CALLS: Final = 10
_EVENTS_HERE: Final = "memory://"
_MAX_PORT: Final = 65_535


def add_to(commands: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "serve",
        help="serve the campaigns API over HTTP",
        description="Serve the campaigns API over HTTP. Without a configuration: one account, demo, with a key that is "
        "new at every start, and a line on which no phone rings. Ctrl-C lets requests and calls end.",
    )
    add = parser.add_argument
    add("--config", metavar="FILE", type=not_blank, help="the configuration (default: $KATAVEN_CONFIG)")
    add("--host", metavar="H", type=not_blank, help="where to listen (default: 127.0.0.1)")
    add("--port", metavar="P", type=_port, help="the port; 0 takes one that is free (default: 8080)")
    add("--store", metavar="URL", type=not_blank, help="where all is kept (default: sqlite:///kataven.db)")
    add("--line", metavar="URL", type=not_blank, help="what places the calls (default: simulated://)")
    parser.set_defaults(run=run, parser=parser)


def _port(word: str) -> int:
    if not (word.isascii() and word.isdigit() and int(word) <= _MAX_PORT):
        raise argparse.ArgumentTypeError(f"{word!r} is no port: give 0 to {_MAX_PORT}")
    return int(word)


def run(arguments: argparse.Namespace) -> int:
    """Serve until somebody says to stop."""
    try:
        from .log_setup import set_up_logging  # noqa: PLC0415 - an extra that other commands do without
        from .serving import Serving  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing.startswith("kataven_"):
            raise  # ours is missing: no extra would bring it
        raise CommandFailure(f"it needs {missing}: pip install 'kataven-core[serve]'") from None
    plan = _plan(arguments)
    set_up_logging(sys.stderr)
    serving = Serving(plan, _tell)
    try:
        asyncio.run(serving.run())
    except KatavenError as error:
        raise CommandFailure(one_line(error.message), USAGE if error.code == "invalid_url" else FAILED) from None
    finally:
        serving.done()
    return DONE


def _tell(sentence: str) -> None:
    """Say something that whoever has started the server reads, be it a program."""
    print(sentence, flush=True)


def _plan(arguments: argparse.Namespace) -> "Plan":
    from .serving import Plan  # noqa: PLC0415 - as in run

    file = arguments.config or os.environ.get("KATAVEN_CONFIG") or None
    config, key = _demo() if file is None else (_read(file), None)
    return Plan(
        config=config,
        file=file,
        store_url=arguments.store or config.store.url,
        line_url=arguments.line or config.line.url,
        host=arguments.host or config.server.host,
        port=config.server.port if arguments.port is None else arguments.port,
        key=key,
    )


def _read(file: str) -> Config:
    config = read_config(file)
    if config.events.url != _EVENTS_HERE:
        raise CommandFailure(one_line(f"{file}: events.url: there is only {_EVENTS_HERE} yet: leave it out"), USAGE)
    if not any(account.api_keys for account in config.accounts):
        note(one_line(f"{file}: no account has a key, so nobody can ask for anything: `kataven keys new` makes one"))
    return config


def _demo() -> tuple[Config, str]:
    """Give a configuration for trials, and the key that opens it."""
    made = new_key(_DEMO)
    account = AccountConfig(
        id=_DEMO,
        concurrent_max=_DEMO_CALLS,
        api_keys=(ApiKeyConfig(id=_DEMO, sha256=made.sha256),),
        agents=(Agent(id="demo-agent", name="Demo"),),
        phone_numbers=(OutboundNumber(id="demo-number", e164=PhoneNumber("+12025550100")),),
    )
    return evolve(Config(), accounts=(account,)), made.key
