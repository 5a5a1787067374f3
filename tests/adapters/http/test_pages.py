import json
from collections.abc import Sequence
from typing import Any

import pytest

from kataven_adapters.http import Metrics
from kataven_core import Problem

from .conftest import ACME
from .inside import inside, request


async def test_who_asks_whether_it_lives_needs_no_engine() -> None:
    async with inside() as there:
        await there.engine.__aexit__(None, None, None)
        alive = await there.root("/healthz")
        assert (alive.status, alive.body, alive.content_type) == (200, b"alive\n", "text/plain; charset=utf-8")


async def test_whether_it_can_dial_is_told_to_all_and_why_not_to_the_log_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with inside() as there:
        ready = await there.root("/readyz")
        assert (ready.status, ready.body) == (200, b"ready\n")

        async def troubles() -> Sequence[Problem]:
            return [Problem("store", "the store /srv/calls.db is full"), Problem("line", "it is down")]

        monkeypatch.setattr(there.engine, "troubles", troubles)
        down = await there.root("/readyz")
        assert down.status == 503
        assert down.body == b"store is not ready: the log says why; line is not ready: the log says why"
        assert "not ready: store: the store /srv/calls.db is full" in caplog.messages
        listed = await there.root("/readyz", headers={"accept": "application/json"})
        assert isinstance(listed.body, bytes)
        told = json.loads(listed.body)
        assert (told["code"], [each["field"] for each in told["errors"]]) == ("not_ready", ["store", "line"])
    closed = await there.root("/readyz")
    assert closed.status == 503


async def test_figures_are_those_of_the_metrics_that_were_given() -> None:
    metrics = Metrics()
    async with inside(metrics=metrics) as there:
        await there.ask("GET", "/campaigns")
        page = await there.root("/metrics")
        assert isinstance(page.body, bytes)
        assert b'route="/campaigns"' in page.body
        assert ACME.id.encode() not in page.body
        assert page.content_type.startswith("text/plain")


async def test_the_description_is_there_under_every_prefix_and_knows_where_it_is_mounted() -> None:
    async with inside() as there:
        for path in ("/openapi.json", "/api/v1/openapi.json", "/v1/openapi.json"):
            answer = await there.root(path, mount="/voice")
            assert isinstance(answer.body, bytes)
            document: dict[str, Any] = json.loads(answer.body)
            assert document["openapi"].startswith("3.1")
            assert all(each["url"].startswith("/voice") for each in document["servers"])
        page = await there.api.handle(request("GET", "/docs"))
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
