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

    The two commands of the README are only looked up: ``make test`` is what runs this, and ``make demo`` has its own
    test.
    """
    shown = str(example.parsed)
    for part in re.split(r"^\$ ", shown, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        command = re.sub(r"^make (demo|test|check)$", r"make --dry-run --always-make \1 >&2", command)
        search_path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=example.namespace["root"],
            env=os.environ | {"PATH": search_path},
            capture_output=True,
            text=True,
            check=False,
        )
        pattern = re.escape(expected.strip()).replace(r"\.\.\.", ".*")
        printed = (done.stdout + ("" if "--dry-run" in command else done.stderr)).strip()
        if not re.fullmatch(pattern, printed, flags=re.DOTALL):
            raise AssertionError(f"$ {command}\nprinted\n{printed}\nand the document shows\n{expected}")


def in_a_copy(namespace: dict[str, Any]) -> None:
    """Let a document work in a folder of its own, beside a copy of the examples: what it writes is gone with it."""
    namespace["folder"] = folder = tempfile.TemporaryDirectory()
    namespace["root"] = Path(folder.name)
    for name in ("examples", "Makefile", "requirements", "pyproject.toml"):
        (namespace["root"] / name).symlink_to(ROOT / name)
    namespace["back"] = Path.cwd()
    os.chdir(namespace["root"])


def back_again(namespace: dict[str, Any]) -> None:
    """Leave the folder and remove it."""
    os.chdir(namespace["back"])
    namespace["folder"].cleanup()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), CodeBlockParser(language="console", evaluator=run_console)],
    patterns=["README.md", "docs/*/*.md"],
    setup=in_a_copy,
    teardown=back_again,
).pytest()
