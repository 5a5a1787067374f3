"""What all parts of the store's suite begin with: a store that is open and empty."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import pytest
import pytest_asyncio

from kataven_core.ports import Store

from .host import Host
from .samples import ACME, GLOBEX, put


class StoreSuite:
    """Tests of a store; ``new_store`` says which."""

    pytestmark = pytest.mark.asyncio
    is_durable: ClassVar[bool] = True
    """Whether it still holds everything after it was closed and opened again."""

    def new_store(self, tmp_path: Path) -> Store:
        """Make a store that is not open yet; those made with the same ``tmp_path`` share what they keep."""
        raise NotImplementedError

    @pytest_asyncio.fixture
    async def bare(self, tmp_path: Path) -> AsyncIterator[Host]:
        """Give an open store without any account."""
        async with self.new_store(tmp_path) as store:
            yield Host(store)

    @pytest_asyncio.fixture
    async def host(self, bare: Host) -> Host:
        """Give an open store with two accounts that have no caps."""
        await bare.turn(put(ACME), account_id=ACME)
        await bare.turn(put(GLOBEX), account_id=GLOBEX)
        return bare
