import httpx
import pytest

from kataven_adapters.http import ApiSettings
from kataven_adapters.http.problems import HttpProblem
from kataven_adapters.http.rate_limits import RateLimits, rate_limited
from kataven_core.testing.clocks import StillClock

from .asking import PROBLEM, Asking
from .conftest import ACME, GLOBEX, Serve, auth
from .inside import inside


def refusal(limits: RateLimits) -> HttpProblem:
    with pytest.raises(HttpProblem) as caught:
        limits.take(ACME.id)
    return caught.value


async def test_too_many_requests_are_told_when_to_come_again(serve: Serve, http: httpx.AsyncClient) -> None:
    ask = Asking(http, await serve(settings=ApiSettings(requests_per_minute=3)))
    answers = [await ask.get("/campaigns") for _ in range(9)]  # more than twice: a minute may end in between
    assert {each.status_code for each in answers} == {200, 429}
    assert 3 <= [each.status_code for each in answers].count(200) <= 6
    refused = next(each for each in answers if each.status_code == 429)
    assert refused.text == "rate_limited: requests_per_minute (3) exceeded"
    assert refused.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    theirs = Asking(http, ask.server, auth(GLOBEX))
    answers = [await ask.get("/nothing"), await ask.get("/openapi.json"), await theirs.get("/campaigns")]
    assert [each.status_code for each in answers] == [404, 200, 200], "nobody else pays for it"


async def test_the_limit_is_per_account_and_minute_and_counts_what_has_a_key() -> None:
    async with inside(settings=ApiSettings(requests_per_minute=2)) as there:
        there.clock.wait(30)
        for _ in range(5):
            assert (await there.ask("GET", "/campaigns", headers={"Authorization": "Bearer wrong"})).status == 401
        answers = [await there.ask("GET", "/campaigns/nobody") for _ in range(3)]
        assert [each.status for each in answers] == [404, 404, 429]
        assert answers[-1].headers["Retry-After"] == "30"
        assert (await there.ask("GET", "/campaigns", account=GLOBEX)).status == 200
        problem = await there.ask("GET", "/campaigns", headers=PROBLEM)
        assert isinstance(problem.body, bytes)
        assert b'"code":"rate_limited"' in problem.body
        there.clock.wait(30)
        assert (await there.ask("GET", "/campaigns")).status == 200


def test_without_a_limit_nothing_is_counted() -> None:
    limits = RateLimits(None, lambda: 0.0)
    for _ in range(1000):
        limits.take(ACME.id)


def test_when_to_come_again_is_a_whole_second_that_is_late_enough() -> None:
    clock = StillClock()
    limits = RateLimits(1, clock.monotonic)
    limits.take(ACME.id)
    for waited, seconds in ((0.0, "60"), (0.25, "60"), (58.75, "1"), (0.75, "1")):
        clock.wait(waited)
        assert refusal(limits).headers == {"Retry-After": seconds}
    clock.wait(0.25)
    limits.take(ACME.id)
    assert refusal(limits).status == 429
    assert rate_limited("streams", 5, retry_after_s=0.0).headers == {"Retry-After": "1"}
    assert rate_limited("streams", 5, retry_after_s=15.0).detail == "rate_limited: streams (5) exceeded"
