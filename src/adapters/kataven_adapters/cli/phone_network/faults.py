"""What goes wrong on purpose. Whom it meets is drawn from the seed and the attempt, so that runs repeat."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from random import Random  # noqa: TID251 - chance is drawn from the seed
from typing import Any, Final

from attrs import evolve, frozen

from kataven_core import InvalidValue, Problem

MAX_MEAN_S: Final = 3_600.0
"""An hour; more is a typing mistake."""
_KEPT_TRIES: Final = 100_000
"""Attempts of which it is known how often they were asked for; what meets an older one is drawn as if it were new."""

CHANCES: Final[Mapping[str, str]] = {
    "lose": "a report is never sent",
    "repeat": "a report is sent once more, within a second",
    "reorder": "a report is sent after the next one of its call",
    "refuse": "POST /calls: 429, nothing is placed",
    "fail": "POST /calls: 500; half of them after the call was placed",
    "never": "POST /calls: no answer ever; half of them after the call was placed",
    "fail_look_up": "GET and DELETE of calls: 503",
}
"""The faults that have a chance from 0 to 1, and what each means."""
MEANS_S: Final[Mapping[str, str]] = {
    "delay_s": "a report is sent so much later",
    "slow_s": "POST /calls: the answer comes so much later",
}
"""Those that have a mean in seconds; each case takes from none to twice as much."""


@frozen(kw_only=True)
class Faults:
    """How likely each fault is, and how long the slow ones take; without any, nothing goes wrong."""

    lose: float = 0.0
    repeat: float = 0.0
    reorder: float = 0.0
    refuse: float = 0.0
    fail: float = 0.0
    never: float = 0.0
    fail_look_up: float = 0.0
    delay_s: float = 0.0
    slow_s: float = 0.0


def changed(faults: Faults, members: object) -> Faults:
    """Give the faults with some set anew, or raise ``InvalidValue``, which says what is allowed."""
    if not isinstance(members, dict):
        raise InvalidValue("invalid_faults", 'write a JSON object, such as {"lose": 0.1, "delay_s": 2}')
    problems = list(_wrong(members))
    if problems:
        raise InvalidValue.of("invalid_faults", problems)
    return evolve(faults, **{name: float(value) for name, value in members.items()})


def _wrong(members: dict[str, Any]) -> Iterator[Problem]:
    known = [*CHANCES, *MEANS_S]
    for name, value in members.items():
        if name not in known:
            yield Problem(name, f"there is no fault {name[:40]!r}: use {', '.join(known[:-1])} or {known[-1]}")
            continue
        most, allowed = (1.0, "a chance from 0 to 1") if name in CHANCES else (MAX_MEAN_S, "0 to 3600 seconds")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= most:
            yield Problem(name, f"{name} is {str(value)[:40]}: write {allowed}")


class Mishaps:
    """Says what goes wrong in each case; ``faults`` may be set while calls are up."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.faults = faults
        self._seed = seed
        self._tries: OrderedDict[str, int] = OrderedDict()

    def count_try(self, attempt_id: str) -> int:
        """Count one request for an attempt, from 0: the second one is met by something else than the first."""
        tries = self._tries.pop(attempt_id, 0)
        self._tries[attempt_id] = tries + 1
        if len(self._tries) > _KEPT_TRIES:
            self._tries.popitem(last=False)
        return tries

    def meets(self, fault: str, attempt_id: str, case: int | str) -> bool:
        """Draw whether this fault meets this case of this attempt."""
        chance: float = getattr(self.faults, fault)
        return chance > 0 and self._draw(attempt_id, fault, case) < chance

    def is_placed_before(self, fault: str, attempt_id: str, case: int | str) -> bool:
        """Draw whether the call is placed before this fault meets its request: so it is for half of them."""
        return self._draw(attempt_id, f"{fault}, placed", case) < 0.5  # noqa: PLR2004 - a half is a half

    def wait_s(self, mean: str, attempt_id: str, case: int | str) -> float:
        """Draw how long this case has to wait."""
        mean_s: float = getattr(self.faults, mean)
        return 2 * mean_s * self._draw(attempt_id, mean, case) if mean_s else 0.0

    def echo_s(self, attempt_id: str, case: int | str) -> float:
        """Draw how long after a report the same comes once more: less than a second."""
        return self._draw(attempt_id, "echo", case)

    def _draw(self, attempt_id: str, kind: str, case: int | str) -> float:
        return Random(f"{self._seed}:{attempt_id}:{kind}:{case}").random()  # noqa: S311 - nothing here is a secret
