"""Reading the file: TOML in, values out; all that is wrong in it is named at once.

A secret, or a URL that may hold one, may be written as ``env:NAME``: the environment variable is read in its place.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kataven_core import InvalidValue, Problem
from kataven_core.codec import from_plain

from .look import Look, Wrong
from .values import Config

_MAY_BE_SECRET: Final = (("store", "url"), ("events", "url"), ("line", "url"), ("line", "token"), ("line", "secret"))
_ENV: Final = "env:"


def load_config(path: str | Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read a configuration file; ``environ`` is where ``env:NAME`` is looked up, by default the process's own.

    Raises ``InvalidValue`` with the code ``invalid_config``, which names the file and every key that is wrong in it.
    """
    try:
        data = _parse(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidValue("invalid_config", f"{path}: {_why_unreadable(error)}") from None
    wrong: Wrong = dict(_resolve(data, os.environ if environ is None else environ))
    config: Config | None = None
    try:
        config = from_plain(data, Config)
    except InvalidValue as error:
        for where, message in error.problems:
            wrong.setdefault(where.removeprefix("Config."), message.removeprefix(f"{where}: "))
    Look(wrong).at_table(Config, data, "")
    if config is None or wrong:
        raise _refusal(path, wrong)
    return config


def _refusal(path: str | Path, wrong: Wrong) -> InvalidValue:
    problems = [Problem(where, f"{where}: {reason}") for where, reason in sorted(wrong.items())]
    sentences = "; ".join(problem.message for problem in problems)
    return InvalidValue("invalid_config", f"{path}: {sentences}", problems)


def _parse(raw: bytes) -> dict[str, Any]:
    """Read TOML; a byte order mark, which some editors write, is passed over."""
    return tomllib.loads(raw.decode("utf-8-sig"))


def _why_unreadable(error: OSError | ValueError) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file: check the name and the folder"
        case OSError():
            return f"it can't be read: {error.strerror or error}"
        case UnicodeDecodeError():
            line = bytes(error.object).count(b"\n", 0, error.start) + 1
            return f"it is no UTF-8 (at line {line}): save it as UTF-8"
        case _:
            return f"it is no TOML: {error}"


def _resolve(data: dict[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Put the environment's values in place, and yield each key whose variable is not there."""
    for table, key in _MAY_BE_SECRET:
        members = data.get(table)
        text = members.get(key) if isinstance(members, dict) else None
        if isinstance(text, str) and text.startswith(_ENV):
            name = text.removeprefix(_ENV)
            if environ.get(name):
                data[table][key] = environ[name]
            else:
                yield f"{table}.{key}", f"names the environment variable {name!r}, which is not set or empty: set it"
