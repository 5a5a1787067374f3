"""What was wrong, as an answer: one sentence, or problem+json for who asks for it (RFC 9457)."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from kataven_core import AdapterFault, BudgetExhausted, CommandRefused, InvalidValue, KatavenError, NotFound, Problem

from .json import encode
from .messages import JSON, TEXT, Request, Response

PROBLEM_JSON: Final = "application/problem+json"
_JSON_TYPES: Final = frozenset({JSON, PROBLEM_JSON})
_UNWANTED = re.compile(r";\s*q=0(?:\.0*)?\s*(?:;|$)")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_RETRY_AFTER_S: Final = 1
"""When to ask again what a store or a line could not do."""


class HttpProblem(Exception):
    """Ends a request with an answer that says what was wrong."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        is_last: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.members = members or {}
        self.headers = headers or {}
        self.is_last = is_last


def bad_request(problems: Sequence[Problem], code: str = "invalid_request") -> HttpProblem:
    """Name every wrong field in one answer."""
    return HttpProblem(
        400, code, "; ".join(each.message for each in problems), errors=[wrong_field(each) for each in problems]
    )


def problem_of(error: KatavenError) -> HttpProblem:
    """Say by a status who is to blame."""
    match error:
        case NotFound():
            return HttpProblem(404, error.code, f"{error.message}: check the id")
        case BudgetExhausted():
            numbers = {"reserved": error.reserved, "wanted": error.wanted, "allowed": error.allowed}
            return HttpProblem(409, error.code, error.message, members=numbers)
        case CommandRefused():
            status = 422 if error.code == "idempotency_key_reused" else 409
            return HttpProblem(status, error.code, error.message)
        case InvalidValue():
            return HttpProblem(400, error.code, error.message, errors=[wrong_field(each) for each in error.problems])
        case AdapterFault():
            return HttpProblem(503, error.code, _UNAVAILABLE, headers={"Retry-After": str(_RETRY_AFTER_S)})
        case _:
            return HttpProblem(400, error.code, error.message)


_UNAVAILABLE: Final = "the server can't do this now: ask again in a moment; its log says why"


def wrong_field(problem: Problem) -> dict[str, str]:
    """Give one wrong field as it is listed."""
    return {"field": problem.field, "message": problem.message}


def rendered(problem: HttpProblem, request: Request) -> Response:
    """Give the answer in the form that the request asks for."""
    headers = dict(problem.headers)
    if not _wants_json(request.header("accept")):
        sentence = _UNPRINTABLE.sub(_escaped, problem.detail)
        return Response(
            status=problem.status,
            body=sentence.encode(),
            content_type=TEXT,
            headers=headers,
            is_last=problem.is_last,
        )
    members = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        **problem.members,
        **({"errors": problem.errors} if problem.errors else {}),
    }
    return Response(
        status=problem.status,
        body=encode(members),
        content_type=PROBLEM_JSON,
        headers=headers,
        is_last=problem.is_last,
    )


def _wants_json(accept: str) -> bool:
    ranges = [each.strip() for each in accept.lower().split(",")]
    return any(each.partition(";")[0].rstrip() in _JSON_TYPES and not _UNWANTED.search(each) for each in ranges)


def _escaped(found: "re.Match[str]") -> str:
    """Show what is no printable character by its escape: an answer is one line."""
    return repr(found[0])[1:-1]
