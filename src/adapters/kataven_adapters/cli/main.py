"""The command line: reads the words, runs the command, turns every failure into one sentence and an exit code."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from io import TextIOWrapper
from typing import NoReturn

from kataven_core import __version__

from . import campaigns, check, dial, keys, phone_network, serve
from .failure import FAILED, USAGE, CommandFailure


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``kataven`` with these words; the exit code is 0 done, 1 refused or failed, 2 wrong usage."""
    _open_streams()
    words = sys.argv[1:] if argv is None else list(argv)
    parser, commands = _parser()
    if not words:
        parser.print_help(sys.stderr)
        return USAGE
    if not words[0].startswith("-") and words[0] not in commands:
        hint = _did_you_mean(words[0], commands) or f": choose from {', '.join(commands)}"
        parser.error(f"there is no command {words[0]!r}{hint}")
    arguments, unknown = parser.parse_known_args(words, argparse.Namespace(words=words))
    if unknown:
        _refuse(arguments.parser, unknown)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except CommandFailure as failure:
        return _fail(arguments.command, failure.sentence, failure.exit_code)
    except KeyboardInterrupt:
        return _fail(arguments.command, "interrupted")
    except BrokenPipeError:
        _give_up_output()  # whoever read it has had enough, as `head` does
        return FAILED
    except OSError as error:
        _give_up_output()
        return _fail(arguments.command, f"the result can't be written: {error.strerror or error}")
    return code


def _refuse(parser: argparse.ArgumentParser, unknown: list[str]) -> NoReturn:
    """Say which words the command does not know, and what they may have been meant to be."""
    options = [option for action in parser._actions for option in action.option_strings]  # noqa: SLF001 - no other way
    hint = _did_you_mean(unknown[0].partition("=")[0], options)
    parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, known, 1)
    return f": did you mean {close[0]}" if close else ""


def _fail(command: str, sentence: str, code: int = FAILED) -> int:
    print(f"kataven {command}: {sentence}", file=sys.stderr)
    return code


def _open_streams() -> None:
    """Make sure that there is somewhere to write, and that no character can't be written."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - open as long as we run
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _give_up_output() -> None:
    """Let Python not try again at exit what has just failed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> tuple[argparse.ArgumentParser, list[str]]:
    """Make the parser, and say which commands it knows."""
    parser = argparse.ArgumentParser(
        prog="kataven",
        description="Outbound voice campaigns from a contacts file.",
        epilog="Exit codes: 0 done, 1 refused or failed, 2 wrong usage.",
    )
    parser.add_argument("--version", action="version", version=f"kataven {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check.add_to(commands)
    dial.add_to(commands)
    serve.add_to(commands)
    keys.add_to(commands)
    campaigns.add_to(commands)
    phone_network.add_to(commands)
    return parser, list(commands.choices)
