"""The parts of a form as settings of a campaign: every one that is wrong is named."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from kataven_core import (
    Account,
    CampaignSettings,
    CsvOptions,
    Duplicates,
    InvalidValue,
    NationalParser,
    Problem,
    campaign_settings,
    parse_rfc3339,
)

TEXTS: Final = ("name", "agent_id", "phone_number_id")
NUMBERS: Final = ("max_concurrent_calls", "retries_per_contact", "retry_delay_seconds")
TIME: Final = "scheduled_at"
STEERING: Final = ("default_region", "phone_column", "duplicates", "strict")
"""What says how the file is read; it must come before the file."""
KEEPING: Final = frozenset({"duplicates", "strict"})
"""What of it only decides which rows are kept."""
CONTACTS: Final = "contacts"
OURS: Final = frozenset({"id", "status", "created_at", "started_at", "completed_at", "created_by"})
"""What the server sets; ignored when it is sent, so that a campaign that was read can be sent back."""
KNOWN: Final = frozenset({*TEXTS, *NUMBERS, TIME, *STEERING, CONTACTS})

_WHOLE = re.compile(r"[0-9]{1,18}")
_FINE: Final[Mapping[str, Any]] = {"name": "-", "agent_id": "-", "phone_number_id": "-"}
"""What stands in for a text that is wrong, while the rest is looked at."""
_SHOWN_CHARS: Final = 40

ReadRegion = Callable[[str], NationalParser]
"""From a region to what reads its numbers; ``InvalidValue`` where there is none."""


def read_settings(
    texts: Mapping[str, str], account: Account, *, now: datetime, retry_delay_min_s: int
) -> CampaignSettings | list[Problem]:
    """Make settings of the parts that were sent, or say all that is wrong with them."""
    members: dict[str, Any] = {}
    problems = [Problem(name, f"{name} is missing: send it") for name in TEXTS if name not in texts]
    for name, text in texts.items():
        if name in STEERING:
            continue
        try:
            members[name] = _value(name, text)
        except InvalidValue as error:
            problems += error.problems
    settings = None
    try:
        settings = campaign_settings(now=now, retry_delay_min_s=retry_delay_min_s, **{**_FINE, **members})
    except InvalidValue as error:
        problems += error.problems
    wrong = {each.field for each in problems}
    ids = {name: members.get(name, "") for name in ("agent_id", "phone_number_id")}
    problems += [each for each in account.obstacles(**ids) if each.field not in wrong]
    return problems if problems or settings is None else settings


def _value(name: str, text: str) -> str | int | datetime:
    """Read one part; ``InvalidValue`` says what is wrong with it."""
    if name in TEXTS:
        return text
    if not text.strip():
        raise _wrong(name, "is blank: give it a value, or leave it out")
    if name == TIME:
        try:
            return parse_rfc3339(text)
        except InvalidValue as error:
            raise _wrong(name, f"is no time that can be used: {error.message}") from None
    if not _WHOLE.fullmatch(text):
        raise _wrong(name, f"is {_shown(text)}: it must be a whole number, in digits 0 to 9")
    return int(text)


def read_options(texts: Mapping[str, str], read_region: ReadRegion | None) -> CsvOptions | list[Problem]:
    """Say how the file is to be read, or all that is wrong with what was sent about it."""
    members: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in STEERING:
        try:
            if name in texts:
                key, read = _OPTIONS[name]
                members[key] = read(texts[name], read_region)
        except InvalidValue as error:
            problems += error.problems
    return problems or CsvOptions(**members)


def _column(text: str, _: ReadRegion | None) -> str:
    if not text.strip():
        raise _wrong("phone_column", "is blank: name the column of the numbers, or leave it out")
    return text


def _duplicates(text: str, _: ReadRegion | None) -> Duplicates:
    if text not in set(Duplicates):
        raise _wrong("duplicates", f"is {_shown(text)}: write {' or '.join(Duplicates)}")
    return Duplicates(text)


def _strict(text: str, _: ReadRegion | None) -> bool:
    if text not in {"true", "false"}:
        raise _wrong("strict", f"is {_shown(text)}: write true or false")
    return text == "true"


def _region(text: str, read_region: ReadRegion | None) -> NationalParser:
    if read_region is None:
        raise _wrong("default_region", "can't be used, as this server reads no national numbers: write them with +")
    try:
        return read_region(text)
    except InvalidValue:
        sentence = f"is {_shown(text)}: write the ISO 3166 code of a region, such as US, GB or DE"
        raise _wrong("default_region", sentence) from None


_OPTIONS: Final[Mapping[str, tuple[str, Callable[[str, ReadRegion | None], Any]]]] = {
    "default_region": ("national", _region),
    "phone_column": ("phone_column", _column),
    "duplicates": ("duplicates", _duplicates),
    "strict": ("is_strict", _strict),
}


def misplaced(names: Sequence[str]) -> Iterator[Problem]:
    """Yield what is wrong with parts by their names alone: strange ones, twins, and what came too late."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield Problem(name[:64], f"{_named(name)} is sent twice: send it once")
        elif name not in KNOWN and name not in OURS:
            yield Problem(name[:64], f"{_named(name)} is no part of this form: leave it out")
        elif name in STEERING and CONTACTS in seen:
            yield Problem(name, f"{name} comes after contacts, which it says how to read: send it before")
        seen.add(name)


def _named(name: str) -> str:
    return name if name in KNOWN else f"the part {_shown(name)}"


def _wrong(name: str, reason: str) -> InvalidValue:
    return InvalidValue.of("invalid_settings", [Problem(name, f"{name} {reason}")])


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…")
