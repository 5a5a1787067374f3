"""What phones heard: a JSON line for each event, so that others can hold the engine's own story against it."""

import json
import os
from datetime import datetime
from logging import getLogger
from typing import Final, Literal

from kataven_core import AdapterFault, Order, Outcome, format_rfc3339

_LOG = getLogger(__name__)
_OWNER_ONLY: Final = 0o600
"""The file's mode where it is new: it holds people's numbers."""

PhoneEvent = Literal["ring", "answer", "end"]


class PhoneLog:
    """Appends lines to a file, each with one call to the system: a process that is killed leaves whole lines behind.

    Without a name it writes nothing. Once a line can't be written, no more are, as a log with holes would lie; that is
    said once, and calls go on.
    """

    def __init__(self, name: str | None) -> None:
        self._name = name
        self._file: int | None = None

    def open(self) -> None:
        """Open or create the file; ``AdapterFault`` where it can't be written."""
        if self._name is None:
            return
        try:
            self._file = os.open(self._name, os.O_APPEND | os.O_CREAT | os.O_WRONLY, _OWNER_ONLY)
        except (OSError, ValueError) as error:  # ValueError: the name holds a NUL
            raise AdapterFault(
                "log_unwritable",
                f"simulated://: the log {self._name!r} can't be written: {_reason(error)}: name another file, or none",
            ) from None

    def write(self, event: PhoneEvent, order: Order, at: datetime, outcome: Outcome | None = None) -> None:
        """Append one event; it is with the system when this returns."""
        if self._file is None:
            return
        members = {
            "event": event,
            "attempt_id": order.attempt_id,
            "campaign_id": order.campaign_id,
            "to": order.to,
            **({"outcome": outcome} if outcome else {}),
            "at": format_rfc3339(at),
        }
        line = json.dumps(members).encode() + b"\n"
        try:
            is_whole = os.write(self._file, line) == len(line)
        except OSError as error:
            self._give_up(_reason(error))
        else:
            if not is_whole:
                self._give_up("there is no room left")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _give_up(self, reason: str) -> None:
        self.close()
        _LOG.error("the log %r can't be written: %s: it ends here, calls go on", self._name, reason)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
