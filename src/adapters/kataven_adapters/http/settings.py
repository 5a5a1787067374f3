"""How much the API takes, and how long it waits."""

from attrs import frozen

from kataven_core import MAX_FILE_BYTES, RETRY_DELAY_MIN_S


@frozen(kw_only=True)
class ApiSettings:
    """Limits of the API; the defaults are the contract's.

    ``max_body_bytes`` of a whole request. A body must bring ``body_window_bytes`` in every ``body_window_s``, or it is
    cut off. ``max_streams`` event streams at once. ``requests_per_minute`` of one account, None: as many as it likes.
    ``tick_s`` between snapshots of a campaign that runs, ``heartbeat_s`` between signs of life; a listener that takes
    nothing for ``blocked_s`` is dropped.
    """

    max_body_bytes: int = MAX_FILE_BYTES + 64 * 1024
    body_window_s: float = 12.0
    body_window_bytes: int = 4096
    max_streams: int = 1_000
    requests_per_minute: int | None = None
    retry_delay_min_s: int = RETRY_DELAY_MIN_S
    tick_s: float = 2.0
    heartbeat_s: float = 15.0
    blocked_s: float = 30.0
