"""The command line: reads the words, runs the command, turns every failure into one sentence and an exit code."""

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from kataven_core import __version__

from . import check, dial
from .failure import FAILED, CommandFailure


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``kataven`` with these words; the exit code is 0 done, 1 refused or failed, 2 wrong usage."""
    _open_streams()
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = _parser().parse_args(words, argparse.Namespace(words=words))
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kataven",
        description="Outbound voice campaigns from a contacts file.",
        epilog="Exit codes: 0 done, 1 refused or failed, 2 wrong usage.",
    )
    parser.add_argument("--version", action="version", version=f"kataven {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check.add_to(commands)
    dial.add_to(commands)
    return parser
