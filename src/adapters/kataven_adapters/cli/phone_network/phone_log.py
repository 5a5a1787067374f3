"""What phones heard: a JSON line for each event, on disk before anybody is told of it.

All that happens while one group of lines is being written becomes the next group, with one sync for all of them. The
file is also the network's memory: who opens it gets what phones heard before.
"""

import asyncio
import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from kataven_adapters.cli.failure import CommandFailure
from kataven_adapters.cli.output import one_line
from kataven_core import InvalidValue, Outcome, parse_rfc3339

_OWNER_ONLY: Final = 0o600
"""The file's mode where it is new: it holds people's numbers."""
_HEARD: Final = ("ring", "answer", "end")
_BEGINNING: Final = b'{"event": "'
"""How each line begins: what is cut off was one, and nobody's own text."""
_MEMBERS: Final = ("event", "attempt_id", "campaign_id", "account_id", "to", "at")


class PhoneLog:
    """Appends events to a file that no other process appends to.

    ``give_up`` gets one sentence when an event can't be written. No event is written after that, and nobody is told of
    those that were not, as a log with holes would lie.
    """

    def __init__(self, name: str, give_up: Callable[[str], None]) -> None:
        self._name = name
        self._give_up = give_up
        self._file = -1
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._lines: list[bytes] = []
        self._told_after: list[Callable[[], None]] = []
        self._next_group: asyncio.Future[None] | None = None
        self._group: asyncio.Future[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self.waiting = 0
        """Events of which nobody has been told yet."""

    def open(self) -> Iterator[Mapping[str, str]]:
        """Open or create the file and give the events that are in it; ``CommandFailure`` where it can't be used.

        A last line that is not whole is cut off: its process died over it, and told nobody.
        """
        try:
            self._file = os.open(self._name, os.O_APPEND | os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _OWNER_ONLY)
            _take(self._file)
            yield from self._events()
        except (OSError, ValueError) as error:  # ValueError: the name holds a NUL
            raise CommandFailure(self._sentence(error, "name another file with --log")) from None

    def write(self, event: Mapping[str, str], then: Callable[[], None]) -> None:
        """Append one event, and call ``then`` when it is on disk."""
        self._lines.append(json.dumps(event).encode() + b"\n")
        self._told_after.append(then)
        self.waiting += 1
        if self._next_group is None:
            self._next_group = asyncio.get_running_loop().create_future()
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())

    async def durable(self) -> None:
        """Wait until all that has been written so far is on disk; for ever, where it can't be."""
        latest = self._next_group or self._group
        if latest is not None:
            await asyncio.shield(latest)  # others wait for the same

    def close(self) -> None:
        """Let go of the file."""
        self._thread.shutdown()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._next_group is not None:
            self._group, self._next_group = self._next_group, None
            lines, self._lines = self._lines, []
            told_after, self._told_after = self._told_after, []
            try:
                await loop.run_in_executor(self._thread, _append, self._file, b"".join(lines))
            except OSError as error:
                self._give_up(self._sentence(error, "the network ends here, as a log with holes would lie"))
                await loop.create_future()
            for then in told_after:
                loop.call_soon(self._tell, then)
            self._group.set_result(None)
        self._group = self._writing = None

    def _tell(self, then: Callable[[], None]) -> None:
        self.waiting -= 1
        then()

    def _events(self) -> Iterator[Mapping[str, str]]:
        whole_bytes = 0
        with open(self._file, "rb", closefd=False) as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n") and _BEGINNING.startswith(line[: len(_BEGINNING)]):
                    os.ftruncate(self._file, whole_bytes)
                    return
                whole_bytes += len(line)
                yield self._event(number, line)

    def _event(self, number: int, line: bytes) -> Mapping[str, str]:
        event = _as_event(line)
        if event is None:
            sentence = f"{self._name}: line {number} is nothing that a phone heard: name another file with --log"
            raise CommandFailure(one_line(sentence))
        return event

    def _sentence(self, error: OSError | ValueError, hint: str) -> str:
        reason = getattr(error, "strerror", None) or str(error)
        return one_line(f"the log {self._name} can't be written: {reason}: {hint}")


def _take(file: int) -> None:
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise OSError(None, "it is no regular file")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(None, "another phone network writes it") from None


def _as_event(line: bytes) -> Mapping[str, str] | None:
    try:
        event = json.loads(line)
        are_texts = all(isinstance(event[name], str) for name in _MEMBERS)
        parse_rfc3339(event["at"])
        has_outcome = (event["event"] == "end") == (event.get("outcome") in set(Outcome))
    except (ValueError, TypeError, KeyError, InvalidValue):
        return None
    return event if are_texts and has_outcome and event["event"] in _HEARD else None


def _append(file: int, lines: bytes) -> None:
    while lines:
        lines = lines[os.write(file, lines) :]
    os.fsync(file)
