"""The calls of a made-up phone network, by attempt: each one's fate is drawn from its attempt id alone.

A call goes its way in steps, each of which is written down before anybody hears of it: it rings → (is answered →) ends.
A call lives in one timer. One that has ended is remembered as long as the network runs, and by its log beyond that.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from attrs import define, field

from kataven_adapters.simulated.fate import Fate, Fates
from kataven_adapters.wire.http_line import CallRequest
from kataven_core import AttemptId, Outcome, format_rfc3339, parse_rfc3339
from kataven_core.ports import Clock

from .phone_log import PhoneLog

Heard = Literal["ring", "answer", "end"]


@define(eq=False, kw_only=True)
class LiveCall:
    """A call that has not ended."""

    request: CallRequest
    fate: Fate
    answered_at: datetime | None = None
    answered_s: float = 0.0
    """The loop's time of the answer."""
    timer: asyncio.TimerHandle = field(init=False)
    """What takes the next step; there always is one."""


class EndedCall(NamedTuple):
    """What is remembered of a call that has ended."""

    outcome: Outcome
    answered_at: datetime | None
    ended_at: datetime
    duration_s: float


class Step(NamedTuple):
    """One step of a call, to be told to whoever asked for it. ``outcome`` and ``duration_s``: of the end alone."""

    request: CallRequest
    heard: Heard
    at: datetime
    outcome: Outcome | None = None
    duration_s: float | None = None


class Network:
    """Places calls, and ``tell``s of each step when the log has it."""

    def __init__(self, fates: Fates, log: PhoneLog, clock: Clock, tell: Callable[[Step], None]) -> None:
        self._fates = fates
        self._log = log
        self._clock = clock
        self._tell = tell
        self._live: dict[str, LiveCall] = {}
        self._ended: dict[str, EndedCall] = {}

    @property
    def live(self) -> Mapping[str, LiveCall]:
        """Give the calls that have not ended, by attempt."""
        return self._live

    @property
    def ended_calls(self) -> int:
        """How many calls have ended, those of the log's earlier processes among them."""
        return len(self._ended)

    def remember(self, events: Iterable[Mapping[str, str]]) -> None:
        """Take up what phones heard before; a call that had not ended then was cut off, and ends now."""
        open_calls: dict[str, dict[str, str]] = {}
        answered_at: dict[str, datetime] = {}
        for event in events:
            attempt_id, at = event["attempt_id"], event["at"]
            if event["event"] == "ring":
                open_calls[attempt_id] = dict(event)
            elif event["event"] == "answer":
                answered_at[attempt_id] = parse_rfc3339(at)
            else:
                open_calls.pop(attempt_id, None)
                answered = answered_at.pop(attempt_id, None)
                self._ended[attempt_id] = _ended(Outcome(event["outcome"]), answered, parse_rfc3339(at))
        now = self._clock.now()
        for attempt_id, event in open_calls.items():
            answered = answered_at.get(attempt_id)
            ended = _ended(Outcome.ANSWERED if answered else Outcome.FAILED, answered, now)
            self._ended[attempt_id] = ended
            self._log.write(event | {"event": "end", "outcome": ended.outcome, "at": format_rfc3339(now)}, _nobody)

    def knows(self, attempt_id: str) -> bool:
        """Say whether this attempt's call was ever placed."""
        return attempt_id in self._live or attempt_id in self._ended

    def find(self, attempt_id: str) -> LiveCall | EndedCall | None:
        """Give a call; None when it was never placed."""
        return self._live.get(attempt_id) or self._ended.get(attempt_id)

    def refuses(self, attempt_id: str) -> bool:
        """Say whether the number of this attempt is one that the network refuses: it places no call."""
        return self._fates.of(AttemptId(attempt_id)).outcome is Outcome.INVALID_NUMBER

    def place(self, request: CallRequest) -> None:
        """Let a phone ring, the first time that its attempt is asked for."""
        if self.knows(request.attempt_id):
            return
        call = LiveCall(request=request, fate=self._fates.of(AttemptId(request.attempt_id)))
        self._live[request.attempt_id] = call
        self._write(Step(request, "ring", self._clock.now()))
        fate = call.fate
        if fate.ring_s >= request.ring_timeout_s:
            self._then(call, request.ring_timeout_s, lambda: self._end(call, Outcome.NO_ANSWER))
        elif fate.is_answered:
            self._then(call, fate.ring_s, lambda: self._answer(call))
        else:
            self._then(call, fate.ring_s, lambda: self._end(call, fate.outcome))

    def hang_up(self, attempt_id: str) -> None:
        """End a call, if it has not ended yet."""
        call = self._live.get(attempt_id)
        if call is not None:
            call.timer.cancel()
            self._end(call, Outcome.CANCELLED if call.answered_at is None else call.fate.outcome)

    def cut_all(self) -> None:
        """End all calls as a network does that goes down: a talk is over, and what rings has failed."""
        for call in list(self._live.values()):
            call.timer.cancel()
            self._end(call, Outcome.FAILED if call.answered_at is None else call.fate.outcome)

    # The steps of a call.

    def _answer(self, call: LiveCall) -> None:
        call.answered_at, call.answered_s = self._clock.now(), asyncio.get_running_loop().time()
        self._write(Step(call.request, "answer", call.answered_at))
        talk_s = min(call.fate.talk_s, call.request.max_duration_s)
        self._then(call, talk_s, lambda: self._end(call, call.fate.outcome))

    def _end(self, call: LiveCall, outcome: Outcome) -> None:
        at, duration_s = self._clock.now(), 0.0
        if call.answered_at is not None:
            duration_s = round(asyncio.get_running_loop().time() - call.answered_s, 3)
        del self._live[call.request.attempt_id]
        self._ended[call.request.attempt_id] = EndedCall(outcome, call.answered_at, at, duration_s)
        self._write(Step(call.request, "end", at, outcome, duration_s))

    def _then(self, call: LiveCall, seconds: float, step: Callable[[], None]) -> None:
        call.timer = asyncio.get_running_loop().call_later(seconds, step)

    def _write(self, step: Step) -> None:
        request = step.request
        event = {
            "event": step.heard,
            "attempt_id": request.attempt_id,
            "campaign_id": request.campaign_id,
            "account_id": request.account_id,
            "to": request.to,
            **({"outcome": step.outcome} if step.outcome else {}),
            "at": format_rfc3339(step.at),
        }
        self._log.write(event, lambda: self._tell(step))


def _ended(outcome: Outcome, answered_at: datetime | None, ended_at: datetime) -> EndedCall:
    duration_s = (ended_at - answered_at).total_seconds() if answered_at else 0.0
    return EndedCall(outcome, answered_at, ended_at, max(0.0, duration_s))


def _nobody() -> None:
    """Nobody is told of a call of an earlier process: who wants to know asks."""
