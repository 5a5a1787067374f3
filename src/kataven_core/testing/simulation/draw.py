"""A plan from a seed: what may go wrong is switched on or off, each by itself, and how often is drawn then.

So every run has its own weather: where everything goes wrong at once, much is never reached.
"""

from collections.abc import Iterator
from typing import Final

from kataven_core import Caps, Operation

from .chance import Chance
from .plan import (
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

_RATES: Final = {
    "lost": (0.02, 0.2),
    "late": (0.02, 0.2),
    "answer": (0.02, 0.2),
    "slow": (0.05, 0.4),
    "refused": (0.01, 0.1),
    "number": (0.01, 0.1),
    "report_lost": (0.02, 0.4),
    "report_repeated": (0.05, 0.4),
    "report_delayed": (0.05, 0.4),
    "look_up": (0.05, 0.5),
    "read": (0.005, 0.05),
    "write": (0.01, 0.1),
    "crash_before": (0.002, 0.02),
    "crash_after": (0.002, 0.02),
    "roll_back": (0.005, 0.05),
    "stall_after": (0.002, 0.02),
}
"""From how seldom to how often each fault is met where it is switched on."""
_ACCOUNTS: Final = ("acme", "globex")


def draw_plan(seed: int) -> Plan:
    """Draw a whole run."""
    draw = Chance(seed, "plan")
    accounts = tuple((name, _caps(draw)) for name in _ACCOUNTS[: draw.whole(1, 2)])
    campaigns = tuple(_campaign(draw, f"c{index}", accounts) for index in range(draw.whole(1, 4)))
    calm_s = draw.between(900.0, 3_600.0)
    deeds = [
        *(deed for campaign in campaigns for deed in _will(draw, campaign, calm_s)),
        *(deed for name, _ in accounts for deed in _changes(draw, name, calm_s)),
        *_mishaps(Chance(seed, "mishaps"), calm_s),
    ]
    return Plan(
        seed=seed,
        accounts=accounts,
        campaigns=campaigns,
        deeds=deeds,
        faults=_faults(Chance(seed, "faults")),
        phones=_phones(draw),
        calm_s=calm_s,
    )


def _caps(draw: Chance) -> Caps:
    """Draw caps, of which most are none."""
    chosen: dict[str, int] = {}
    for name, (low, high) in {"concurrent_max": (2, 25), "calls_per_minute": (2, 30)}.items():
        if draw.meets(0.4):
            chosen[name] = draw.whole(low, high)
    if draw.meets(0.1):
        chosen["daily_calls_max"] = draw.whole(5, 60)
    return Caps(**chosen)


def _campaign(draw: Chance, name: str, accounts: tuple[tuple[str, Caps], ...]) -> CampaignPlan:
    first = draw.whole(0, 30)  # so that campaigns have numbers in common
    return CampaignPlan(
        name=name,
        account=draw.one_of(accounts)[0],
        numbers=tuple(first + draw.whole(0, 40) for _ in range(draw.whole(1, 40))),
        cap=draw.whole(1, 8),
        retries=draw.whole(0, 3),
        retry_delay_s=21_600 if draw.meets(0.05) else draw.one_of((60, 60, 300, 1_800)),
        created_s=draw.between(0.0, 120.0),
        scheduled_s=_schedule(draw) if draw.meets(0.25) else None,
    )


def _schedule(draw: Chance) -> float:
    return 200_000.0 if draw.meets(0.05) else draw.one_of((30.0, 600.0, 3_600.0))


def _will(draw: Chance, campaign: CampaignPlan, calm_s: float) -> Iterator[Deed]:
    """Draw what its owner does with a campaign."""
    name, account = campaign.name, campaign.account

    def at(at_s: float, operation: Operation) -> Deed:
        return Operated(at_s=at_s, campaign=name, operation=operation, account=account)

    begun_s = campaign.created_s + draw.between(1.0, 60.0)
    if campaign.scheduled_s is None or draw.meets(0.2):
        yield at(begun_s, Operation.START)
    for _ in range(draw.whole(0, 2)):
        paused_s = draw.between(begun_s, calm_s)
        yield at(paused_s, Operation.PAUSE)
        resumed_s, resume = paused_s + draw.between(0.0, 300.0), draw.one_of((Operation.RESUME, Operation.START))
        if draw.meets(0.8):
            yield at(resumed_s, resume)
    if draw.meets(0.2):
        yield at(draw.between(begun_s, calm_s), Operation.STOP)
    if draw.meets(0.15):
        yield at(draw.between(begun_s, calm_s), Operation.DELETE)


def _changes(draw: Chance, account: str, calm_s: float) -> Iterator[Deed]:
    for _ in range(draw.whole(0, 3)):
        yield Put(at_s=draw.between(0.0, calm_s), account=account, caps=_caps(draw))


def _mishaps(draw: Chance, calm_s: float) -> Iterator[Deed]:
    """Draw what befalls processes, clock, dialer and store."""

    def times(likelihood: float, most: int) -> list[float]:
        count = draw.whole(1, most) if draw.meets(likelihood) else 0
        return [draw.between(0.0, calm_s) for _ in range(count)]

    yield from (Crashed(at_s=at_s, back_s=draw.between(0.0, 30.0)) for at_s in times(0.5, 4))
    yield from (Restarted(at_s=at_s, back_s=draw.between(0.0, 10.0)) for at_s in times(0.4, 2))
    yield from (Stalled(at_s=at_s, for_s=draw.between(0.1, 60.0)) for at_s in times(0.4, 3))
    yield from (Stalled(at_s=at_s, for_s=draw.between(5.0, 120.0), is_replaced=True) for at_s in times(0.4, 2))
    yield from (Jumped(at_s=at_s, by_s=draw.between(-7_200.0, 7_200.0)) for at_s in times(0.3, 2))
    yield from (Cut(at_s=at_s, for_s=draw.between(1.0, 400.0)) for at_s in times(0.4, 3))
    yield from (Cut(at_s=at_s, for_s=draw.between(1.0, 400.0), is_refused=True) for at_s in times(0.3, 2))
    yield from (Sick(at_s=at_s, for_s=draw.between(1.0, 200.0), is_deaf=draw.meets(0.5)) for at_s in times(0.3, 2))
    yield from (Broken(at_s=at_s) for at_s in times(0.2, 2))


def _faults(draw: Chance) -> Faults:
    chosen = {}
    for name, (low, high) in _RATES.items():
        is_on, rate = draw.meets(0.35), draw.between(low, high)
        if is_on:
            chosen[name] = rate
    return Faults(**chosen, pace_s=draw.one_of((0.001, 0.01, 0.1, 1.0)))


def _phones(draw: Chance) -> Phones:
    return Phones(
        answer=draw.between(0.1, 0.6),
        busy=draw.between(0.0, 0.2),
        no_answer=draw.between(0.0, 0.2),
        ring_s=draw.between(1.0, 25.0),
        talk_s=draw.one_of((5.0, 30.0, 120.0, 1_800.0)),
        knows_all=draw.meets(0.6),
        insists=draw.meets(0.6),
    )
