"""What the description of the API says in words, and what several of its operations share."""

from collections.abc import Mapping
from typing import Any, Final

from kataven_core import ContactStatus

from .schemas import schema_of

ABOUT: Final = """\
Outbound voice campaigns: a file of contacts is dialled within the budget of an account.

## Keys

Send `Authorization: Bearer sk_live_...` with each request, but never in a URL. The account is the key's.

## Errors

An error is one sentence of plain text that says what is wrong and what to do. Where `Accept` names \
`application/problem+json` or `application/json` it is a Problem, with a `code` for programs and all wrong fields \
under `errors`. Every answer names its request in `X-Request-ID`, as the server's log does; send one to choose it. \
A compressed body is a 400.

## Doing things once

Send an `Idempotency-Key` with a POST, a new one for each thing to be done, and repeat it when you repeat the request. \
The first success is kept for 24 hours and answered again, with `Idempotency-Replayed: true`. The same key with other \
contents is a 422; while the first request is still being answered it is a 409.

## Times and ids

Times are RFC 3339; answers are in UTC. Ids are opaque. What belongs to another account is a 404, as if it were not.

## Following along

`GET /campaigns/{id}/events` tells a campaign's progress as it happens, as server-sent events: read the stream line by \
line, and come back when it ends without `event: end`.

## Other paths

`/hub-api/api/v1`, `/v1` and `/v1/api/v1` answer the same as `/api/v1`.
"""

PARAMETERS: Final[Mapping[str, dict[str, Any]]] = {
    "id": {"in": "path", "required": True, "description": "The campaign's id.", "schema": {"type": "string"}},
    "status": {"in": "query", "description": "Only contacts in this status.", "schema": schema_of(ContactStatus)},
    "page": {
        "in": "query",
        "description": "From 0.",
        "schema": {**schema_of(int), "maximum": 10**18 - 1, "default": 0},
    },
    "X-Account-ID": {
        "in": "header",
        "description": "May name the key's account; any other is a 403.",
        "schema": {"type": "string", "pattern": "^([a-z0-9][a-z0-9_-]{0,62})?$"},
    },
    "Idempotency-Key": {
        "in": "header",
        "description": "This is done once, however often it is sent with this key; a UUID is best.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    },
    "Last-Event-ID": {
        "in": "header",
        "description": "Sent by readers that come back; a fresh snapshot comes first in any case.",
        "schema": {"type": "string"},
    },
}
HEADERS: Final[Mapping[str, dict[str, Any]]] = {
    "X-Request-ID": {
        "required": True,
        "description": "Names the request in the server's log.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
    },
    "Retry-After": {"required": True, "description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
    "WWW-Authenticate": {"required": True, "schema": {"type": "string", "const": "Bearer"}},
    "Location": {"required": True, "description": "Where it is from now on.", "schema": {"type": "string"}},
    "Kataven-Accepted-Rows": {"required": True, "description": "Rows that are contacts.", "schema": schema_of(int)},
    "Kataven-Rejected-Rows": {"required": True, "description": "Rows that can't be dialled.", "schema": schema_of(int)},
    "Idempotency-Replayed": {
        "description": "There where the answer was given before.",
        "schema": {"type": "string", "const": "true"},
    },
    "Content-Disposition": {"required": True, "schema": {"type": "string"}},
    "Cache-Control": {"required": True, "schema": {"type": "string", "const": "no-cache"}},
    "X-Accel-Buffering": {"required": True, "schema": {"type": "string", "const": "no"}},
}
SUCCESSES: Final = {200: "Done.", 201: "Made.", 204: "Gone; there is nothing to show."}
REFUSALS: Final[Mapping[int, tuple[str, str, str]]] = {
    400: (
        "What was sent can't be used; all that is wrong with it is named, and nothing was changed.",
        "invalid_settings",
        "max_concurrent_calls is 200: it must be a whole number from 1 to 100",
    ),
    401: (
        "The key is missing or unknown.",
        "unauthenticated",
        "the API key is missing or unknown: send Authorization: Bearer sk_live_...",
    ),
    403: (
        "`X-Account-ID` names another account than the key's.",
        "wrong_account",
        "X-Account-ID names another account than the key's: leave it out, or use that account's key",
    ),
    404: ("There is no such thing in this account.", "not_found", "no such campaign in this account: check the id"),
    408: (
        "The body stopped coming.",
        "body_too_slow",
        "the body stopped coming: at least 4,096 bytes are waited for in 12 s; send it again",
    ),
    409: (
        "The campaign's status or the account's budget does not allow it, or it is already being done under this key.",
        "not_allowed_now",
        "cannot pause a campaign that is draft: what can be done with it now is start or delete",
    ),
    422: (
        "The `Idempotency-Key` was used for something else.",
        "idempotency_key_reused",
        "this Idempotency-Key was used for another payload: use a new key for a new request",
    ),
    429: ("Too many requests.", "rate_limited", "rate_limited: requests_per_minute (600) exceeded"),
    503: ("The server can't do this now.", "store_locked", "the server can't do this now: ask again in a moment"),
}
"""By status: what it means, and a code and a sentence that it may come with."""
REFUSED_WITH: Final[Mapping[int, str]] = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
