"""The pure heart of the engine: one account's whole turn."""

from datetime import datetime

from kataven_core.values import utc

from .claim import claim, hold
from .decision import Decision
from .look_ahead import look_ahead
from .obey import obey
from .settle import settle
from .time_passes import pass_time
from .turn import Turn
from .view import AccountView, Inputs


def decide(view: AccountView, inputs: Inputs, now: datetime) -> Decision:
    """Decide what to write, dial and tell, from what was read and what has come in.

    Reports first, as they free slots; commands next, so that a pause wins over a claim; then what time brings; claims
    last, against the caps as they now are; then when to look again. Pure, ids included: the same arguments give the
    same decision, so it may be made again after a failure. ``now`` is UTC. Nothing of it may leave before all its
    changes are committed.
    """
    turn = Turn(view, utc(now))
    settle(turn, view, inputs.reports, inputs.retry_jitter_s)
    obey(turn, inputs.commands)
    pass_time(turn)
    if inputs.line_is_up:
        claim(turn)
    else:
        hold(turn, inputs.line_opens_at)
    look_ahead(turn)
    return turn.decision()
