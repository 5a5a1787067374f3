"""Every route of the table with every kind of key, against every kind of id: generated, so that none is forgotten."""

from io import BytesIO
from itertools import product
from typing import Final
from uuid import UUID

import httpx

import kataven_core as kc
from kataven_adapters.http.route import Route
from kataven_adapters.http.routes import CANONICAL, PREFIXES, ROUTES
from kataven_core.runtime import SystemClock

from .conftest import ACME, GLOBEX, Serve, Server, auth

NOBODYS: Final = str(UUID(int=7))
KEYED: Final = [route for route in ROUTES if not route.is_open]
OPEN: Final = [route for route in ROUTES if route.is_open and route.is_described]
WRONG_KEYS: Final = {
    "missing": {},
    "wrong": {"Authorization": "Bearer sk_live_ac_me_wrong"},
    "basic": {"Authorization": "Basic c2tfbGl2ZV9hY19tZV8wMTIzNDU2Nzg5Og=="},
    "empty": {"Authorization": "Bearer"},
    "twice": {"Authorization": "Bearer sk_live_ac_me_0123456789, Bearer sk_live_ac_me_0123456789"},
    "cut off": {"Authorization": "Bearer sk_live_ac_me_012345678"},
}
STRANGE_IDS: Final = [NOBODYS, "1", "a.b", "%00", "%2e%2e", "%F0%9F%93%9E", "a" * 65, "'%20OR%201=1--", "%E2%80%A8"]


def named(route: Route) -> str:
    return f"{route.method} {route.template}"


def form(name: str = "March") -> dict[str, tuple[str | None, bytes | str]]:
    return {
        "name": (None, name),
        "agent_id": (None, "reminder"),
        "phone_number_id": (None, "office"),
        "contacts": ("contacts.csv", b"phone_number\n+14155550100\n"),
    }


async def a_campaign(server: Server, account: kc.Account) -> str:
    settings = kc.campaign_settings(
        now=SystemClock().now(), name="theirs", agent_id="reminder", phone_number_id="office"
    )
    contacts = BytesIO(b"phone_number\n+14155550100\n")
    return (await server.engine.create(account.id, settings, contacts=contacts)).id


async def ask(
    http: httpx.AsyncClient, server: Server, route: Route, headers: dict[str, str], campaign_id: str = NOBODYS
) -> httpx.Response:
    """Ask for a route; where it is a stream, read no more than its head."""
    prefix = "" if route.is_at_root else CANONICAL
    url = server.base + prefix + route.template.replace("{id}", campaign_id)
    files = form() if named(route) == "POST /campaigns" else None
    async with http.stream(route.method, url, headers=headers, files=files) as answer:
        if route.is_stream and answer.status_code == httpx.codes.OK:
            return answer
        await answer.aread()
        return answer


async def test_i11_no_route_answers_without_a_key_that_is_known(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve()
    for route in KEYED:
        mine = await a_campaign(server, ACME)
        for headers, campaign_id in product(WRONG_KEYS.values(), (mine, NOBODYS)):
            answer = await ask(http, server, route, headers, campaign_id)
            assert answer.status_code == 401, (headers, answer.text)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_i11_an_account_that_is_named_must_be_the_keys(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve()
    for route in KEYED:
        answer = await ask(http, server, route, {**auth(), "X-Account-ID": GLOBEX.id})
        assert answer.status_code == 403, named(route)
        mine = await ask(http, server, route, {**auth(), "X-Account-ID": ACME.id}, await a_campaign(server, ACME))
        assert mine.status_code not in {401, 403}, named(route)


async def test_i11_what_another_account_has_is_answered_as_what_nobody_has(
    serve: Serve, http: httpx.AsyncClient
) -> None:
    server = await serve()
    for route in [each for each in KEYED if "{id}" in each.template]:
        theirs = await a_campaign(server, GLOBEX)
        before = await server.engine.campaign(GLOBEX.id, theirs)
        answers = [await ask(http, server, route, auth(), each) for each in (theirs, *STRANGE_IDS)]
        assert {answer.status_code for answer in answers} == {404}, named(route)
        assert len({answer.content for answer in answers}) == 1
        assert await server.engine.campaign(GLOBEX.id, theirs) == before


async def test_every_route_answers_its_own_account(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve()
    for route in KEYED:
        answer = await ask(http, server, route, auth(), await a_campaign(server, ACME))
        refused_as_a_draft = {"/campaigns/{id}/pause", "/campaigns/{id}/resume", "/campaigns/{id}/stop"}
        assert answer.status_code == (409 if route.template in refused_as_a_draft else route.success), named(route)


async def test_what_is_open_needs_no_key(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve()
    for route in OPEN:
        assert (await ask(http, server, route, {})).status_code == 200, named(route)


async def test_every_alias_answers_the_same(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve()
    for prefix in PREFIXES:
        name = await a_campaign(server, ACME)
        for route in (each for each in ROUTES if each.method == "GET" and not each.is_stream and not each.is_at_root):
            path = route.template.replace("{id}", name)
            answer = await http.get(f"{server.base}{prefix}{path}", headers=auth())
            canonical = await http.get(f"{server.base}{CANONICAL}{path}", headers=auth())
            assert (answer.status_code, answer.content) == (200, canonical.content), (prefix, path)


async def test_a_method_that_a_path_does_not_take_is_named_with_those_that_it_takes(
    serve: Serve, http: httpx.AsyncClient
) -> None:
    server = await serve()
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"]:
        answer = await http.request(method, f"{server.base}{CANONICAL}/campaigns", headers=auth())
        assert answer.status_code == 405, method
        assert answer.headers["Allow"] == "GET, POST"


async def test_what_is_not_in_the_table_is_not_there(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve()
    for path in [
        "/",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/campaign",
        "/api/v2/campaigns",
        "/api/v1/healthz",
        "/api/v1/campaigns/",
        "//api/v1/campaigns",
        "/api/v1/api/v1/campaigns",
    ]:
        answer = await http.get(server.base + path, headers=auth())
        assert answer.status_code == 404, path


async def test_a_slash_within_a_segment_is_no_way_to_another_route(serve: Serve, http: httpx.AsyncClient) -> None:
    server = await serve()
    mine = await a_campaign(server, ACME)
    for path in (f"campaigns/{mine}%2Fstart", f"campaigns/{mine}%2fstart", f"campaigns%2F{mine}"):
        answer = await http.post(f"{server.base}{CANONICAL}/{path}", headers=auth())
        assert answer.status_code == 404, path
    assert (await server.engine.campaign(ACME.id, mine)).campaign.status == "draft"
