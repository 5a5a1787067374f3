"""How an answer is read: the JSON it holds, or the error that it stands for."""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import httpx

from .errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)

EVENT_STREAM: Final = "text/event-stream"
_SHOWN_CHARS: Final = 2000
"""So much of a text that a server sends as its error is passed on."""
_WHOLE = re.compile(r"[0-9]{1,9}")
_CLASSES: Final[Mapping[int, type[APIError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitError,
}
_CODES: Final[Mapping[int, str]] = {
    413: "content_too_large",
    414: "uri_too_long",
    416: "range_not_satisfiable",
    422: "unprocessable_content",
    429: "rate_limited",
    500: "server_error",
}
"""Codes that no phrase gives, or another one by each Python: before 3.13 it had those from before RFC 9110."""


class CreatedCampaign(dict[str, Any]):
    """A campaign as it was created, and how many rows of its file were accepted and rejected.

    None where the server does not say.
    """

    def __init__(self, members: Mapping[str, Any], accepted_rows: int | None, rejected_rows: int | None) -> None:
        super().__init__(members)
        self.accepted_rows = accepted_rows
        self.rejected_rows = rejected_rows

    def __reduce__(self) -> tuple[type["CreatedCampaign"], tuple[dict[str, Any], int | None, int | None]]:
        return CreatedCampaign, (dict(self), self.accepted_rows, self.rejected_rows)


def json_of(answer: httpx.Response) -> dict[str, Any]:
    """Give the JSON object that a success holds; ``APIError`` where it holds none."""
    members = _object_in(answer)
    if members is None:
        raise APIError(answer.status_code, "unexpected_answer", _no_api(answer))
    return members


def created_of(answer: httpx.Response) -> CreatedCampaign:
    """Give the campaign that was created."""
    counts = (answer.headers.get(f"Kataven-{which}-Rows", "") for which in ("Accepted", "Rejected"))
    return CreatedCampaign(json_of(answer), *(int(each) if _WHOLE.fullmatch(each) else None for each in counts))


def nothing_of(_: httpx.Response) -> None:
    """Read nothing: that it succeeded is all there is to know."""


def refuse_other_streams(answer: httpx.Response) -> None:
    """Raise ``APIError`` where a stream of events was asked for and something else comes, such as a proxy's page."""
    if not answer.headers.get("Content-Type", "").lower().startswith(EVENT_STREAM):
        raise APIError(answer.status_code, "unexpected_answer", _no_api(answer))


def error_of(answer: httpx.Response) -> APIError:
    """Give the error that an answer stands for, problem+json or text; its body must have been read."""
    status = answer.status_code
    kind = ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _CLASSES.get(status, APIError)
    members = _object_in(answer) or {}
    code, errors = members.get("code"), members.get("errors")
    error = kind(status, code if isinstance(code, str) and code else _code(status), _message(answer, members))
    error.retry_after = _retry_after(answer)
    if isinstance(errors, list):
        error.errors = [each for each in errors if isinstance(each, dict)]
    return error


def _object_in(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _no_api(answer: httpx.Response) -> str:
    return f"what {answer.url.host} answered ({_status(answer.status_code)}) is not the campaigns API's: check base_url"


def _message(answer: httpx.Response, members: Mapping[str, Any]) -> str:
    for name in ("detail", "message", "title"):
        text = members.get(name)
        if isinstance(text, str) and text.strip():
            return text.strip()[:_SHOWN_CHARS]
    if answer.is_redirect:
        return f"{answer.url.host} answered {_status(answer.status_code)}: give base_url the address it redirects to"
    is_text = answer.headers.get("Content-Type", "text/plain").lower().startswith("text/plain")
    text = answer.content.decode(errors="replace").strip()[:_SHOWN_CHARS]
    if is_text and text:
        return text
    return f"{answer.url.host} answered {_status(answer.status_code)} and does not say why"


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _code(status: int) -> str:
    """Make a code of a status: 404 is ``not_found``."""
    try:
        return _CODES.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    except ValueError:
        return f"http_{status}"


def _retry_after(answer: httpx.Response) -> float | None:
    """Read in how many seconds to ask again; a date counts from the server's own."""
    text = answer.headers.get("Retry-After", "").strip()
    if _WHOLE.fullmatch(text):
        return float(text)
    try:
        until, now = (parsedate_to_datetime(each) for each in (text, answer.headers.get("Date", "")))
        return max((until - now).total_seconds(), 0.0)
    except (ValueError, TypeError):  # no dates, or one of them is naive
        return None
