"""A million contacts beside a thousand: a claim, a page, a campaign's figures cost the same.

Each work is done in the store as it is shipped, on a file of 1,000,000 contacts and on one of 1,000, in turn. A claim
is a whole cycle: read what is due, decide, write 50 claims, commit durably; the calls end in a cycle that is not
counted. The filtered page is given with its cost only: to find where it begins, the store walks along all before it.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from bench.big_file import CAMPAIGN, NOON, build, opened, turn
from bench.figures import STATED, Figure, at_most, compared
from bench.ground import ACCOUNT
from bench.measuring import Sample, alone, in_turn, run_async, watched

import kataven_core as kc
from kataven_adapters.sqlite import SqliteStore

SMALL, LARGE = 1_000, 1_000_000
GROUP = 50
CLAIMS = 15
READS = 400
LAST_PAGE = 9_999
FILTERED_PAGE = 5_000
Work = Callable[[SqliteStore], Awaitable[object]]


async def claims(path: Path) -> Sample:
    """Claim fifty, let them end, and again; give the middle time of a claim in ms."""
    with tempfile.TemporaryDirectory() as folder:
        return await _claims(Path(shutil.copy(path, folder)))


async def _claims(path: Path) -> Sample:
    took = []
    async with opened(path) as store:
        with watched() as watch:
            decision = await turn(store, kc.Operate(campaign_id=CAMPAIGN, operation=kc.Operation.START))
            for _ in range(CLAIMS):
                ends = tuple(
                    kc.Ended(attempt_id=each.attempt_id, at=NOON, outcome=kc.Outcome.ANSWERED)
                    for each in decision.orders
                )
                begun = time.perf_counter()
                decision = await turn(store, reports=ends)
                took.append(time.perf_counter() - begun)
                if len(decision.orders) != GROUP:
                    raise AssertionError(f"{len(decision.orders)} were claimed")
    return watch.sample(1e3 * statistics.median(took))


async def reads(path: Path, work: Work) -> Sample:
    """Read the same again and again; give the middle time in ms."""
    took = []
    async with opened(path) as store:
        await work(store)
        with watched() as watch:
            for _ in range(READS):
                begun = time.perf_counter()
                await work(store)
                took.append(time.perf_counter() - begun)
    return watch.sample(1e3 * statistics.median(took))


async def page(store: SqliteStore, number: int, status: kc.ContactStatus | None = None) -> None:
    """Read a page."""
    found = await store.contacts(ACCOUNT.id, CAMPAIGN, page=number, status=status)
    if not found.contacts:
        raise AssertionError(f"page {number} is empty")


async def snapshot(store: SqliteStore) -> None:
    """Read a campaign and what its progress says, as the engine does."""
    campaign, counters = await store.campaign(ACCOUNT.id, CAMPAIGN)
    dials = await store.dials_since(ACCOUNT.id, CAMPAIGN, NOON)
    kc.take_snapshot(campaign.status, counters, calls_per_minute=dials, now=NOON, started_at=campaign.started_at)


def figures(repeats: int) -> Iterator[Figure]:
    """Compare."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.db"), Path(folder, "large.db")
        for path, contacts in ((small, SMALL), (large, LARGE)):
            alone(run_async, built, path, contacts)
        for name, goal, work, other in (
            ("campaign and snapshot at 1,000,000 contacts", at_most(1.2), snapshot, (small, snapshot, "at 1,000")),
            (f"contacts page {LAST_PAGE:,} of 1,000,000", at_most(1.3), _last, (large, _first, "page 0")),
            (f"contacts page {FILTERED_PAGE:,} in a status", STATED, _filtered, (large, _first, "page 0, no filter")),
        ):
            path, its_work, what = other
            sides = {
                "ours": partial(alone, run_async, reads, large, work),
                "theirs": partial(alone, run_async, reads, path, its_work),
            }
            runs = in_turn(repeats, sides)
            yield compared(name, (runs["ours"], "ms"), (runs["theirs"], what), goal)
        samples = in_turn(repeats, {path.stem: partial(alone, run_async, claims, path) for path in (large, small)})
        name = "claim of 50 due contacts at 1,000,000"
        yield compared(name, (samples["large"], "ms"), (samples["small"], "at 1,000"), at_most(1.3))


async def built(path: Path, contacts: int) -> Sample:
    """Store a draft of so many."""
    with watched() as watch:
        await build(path, contacts, GROUP)
    return watch.sample(contacts / watch.wall_s)


_first = partial(page, number=0)
_last = partial(page, number=LAST_PAGE)
_filtered = partial(page, number=FILTERED_PAGE, status=kc.ContactStatus.PENDING)
