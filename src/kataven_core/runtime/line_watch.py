"""Whether the line as a whole takes calls: not while it is in trouble, nor before it has said what is up since then."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from kataven_core.ports import Line

from .settings import EngineSettings

log = logging.getLogger("kataven_core.line")

_TRIES: Final = 3


class LineWatch:
    """Hears that the line's trouble has come or gone.

    ``ask`` asks the line about all calls that may be up, and says whether it has answered; ``is_up_again`` is called
    when it has, so that what waited for the line is looked at.
    """

    def __init__(
        self,
        line: Line,
        settings: EngineSettings,
        *,
        ask: Callable[[], Awaitable[bool]],
        is_up_again: Callable[[], None],
    ) -> None:
        self._line = line
        self._settings = settings
        self._ask = ask
        self._tell = is_up_again
        self._is_in_step = True
        self._asking: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        """Whether calls may be placed."""
        return self._is_in_step and self._line.trouble is None

    def turned(self) -> None:
        """Look at the line: its trouble has come or gone."""
        self.stop()
        if self._line.trouble is not None:
            self._is_in_step = False
            log.error("the line is down, nobody is dialled: %s", self._line.trouble)
        elif not self._is_in_step:
            self._asking = asyncio.get_running_loop().create_task(self._come_up())

    def stop(self) -> None:
        """Ask no more."""
        if self._asking:
            self._asking.cancel()

    async def _come_up(self) -> None:
        """Ask, and again where something could not be told; but let one call that never can be hold up no other.

        It holds its slot until it is known what became of it, so that nobody is dialled in its place.
        """
        for _ in range(_TRIES):
            if await self._ask():
                break
            await asyncio.sleep(self._settings.line_pause_s)
        self._is_in_step = True
        log.warning("the line is up again")
        self._tell()
