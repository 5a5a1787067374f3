"""The address of a simulated line: ``simulated://?seed=7&answer=0.6&busy=0.4&ring_s=0.05&talk_s=0.2&log=FILE``.

Every parameter may be left out. Where any chance is given, those that are not are 0; where none is, the defaults hold.
"""

import re
from typing import Any, Final
from urllib.parse import unquote

from kataven_core import AdapterFault, InvalidValue, Outcome

from .settings import CHANCE_NAMES, SimulatedSettings

_PREFIX: Final = "simulated://"
_MEANS: Final = ("ring_s", "talk_s")
_KNOWN: Final = ("seed", *CHANCE_NAMES, *_MEANS, "log")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_SHOWN_CHARS: Final = 40
"""So much of a wrong value is quoted."""


def settings_from_url(url: str) -> SimulatedSettings:
    """Read the settings in an address; ``AdapterFault`` names the parameter that is wrong and what is allowed."""
    texts = _parameters(url)
    chances: dict[Outcome, float] = {}
    members: dict[str, Any] = {}
    for name, text in texts.items():
        if name in CHANCE_NAMES:
            chances[CHANCE_NAMES[name]] = _decimal(name, text, "a chance from 0 to 1")
        elif name in _MEANS:
            members[name] = _decimal(name, text, "seconds, 0 or more")
        elif name == "seed":
            members[name] = _whole(name, text)
        else:
            members[name] = text
    if chances:
        members["chances"] = chances
    try:
        return SimulatedSettings(**members)
    except InvalidValue as error:
        raise _fault(error.message) from None


def _parameters(url: str) -> dict[str, str]:
    """Take an address apart; a ``+`` is a plus, as file names hold it, and ``%`` begins an escape."""
    place, _, query = url.removeprefix(_PREFIX).partition("?")
    if not url.startswith(_PREFIX) or place:
        raise _fault("it has no host and no path: write simulated://?seed=7")
    texts: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        name, mark, text = pair.partition("=")
        if name not in _KNOWN:
            raise _fault(f"{_quoted(name)} is no parameter: use {', '.join(_KNOWN[:-1])} or {_KNOWN[-1]}")
        if name in texts:
            raise _fault(f"{name} is given twice: leave one")
        if not mark or not text:
            raise _fault(f"{name} has no value: write {name}=…, or leave it out")
        texts[name] = unquote(text)
    return texts


def _whole(name: str, text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise _fault(f"{name} is {_quoted(text)}: write a whole number of at most 18 digits")
    return int(text)


def _decimal(name: str, text: str, allowed: str) -> float:
    if not _DECIMAL.fullmatch(text):
        raise _fault(f"{name} is {_quoted(text)}: write {allowed}")
    return float(text)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…")


def _fault(what: str) -> AdapterFault:
    return AdapterFault("invalid_url", f"{_PREFIX}: {what}")
