"""The line port over a dialer that is asked by HTTP, and reports by HTTP what became of its calls."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Self

from kataven_adapters.wire.http_line import read_reports, request_of, write_request
from kataven_adapters.wire.webhooks import key_of, verify
from kataven_core import AdapterFault, Attempt, AttemptId, Ended, Order, Outcome, Placed, Report, Unsent
from kataven_core.ports import Clock, Deliver, Originated

from .answers import placed_call, refuses_number, retry_after_s, sentence, why_down
from .health import Health
from .look_up import LookUp
from .requests import Answer, NotSent, Requests
from .settings import HttpLineSettings

_REFUSALS = range(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
"""After these the call was surely not placed."""


class HttpLine:
    """Places calls with a dialer. They live there: they go on when this process is gone.

    Whoever answers its ``report_url`` hands what comes to ``take``. ``InvalidValue`` where the secret is none.
    """

    def __init__(self, settings: HttpLineSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._key = key_of(settings.secret)
        self._requests = Requests(settings)
        self._health = Health(self._probe, settings)
        self._look_up = LookUp(self._requests, settings, clock, self._is_settled)
        self._deliver: Deliver | None = None
        self._opened_at: float | None = None
        self._under_way: set[AttemptId] = set()
        self._asked: dict[AttemptId, float] = {}
        """When the last requests for calls ended, in monotonic seconds, the oldest first."""

    async def __aenter__(self) -> Self:
        """Open it, though the dialer may be away: then it is in trouble until the dialer answers."""
        self._requests.open()
        self._opened_at = self._clock.monotonic()
        await self._health.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ask and take nothing more; calls go on."""
        self._opened_at = None
        await self._health.close()
        await self._requests.close()

    def listen(self, deliver: Deliver, turned: Callable[[], None]) -> None:
        """Report to ``deliver``, and say by ``turned`` when trouble has come or gone."""
        self._deliver = deliver
        self._health.listen(turned)

    @property
    def trouble(self) -> str | None:
        """Why the dialer takes no calls, or none is asked for."""
        return self._health.trouble

    async def drain(self) -> None:
        """Come back at once: no call dies with this process."""

    # Placing.

    async def originate(self, order: Order) -> Originated:
        """Ask for one call, once. ``AdapterFault`` where nobody knows whether the dialer has heard of it."""
        attempt_id = order.attempt_id
        if self.trouble is not None or self._deliver is None:
            return self._unsent(attempt_id)
        body = write_request(
            request_of(
                order,
                ring_timeout_s=self._settings.ring_timeout_s,
                max_duration_s=self._settings.max_duration_s,
                report_url=self._settings.report_url,
            )
        )
        self._under_way.add(attempt_id)
        try:
            return self._understood(attempt_id, await self._requests.place(attempt_id, body))
        except NotSent as error:
            self._health.fail(str(error), at_once=False)
            return self._unsent(attempt_id)
        except AdapterFault as fault:
            self._health.fail(fault.message, at_once=True)
            raise
        finally:
            self._has_ended(attempt_id)

    def _understood(self, attempt_id: AttemptId, answer: Answer) -> Originated:
        now = self._clock.now()
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            call_id = placed_call(answer, attempt_id).call_id
            self._health.placed()
            return Originated(report=Placed(attempt_id=attempt_id, at=now, call_id=call_id))
        if answer.status not in _REFUSALS:  # a redirect too: some place the call, and then lead to it
            raise AdapterFault("line_failed", sentence(answer), is_retryable=True)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return self._unsent(attempt_id, retry_after_s(answer, now))
        if refuses_number(answer):
            return Originated(report=Ended(attempt_id=attempt_id, at=now, outcome=Outcome.INVALID_NUMBER))
        self._health.fail(sentence(answer), at_once=False)
        return self._unsent(attempt_id)

    def _unsent(self, attempt_id: AttemptId, wait_s: float | None = None) -> Originated:
        return Originated(report=Unsent(attempt_id=attempt_id, at=self._clock.now()), retry_after_s=wait_s)

    async def _probe(self) -> str | None:
        try:
            return why_down(await self._requests.live())
        except NotSent as error:
            return str(error)
        except AdapterFault as fault:
            return fault.message

    # Finding out.

    async def reconcile(self, attempts: Sequence[Attempt]) -> Sequence[Report]:
        """Say what the dialer knows; ``AdapterFault`` where it could not be asked about all, after delivering that."""
        learnt, fault = await self._look_up.ask(attempts)
        if fault is None:
            return learnt
        if learnt and self._deliver is not None:
            self._deliver(learnt)
        raise AdapterFault("line_failed", fault, is_retryable=True)

    def _has_ended(self, attempt_id: AttemptId) -> None:
        """Remember when a request ended, for as long as that counts."""
        now = self._clock.monotonic()
        self._under_way.discard(attempt_id)
        self._asked[attempt_id] = now
        while self._asked and now - next(iter(self._asked.values())) >= self._settings.settled_after_s:
            del self._asked[next(iter(self._asked))]

    def _is_settled(self, attempt_id: AttemptId) -> bool:
        """Whether no request for it can reach the dialer any more: ours, or one of a process before this one."""
        if self._opened_at is None or attempt_id in self._under_way:
            return False
        ended_at = max(self._opened_at, self._asked.get(attempt_id, self._opened_at))
        return self._clock.monotonic() - ended_at >= self._settings.settled_after_s

    # Reports.

    async def take(self, headers: Mapping[str, str], body: bytes) -> None:
        """Take what was posted to ``report_url``; when this returns, it is durable.

        ``CommandRefused`` with the code ``bad_signature`` where it is not by the dialer; ``InvalidValue`` names what is
        wrong in it; ``AdapterFault`` while the line is not open or nobody listens, or where it can't be written.
        """
        verify(self._key, headers, body, self._clock.now())
        reports = [report.to_core() for report in read_reports(body)]
        if self._opened_at is None or self._deliver is None:
            raise AdapterFault("line_closed", "reports are not taken now: send them again", is_retryable=True)
        if reports:
            await self._deliver(reports)
