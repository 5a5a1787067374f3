"""Who uploads as much as is allowed, and is refused before it is read, hears why: with either client."""

import asyncio
from io import BytesIO
from typing import Final

import pytest

from kataven_adapters.client import (
    AsyncKatavenClient,
    AuthenticationError,
    BadRequestError,
    KatavenClient,
    PermissionDeniedError,
)

from .conftest import ACME, GLOBEX, KEYS, Serve

MEBIBYTE: Final = 1024 * 1024


def a_file(mebibytes: int) -> BytesIO:
    row = b"+14155550100," + b"x" * 1000 + b"\n"
    return BytesIO(b"phone_number,note\n" + row * (mebibytes * MEBIBYTE // len(row)))


async def test_a_wrong_key_is_told_however_large_the_file(serve: Serve) -> None:
    server = await serve()
    for mebibytes in (1, 5, 9):
        async with AsyncKatavenClient("sk_live_wrong", server.base) as client:
            with pytest.raises(AuthenticationError):
                await client.campaigns.create("March", "reminder", "office", a_file(mebibytes))

    def waiting() -> None:
        with KatavenClient("sk_live_wrong", server.base) as client:
            client.campaigns.create("March", "reminder", "office", a_file(9))

    with pytest.raises(AuthenticationError):
        await asyncio.to_thread(waiting)


async def test_another_account_and_a_file_that_is_too_large_are_told(serve: Serve) -> None:
    server = await serve()
    async with AsyncKatavenClient(KEYS[ACME.id], server.base, GLOBEX.id) as client:
        with pytest.raises(PermissionDeniedError):
            await client.campaigns.create("March", "reminder", "office", a_file(5))
    async with AsyncKatavenClient(KEYS[ACME.id], server.base) as client:
        with pytest.raises(BadRequestError) as refused:
            await client.campaigns.create(
                "March", "reminder", "office", BytesIO(a_file(9).read() + b"\n" * 2 * MEBIBYTE)
            )
        assert refused.value.code == "too_large"
        assert (await client.campaigns.list())["count"] == 0
