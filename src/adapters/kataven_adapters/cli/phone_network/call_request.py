"""``POST /calls`` as it comes: what the HTTP line promises, and that its two names for the call are one."""

from urllib.parse import urlsplit

from kataven_adapters.wire.http_line import CallRequest, read_request
from kataven_core import InvalidValue, Problem


def read_call_request(body: bytes, idempotency_key: str | None) -> CallRequest:
    """Read what somebody asks for; ``InvalidValue`` says what is missing or wrong."""
    wanted = read_request(body)
    if not _is_http(wanted.report_url):
        raise _wrong("report_url", "report_url: must be an http:// or https:// address")
    if idempotency_key not in {None, wanted.attempt_id}:
        raise _wrong("attempt_id", "the header Idempotency-Key is not attempt_id: send the same in both")
    return wanted


def _wrong(name: str, sentence: str) -> InvalidValue:
    return InvalidValue.of("invalid_body", [Problem(name, sentence)])


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
