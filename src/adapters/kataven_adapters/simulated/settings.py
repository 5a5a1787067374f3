"""What calls on the simulated line come to, and how long they take."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from kataven_core import InvalidValue, Outcome, Problem

CHANCE_NAMES: Final[Mapping[str, Outcome]] = {
    "answer": Outcome.ANSWERED,
    "busy": Outcome.BUSY,
    "no_answer": Outcome.NO_ANSWER,
    "failed": Outcome.FAILED,
    "machine": Outcome.MACHINE,
    "declined": Outcome.DECLINED,
    "invalid_number": Outcome.INVALID_NUMBER,
}
"""How people write the outcomes that have a chance; the order in which they are drawn."""
DEFAULT_CHANCES: Final[Mapping[Outcome, float]] = MappingProxyType(
    {Outcome.ANSWERED: 0.6, Outcome.BUSY: 0.1, Outcome.NO_ANSWER: 0.2, Outcome.FAILED: 0.1}
)
MAX_MEAN_S: Final = 86_400.0
"""A day; a longer ring or talk is a typing mistake."""
_ROUNDING: Final = 1e-6
"""How far from 1 the chances may sum: ten times 0.1 is not quite 1."""


def _copy(chances: Mapping[Outcome, float]) -> Mapping[Outcome, float]:
    return MappingProxyType(dict(chances))


@frozen(kw_only=True)
class SimulatedSettings:
    """The made-up world of one line. ``InvalidValue`` names every setting that can't be used.

    ``chances`` of the outcomes sum to 1; one that is left out is 0. ``ring_s`` and ``talk_s`` are means, in seconds.
    ``log`` is the file to which what phones heard is appended; None: nobody wants to know.
    """

    seed: int = 7
    chances: Mapping[Outcome, float] = field(default=DEFAULT_CHANCES, converter=_copy)
    ring_s: float = 0.05
    talk_s: float = 0.2
    log: str | None = None

    def __attrs_post_init__(self) -> None:
        problems = [*_wrong_chances(self.chances), *_wrong_means({"ring_s": self.ring_s, "talk_s": self.talk_s})]
        if self.log == "":
            problems.append(Problem("log", "log is empty: name a file"))
        if problems:
            raise InvalidValue.of("invalid_settings", problems)


def _wrong_chances(chances: Mapping[Outcome, float]) -> Iterator[Problem]:
    names = {outcome: name for name, outcome in CHANCE_NAMES.items()}
    strange = [outcome for outcome in chances if outcome not in names]
    outside = [outcome for outcome, chance in chances.items() if outcome in names and not 0 <= chance <= 1]
    for outcome in strange:
        yield Problem(outcome, f"{outcome} has no chance on a simulated line: leave it out")
    for outcome in outside:
        name = names[outcome]
        yield Problem(name, f"{name} is {chances[outcome]:g}: a chance must be from 0 to 1")
    total = sum(chances.values())
    if not strange and not outside and abs(total - 1) > _ROUNDING:
        listed = " + ".join(f"{names[outcome]} {chance:g}" for outcome, chance in chances.items()) or "none of them"
        yield Problem("chances", f"the chances sum to {total:.6g} ({listed}): change them so that they sum to 1")


def _wrong_means(means: Mapping[str, float]) -> Iterator[Problem]:
    for name, mean_s in means.items():
        if not 0 <= mean_s <= MAX_MEAN_S:
            yield Problem(name, f"{name} is {mean_s:g}: it must be from 0 to {MAX_MEAN_S:g} seconds")
