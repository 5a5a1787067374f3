"""``kataven dial``: the main job in one command. Reads the words; ``dialing`` does it, ``report`` tells."""

import argparse
import asyncio
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kataven_adapters.cli.config_file import read_config
from kataven_adapters.cli.contacts_file import STDIN, read_whole
from kataven_adapters.cli.failure import DONE, FAILED, USAGE, CommandFailure
from kataven_adapters.cli.output import one_line, refuse_overwriting, refuse_unwritable
from kataven_adapters.cli.progress import progress
from kataven_adapters.cli.reading import add_reading_options, reading_options
from kataven_adapters.cli.words import not_blank, whole
from kataven_adapters.config import Config
from kataven_core import KatavenError

from .dialing import Dialing
from .plan import Plan
from .report import print_report

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_SIMULATED: Final = "simulated:"
_FORGETFUL: Final = "memory:"


def add_to(commands: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "dial",
        help="dial a contacts file to its end",
        description="Dial every contact of a file to its end, and tell who was reached. "
        "Ctrl-C lets calls in flight end; the same command goes on from there.",
    )
    add = parser.add_argument
    add("file", metavar="CONTACTS.csv", type=not_blank, help="the contacts file; - reads standard input")
    add("--max-concurrent", metavar="N", type=whole(1, 100), default=5, help="calls at once, 1 to 100 (default: 5)")
    add(
        "--retries",
        metavar="N",
        type=whole(0, 5),
        default=0,
        help="further dials of who was not reached, 0 to 5 (default: 0)",
    )
    add(
        "--retry-delay",
        metavar="S",
        type=whole(0, 30 * 86_400),
        default=300,
        help="seconds before each (default: 300)",
    )
    add("--store", metavar="URL", type=not_blank, help="where all is kept (default: sqlite:///kataven.db)")
    add("--line", metavar="URL", type=not_blank, help="what places the calls (default: simulated://)")
    add("--results", metavar="FILE", type=not_blank, help="write what became of each contact to FILE, as CSV")
    add("--rejects", metavar="FILE", type=not_blank, help="where rejected rows go (default: CONTACTS.rejects.csv here)")
    add("--again", action="store_true", help="dial a file anew that was dialled to its end")
    add("--json", action="store_true", help="print the result as one JSON object")
    add("--config", metavar="FILE", type=not_blank, help="the configuration (default: $KATAVEN_CONFIG)")
    add_reading_options(parser)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Dial the file and print what became of it."""
    plan = _plan(arguments)
    _look_after_files(plan, is_rejects_named=arguments.rejects is not None)
    try:
        with progress(sys.stderr) as show:
            result = asyncio.run(Dialing(plan, show).run())
    except KatavenError as error:
        raise CommandFailure(one_line(error.message), USAGE if error.code == "invalid_url" else FAILED) from None
    print_report(result, plan)
    if result.is_interrupted:
        if plan.store_url.startswith(_FORGETFUL):
            raise CommandFailure(
                "interrupted; nothing is kept, as the store is in memory: --store names one that keeps it"
            )
        raise CommandFailure(f"interrupted; the same command goes on from here: {_command(arguments)}")
    return DONE if result.is_through and result.is_whole else FAILED


def _command(arguments: argparse.Namespace) -> str:
    """Give the command as a shell reads it."""
    return one_line(shlex.join(["kataven", *arguments.words]))


def _look_after_files(plan: Plan, *, is_rejects_named: bool) -> None:
    """Write over nothing that is needed, and dial nobody where the results can't be written."""
    files = {"--results": plan.results, "--rejects": plan.rejects}
    for option, name in files.items():
        if name is not None:
            refuse_overwriting(plan.file, option, name)
            refuse_overwriting(plan.store_url.partition(":///")[2], option, name, "the store")
            if option == "--results" or is_rejects_named:
                refuse_unwritable(option, name)
    if plan.results is not None and Path(plan.results).resolve() == Path(plan.rejects).resolve():
        raise CommandFailure(f"--results and --rejects are both {plan.results}: name two files", USAGE)


def _plan(arguments: argparse.Namespace) -> Plan:
    file = arguments.config or os.environ.get("KATAVEN_CONFIG") or None
    config = Config() if file is None else read_config(file)
    line_url = arguments.line or config.line.url
    is_simulated = line_url.startswith(_SIMULATED)
    least_s = 0 if is_simulated else config.server.retry_delay_min_s
    if arguments.retry_delay < least_s:
        raise CommandFailure(f"--retry-delay {arguments.retry_delay}: give {least_s} seconds at least", USAGE)
    return Plan(
        file=arguments.file,
        contacts=read_whole(arguments.file),
        reading=reading_options(arguments),
        calls=arguments.max_concurrent,
        retries=arguments.retries,
        retry_delay_s=arguments.retry_delay,
        store_url=arguments.store or config.store.url,
        line_url=line_url,
        is_simulated=is_simulated,
        line=config.line,
        server=config.server,
        results=arguments.results,
        rejects=arguments.rejects or f"{_stem(arguments.file)}.rejects.csv",
        is_again=arguments.again,
        is_json=arguments.json,
    )


def _stem(file: str) -> str:
    return "contacts" if file == STDIN else Path(file).stem
