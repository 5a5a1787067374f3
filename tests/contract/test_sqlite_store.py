from collections.abc import Callable
from itertools import count
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from kataven_adapters.sqlite import SqliteStore
from kataven_core.ports import Store
from kataven_core.testing import StoreContract, store_machine


class TestSqliteStore(StoreContract):
    def new_store(self, tmp_path: Path) -> Store:
        return SqliteStore(tmp_path / "kataven.db")


def new_files(tmp_path: Path) -> Callable[[], Store]:
    """Give stores that share nothing."""
    numbers = count()
    return lambda: SqliteStore(tmp_path / f"{next(numbers)}.db")


def test_whatever_happens_it_is_as_the_model_says(tmp_path: Path) -> None:
    # A story that fails is not shortened: on a disk that takes minutes.
    as_it_is = settings(max_examples=20, stateful_step_count=30, phases=[Phase.reuse, Phase.generate])
    run_state_machine_as_test(store_machine(new_files(tmp_path), is_durable=True), settings=as_it_is)
