"""Runs every snippet of the documents: Python blocks one after the other, console blocks against what they show."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

ROOT = Path(__file__).parent


def run_console(example: Example) -> None:
    """Run each ``$ command`` and compare what it prints; a line ``...`` stands for any lines.

    What goes to stderr comes first, as what goes to a pipe is written when the command ends.

    The two commands of the README are only looked up: ``make test`` is what runs this, and ``make demo`` has its own
    test. What ends in ``&`` runs until the document ends, and what it prints as ``NAME=value`` is what a later
    ``export NAME=...`` means.
    """
    shown = str(example.parsed)
    for part in re.split(r"^\$ ", shown, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        if command.endswith(" &"):
            run_beside(command.removesuffix(" &"), expected.strip(), example.namespace)
            continue
        if command.startswith("export "):
            export(command, example.namespace)
            continue
        command = re.sub(r"^make (demo|test|check)$", r"make --dry-run --always-make \1 >&2", command)
        search_path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=example.namespace["root"],
            env=os.environ | {"PATH": search_path},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if "--dry-run" in command else subprocess.STDOUT,
            text=True,
            check=False,
        )
        pattern, printed = as_pattern(expected), done.stdout.strip()
        if not re.fullmatch(pattern, printed, flags=re.DOTALL):
            raise AssertionError(f"$ {command}\nprinted\n{printed}\nand the document shows\n{expected}")


def as_pattern(expected: str) -> str:
    """Give what matches all that a document shows, ``...`` being anything."""
    return re.escape(expected.strip()).replace(r"\.\.\.", ".*")


def run_beside(command: str, expected: str, namespace: dict[str, Any]) -> None:
    """Start a command and wait until it has printed what the document shows."""
    search_path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    running = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=namespace["root"],
        env=os.environ | {"PATH": search_path},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    namespace["beside"].append(running)
    printed = ""
    for line in running.stdout or ():
        printed += line
        name, _, value = line.strip().partition("=")
        namespace["told"][name] = value
        if re.fullmatch(as_pattern(expected), printed.strip(), flags=re.DOTALL):
            return
    raise AssertionError(f"$ {command} &\nprinted\n{printed}\nand the document shows\n{expected}")


def export(command: str, namespace: dict[str, Any]) -> None:
    """Set what the rest of the document finds in its environment."""
    for word in command.split()[1:]:
        name, _, value = word.partition("=")
        namespace["before"].setdefault(name, os.environ.get(name))
        os.environ[name] = namespace["told"][name] if value.endswith("...") else value


def in_a_copy(namespace: dict[str, Any]) -> None:
    """Let a document work in a folder of its own, beside a copy of the examples: what it writes is gone with it."""
    namespace |= {"beside": [], "told": {}, "before": {}}
    namespace["folder"] = folder = tempfile.TemporaryDirectory()
    namespace["root"] = Path(folder.name)
    for name in ("examples", "Makefile", "requirements", "pyproject.toml"):
        (namespace["root"] / name).symlink_to(ROOT / name)
    namespace["back"] = Path.cwd()
    os.chdir(namespace["root"])


def back_again(namespace: dict[str, Any]) -> None:
    """Leave the folder and remove it, with all that runs in it."""
    for running in namespace["beside"]:
        with running:
            running.terminate()
    for name, value in namespace["before"].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    os.chdir(namespace["back"])
    namespace["folder"].cleanup()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), CodeBlockParser(language="console", evaluator=run_console)],
    patterns=["README.md", "docs/*/*.md"],
    setup=in_a_copy,
    teardown=back_again,
).pytest()
