"""Frames of an event stream (WHATWG, server-sent events). JSON without line breaks is one line of data."""

from typing import Final, NamedTuple

from kataven_core.codec import to_plain
from kataven_core.runtime import Progress

from .json import encode

HEARTBEAT: Final = b": heartbeat\n\n"


class Frames(NamedTuple):
    """A moment of a campaign as bytes. ``is_end`` where nothing comes after it."""

    sequence: int
    frames: bytes
    is_end: bool


def frames_of(progress: Progress, *, is_gone: bool = False) -> Frames:
    """Write a moment; the last one of a campaign that is over or gone, and its end."""
    data, sequence = encode(to_plain(progress.snapshot)), progress.sequence
    is_end = is_gone or progress.snapshot.status.is_terminal
    frame = data_frame(sequence, data)
    return Frames(sequence, frame + end_frame(sequence, data) if is_end else frame, is_end)


def data_frame(sequence: int, data: bytes) -> bytes:
    """Give a snapshot."""
    return b"id: %d\ndata: %b\n\n" % (sequence, data)


def end_frame(sequence: int, data: bytes) -> bytes:
    """Give the last snapshot once more, as the end: browsers drop an event that holds no data."""
    return b"id: %d\nevent: end\ndata: %b\n\n" % (sequence, data)
