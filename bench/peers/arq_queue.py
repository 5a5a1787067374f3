"""arq, a job queue on Redis: a job for each contact, 100 at once, a busy one is retried.

It is not as durable as ours: Redis answers before anything is on the disk.
"""

import asyncio
import random  # noqa: TID251 - the same calls in each run

from bench.ground import ANSWERED, CAP
from bench.measuring import Sample, watched

_AT_ONCE = 2_000


async def dispatch(port: int, contacts: int) -> Sample:
    """Have a worker do all jobs; give how many a second."""
    from arq import Retry, create_pool, func  # noqa: PLC0415 - it is installed for the bench only
    from arq.connections import RedisSettings  # noqa: PLC0415 - the same
    from arq.worker import Worker  # noqa: PLC0415 - the same

    chance = random.Random(1)  # noqa: S311 - it keeps no secret

    async def call(context: dict[str, int], number: str) -> str:
        if chance.random() >= ANSWERED and context["job_try"] == 1:
            raise Retry
        return number

    where = RedisSettings(port=port)
    pool = await create_pool(where)
    await pool.flushdb()
    for begin in range(0, contacts, _AT_ONCE):
        numbers = range(begin, min(begin + _AT_ONCE, contacts))
        await asyncio.gather(*(pool.enqueue_job("call", f"+1415{5_000_000 + n:07d}") for n in numbers))
    worker = Worker(
        [func(call, name="call", max_tries=2)],
        redis_settings=where,
        burst=True,
        handle_signals=False,
        max_jobs=CAP,
        poll_delay=0.001,
        log_results=False,
    )
    with watched() as watch:
        await worker.main()
    if worker.jobs_complete != contacts or worker.jobs_failed:
        raise AssertionError(f"{worker.jobs_complete} of {contacts} done, {worker.jobs_failed} failed")
    await worker.close()
    await pool.aclose()
    return watch.sample(contacts / watch.wall_s)
