"""How long the engine waits for what, in seconds."""

from attrs import frozen


@frozen(kw_only=True)
class EngineSettings:
    """The engine's patience. The defaults are what its promises are made of; tests make them shorter.

    ``send_deadline_s``: a claimed call that has not left by then is not sent. ``originate_limit_s``: no request to the
    line lasts longer; whether one to place a call then rings a phone is left open. ``settle_limit_s``: how long an
    answer to pause, stop and delete waits for sends under way. ``drain_s``: how long leaving the engine lets calls end
    that would die with it. ``reconcile_every_s``: how often the line is asked about a call that may be up, until after
    ``lost_after_s`` of not knowing it is given up; a line that can't be asked is waited for, but not longer than
    ``longest_call_s``: no call rings and lasts that long. ``line_pause_s``: how long a line that refuses a call is left
    alone, doubled each time up to ``line_pause_max_s``; ``store_pause_s`` and ``store_pause_max_s``: the same for a
    store that can't write.
    """

    send_deadline_s: float = 5.0
    originate_limit_s: float = 5.0
    settle_limit_s: float = 5.0
    drain_s: float = 8.0
    reconcile_every_s: float = 30.0
    lost_after_s: float = 120.0
    longest_call_s: float = 3_720.0
    line_pause_s: float = 1.0
    line_pause_max_s: float = 30.0
    store_pause_s: float = 0.1
    store_pause_max_s: float = 5.0
