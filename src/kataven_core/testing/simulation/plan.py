"""What happens in a simulated run: who is dialled, what people do, and what goes wrong how often."""

from collections.abc import Iterable
from typing import Final

from attrs import field, frozen

from kataven_core import Caps, Operation

NO_CAPS: Final = Caps()


@frozen(kw_only=True)
class CampaignPlan:
    """A campaign and its contacts, by the numbers that ``samples.a_number`` gives for these.

    It is created at ``created_s`` seconds of the run; with ``scheduled_s`` it starts by itself, so long after it.
    """

    name: str
    account: str = "acme"
    numbers: tuple[int, ...] = (0,)
    cap: int = 5
    retries: int = 0
    retry_delay_s: int = 300
    created_s: float = 0.0
    scheduled_s: float | None = None


@frozen(kw_only=True)
class Faults:
    """How likely each fault is, per request, report, call of the store or step; without any, nothing goes wrong.

    On the way to the line: a request is ``lost`` before it arrives, arrives ``late`` when its sender has given up,
    loses its ``answer`` after the call was placed, is ``slow`` to be answered, is ``refused`` for now (429), or its
    ``number`` is. On the way back: a report is lost, repeated, delayed, and so overtaken. ``look_up``: asking about
    calls fails, takes for ever, or gives a part. In the store: ``read`` and ``write`` fail before anything is done,
    ``roll_back`` when all is decided and nothing written; ``crash_before`` and ``crash_after`` let the process die at
    the edge of a commit, ``stall_after`` lets it stand still there and be replaced; ``pace_s`` is how long it takes at
    most.
    """

    lost: float = 0.0
    late: float = 0.0
    answer: float = 0.0
    slow: float = 0.0
    refused: float = 0.0
    number: float = 0.0
    report_lost: float = 0.0
    report_repeated: float = 0.0
    report_delayed: float = 0.0
    look_up: float = 0.0
    read: float = 0.0
    write: float = 0.0
    crash_before: float = 0.0
    crash_after: float = 0.0
    roll_back: float = 0.0
    stall_after: float = 0.0
    pace_s: float = 0.01


@frozen(kw_only=True)
class Phones:
    """What phones do: the chances of each end, and mean seconds; and what kind of dialer connects them.

    One that ``knows_all`` says of a call that it has never heard of that it was never placed; another says nothing.
    One that ``insists`` sends a report until it is told that it is durable; another sends it once.
    """

    answer: float = 0.5
    busy: float = 0.1
    no_answer: float = 0.3
    ring_s: float = 10.0
    talk_s: float = 60.0
    knows_all: bool = True
    insists: bool = True


@frozen(kw_only=True)
class Deed:
    """What somebody does at ``at_s`` seconds of the run."""

    at_s: float


@frozen(kw_only=True)
class Operated(Deed):
    """An account's owner operates a campaign, and asks until it is answered."""

    campaign: str
    operation: Operation
    account: str = "acme"


@frozen(kw_only=True)
class Put(Deed):
    """An account gets other caps."""

    account: str = "acme"
    caps: Caps = NO_CAPS


@frozen(kw_only=True)
class Crashed(Deed):
    """The process dies, and the next begins ``back_s`` later."""

    back_s: float = 1.0


@frozen(kw_only=True)
class Restarted(Deed):
    """The process ends as it should, and the next begins ``back_s`` later."""

    back_s: float = 1.0


@frozen(kw_only=True)
class Stalled(Deed):
    """The process stands still. With ``is_replaced`` another takes its place, after ``LEASE_S``, before it wakes."""

    for_s: float
    is_replaced: bool = False


@frozen(kw_only=True)
class Jumped(Deed):
    """The wall clock is set."""

    by_s: float


@frozen(kw_only=True)
class Cut(Deed):
    """The dialer can't be reached; or, with ``is_refused``, it can and refuses us."""

    for_s: float
    is_refused: bool = False


@frozen(kw_only=True)
class Sick(Deed):
    """The store can't be written; with ``is_deaf``, it can't be read either."""

    for_s: float
    is_deaf: bool = False


@frozen(kw_only=True)
class Broken(Deed):
    """The store fails for good in the hands of this process: its next write says so, and the process is replaced."""


LEASE_S: Final = 10.0
"""How long a process must have shown no sign of life before another takes its place: longer than it may still send."""


def _in_order(deeds: Iterable[Deed]) -> tuple[Deed, ...]:
    return tuple(sorted(deeds, key=lambda each: each.at_s))


@frozen(kw_only=True)
class Plan:
    """A whole run: people and processes from 0 to ``calm_s``; from then on nothing goes wrong, and all must end well.

    What is drawn while it runs (how long each thing takes, whom a fault meets) is drawn from ``seed``.
    """

    seed: int = 0
    accounts: tuple[tuple[str, Caps], ...] = (("acme", NO_CAPS),)
    campaigns: tuple[CampaignPlan, ...] = ()
    deeds: tuple[Deed, ...] = field(default=(), converter=_in_order)
    faults: Faults = Faults()
    phones: Phones = Phones()
    calm_s: float = 600.0
