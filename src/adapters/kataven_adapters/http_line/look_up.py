"""What became of calls, as the dialer knows it: each is asked for, where the list of live ones won't do."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Final

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

from .answers import call_state, sentence
from .requests import NotSent, Requests
from .settings import HttpLineSettings

_AT_ONCE: Final = 16
_FEW: Final = 50
"""So many are asked for one by one; of more, those that live are learnt from one list."""


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
        """Give what is known, and why some could not be asked about; None where all were."""
        learnt: list[Report] = []
        faults: list[str] = []
        try:
            async with asyncio.timeout(self._settings.request_limit_s):
                await self._ask_all([each.id for each in attempts], learnt, faults)
        except NotSent as error:
            faults.append(str(error))
        except TimeoutError:
            faults.append(f"the dialer has not said all within {self._settings.request_limit_s:g} s")
        return learnt, faults[0] if faults else None

    async def _ask_all(self, names: list[AttemptId], learnt: list[Report], faults: list[str]) -> None:
        if len(names) > _FEW:
            live = await self._live()
            wanted, names = names, [name for name in names if name not in live]
            for name in wanted:
                learnt += self._known(live[name]) if name in live else ()
        left = iter(names)
        workers = {asyncio.ensure_future(self._work(left, learnt, faults)) for _ in range(min(_AT_ONCE, len(names)))}
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _live(self) -> dict[str, CallState]:
        """Give the calls that live; none where the list can't be read, as each can be asked for."""
        try:
            answer = await self._requests.live()
            states = read_live(answer.body) if answer.status == HTTPStatus.OK else ()
        except (AdapterFault, InvalidValue):
            return {}
        return {state.attempt_id: state for state in states}

    async def _work(self, names: Iterator[AttemptId], learnt: list[Report], faults: list[str]) -> None:
        """Ask about one after the other. A dialer that can't be reached ends it; one bad answer does not."""
        for name in names:
            try:
                learnt += await self._one(name)
            except AdapterFault as fault:
                faults.append(fault.message)

    async def _one(self, attempt_id: AttemptId) -> Iterable[Report]:
        # Asked before the answer: what is not settled now may reach the dialer right behind the question.
        is_settled = self._is_settled(attempt_id)
        answer = await self._requests.look_up(attempt_id)
        if answer.status == HTTPStatus.NOT_FOUND:
            return [NeverPlaced(attempt_id=attempt_id, at=self._clock.now())] if is_settled else []
        if answer.status != HTTPStatus.OK:
            raise AdapterFault("line_failed", sentence(answer), is_retryable=True)
        return self._known(call_state(answer, attempt_id))

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
