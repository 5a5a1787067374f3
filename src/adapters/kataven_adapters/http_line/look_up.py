"""What became of calls, as the dialer knows it: each is asked for, where the list of live ones won't do."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Final

from attrs import Factory, define

from kataven_adapters.wire.http_line import CallState, read_live
from kataven_core import (
    AdapterFault,
    Answered,
    Attempt,
    AttemptId,
    Ended,
    InvalidValue,
    NeverPlaced,
    Placed,
    Report,
    Ringing,
)
from kataven_core.ports import Clock

from .answers import call_state, sentence, unreadable, why_down
from .requests import NotSent, Requests
from .settings import HttpLineSettings

_AT_ONCE: Final = 16
_FEW: Final = 50
"""So many are asked for one by one; of more, those that live are learnt from one list."""


@define
class _Round:
    """One look-up: who is asked about, and what came of it. ``unsettled`` are not known either, but may yet be."""

    names: list[AttemptId]
    learnt: list[Report] = Factory(list)
    faults: list[str] = Factory(list)
    never_placed: list[AttemptId] = Factory(list)
    unsettled: list[AttemptId] = Factory(list)

    @property
    def has_unknown(self) -> bool:
        """Whether the dialer has said of any that there is no such call."""
        return bool(self.never_placed or self.unsettled)


class LookUp:
    """Asks about calls. ``is_settled`` says whether no request for an attempt can be under way any more."""

    def __init__(
        self, requests: Requests, settings: HttpLineSettings, clock: Clock, is_settled: Callable[[AttemptId], bool]
    ) -> None:
        self._requests = requests
        self._settings = settings
        self._clock = clock
        self._is_settled = is_settled

    async def ask(self, attempts: Sequence[Attempt]) -> tuple[list[Report], str | None]:
        """Give what is known, and why some could not be asked about; None where all were.

        404 is believed of nobody but the dialer: what stands before it, or in its place, may answer so to everything,
        and for a moment. So the dialer must be there before and after, and must not name the call as one that lives.
        """
        round_ = _Round([each.id for each in attempts])
        try:
            async with asyncio.timeout(self._settings.request_limit_s):
                before = await self._live()
                await self._ask_all(round_, {} if isinstance(before, str) else before)
                if round_.has_unknown:
                    self._conclude(round_, before, await self._live())
        except NotSent as error:
            round_.faults.append(str(error))
        except AdapterFault as fault:
            round_.faults.append(fault.message)
        except TimeoutError:
            round_.faults.append(f"the dialer has not said all within {self._settings.request_limit_s:g} s")
        return round_.learnt, round_.faults[0] if round_.faults else None

    def _conclude(self, round_: "_Round", *lives: dict[str, CallState] | str) -> None:
        live: dict[str, CallState] = {}
        for each in lives:
            if isinstance(each, str):
                raise AdapterFault("line_failed", each, is_retryable=True)
            live |= each
        at = self._clock.now()
        for name in (*round_.never_placed, *round_.unsettled):
            round_.learnt += self._known(live[name]) if name in live else ()
        gone = [name for name in round_.never_placed if name not in live]
        round_.learnt += [NeverPlaced(attempt_id=name, at=at) for name in gone]

    async def _ask_all(self, round_: "_Round", live: Mapping[str, CallState]) -> None:
        names = round_.names
        if len(names) > _FEW:
            for name in names:
                round_.learnt += self._known(live[name]) if name in live else ()
            names = [name for name in names if name not in live]
        left = iter(names)
        workers = {asyncio.ensure_future(self._work(left, round_)) for _ in range(min(_AT_ONCE, len(names)))}
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _live(self) -> dict[str, CallState] | str:
        """Give the calls that live, or why the dialer does not say."""
        try:
            answer = await self._requests.live()
            why = why_down(answer)
            return why or {state.attempt_id: state for state in read_live(answer.body)}
        except InvalidValue as error:
            return unreadable(error).message
        except AdapterFault as fault:
            return fault.message

    async def _work(self, names: Iterator[AttemptId], round_: "_Round") -> None:
        """Ask about one after the other. A dialer that can't be reached ends it; one bad answer does not."""
        for name in names:
            try:
                await self._ask_about(name, round_)
            except AdapterFault as fault:
                round_.faults.append(fault.message)

    async def _ask_about(self, attempt_id: AttemptId, round_: "_Round") -> None:
        # Asked before the answer: what is not settled now may reach the dialer right behind the question.
        is_settled = self._is_settled(attempt_id)
        answer = await self._requests.look_up(attempt_id)
        if answer.status == HTTPStatus.NOT_FOUND:
            (round_.never_placed if is_settled else round_.unsettled).append(attempt_id)
        elif answer.status == HTTPStatus.OK:
            round_.learnt += self._known(call_state(answer, attempt_id))
        else:
            raise AdapterFault("line_failed", sentence(answer), is_retryable=True)

    def _known(self, state: CallState) -> list[Report]:
        attempt_id, now = AttemptId(state.attempt_id), self._clock.now()
        if state.outcome is not None and state.ended_at is not None:
            return [
                Ended(attempt_id=attempt_id, at=state.ended_at, outcome=state.outcome, duration_s=_duration_s(state))
            ]
        placed = Placed(attempt_id=attempt_id, at=now, call_id=state.call_id)
        if state.answered_at is not None:
            return [placed, Answered(attempt_id=attempt_id, at=state.answered_at)]
        return [placed, Ringing(attempt_id=attempt_id, at=now)]


def _duration_s(state: CallState) -> float | None:
    if state.duration_s is not None or state.answered_at is None or state.ended_at is None:
        return state.duration_s
    return max((state.ended_at - state.answered_at).total_seconds(), 0.0)
