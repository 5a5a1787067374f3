"""The real engine in virtual time, among people, processes and phones that do everything that goes wrong.

``simulate(seed, make_store=...)`` draws a plan and carries it out; ``run`` carries out one that is given. What comes
back names every breach of an invariant, as an oracle at the phones has seen it.
"""

from collections.abc import Callable

from kataven_core.ports import Store

from .draw import draw_plan
from .plan import (
    NO_CAPS,
    Broken,
    CampaignPlan,
    Crashed,
    Cut,
    Deed,
    Faults,
    Jumped,
    Operated,
    Phones,
    Plan,
    Put,
    Restarted,
    Sick,
    Stalled,
)
from .processes import MakeEngine
from .violation import Violation
from .world import Outcome, run

__all__ = [
    "NO_CAPS",
    "Broken",
    "CampaignPlan",
    "Crashed",
    "Cut",
    "Deed",
    "Faults",
    "Jumped",
    "MakeEngine",
    "Operated",
    "Outcome",
    "Phones",
    "Plan",
    "Put",
    "Restarted",
    "Sick",
    "Stalled",
    "Violation",
    "draw_plan",
    "run",
    "simulate",
]


def simulate(seed: int, *, make_store: Callable[[], Store], tell: Callable[[str], None] | None = None) -> Outcome:
    """Draw a plan from a seed and carry it out: the same seed is the same run, to the last callback."""
    return run(draw_plan(seed), make_store=make_store, tell=tell)
