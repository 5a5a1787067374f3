"""Whether the dialer takes calls: what is wrong with it, and asking until it is not."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from .settings import HttpLineSettings

log = logging.getLogger(__name__)

NOT_OPEN = "the line is not open"


class Health:
    """Remembers the trouble, and probes in the background while there is any.

    ``probe`` gives what is wrong, or None. Pauses grow from one probe to the next, over all times in which the line was
    up and placed no call: a dialer that answers probes and fails at every call is asked ever less often.
    """

    def __init__(self, probe: Callable[[], Awaitable[str | None]], settings: HttpLineSettings) -> None:
        self._probe = probe
        self._settings = settings
        self._turned: Callable[[], None] | None = None
        self._probing: asyncio.Task[None] | None = None
        self._was_asked = asyncio.Event()
        self._failures = 0
        self._pause_s = 0.0
        self.trouble: str | None = NOT_OPEN

    def listen(self, turned: Callable[[], None]) -> None:
        """Tell from now on when trouble has come or gone."""
        self._turned = turned

    async def open(self) -> None:
        """Probe at once, and wait for what comes of it, but not for long."""
        self.trouble = "the dialer has not been reached yet"
        self._pause_s = 0.0
        self._was_asked.clear()
        self._probing = asyncio.get_running_loop().create_task(self._until_up(0.0))
        try:
            async with asyncio.timeout(self._settings.open_patience_s):
                await self._was_asked.wait()
        except TimeoutError:
            pass

    async def close(self) -> None:
        """Probe no more."""
        self.trouble = NOT_OPEN
        probing, self._probing = self._probing, None
        if probing is not None:
            probing.cancel()
            await asyncio.wait({probing})

    def fail(self, sentence: str, *, at_once: bool) -> None:
        """Be in trouble. The first probe comes ``at_once`` where it may have been one bad answer."""
        if self._probing is None:  # closed meanwhile
            return
        self._failures += 1
        had_trouble, self.trouble = self.trouble is not None, sentence
        if had_trouble:
            return
        first_s = 0.0 if at_once else self._settings.first_pause_s
        self._probing = asyncio.get_running_loop().create_task(self._until_up(max(first_s, self._pause_s)))
        self._tell()

    def placed(self) -> None:
        """Count the dialer as sound: a call was placed."""
        if self.trouble is None:
            self._pause_s = 0.0

    async def _until_up(self, pause_s: float) -> None:
        while True:
            self._pause_s = min(max(2 * pause_s, self._settings.first_pause_s), self._settings.longest_pause_s)
            await asyncio.sleep(pause_s)
            failures = self._failures
            try:
                trouble = await self._probe()
            except Exception as error:
                log.exception("the dialer's answer to a probe could not be understood")
                trouble = f"the dialer's answer to a probe could not be understood: {type(error).__name__}"
            if trouble is None and failures == self._failures:
                self.trouble = None
                self._was_asked.set()
                self._tell()
                return
            self.trouble = trouble or self.trouble
            self._was_asked.set()
            pause_s = self._pause_s

    def _tell(self) -> None:
        if self._turned is not None:
            self._turned()
