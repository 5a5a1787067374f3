"""One reader's way through a campaign's events, over as many connections as it takes; the decisions alone."""

from collections.abc import Callable
from typing import Final

from .calls import Call, is_sendable, listening
from .errors import ConnectionError, KatavenError, RateLimitError, ServerError, TimeoutError  # noqa: A004 - the client's own
from .retries import backoff_s
from .sse import END, EventParser, Item

MAX_FAILURES: Final = 10
"""Connections in a row that bring nothing; with the waits between them, some two minutes."""
_MAX_WAIT_S: Final = 30.0


class Following:
    """What has been read, and whether there is more to come."""

    def __init__(
        self, campaign_id: str, last_event_id: str | None, *, is_persistent: bool, chance: Callable[[], float]
    ) -> None:
        self._campaign_id = campaign_id
        self._last_event_id = last_event_id
        self._is_persistent = is_persistent
        self._chance = chance
        self._parser = EventParser()
        self._has_begun = False
        self._has_ended = False
        self._failures = 0

    def call(self) -> Call[None]:
        """Give what opens the next connection."""
        self._parser = EventParser()
        return listening(self._campaign_id, self._last_event_id)

    def read(self, chunk: bytes) -> list[Item]:
        """Take what came over the connection, and give what it holds."""
        items = self._parser.feed(chunk)
        if is_sendable(self._parser.last_event_id or ""):
            self._last_event_id = self._parser.last_event_id
        if items:
            self._has_begun, self._failures = True, 0
            self._has_ended = self._has_ended or END in items
        return items

    def wait_s(self, error: KatavenError | None) -> float | None:
        """Give how many seconds to wait before the next connection, once one is over; None where there is none.

        Raises ``error``, how the connection ended, where that is not to be got over.
        """
        if self._has_ended or (error is None and not self._is_persistent):
            return None
        self._failures += 1
        is_passing = error is None or isinstance(error, ConnectionError | TimeoutError | RateLimitError | ServerError)
        if not (self._is_persistent and self._has_begun and is_passing and self._failures <= MAX_FAILURES):
            raise error or ConnectionError("the server ends the events again and again: look into its log")
        return min(backoff_s(self._failures, self._chance()), _MAX_WAIT_S)
