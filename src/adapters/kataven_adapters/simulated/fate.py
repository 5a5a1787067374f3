"""What becomes of a call: drawn from the seed and the attempt id, so that it is the same in whatever order calls come.

Only ``Random.random`` is used: of all that the module draws, its sequence alone is kept from one Python to the next.
"""

from bisect import bisect
from itertools import accumulate
from random import Random  # noqa: TID251 - chance is drawn from the seed
from typing import NamedTuple

from kataven_core import AttemptId, Outcome

from .settings import CHANCE_NAMES, SimulatedSettings


class Fate(NamedTuple):
    """One call's end, how long its phone rings before it is answered or ends, and how long the talk lasts."""

    outcome: Outcome
    ring_s: float
    talk_s: float

    @property
    def is_answered(self) -> bool:
        """Whether somebody, or a machine, picks up."""
        return self.outcome in {Outcome.ANSWERED, Outcome.MACHINE}


class Fates:
    """Draws each call's fate."""

    def __init__(self, settings: SimulatedSettings) -> None:
        self._settings = settings
        # In the order of the table, never in that of the settings: `busy=…&answer=…` is the same world.
        likely = [each for each in CHANCE_NAMES.values() if settings.chances.get(each)]
        self._outcomes = likely
        # The last one takes what rounding leaves over.
        self._bounds = list(accumulate(settings.chances[each] for each in likely[:-1]))

    def of(self, attempt_id: AttemptId) -> Fate:
        """Draw one call's fate: the same for the same seed and attempt, and no other call has a part in it."""
        draw = Random(f"{self._settings.seed}:{attempt_id}").random  # noqa: S311 - nothing here is a secret
        return Fate(
            outcome=self._outcomes[bisect(self._bounds, draw())],
            ring_s=self._settings.ring_s * (0.5 + draw()),
            talk_s=self._settings.talk_s * (0.5 + draw()),
        )
