"""The command line: reads the words, runs the command, turns every failure into one sentence and an exit code."""

import argparse
import os
import sys
from collections.abc import Sequence

from kataven_core import __version__

from . import check
from .failure import CommandFailure


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``kataven`` with these words; the exit code is 0 done, 1 refused or failed, 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except CommandFailure as failure:
        print(f"kataven {arguments.command}: {failure.sentence}", file=sys.stderr)
        return failure.exit_code
    except BrokenPipeError:
        # Whoever read our output has had enough, as `head` does. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kataven",
        description="Outbound voice campaigns from a contacts file.",
        epilog="Exit codes: 0 done, 1 refused or failed, 2 wrong usage.",
    )
    parser.add_argument("--version", action="version", version=f"kataven {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check.add_to(commands)
    return parser
