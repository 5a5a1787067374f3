"""One open event stream: what it has not sent yet is replaced by what is newer, and it holds nobody up."""

from collections.abc import Callable
from typing import Final, Protocol

from .sse import HEARTBEAT, Frames

LAST_WORDS_S: Final = 0.5
"""How long a sink tries to send its last frames to a client that is behind."""


class Sink(Protocol):
    """An open response. Nothing here waits."""

    @property
    def is_gone(self) -> bool:
        """Whether the client has left."""
        ...

    def write(self, frame: bytes) -> bool:
        """Send a frame, unless what was sent before has not left yet: then take nothing, and say False."""
        ...

    def finish(self, frames: bytes) -> None:
        """Send the last frames and let the response end: ``LAST_WORDS_S`` from now, whatever has not left."""
        ...

    def abort(self) -> None:
        """Close the connection, whatever has not left yet."""
        ...


class Listener:
    """Hears a campaign from before its first frame is read until the response has ended."""

    def __init__(self, leave: Callable[["Listener"], None]) -> None:
        self._leave = leave
        self._sink: Sink | None = None
        self._sequence = 0
        self._newest: Frames | None = None
        self._blocked_since: float | None = None
        self._is_over = False

    def begin(self, first: Frames) -> None:
        """Say what is sent before all that is heard: what was read before that is older, and never sent."""
        self._sequence = first.sequence
        if self._newest and self._newest.sequence < first.sequence:
            self._newest = None

    def attach(self, sink: Sink) -> None:
        """Begin to send, after the first frame; what came meanwhile is sent at once."""
        self._sink = sink
        self._blocked_since = None
        if self._newest and self._newest.is_end:
            self._end(sink, self._newest)
        elif self._is_over:
            sink.finish(b"")
        else:
            self.catch_up()

    def catch_up(self) -> None:
        """Send what could not be sent before, where there is room for it now."""
        newest = self._newest
        if self._sink and newest and not newest.is_end and self._sink.write(newest.frames):
            self._newest = self._blocked_since = None

    def hear(self, newest: Frames | None, *, is_beat: bool, now: float) -> None:
        """Send the newest frames, a sign of life where it is time for one; keep what can't be sent now for later.

        ``now`` is what ``is_blocked_for`` counts from.
        """
        if newest and newest.sequence >= self._sequence:
            self._newest = newest
        if self._sink is None:
            self._block(now)
        elif self._sink.is_gone:
            self.drop()
        elif self._newest and self._newest.is_end:
            self._end(self._sink, self._newest)
        elif self._newest or is_beat or self._blocked_since is not None:
            self._send(self._sink, self._newest, is_beat=is_beat, now=now)

    def is_blocked_for(self, seconds: float, now: float) -> bool:
        """Say whether it has taken nothing for so long."""
        return self._blocked_since is not None and now - self._blocked_since >= seconds

    def drop(self) -> None:
        """Close the connection of a client that has left, or does not read."""
        self._is_over = True
        if self._sink:
            self._sink.abort()
        self.leave()

    def close(self) -> None:
        """Let the response end without a last frame: the server goes, and whoever listens may come back."""
        self._is_over = True
        if self._sink:
            self._sink.finish(b"")

    def leave(self) -> None:
        """Hear nothing more. May be called again."""
        self._leave(self)

    def _send(self, sink: Sink, newest: Frames | None, *, is_beat: bool, now: float) -> None:
        """Send what there is; a sign of life where there is nothing but the one that could not be sent before."""
        frames = newest.frames if newest else b""
        if sink.write(frames + HEARTBEAT if is_beat or not newest else frames):
            self._newest = self._blocked_since = None
        else:
            self._block(now)

    def _block(self, now: float) -> None:
        if self._blocked_since is None:
            self._blocked_since = now

    def _end(self, sink: Sink, last: Frames) -> None:
        sink.finish(last.frames)
        self.leave()
