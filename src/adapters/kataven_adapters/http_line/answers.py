"""What a dialer's answers mean."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, TypeVar

from kataven_adapters.wire.http_line import CallState, PlacedCall, read_placed, read_state
from kataven_adapters.wire.members import read_array, read_object
from kataven_core import AdapterFault, InvalidValue

from .requests import Answer

T = TypeVar("T", PlacedCall, CallState)

MAX_RETRY_AFTER_S: Final = 3_600.0
"""A longer wait than this is a mistake, and nobody would be there to end it."""
_SECONDS = re.compile(r"[0-9]{1,9}")
_MAX_SHOWN_CHARS: Final = 200
_HINTS: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "set [line] token to the dialer's",
    HTTPStatus.FORBIDDEN: "set [line] token to one that may place calls",
    HTTPStatus.NOT_FOUND: "/calls is not there: is the line's address right?",
    HTTPStatus.METHOD_NOT_ALLOWED: "/calls is something else there: is the line's address right?",
}


def unreadable(error: InvalidValue) -> AdapterFault:
    """Give the fault that an answer can't be read."""
    return AdapterFault("line_failed", f"the dialer's answer can't be read: {error.message}", is_retryable=True)


def placed_call(answer: Answer, attempt_id: str) -> PlacedCall:
    """Read the answer to a call that was placed; ``AdapterFault`` where it is none, or another call's."""
    return _about(attempt_id, answer, read_placed)


def call_state(answer: Answer, attempt_id: str) -> CallState:
    """Read what is known of a call; ``AdapterFault`` where it can't be read, or is another call's."""
    return _about(attempt_id, answer, read_state)


def refuses_number(answer: Answer) -> bool:
    """Whether the dialer refuses the number itself, and says so."""
    is_refusal = answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
    return is_refusal and _members(answer).get("code") == "invalid_number"


def why_down(answer: Answer) -> str | None:
    """Say what is to be mended where the list of live calls was not what came; None where it was."""
    if answer.status != HTTPStatus.OK:
        return sentence(answer)
    try:
        read_array(read_object(answer.body), "calls")
    except InvalidValue as error:
        return f"{unreadable(error).message}: is the line's address right?"
    return None


def sentence(answer: Answer) -> str:
    """Say what a refusal is about."""
    status = answer.status
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        hint = "it redirects, which is not followed: write the address that it leads to"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        hint = "look into its log"
    else:
        hint = _HINTS.get(status, "look into its log")
    said = _members(answer).get("message")
    shown = f": {said[:_MAX_SHOWN_CHARS]!r}" if isinstance(said, str) and said else ""
    return f"the dialer answers {status}{shown}: {hint}"


def retry_after_s(answer: Answer, now: datetime) -> float | None:
    """Read ``Retry-After``, in seconds or as a date; None where it is neither."""
    text = answer.headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), MAX_RETRY_AFTER_S)
    try:
        until = parsedate_to_datetime(text)
        wait_s = ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)


def _about(attempt_id: str, answer: Answer, read: Callable[[bytes], T]) -> T:
    try:
        about = read(answer.body)
    except InvalidValue as error:
        raise unreadable(error) from None
    if about.attempt_id != attempt_id:
        raise unreadable(InvalidValue("invalid_body", "attempt_id is another than was asked for"))
    return about


def _members(answer: Answer) -> dict[str, object]:
    try:
        return dict(read_object(answer.body))
    except InvalidValue:
        return {}
