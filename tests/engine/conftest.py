"""What the tests of the whole engine share: each runs over each store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kataven_adapters.memory import MemoryStore
from kataven_adapters.sqlite import SqliteStore
from kataven_core.ports import Store

StoreMaker = Callable[[], Store]


@pytest.fixture(params=["memory", "sqlite"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> StoreMaker:
    """Give what makes a store that is not open yet."""
    if request.param == "memory":
        return MemoryStore
    return lambda: SqliteStore(tmp_path / "x.db")


@pytest.fixture
def sqlite(tmp_path: Path) -> StoreMaker:
    """Give what makes a store over the same file each time."""
    return lambda: SqliteStore(tmp_path / "x.db")


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let timers look at the clock all the time, so that what they wait for happens when the clock is moved."""
    monkeypatch.setattr("kataven_core.runtime.timers._SLEEP_MAX_S", 0.001)
