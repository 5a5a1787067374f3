"""A call, and a step of it, in the words of the wire."""

from typing import Final, Literal

from kataven_adapters.wire.http_line import CallReport, CallState

from .network import EndedCall, Heard, LiveCall, Step

_TYPES: Final[dict[Heard, Literal["ringing", "answered", "ended"]]] = {
    "ring": "ringing",
    "answer": "answered",
    "end": "ended",
}


def call_id_of(attempt_id: str) -> str:
    """Give a call's own name: the same, whenever it is asked for."""
    return f"call-{attempt_id}"


def state_of(attempt_id: str, call: LiveCall | EndedCall) -> CallState:
    """Give what whoever looks a call up is told."""
    call_id = call_id_of(attempt_id)
    if isinstance(call, EndedCall):
        return CallState(attempt_id=attempt_id, call_id=call_id, state="ended", **call._asdict())
    state: Literal["ringing", "answered"] = "answered" if call.answered_at else "ringing"
    return CallState(attempt_id=attempt_id, call_id=call_id, state=state, answered_at=call.answered_at)


def report_of(step: Step, sequence: int) -> CallReport:
    """Report one step of a call."""
    return CallReport(
        attempt_id=step.request.attempt_id,
        sequence=sequence,
        type=_TYPES[step.heard],
        outcome=step.outcome,
        at=step.at,
        duration_s=step.duration_s,
    )
