import json
from typing import Any, Final

import openapi_spec_validator
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import kataven_core as kc
from kataven_adapters.http.openapi import document
from kataven_adapters.http.route import Route
from kataven_adapters.http.routes import ROUTES, find

DOCUMENT: Final = document(ROUTES, "")
OPERATIONS: Final = [
    (method, path, found) for path, methods in DOCUMENT["paths"].items() for method, found in methods.items()
]
ids = [f"{method} {path}" for method, path, _ in OPERATIONS]
each_operation = pytest.mark.parametrize(("method", "path", "found"), OPERATIONS, ids=ids)


def route_of(method: str, path: str) -> Route:
    return find(path)[method.upper()].route


def resolved(found: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in found:
        return found
    _, _, kind, name = found["$ref"].split("/")
    target: dict[str, Any] = DOCUMENT["components"][kind][name]
    return target


def parameters(found: dict[str, Any]) -> list[str]:
    return [resolved(each)["name"] for each in found["parameters"]]


@pytest.mark.parametrize("mount", ["", "/voice"])
def test_it_is_valid(mount: str) -> None:
    found = document(ROUTES, mount)
    openapi_spec_validator.validate(found, cls=OpenAPIV31SpecValidator)
    assert found["openapi"].startswith("3.1.")
    assert found["servers"] == [{"url": mount or "/"}]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_it_is_made_once() -> None:
    assert document(ROUTES, "") is document([*ROUTES], "")


def test_every_route_is_in_it_but_for_what_lines_are_told_and_nothing_else() -> None:
    described = [route for route in ROUTES if route.template != "/lines/{line}/reports"]
    assert len(described) == len(ROUTES) - 1
    assert sorted(route_of(method, path).template for method, path, _ in OPERATIONS) == sorted(
        route.template for route in described
    )
    assert {(route_of(method, path).method, route_of(method, path).template) for method, path, _ in OPERATIONS} == {
        (route.method, route.template) for route in described
    }


def test_what_is_for_operators_stands_at_the_root_and_all_else_below_the_canonical_prefix() -> None:
    at_root = {path for path in DOCUMENT["paths"] if not path.startswith("/api/v1/")}
    assert at_root == {"/healthz", "/readyz", "/metrics"}


def test_operations_have_names_of_their_own() -> None:
    names = [found["operationId"] for _, _, found in OPERATIONS]
    assert len({*names}) == len(names)
    assert {"create_campaign", "start_campaign", "list_campaigns", "get_campaign", "stream_events"} <= {*names}


@each_operation
def test_an_operation_says_what_its_route_does(method: str, path: str, found: dict[str, Any]) -> None:
    route = route_of(method, path)
    assert (found["summary"], found["tags"]) == (route.summary, [route.tag])
    keyed = set() if route.is_open else {401, 403, 429, 503}
    assert {int(status) for status in found["responses"]} == {route.success, *route.refusals, *keyed}
    assert (found.get("security") == []) == route.is_open
    assert ("X-Account-ID" in parameters(found)) == (not route.is_open)
    assert ("Idempotency-Key" in parameters(found)) == (method == "post")
    assert ("id" in parameters(found)) == ("{id}" in path)


@each_operation
def test_an_error_is_a_sentence_or_a_problem(method: str, path: str, found: dict[str, Any]) -> None:
    if route_of(method, path).is_open:
        return
    for status, answer in found["responses"].items():
        if status >= "4":
            content = resolved(answer)["content"]
            assert [*content] == ["text/plain", "application/problem+json"]
            assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


@each_operation
def test_every_answer_names_its_request(method: str, path: str, found: dict[str, Any]) -> None:
    assert route_of(method, path).method == method.upper()
    for answer in found["responses"].values():
        assert "X-Request-ID" in resolved(answer)["headers"]


@pytest.mark.parametrize(
    ("status", "header"), [("401", "WWW-Authenticate"), ("429", "Retry-After"), ("503", "Retry-After")]
)
def test_some_refusals_carry_a_header(status: str, header: str) -> None:
    headers = DOCUMENT["components"]["responses"][status]["headers"]
    assert resolved(headers[header])["required"] is True


def test_examples_of_problems_are_problems() -> None:
    for status, answer in DOCUMENT["components"]["responses"].items():
        content = answer["content"]
        problem = content["application/problem+json"]["example"]
        assert {*DOCUMENT["components"]["schemas"]["Problem"]["required"]} == {*problem}
        assert (str(problem["status"]), problem["detail"]) == (status, content["text/plain"]["example"])


def test_a_new_campaign_is_asked_for_by_a_form_and_answered_with_where_it_is() -> None:
    create = DOCUMENT["paths"]["/api/v1/campaigns"]["post"]
    content = create["requestBody"]["content"]
    assert [*content] == ["multipart/form-data"]
    assert content["multipart/form-data"]["schema"] == {"$ref": "#/components/schemas/CampaignForm"}
    assert content["multipart/form-data"]["encoding"] == {"contacts": {"contentType": "text/csv"}}
    headers = create["responses"]["201"]["headers"]
    assert {"Location", "Kataven-Accepted-Rows", "Kataven-Rejected-Rows", "Idempotency-Replayed"} <= {*headers}


def test_contacts_are_asked_for_by_status_and_page() -> None:
    found = DOCUMENT["paths"]["/api/v1/campaigns/{id}/contacts"]["get"]
    status, page = (resolved(each)["schema"] for each in found["parameters"][1:3])
    assert status == {"type": "string", "enum": [each.value for each in kc.ContactStatus]}
    assert (page["type"], page["minimum"], page["default"]) == ("integer", 0, 0)


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/api/v1/campaigns/{id}/events", "text/event-stream"),
        ("/api/v1/campaigns/{id}/rejects", "text/csv"),
        ("/api/v1/docs", "text/html"),
        ("/api/v1/campaigns", "application/json"),
        ("/metrics", "text/plain"),
    ],
)
def test_each_success_says_how_it_is_written(path: str, media_type: str) -> None:
    assert [*DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]] == [media_type]


def test_keys_go_as_bearer_tokens() -> None:
    assert DOCUMENT["security"] == [{"key": []}]
    assert DOCUMENT["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
