"""What a planted bug is: a known-wrong variant of the engine, and a scenario in which it has to be caught."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from attrs import frozen

from kataven_core import Operation
from kataven_core.runtime.works import Works
from kataven_core.testing.simulation import CampaignPlan, Deed, Operated, Phones, Plan

TALKS: Final = Phones(answer=1.0, busy=0.0, no_answer=0.0, ring_s=1.0, talk_s=600.0)
"""Everybody picks up, and talks for ten minutes or so."""
CHATS: Final = Phones(answer=1.0, busy=0.0, no_answer=0.0, ring_s=1.0, talk_s=5.0)
"""Everybody picks up, and is brief."""
RINGS: Final = Phones(answer=0.0, busy=0.0, no_answer=1.0, ring_s=20.0)
"""Nobody picks up."""
START_S: Final = 5.0
"""When a scenario's campaigns are started; by then account and campaigns are there."""


class Swap(NamedTuple):
    """What is swapped in: ``wrong`` makes it of what stands there rightly."""

    owner: Any
    name: str
    wrong: Callable[[Any], Any]


@frozen(kw_only=True)
class PlantedBug:
    """A bug: ``invariants`` are those of which at least one must be found breached when ``plan`` is carried out."""

    name: str
    invariants: frozenset[str]
    swaps: Callable[[], Iterable[Swap]]
    plan: Plan

    @contextmanager
    def plant(self) -> Iterator[None]:
        """Have the bug in the engine for a while. What it remembers is forgotten when it is planted anew."""
        with ExitStack() as planted:
            for owner, name, wrong in self.swaps():
                planted.enter_context(patch.object(owner, name, wrong(vars(owner)[name])))
            yield


Swaps = Callable[[], Iterable[Swap]]


class Theme:
    """The bugs of one kind, in the order in which they stand."""

    def __init__(self) -> None:
        self.bugs: list[PlantedBug] = []

    def bug(self, *invariants: str, plan: Plan) -> Callable[[Swaps], Swaps]:
        """Add a bug by the function that gives its swaps: its name is the bug's."""

        def add(swaps: Swaps) -> Swaps:
            name = getattr(swaps, "__name__", "").replace("_", " ")
            self.bugs.append(PlantedBug(name=name, invariants=frozenset(invariants), swaps=swaps, plan=plan))
            return swaps

        return add


def a_plan(*deeds: Deed, campaigns: Iterable[CampaignPlan], **more: Any) -> Plan:
    """Give a scenario in which all campaigns that have no schedule are started at ``START_S``, and ``deeds`` done."""
    campaigns = tuple(campaigns)
    starts = (does(START_S, each.name, Operation.START, each.account) for each in campaigns if not each.scheduled_s)
    given: dict[str, Any] = {"calm_s": 300.0, "phones": CHATS} | more
    return Plan(campaigns=campaigns, deeds=(*starts, *deeds), **given)


def does(at_s: float, campaign: str, operation: Operation, account: str = "acme") -> Operated:
    """Have a campaign operated."""
    return Operated(at_s=at_s, campaign=campaign, operation=operation, account=account)


def at_each_start(forget: Callable[[], object]) -> Swap:
    """Have a process forget, when it begins, what is held in memory."""

    def wrong(init: Callable[..., None]) -> Callable[..., None]:
        def forgetful(self: Any, **parts: Any) -> None:
            forget()
            init(self, **parts)

        return forgetful

    return Swap(Works, "__init__", wrong)
