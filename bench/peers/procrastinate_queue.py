"""Procrastinate, a job queue on PostgreSQL: a job for each contact, 100 at once, a busy one is retried."""

import random  # noqa: TID251 - the same calls in each run

from bench.ground import ANSWERED, CAP
from bench.measuring import Sample, watched

_AT_ONCE = 2_000


async def dispatch(url: str, contacts: int) -> Sample:
    """Have a worker do all jobs; give how many a second."""
    from procrastinate import App, PsycopgConnector, RetryStrategy  # noqa: PLC0415 - installed for the bench only

    chance = random.Random(1)  # noqa: S311 - it keeps no secret
    app = App(connector=PsycopgConnector(conninfo=url, min_size=4, max_size=8))
    done = 0

    class Busy(Exception):
        pass

    @app.task(retry=RetryStrategy(max_attempts=1, wait=0, retry_exceptions={Busy}), pass_context=True)
    async def call(context: object, number: str) -> None:
        nonlocal done
        if chance.random() >= ANSWERED and not context.job.attempts:  # type: ignore[attr-defined] # it is its own kind
            raise Busy(number)
        done += 1

    async with app.open_async():
        await app.connector.execute_query_async("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await app.schema_manager.apply_schema_async()
        for begin in range(0, contacts, _AT_ONCE):
            numbers = range(begin, min(begin + _AT_ONCE, contacts))
            await call.batch_defer_async(*({"number": f"+1415{5_000_000 + n:07d}"} for n in numbers))
        with watched() as watch:
            while done < contacts:
                await app.run_worker_async(wait=False, concurrency=CAP, install_signal_handlers=False)
    return watch.sample(contacts / watch.wall_s)
