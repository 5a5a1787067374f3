"""For how long the line is left alone with an account's calls, after it has refused one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf
from typing import Final

from kataven_core.ports import Clock
from kataven_core.values import AccountId

from .settings import EngineSettings

_LONGEST_S: Final = 86_400.0
"""However long a line wants to be left alone, it is asked once a day."""


class LinePauses:
    """Pauses by account; each refusal in a row doubles the next, where the line does not say how long.

    ``is_up`` says whether the line takes anybody's calls. ``chance`` makes our own pauses up to a fifth shorter, so
    that accounts that were refused together do not come back together.
    """

    def __init__(
        self,
        clock: Clock,
        settings: EngineSettings,
        *,
        is_up: Callable[[], bool] = lambda: True,
        chance: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._clock = clock
        self._is_up = is_up
        self._settings = settings
        self._chance = chance
        self._ends: dict[AccountId, float] = {}
        self._refusals: dict[AccountId, int] = {}
        self._is_closed = False

    def begin(self, account_id: AccountId, retry_after_s: float | None) -> None:
        """Leave the line alone. A pause that lasts goes on, as refusals come in bursts; a longer wish counts."""
        asked_s = min(retry_after_s, _LONGEST_S) if retry_after_s and 0 < retry_after_s < inf else None
        if self.until(account_id):
            if asked_s:
                self._ends[account_id] = max(self._ends[account_id], self._clock.monotonic() + asked_s)
            return
        refusals = self._refusals[account_id] = self._refusals.get(account_id, 0) + 1
        longest = self._settings.line_pause_max_s
        wait_s = min(self._settings.line_pause_s * 2.0 ** min(refusals - 1, 30), longest)
        wait_s *= 1 - self._chance() / 5
        self._ends[account_id] = self._clock.monotonic() + (asked_s or wait_s)

    def end(self, account_id: AccountId) -> None:
        """Forget the refusals: the line has taken a call."""
        self._refusals.pop(account_id, None)

    def until(self, account_id: AccountId) -> datetime | None:
        """Say when the pause ends; None when there is none."""
        left_s = self._ends.get(account_id, 0.0) - self._clock.monotonic()
        if left_s <= 0:
            self._ends.pop(account_id, None)
            return None
        return self._clock.now() + timedelta(seconds=left_s)

    def close(self) -> None:
        """Let nothing be dialled any more."""
        self._is_closed = True

    def is_open(self, account_id: AccountId) -> bool:
        """Whether calls of the account may be placed."""
        return not self._is_closed and self._is_up() and self.until(account_id) is None
