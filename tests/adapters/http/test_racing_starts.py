import asyncio
import re

import httpx
import pytest

from .asking import Asking
from .conftest import Serve

TRIES = 200


@pytest.mark.parametrize("binding", ["aiohttp"])
async def test_of_two_racing_starts_that_do_not_both_fit_exactly_one_wins(
    serve: Serve, http: httpx.AsyncClient
) -> None:
    ask = Asking(http, await serve(store="sqlite"))
    rivals = [await ask.make(name=name, max_concurrent_calls="6") for name in ("left", "right")]
    for rival in rivals:
        for operation in ("start", "pause"):
            assert (await ask.operate(rival, operation)).status_code == 200
    for n in range(TRIES):
        first, second = (rivals, rivals[::-1])[n // 2 % 2]
        operation = "start" if n % 2 else "resume"
        answers = await asyncio.gather(ask.operate(first, "start"), ask.operate(second, operation))
        winner, loser = sorted(zip(answers, (first, second), strict=True), key=lambda each: each[0].status_code)
        assert [winner[0].status_code, loser[0].status_code] == [200, 409], [each.text for each in answers]
        assert [int(each) for each in re.findall(r"\d+", loser[0].text)] == [6, 6, 10]
        assert winner[0].json()["status"] == "running"
        listed = (await ask.get("/campaigns")).json()["campaigns"]
        assert [each["id"] for each in listed if each["status"] == "running"] == [winner[1]], n
        assert (await ask.operate(winner[1], "pause")).status_code == 200
