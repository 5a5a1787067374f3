"""What a client does with its connections, and with the key."""

import asyncio
import logging
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

import kataven_adapters.client as package
from kataven_adapters.client import (
    AsyncKatavenClient,
    ConnectionError,  # noqa: A004 - the client's own
    KatavenClient,
    KatavenError,
    TimeoutError,  # noqa: A004 - the client's own
)
from kataven_adapters.client.access import access
from kataven_adapters.client.calls import getting, listening
from kataven_adapters.client.transport import http_options, request_options, translated

KEY = "sk_live_acme_test_0123456789"
CAMPAIGN_METHODS = {
    "list",
    "get",
    "create",
    "start",
    "pause",
    "resume",
    "stop",
    "delete",
    "list_contacts",
    "stream_events",
}


async def silence(request: web.Request) -> web.Response:
    """Say nothing until the client has gone."""
    while request.transport and not request.transport.is_closing():  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.01)
    return web.Response()


async def hang_up(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.close()
    return web.Response()


def closed_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


def test_campaigns_have_the_methods_of_the_contract_and_no_other() -> None:
    for client in (KatavenClient(KEY), AsyncKatavenClient(KEY)):
        assert {name for name in dir(client.campaigns) if not name.startswith("_")} == CAMPAIGN_METHODS


def test_one_connection_serves_all(scripted: Any, connect: Any) -> None:
    scripted.answers({}, (404, "x"), {}, {})
    client = connect(scripted.url)
    client.campaigns.list()
    with pytest.raises(KatavenError):
        client.campaigns.get("c1")
    client.campaigns.start("c1")
    client.call_limits()
    assert len({each.connection for each in scripted.asked}) == 1


def test_after_the_end_nothing_is_asked(scripted: Any, connect: Any) -> None:
    client = connect(scripted.url)
    client.close()
    with pytest.raises(KatavenError, match="the client is closed: make a new one"):
        client.campaigns.list()
    with pytest.raises(KatavenError, match="the client is closed: make a new one"):
        list(client.campaigns.stream_events("c1"))


def test_leaving_closes(scripted: Any) -> None:
    scripted.answers({})
    with KatavenClient(KEY, scripted.url) as client:
        client.campaigns.list()
    with pytest.raises(KatavenError, match="closed"):
        client.campaigns.list()


async def test_leaving_closes_the_asynchronous_one(scripted: Any) -> None:
    scripted.answers({})
    async with AsyncKatavenClient(KEY, scripted.url) as client:
        await client.campaigns.list()
    with pytest.raises(KatavenError, match="closed"):
        await client.campaigns.list()


def test_who_can_not_be_reached_is_named(connect: Any) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(ConnectionError, match=rf"{url} can't be reached \(.+\): check that it runs, and base_url"):
        connect(url).campaigns.list()


def test_a_connection_that_breaks_is_told(scripted: Any, connect: Any) -> None:
    scripted.answers(hang_up)
    with pytest.raises(ConnectionError, match=rf"the connection to {scripted.url} broke \(.+\): look whether it was"):
        connect(scripted.url).campaigns.start("c1")


def test_an_answer_that_does_not_come_is_told(scripted: Any, connect: Any) -> None:
    scripted.answers(silence)
    with pytest.raises(TimeoutError, match=rf"{scripted.url} has been silent for too long: look whether it was done"):
        connect(scripted.url, timeout=0.05).campaigns.start("c1")


@pytest.mark.parametrize("status", [200, 401])
def test_the_key_is_nowhere_but_in_its_header(
    scripted: Any, connect: Any, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    scripted.answers((status, "{}"), hang_up)
    client = connect(scripted.url)
    shown = [repr(client)]
    for method in (client.campaigns.list, client.call_limits):
        try:
            shown.append(repr(method()))
        except KatavenError as error:
            shown += [repr(error), str(error), repr(vars(error)), repr(error.__cause__)]
    assert KEY not in "".join(shown) + caplog.text + "".join(each.target for each in scripted.asked)
    assert repr(client).endswith(f"KatavenClient('{scripted.url}/api/v1')")


def test_this_machine_is_asked_directly(scripted: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    scripted.answers({})
    connect(scripted.url).campaigns.list()
    assert scripted.asked[0].target == "/api/v1/campaigns"


def test_a_transport_of_the_callers_own_is_used() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"url": str(request.url)})

    with KatavenClient(KEY, "http://inside/voice", transport=httpx.MockTransport(handle)) as client:
        assert client.campaigns.list() == {"url": "http://inside/voice/api/v1/campaigns"}


@pytest.mark.parametrize(("timeout", "silence_s"), [(30.0, 50.0), (90.0, 90.0)])
def test_events_may_be_silent_for_more_than_three_heartbeats(timeout: float, silence_s: float) -> None:
    place = access(KEY, None, None, {})
    options = request_options(listening("c1", None), place, timeout)
    assert options["timeout"] == httpx.Timeout(timeout, read=silence_s)
    assert "timeout" not in request_options(getting("c1"), place, timeout)
    assert "timeout" not in request_options(listening("c1", None), place, None)


@pytest.mark.parametrize("timeout", [0, -1])
def test_a_timeout_is_more_than_nothing(timeout: float) -> None:
    with pytest.raises(KatavenError, match="give more than 0 seconds, or None"):
        http_options(access(KEY, None, None, {}), timeout, None)


@pytest.mark.parametrize(("timeout", "said"), [(2.5, "in 2.5 s"), (None, "in time")])
def test_a_server_that_does_not_even_pick_up_is_told(timeout: float | None, said: str) -> None:
    place = access(KEY, "http://voice.example.com", None, {})
    with (
        pytest.raises(TimeoutError, match=f"http://voice.example.com can't be reached {said}: check base_url"),
        translated(place, timeout),
    ):
        raise httpx.ConnectTimeout("")


def test_it_stands_on_httpx_alone() -> None:
    sources = [each.read_text() for each in Path(package.__file__).parent.glob("*.py")]
    assert not [each for each in sources if "kataven_core" in each or "from kataven_adapters" in each]
