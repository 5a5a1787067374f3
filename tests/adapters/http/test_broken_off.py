"""A file of rejected rows that can't be sent to its end: half of it must not look whole, and is no fault of ours."""

import logging
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

import kataven_core as kc

from .conftest import Serve, auth
from .wire import make


async def test_half_a_file_does_not_look_whole(
    serve: Serve, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve()
    name = await make(server, rejected=2_500)
    rejects = server.engine.rejects

    async def fail(*of: Any, page: int = 0) -> Sequence[kc.RejectedRow]:
        if page:
            raise kc.AdapterFault("store_locked", "the store is locked", is_retryable=True)
        return await rejects(*of, page=page)

    server.engine.rejects = fail  # type: ignore[method-assign, assignment] # a double stands in for it
    with pytest.raises(httpx.TransportError):
        await http.get(f"{server.base}/api/v1/campaigns/{name}/rejects", headers=auth())
    assert not [each for each in caplog.records if each.exc_info and each.levelno >= logging.WARNING]
    assert "a file of rejected rows was broken off: the store is locked" in caplog.messages
