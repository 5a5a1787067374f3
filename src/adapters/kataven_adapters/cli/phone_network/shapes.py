"""How a call and a report about it look on the wire."""

from typing import Any, Final

from kataven_core import format_rfc3339

from .network import EndedCall, Heard, LiveCall, Step

_TYPES: Final[dict[Heard, str]] = {"ring": "ringing", "answer": "answered", "end": "ended"}


def call_id_of(attempt_id: str) -> str:
    """Give a call's own name: the same, whenever it is asked for."""
    return f"call-{attempt_id}"


def shown(attempt_id: str, call: LiveCall | EndedCall) -> dict[str, Any]:
    """Show a call to whoever looks it up."""
    ended = call if isinstance(call, EndedCall) else None
    return {
        "attempt_id": attempt_id,
        "call_id": call_id_of(attempt_id),
        "state": "ended" if ended else "answered" if call.answered_at else "ringing",
        "outcome": ended and ended.outcome,
        "answered_at": call.answered_at and format_rfc3339(call.answered_at),
        "ended_at": ended and format_rfc3339(ended.ended_at),
        "duration_s": ended and ended.duration_s,
    }


def report_of(step: Step, sequence: int) -> dict[str, Any]:
    """Report one step of a call."""
    return {
        "attempt_id": step.request.attempt_id,
        "sequence": sequence,
        "type": _TYPES[step.heard],
        "outcome": step.outcome,
        "at": format_rfc3339(step.at),
        "duration_s": step.duration_s,
        "detail": None,
    }
