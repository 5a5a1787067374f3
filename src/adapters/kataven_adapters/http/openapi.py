"""The API as OpenAPI 3.1: its paths from the table of routes, its shapes from the core's classes."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

from kataven_core import __version__

from .creation import ACCEPTED, REJECTED
from .fields import OURS
from .messages import JSON, TEXT
from .openapi_words import ABOUT, HEADERS, PARAMETERS, REFUSALS, REFUSED_WITH, SUCCESSES
from .problems import PROBLEM_JSON
from .route import Route
from .shapes import shapes

PREFIX: Final = "/api/v1"
FORM: Final = "multipart/form-data"
_KEYED: Final = (401, 403, 429, 503)
"""What every route with a key may answer."""


def document(routes: Sequence[Route], mount: str) -> dict[str, Any]:
    """Give the description of all routes, for an API that is found below ``mount``. Nobody may change it."""
    return _document(tuple(route for route in routes if route.is_described), mount)


@lru_cache(maxsize=16)
def _document(routes: tuple[Route, ...], mount: str) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "Kataven campaigns", "version": __version__, "description": ABOUT},
        "servers": [{"url": mount or "/"}],
        "security": [{"key": []}],
        "tags": [{"name": name} for name in dict.fromkeys(route.tag for route in routes)],
        "paths": _paths(routes),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}},
            "parameters": {name: {"name": name, **each} for name, each in PARAMETERS.items()},
            "headers": dict(HEADERS),
            "responses": {str(status): _refused(status) for status in REFUSALS},
            "schemas": shapes(),
        },
    }


def _paths(routes: Sequence[Route]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in routes:
        path = route.template if route.is_at_root else f"{PREFIX}{route.template}"
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return paths


def _operation(route: Route) -> dict[str, Any]:
    return {
        "operationId": _operation_id(route),
        "tags": [route.tag],
        "summary": route.summary,
        **({"description": route.description} if route.description else {}),
        **({"security": []} if route.is_open else {}),
        "parameters": [_ref("parameters", name) for name in _parameters(route)],
        **({"requestBody": _FORM_BODY} if route.takes_form else {}),
        "responses": _responses(route),
    }


def _operation_id(route: Route) -> str:
    """Name an operation as clients do: its handler, or for what is done to a campaign, the last word of its path."""
    if route.method != "POST":
        return route.handler.__name__
    return "create_campaign" if route.takes_form else f"{route.segments[-1]}_campaign"


def _parameters(route: Route) -> Iterator[str]:
    yield from (each.strip("{}") for each in route.segments if each.startswith("{"))
    yield from route.query
    if not route.is_open:
        yield "X-Account-ID"
    if route.method == "POST":
        yield "Idempotency-Key"
    if route.is_stream:
        yield "Last-Event-ID"


_FORM_BODY: Final = {
    "required": True,
    "description": f"Parts that say how the file is read come before it. Ignored when sent: {', '.join(sorted(OURS))}.",
    "content": {
        FORM: {
            "schema": {"$ref": "#/components/schemas/CampaignForm"},
            "encoding": {"contacts": {"contentType": "text/csv"}},
        }
    },
}


def _responses(route: Route) -> dict[str, Any]:
    refusals = sorted({*route.refusals, *(() if route.is_open else _KEYED)})
    answers = {status: _ref("responses", str(status)) for status in refusals}
    if route.is_open:
        answers = {status: _plainly(REFUSALS[status][0]) for status in refusals}
    return {str(route.success): _success(route), **{str(status): each for status, each in answers.items()}}


def _success(route: Route) -> dict[str, Any]:
    answer = {
        "description": SUCCESSES[route.success],
        "headers": {name: _ref("headers", name) for name in _headers(route)},
    }
    if route.success == HTTPStatus.NO_CONTENT:
        return answer
    return {**answer, "content": {route.media_type: {"schema": _shown(route)}}}


def _shown(route: Route) -> dict[str, Any]:
    if route.shows:
        return _ref("schemas", route.shows)
    return {"type": "object" if route.media_type == JSON else "string"}


def _headers(route: Route) -> Iterator[str]:
    yield "X-Request-ID"
    if route.success == HTTPStatus.CREATED:
        yield from ("Location", ACCEPTED, REJECTED)
    if route.method == "POST":
        yield "Idempotency-Replayed"
    if route.media_type == "text/csv":
        yield "Content-Disposition"
    if route.is_stream:
        yield from ("Cache-Control", "X-Accel-Buffering")


def _refused(status: int) -> dict[str, Any]:
    """Give an error in both of its forms, with an example of each."""
    means, code, sentence = REFUSALS[status]
    title = HTTPStatus(status).phrase
    problem = {"type": "about:blank", "title": title, "status": status, "detail": sentence, "code": code}
    answer = _plainly(means, *([REFUSED_WITH[status]] if status in REFUSED_WITH else []))
    answer["content"]["text/plain"]["example"] = sentence
    answer["content"][PROBLEM_JSON] = {"schema": _ref("schemas", "Problem"), "example": problem}
    return answer


def _plainly(means: str, *headers: str) -> dict[str, Any]:
    return {
        "description": means,
        "headers": {name: _ref("headers", name) for name in ("X-Request-ID", *headers)},
        "content": {TEXT.partition(";")[0]: {"schema": {"type": "string", "minLength": 1}}},
    }


def _ref(kind: str, name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/{kind}/{name}"}
