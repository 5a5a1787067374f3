"""What the rows share: an account, its contacts, a line that takes no time, and an engine on a file."""

import asyncio
import random  # noqa: TID251 - the same calls in each run
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import kataven_core as kc
from kataven_adapters.sqlite import SqliteStore
from kataven_core.ports import Deliver, Originated
from kataven_core.runtime import Engine, SystemClock

_CLOCK = SystemClock()

CAP = 100
ANSWERED = 0.8
"""One call in five is dialled again."""
ACCOUNT = kc.Account(
    id=kc.account_id("acme"),
    caps=kc.Caps(concurrent_max=CAP),
    agents=(kc.Agent(id="reminder"),),
    phone_numbers=(kc.OutboundNumber(id="office", e164=kc.PhoneNumber("+12025550100")),),
)


def settings(cap: int = CAP) -> kc.CampaignSettings:
    """Have whoever was busy dialled once more, at once."""
    return kc.CampaignSettings(
        name="bench",
        agent_id="reminder",
        phone_number_id="office",
        max_concurrent_calls=cap,
        retries_per_contact=1,
        retry_delay_seconds=0,
    )


async def contacts_file(count: int, first: int = 0) -> AsyncIterator[bytes]:
    """Yield a contacts file in pieces, with the numbers from the ``first`` on."""
    yield b"phone_number,first_name\n"
    for begin in range(first, first + count, 1_000):
        numbers = range(begin, min(begin + 1_000, first + count))
        yield "".join(f"+1415{5_000_000 + n:07d},First{n % 977}\n" for n in numbers).encode()


class BenchLine:
    """Places calls that take ``seconds()`` each and report their ends only: the least that a line can do.

    ``seconds`` of 0 ends a call as soon as it is placed.
    """

    def __init__(self, seconds: Callable[[], float], answered: float = ANSWERED, seed: int = 1) -> None:
        self._seconds = seconds
        self._answered = answered
        self._chance = random.Random(seed)  # noqa: S311 - it keeps no secret
        self._deliver: Deliver | None = None
        self._ended: list[kc.Report] = []
        self.up = 0
        self.most_up = 0
        self.busy_s = 0.0
        self.placed_at: list[float] = []
        self.ended_at: list[float] = []

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._deliver = None

    def listen(self, deliver: Deliver, turned: Callable[[], None]) -> None:  # noqa: ARG002 - it is never down
        """Report to ``deliver``."""
        self._deliver = deliver

    async def originate(self, order: kc.Order) -> Originated:
        """Place a call."""
        self.up += 1
        self.most_up = max(self.most_up, self.up)
        seconds = self._seconds()
        self.busy_s += seconds
        self.placed_at.append(self._loop.time())
        if seconds:
            self._loop.call_later(seconds, self._end, order.attempt_id)
        else:
            self._loop.call_soon(self._end, order.attempt_id)
        return Originated(report=kc.Placed(attempt_id=order.attempt_id, at=_CLOCK.now(), call_id=order.attempt_id))

    def _end(self, attempt_id: kc.AttemptId) -> None:
        self.up -= 1
        self.ended_at.append(self._loop.time())
        outcome = kc.Outcome.ANSWERED if self._chance.random() < self._answered else kc.Outcome.BUSY
        if not self._ended:
            self._loop.call_soon(self._tell)
        self._ended.append(kc.Ended(attempt_id=attempt_id, at=_CLOCK.now(), outcome=outcome))

    def _tell(self) -> None:
        """Report together what ended together, as a line on a socket does."""
        ended, self._ended = self._ended, []
        if self._deliver:
            self._deliver(ended)

    async def reconcile(self, attempts: Sequence[kc.Attempt]) -> Sequence[kc.Report]:
        """Know nothing: nobody asks."""
        return [kc.Lost(attempt_id=each.id, at=_CLOCK.now()) for each in attempts]

    async def drain(self) -> None:
        """Do not wait for anybody."""

    @property
    def trouble(self) -> str | None:
        """Nothing is in the way."""
        return None


@asynccontextmanager
async def engine_on(folder: Path, line: BenchLine, account: kc.Account = ACCOUNT) -> AsyncIterator[Engine]:
    """Open an engine on a SQLite file, as it is shipped."""
    async with Engine(store=SqliteStore(folder / "kataven.db"), line=line, accounts=[account]) as engine:
        yield engine


async def completed(engine: Engine, campaign_id: str, every_s: float = 0.05) -> kc.Snapshot:
    """Wait until a campaign has come to its end."""
    while True:
        snapshot = await engine.snapshot(ACCOUNT.id, campaign_id)
        if snapshot.status is kc.CampaignStatus.COMPLETED:
            return snapshot
        await asyncio.sleep(every_s)
