from hashlib import sha256

import pytest

from kataven_adapters.http import ApiKey, ApiKeys, Caller
from kataven_core import account_id

from .inside import request

OURS, THEIRS = "sk_live_ac_me_0123456789", "sk_live_ac_9876543210"
ACME, AC = account_id("ac_me"), account_id("ac")


def key(text: str, account: str, key_id: str = "ops") -> ApiKey:
    return ApiKey(sha256(text.encode()).hexdigest(), account_id(account), key_id)


async def caller(keys: ApiKeys, authorization: str) -> Caller | None:
    return await keys(request(headers={"Authorization": authorization}))


async def test_a_key_tells_whose_request_it_is_by_the_whole_of_it() -> None:
    keys = ApiKeys([key(OURS, "ac_me"), key(THEIRS, "ac", "k2")])
    assert await caller(keys, f"Bearer {OURS}") == Caller(ACME, "ops")
    assert await caller(keys, f"Bearer {THEIRS}") == Caller(AC, "k2")
    assert await caller(keys, f"bearer   {OURS} ") == Caller(ACME, "ops")
    assert await ApiKeys()(request(headers={"Authorization": f"Bearer {OURS}"})) is None


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        OURS,
        f"Basic {OURS}",
        f"Bearer{OURS}",
        f"Bearer {OURS[:-1]}",
        f"Bearer {OURS}x",
        f"Bearer {OURS.upper()}",
        f"Bearer {OURS} {OURS}",
        f"Bearer {OURS}, Bearer {OURS}",
        f"Bearer\t{OURS}",
        f"Bearer {sha256(OURS.encode()).hexdigest()}",
        f"Bearer {OURS}\udcff",
        "Bearer sk_live_ac_me_",
    ],
)
async def test_anything_else_is_nobody(authorization: str) -> None:
    assert await caller(ApiKeys([key(OURS, "ac_me")]), authorization) is None


async def test_keys_are_replaced_as_a_whole() -> None:
    keys = ApiKeys([key(OURS, "ac_me")])
    keys.replace([key(THEIRS, "ac")])
    assert await caller(keys, f"Bearer {OURS}") is None
    assert await caller(keys, f"Bearer {THEIRS}") == Caller(AC, "ops")
    keys.replace([])
    assert await caller(keys, f"Bearer {THEIRS}") is None


async def test_no_key_is_kept_in_the_clear() -> None:
    assert OURS not in repr(vars(ApiKeys([key(OURS, "ac_me")])))
