"""``kataven phone-network``: a phone network in a process of its own. Reads the words; ``serving`` does it."""

import argparse
import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kataven_adapters.cli.failure import DONE, USAGE, CommandFailure
from kataven_adapters.cli.output import note, one_line
from kataven_adapters.cli.words import not_blank, whole
from kataven_adapters.simulated import SimulatedSettings
from kataven_adapters.simulated.settings import CHANCE_NAMES
from kataven_adapters.wire.webhooks import key_of
from kataven_core import InvalidValue

from .faults import CHANCES, MEANS_S, Faults, changed

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from .serving import Plan

_MAX_PORT: Final = 65_535
_MAX_SEED: Final = 10**18 - 1
_LENGTHS: Final[Mapping[str, str]] = {
    "ring_s": "mean seconds until a phone is answered, or its call ends (default: 0.05)",
    "talk_s": "mean seconds of a talk (default: 0.2)",
}


def add_to(commands: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "phone-network",
        help="be a phone network on which no phone rings",
        description="Be a simulated phone network: a dialer on the HTTP line, whose log is what phones heard. It "
        "can be told to go wrong. Ctrl-C cuts all calls off.",
    )
    add = parser.add_argument
    add("--port", metavar="P", type=whole(0, _MAX_PORT), required=True, help="the port; 0 takes one that is free")
    add("--log", metavar="FILE", type=not_blank, required=True, help="append what phones heard, a JSON line per event")
    add("--host", metavar="H", type=not_blank, default="127.0.0.1", help="where to listen (default: 127.0.0.1)")
    add("--token", metavar="T", type=not_blank, help="let in who shows it (default: $KATAVEN_LINE_TOKEN)")
    add("--secret", metavar="S", type=not_blank, help="whsec_…, signs reports (default: $KATAVEN_LINE_SECRET)")
    world = parser.add_argument_group("what becomes of calls, drawn from the seed and the attempt's id")
    world.add_argument("--seed", metavar="N", type=whole(0, _MAX_SEED), default=7, help="another one, other outcomes")
    for name, outcome in CHANCE_NAMES.items():
        world.add_argument(_option(name), metavar="P", type=_number, help=f"the chance of {outcome}")
    for name, about in _LENGTHS.items():
        world.add_argument(_option(name), metavar="S", type=_number, help=about)
    faults = parser.add_argument_group("what goes wrong on purpose; PUT /faults changes it while the network runs")
    for name, about in CHANCES.items():
        faults.add_argument(_option(name), metavar="P", type=_number, help=f"the chance that {about}")
    for name, about in MEANS_S.items():
        faults.add_argument(_option(name), metavar="S", type=_number, help=f"mean seconds by which {about}")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Be a phone network until somebody says to stop."""
    try:
        from . import serving  # noqa: PLC0415 - an extra that other commands do without
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing.startswith("kataven_"):
            raise  # ours is missing: no extra would bring it
        raise CommandFailure(f"it needs {missing}: pip install 'kataven-core[serve]'") from None
    asyncio.run(serving.serve(_plan(arguments), _tell, _complain))
    return DONE


def _plan(arguments: argparse.Namespace) -> "Plan":
    from .serving import Plan  # noqa: PLC0415 - as in run

    secret = arguments.secret or os.environ.get("KATAVEN_LINE_SECRET")
    try:
        return Plan(
            host=arguments.host,
            port=arguments.port,
            log=arguments.log,
            world=_world(arguments),
            faults=changed(Faults(), _given(arguments, (*CHANCES, *MEANS_S))),
            token=arguments.token or os.environ.get("KATAVEN_LINE_TOKEN") or None,
            signing_key=key_of(secret) if secret else None,
        )
    except InvalidValue as error:
        raise CommandFailure(one_line(error.message), USAGE) from None


def _world(arguments: argparse.Namespace) -> SimulatedSettings:
    members: dict[str, Any] = {"seed": arguments.seed, **_given(arguments, _LENGTHS)}
    chances = _given(arguments, CHANCE_NAMES)
    if chances:
        members["chances"] = {CHANCE_NAMES[name]: chance for name, chance in chances.items()}
    return SimulatedSettings(**members)


def _given(arguments: argparse.Namespace, names: Any) -> dict[str, float]:
    return {name: value for name in names if (value := getattr(arguments, name)) is not None}


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is no number") from None


def _tell(sentence: str) -> None:
    """Say something that whoever has started the network reads, be it a program."""
    print(sentence, flush=True)


def _complain(sentence: str) -> None:
    note(one_line(f"kataven phone-network: {sentence}"))
