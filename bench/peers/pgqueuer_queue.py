"""PgQueuer, a job queue on PostgreSQL: a job for each contact, durable before and after its call, 100 at once."""

import asyncio
import random  # noqa: TID251 - the same calls in each run
from collections.abc import Callable
from datetime import timedelta

from bench.ground import ANSWERED, CAP
from bench.measuring import Sample, watched

_NOTHING = timedelta(0)


async def dispatch(url: str, contacts: int) -> Sample:
    """Have calls of no length made for all; give how many contacts a second."""
    sample, _ = await work(url, contacts, lambda: 0.0)
    return sample._replace(value=contacts / sample.wall_s)


async def work(url: str, contacts: int, seconds: Callable[[], float]) -> tuple[Sample, float]:
    """Call everybody; give what it took, and the seconds of all calls."""
    import asyncpg  # noqa: PLC0415 - it is installed for the bench only
    from pgqueuer import PgQueuer  # noqa: PLC0415 - the same
    from pgqueuer.domain.errors import RetryRequested  # noqa: PLC0415 - the same
    from pgqueuer.domain.types import QueueExecutionMode  # noqa: PLC0415 - the same
    from pgqueuer.models import Job  # noqa: PLC0415 - the same

    chance = random.Random(1)  # noqa: S311 - it keeps no secret
    busy_s = 0.0
    async with asyncpg.create_pool(url, min_size=4, max_size=8) as pool:
        queue = PgQueuer.from_asyncpg_pool(pool)
        await queue.qm.queries.uninstall()
        await queue.qm.queries.install()

        @queue.entrypoint("call")
        async def call(job: Job) -> None:
            nonlocal busy_s
            if length_s := seconds():
                busy_s += length_s
                await asyncio.sleep(length_s)
            if chance.random() >= ANSWERED and not job.attempts:
                raise RetryRequested(_NOTHING)

        numbers = [f"+1415{5_000_000 + n:07d}".encode() for n in range(contacts)]
        await queue.qm.queries.enqueue(["call"] * contacts, numbers, [0] * contacts)
        with watched() as watch:
            await queue.qm.run(
                batch_size=CAP // 2, max_concurrent_tasks=CAP, mode=QueueExecutionMode.drain, dequeue_timeout=_NOTHING
            )
        left = await pool.fetchval("SELECT count(*) FROM pgqueuer")
        if left:
            raise AssertionError(f"{left} of {contacts} left")
    return watch.sample(0.0), busy_s


async def use(url: str, contacts: int, seconds: Callable[[], float]) -> Sample:
    """Make uneven calls; give the share of the ideal."""
    sample, busy_s = await work(url, contacts, seconds)
    return sample._replace(value=busy_s / CAP / sample.wall_s)
