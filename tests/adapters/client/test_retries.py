"""What is tried again, when, and what never is."""

import io
import os
from typing import Any

import pytest

from kataven_adapters.client import (
    APIError,
    BadRequestError,
    ConflictError,
    ConnectionError,  # noqa: A004 - the client's own
    KatavenError,
    RateLimitError,
    ServerError,
    TimeoutError,  # noqa: A004 - the client's own
)
from kataven_adapters.client.calls import IN_USE, Call, creating, deleting, getting, moving
from kataven_adapters.client.retries import Retries

GET = getting("c1")
POST = moving("c1", "start", None)
POST_ONCE = moving("c1", "start", "key")
DELETE = deleting("c1")
FILE = creating(io.BytesIO(), {}, "b", None, None)
FILE_ONCE = creating(io.BytesIO(), {}, "b", "key", None)

LIMITED = RateLimitError(429, "rate_limited", "")
BROKEN = ServerError(503, "service_unavailable", "")
UNREACHED = ConnectionError()
SILENT = TimeoutError()
WRONG = BadRequestError(400, "bad_request", "")
REFUSED = ConflictError(409, "budget_exhausted", "")
UNDER_WAY = ConflictError(409, IN_USE, "")
OTHER = KatavenError()


@pytest.mark.parametrize("call", [GET, POST, POST_ONCE, DELETE, FILE, FILE_ONCE])
@pytest.mark.parametrize("error", [LIMITED, BROKEN, UNREACHED, SILENT, WRONG, REFUSED, UNDER_WAY, OTHER])
def test_what_may_be_tried_again(call: Call[Any], error: KatavenError) -> None:
    is_harmless = call in (GET, POST_ONCE, FILE_ONCE)
    is_tried_again = error is LIMITED or (is_harmless and error in (BROKEN, UNREACHED, SILENT, UNDER_WAY))
    wait_s = Retries(is_on=True, chance=lambda: 0.0).wait_s(call, error, 1)
    assert wait_s == (0.5 if is_tried_again else None)
    assert Retries(is_on=False, chance=lambda: 0.0).wait_s(call, error, 1) is None


def test_it_waits_longer_each_time_and_ends_after_three() -> None:
    longest = Retries(is_on=True, chance=lambda: 0.0)
    shortest = Retries(is_on=True, chance=lambda: 1.0)
    assert [longest.wait_s(GET, BROKEN, each) for each in range(1, 6)] == [0.5, 1.0, 2.0, None, None]
    assert [shortest.wait_s(GET, BROKEN, each) for each in range(1, 6)] == [0.25, 0.5, 1.0, None, None]


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_never_less_is_waited_than_the_server_asks_for(chance: float) -> None:
    error = RateLimitError(429, "rate_limited", "")
    error.retry_after = 7.0
    wait_s = Retries(is_on=True, chance=lambda: chance).wait_s(POST, error, 3)
    assert wait_s == 7.0 + 0.5 * (1 - chance / 2)
    error.retry_after = 121.0
    assert Retries(is_on=True, chance=lambda: chance).wait_s(POST, error, 1) is None


def test_what_can_not_be_read_again_is_not_sent_again() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123 - a pipe has no path
        call = creating(pipe, {}, "b", "key", None)
        assert Retries(is_on=True, chance=lambda: 0.0).wait_s(call, LIMITED, 1) is None


def test_a_read_is_tried_until_it_succeeds(scripted: Any, connect: Any) -> None:
    scripted.answers((500, "a"), (503, "b"), (429, "c"), {"id": "c1"})
    assert connect(scripted.url, retry=True).campaigns.get("c1") == {"id": "c1"}
    assert connect.slept == [0.5, 1.0, 2.0]


def test_the_fourth_failure_is_told(scripted: Any, connect: Any) -> None:
    scripted.answers((500, "a"), (500, "b"), (500, "c"), (500, "d"))
    with pytest.raises(ServerError, match="d"):
        connect(scripted.url, retry=True).campaigns.get("c1")
    assert len(scripted.asked) == 4


def test_a_write_is_sent_once(scripted: Any, connect: Any) -> None:
    client = connect(scripted.url, retry=True)
    for method in ("start", "pause", "resume", "stop", "delete"):
        scripted.answers((500, method))
        with pytest.raises(ServerError, match=method):
            getattr(client.campaigns, method)("c1")
    assert len(scripted.asked) == 5


def test_without_retry_nothing_is_tried_again(scripted: Any, connect: Any) -> None:
    scripted.answers((429, "a"))
    with pytest.raises(APIError, match="a"):
        connect(scripted.url).campaigns.list()
    assert len(scripted.asked) == 1


def test_a_file_is_sent_again_whole(scripted: Any, connect: Any) -> None:
    scripted.answers((503, "a"), {"id": "c1"})
    told: list[int] = []
    file = io.BytesIO(b"title\nphone_number\n")
    file.readline()
    connect(scripted.url, retry=True).campaigns.create(
        "n", "a", "p", file, idempotency_key="k", on_progress=lambda sent, _: told.append(sent)
    )
    assert scripted.asked[0].body == scripted.asked[1].body
    assert scripted.asked[0].parts[-1][2] == b"phone_number\n"
    assert told == [13, 13]
    assert {each.headers["Idempotency-Key"] for each in scripted.asked} == {"k"}
