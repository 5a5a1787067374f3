"""DBOS, durable workflows, on a SQLite file: a workflow for each contact, the call a step, 100 at once."""

import random  # noqa: TID251 - the same calls in each run
import tempfile
from collections import deque

from bench.ground import ANSWERED, CAP
from bench.measuring import Sample, watched


def dispatch(contacts: int) -> Sample:
    """Run a workflow for each; give how many a second."""
    from dbos import DBOS, DBOSConfig  # noqa: PLC0415 - it is installed for the bench only

    chance = random.Random(1)  # noqa: S311 - it keeps no secret
    with tempfile.TemporaryDirectory() as folder:
        config: DBOSConfig = {
            "name": "bench",
            "system_database_url": f"sqlite:///{folder}/dbos.sqlite",
            "log_level": "ERROR",
        }
        DBOS(config=config)

        @DBOS.step()
        def call(number: str) -> bool:  # noqa: ARG001 - it is what is stored
            return chance.random() < ANSWERED

        @DBOS.workflow()
        def dial(number: str) -> bool:
            return call(number) or call(number)

        DBOS.launch()
        numbers = [f"+1415{5_000_000 + n:07d}" for n in range(contacts)]
        with watched() as watch:
            up = deque(DBOS.start_workflow(dial, number) for number in numbers[:CAP])
            for number in numbers[CAP:]:
                up.popleft().get_result(polling_interval_sec=0.001)
                up.append(DBOS.start_workflow(dial, number))
            for handle in up:
                handle.get_result(polling_interval_sec=0.001)
        DBOS.destroy()
    return watch.sample(contacts / watch.wall_s)
