from pathlib import Path
from typing import ClassVar

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from kataven_adapters.memory import MemoryStore
from kataven_core.ports import Store
from kataven_core.testing import StoreContract, store_machine


class TestMemoryStore(StoreContract):
    is_durable: ClassVar[bool] = False

    def new_store(self, tmp_path: Path) -> Store:  # noqa: ARG002 - it is in no folder
        return MemoryStore()


def test_whatever_happens_it_is_as_the_model_says() -> None:
    run_state_machine_as_test(store_machine(MemoryStore), settings=settings(stateful_step_count=30))
