"""What cells hold: times as whole microseconds, columns by name."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

Row = tuple[Any, ...]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def stamp(value: datetime) -> int:
    """Give a time as it is stored."""
    return (value - _EPOCH) // _MICROSECOND


def stamp_or_none(value: datetime | None) -> int | None:
    """Give a time as it is stored, if there is one."""
    return None if value is None else (value - _EPOCH) // _MICROSECOND


def moment(stored: int) -> datetime:
    """Give a stored time."""
    return _EPOCH + timedelta(microseconds=stored)


def moment_or_none(stored: int | None) -> datetime | None:
    """Give a stored time, if there is one."""
    return None if stored is None else _EPOCH + timedelta(microseconds=stored)


def columns(names: Sequence[str], table: str) -> str:
    """Name columns in a SELECT."""
    return ", ".join(f'{table}."{name}"' for name in names)
