"""The store in one SQLite file: durable from the first dial, one process at a time (extra ``sqlite``)."""

from .file import sqlite_path
from .store import SqliteStore

__all__ = ["SqliteStore", "sqlite_store"]


def sqlite_store(url: str) -> SqliteStore:
    """Give the store in the file that ``sqlite:///calls.db`` or ``sqlite:////var/lib/calls.db`` names, unopened."""
    return SqliteStore(sqlite_path(url))
