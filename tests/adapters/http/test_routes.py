from itertools import pairwise

import pytest

from kataven_adapters.http.routes import CANONICAL, PREFIXES, ROUTES, find

UNDER = {
    "/campaigns": {"GET", "POST"},
    "/campaigns/c1": {"GET", "DELETE"},
    "/campaigns/c1/contacts": {"GET"},
    "/campaigns/c1/rejects": {"GET"},
    "/campaigns/c1/events": {"GET"},
    "/campaigns/c1/start": {"POST"},
    "/campaigns/c1/pause": {"POST"},
    "/campaigns/c1/resume": {"POST"},
    "/campaigns/c1/stop": {"POST"},
    "/call-limits": {"GET"},
    "/openapi.json": {"GET"},
    "/docs": {"GET"},
}
AT_ROOT = {"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_prefix_leads_to_the_same_table(prefix: str) -> None:
    for path, methods in UNDER.items():
        found = find(prefix + path)
        assert set(found) == methods, path
        assert found == find(CANONICAL + path)
        assert all(each.ids == ({"id": "c1"} if "c1" in path else {}) for each in found.values())
        assert path in AT_ROOT or find(path) == {}, "nothing of it is at the root"
    for path in AT_ROOT:
        assert set(find(path)) == {"GET"}
        assert bool(find(prefix + path)) is (path in UNDER)


@pytest.mark.parametrize(
    "path",
    ["", "/", "*", "//", CANONICAL, f"{CANONICAL}/", "/api/v2/campaigns", "/API/V1/campaigns", f"{CANONICAL}campaigns"]
    + [f"{CANONICAL}{each}" for each in ("/campaigns/", "//campaigns", "/campaigns/c1/", "/campaigns/c1/start/x")]
    + [f"{first}{second}/campaigns" for first, second in pairwise(PREFIXES) if first + second not in PREFIXES],
)
def test_what_is_not_in_the_table_is_nowhere(path: str) -> None:
    assert find(path) == {}


def test_the_table_is_without_twins_and_tells_of_each_row() -> None:
    assert len({(route.method, route.template) for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert route.summary
        assert route.template.startswith("/")
        assert not (route.is_at_root and route.is_anywhere)
        assert "{id}" not in route.template or 404 in route.refusals


def test_an_alias_is_tried_before_the_one_that_begins_it() -> None:
    for index, prefix in enumerate(PREFIXES):
        assert not any(prefix.startswith(f"{earlier}/") for earlier in PREFIXES[:index])
