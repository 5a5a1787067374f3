"""What the tests of the runtime share: a clock set by hand, a phone that does as told, a store that can be failed."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import TracebackType
from typing import Any, Final, Self

import pytest

from kataven_core import (
    AccountId,
    AdapterFault,
    Answered,
    Attempt,
    AttemptId,
    Campaign,
    CampaignSettings,
    Contact,
    Counters,
    Decision,
    Ended,
    NotFound,
    Order,
    Outcome,
    Placed,
    Report,
    Unsent,
)
from kataven_core.ports import AccountTurn, Decide, Deliver, Originated, Store
from kataven_core.runtime import Engine, EngineSettings
from kataven_core.testing.samples import ACME, a_number, an_account

NOON: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEVER_S: Final = 1_000.0
"""A limit that must not expire in a test."""
SOON_S: Final = 0.01
"""A limit that must."""

PATIENT: Final = EngineSettings(
    send_deadline_s=NEVER_S,
    originate_limit_s=NEVER_S,
    settle_limit_s=NEVER_S,
    drain_s=NEVER_S,
    reconcile_every_s=NEVER_S,
    lost_after_s=NEVER_S,
    line_pause_s=60.0,
    line_pause_max_s=600.0,
    store_pause_s=0.001,
    store_pause_max_s=0.001,
)
"""Nothing expires by itself; a store that failed is tried again at once."""


class HandClock:
    """Stands still until somebody moves it."""

    def __init__(self) -> None:
        self.wall = NOON
        self.seconds = 0.0
        self.looks = 0
        """How often somebody has asked for the time."""

    def now(self) -> datetime:
        self.looks += 1
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
        self.jump(seconds)

    def jump(self, seconds: float) -> None:
        """Let somebody set the wall clock."""
        self.wall += timedelta(seconds=seconds)


Step = Callable[[Order], Awaitable[Originated]]


class Phone:
    """A line that places every call, unless it is told what else to do with the next ones."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.orders: list[Order] = []
        self.asked: list[list[AttemptId]] = []
        self.known: list[Report] | Exception = []
        """What it says when it is asked about calls; of these only what the question names."""
        self.idle = asyncio.Event()
        """Whether draining ends."""
        self.idle.set()
        self.over = asyncio.Event()
        """Until this is set, calls hang that are told to."""
        self.always: Step = self.place
        self.is_open = False
        self.trouble: str | None = None
        self._next: deque[Step] = deque()
        self._deliver: Deliver | None = None
        self._turned: Callable[[], None] | None = None

    @property
    def dialled(self) -> list[str]:
        """Give the attempts that it was asked for, in order."""
        return [order.attempt_id for order in self.orders]

    # What it is told.

    def then(self, *steps: Step) -> None:
        """Do these with the next calls, one with each."""
        self._next += steps

    async def place(self, order: Order) -> Originated:
        return Originated(report=self.placed(order.attempt_id))

    async def hang(self, _: Order) -> Originated:
        await self.over.wait()
        raise RuntimeError("the test is over")

    def refuse(self, retry_after_s: float | None = None) -> Step:
        async def step(order: Order) -> Originated:
            report = Unsent(attempt_id=order.attempt_id, at=self.clock.now())
            return Originated(report=report, retry_after_s=retry_after_s)

        return step

    def refuse_all(self, trouble: str) -> Step:
        """Refuse the call, and everybody's from now on."""

        async def step(order: Order) -> Originated:
            self.turn(trouble)
            return Originated(report=Unsent(attempt_id=order.attempt_id, at=self.clock.now()), retry_after_s=None)

        return step

    def fail(self, error: Exception) -> Step:
        async def step(_: Order) -> Originated:
            raise error

        return step

    def hold(self) -> tuple[Step, asyncio.Event]:
        """Give a step that places its call only when the event is set."""
        released = asyncio.Event()

        async def step(order: Order) -> Originated:
            await asyncio.wait(
                [asyncio.ensure_future(each.wait()) for each in (released, self.over)],
                return_when=asyncio.FIRST_COMPLETED,
            )
            return await self.place(order)

        return step, released

    # What it tells.

    def turn(self, trouble: str | None) -> None:
        """Get into trouble, or out of it."""
        self.trouble = trouble
        assert self._turned is not None
        self._turned()

    def placed(self, attempt_id: str) -> Placed:
        return Placed(attempt_id=AttemptId(attempt_id), at=self.clock.now(), call_id=f"call-{attempt_id}")

    def tell(self, *reports: Report) -> Awaitable[None]:
        assert self._deliver is not None
        return self._deliver(reports)

    def end(self, attempt_id: str, outcome: Outcome = Outcome.ANSWERED, *, duration_s: float = 30.0) -> Awaitable[None]:
        """Let a call be over."""
        return self.tell(self.ended(attempt_id, outcome, duration_s=duration_s))

    def ended(self, attempt_id: str, outcome: Outcome = Outcome.ANSWERED, *, duration_s: float = 30.0) -> Ended:
        at = self.clock.now()
        return Ended(attempt_id=AttemptId(attempt_id), at=at, outcome=outcome, duration_s=duration_s)

    def answered(self, attempt_id: str) -> Answered:
        return Answered(attempt_id=AttemptId(attempt_id), at=self.clock.now())

    # The port.

    async def __aenter__(self) -> Self:
        self.is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.is_open = False

    def listen(self, deliver: Deliver, turned: Callable[[], None]) -> None:
        self._deliver, self._turned = deliver, turned

    async def originate(self, order: Order) -> Originated:
        self.orders.append(order)
        step = self._next.popleft() if self._next else self.always
        return await step(order)

    async def reconcile(self, attempts: Sequence[Attempt]) -> Sequence[Report]:
        asked = [attempt.id for attempt in attempts]
        self.asked.append(asked)
        if isinstance(self.known, Exception):
            raise self.known
        return [report for report in self.known if report.attempt_id in asked]

    async def drain(self) -> None:
        await self.idle.wait()


class Watch:
    """Sits in front of a store's ``settle``: keeps what it was asked, and fails or holds it when it is told to."""

    def __init__(self, store: Store) -> None:
        self.turns: list[list[AccountTurn]] = []
        self.poison: Callable[[AccountTurn], Exception | None] = lambda _: None
        """What fails each settle that a turn is part of."""
        self.gate = asyncio.Event()
        """While it is not set, settling waits."""
        self.gate.set()
        self.gives_nothing = False
        """Whether settling gives no decisions, which no store may."""
        self.written = 0
        self._shuts_after = 0
        self._faults: deque[tuple[Exception, bool] | None] = deque()
        self._settle = store.settle
        store.settle = self.settle  # type: ignore[method-assign] # a double stands in for it

    def fail_next(self, error: Exception, *, times: int = 1, after: int = 0, is_written: bool = False) -> None:
        """Fail so many settles, the first ``after`` of those to come left out; before or after they have written."""
        self._faults += [None] * after + [(error, is_written)] * times

    def shut_after(self, settles: int) -> None:
        """Let so many more be settled, and hold what comes then."""
        self._shuts_after = settles

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
        self.turns.append([*turns])
        error, is_written = (self._faults.popleft() if self._faults else None) or (None, False)
        await self.gate.wait()
        error = error or next(filter(None, map(self.poison, turns)), None)
        if error and not is_written:
            raise error
        decisions = await self._settle(turns, decide, now)
        self.written += 1
        self._shuts_after -= 1
        if self._shuts_after == 0:
            self.gate.clear()
        if error:
            raise error
        return [] if self.gives_nothing else decisions


PASSES: Final = AdapterFault("store_locked", "the store is locked", is_retryable=True)
LASTS: Final = AdapterFault("store_corrupt", "the store is damaged")


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition, however long it takes; a test that waits in vain fails."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what it looks at has no event of its own
            await asyncio.sleep(0.0005)


async def until_async(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait for a condition that reads the store."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.0005)


async def turns_of_the_loop(count: int = 20) -> None:
    """Let everything run that can."""
    for _ in range(count):
        await asyncio.sleep(0)


def contacts_csv(count: int, *, first: int = 0) -> bytes:
    """Give a file of so many contacts, each with a number of its own."""
    rows = [f"{a_number(index)},{index}" for index in range(first, first + count)]
    return "\n".join(["phone_number,row", *rows, ""]).encode()


def csv_of(numbers: Iterable[int]) -> bytes:
    return "\n".join(["phone_number", *map(a_number, numbers), ""]).encode()


class World:
    """An engine, the phone it dials on, its store and its time."""

    def __init__(self, store: Store, *, settings: EngineSettings = PATIENT, line: Any = None, **more: Any) -> None:
        self.clock = HandClock()
        self.phone = Phone(self.clock)
        self.store = store
        self.watch = Watch(store)
        self.engine = Engine(store=store, line=line or self.phone, clock=self.clock, settings=settings, **more)

    async def __aenter__(self) -> Self:
        await self.engine.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.watch.gate.set()
        self.phone.idle.set()
        self.phone.over.set()
        await self.engine.__aexit__(kind, error, traceback)

    # Doing.

    async def put(self, account_id: AccountId = ACME, **caps: Any) -> None:
        await self.engine.put_account(an_account(account_id, **caps))

    async def create(
        self, name: str, contacts: int | bytes = 1, *, account_id: str = ACME, **settings: Any
    ) -> Campaign:
        """Make a campaign of so many contacts, or of this file."""
        file = contacts_csv(contacts) if isinstance(contacts, int) else contacts
        chosen = CampaignSettings(**{"name": name, "agent_id": "agent", "phone_number_id": "line"} | settings)
        return await self.engine.create(account_id, chosen, contacts=BytesIO(file), campaign_id=name)

    async def run(self, name: str, contacts: int | bytes = 1, *, account_id: str = ACME, **settings: Any) -> Campaign:
        """Make a campaign and start it."""
        await self.create(name, contacts, account_id=account_id, **settings)
        return await self.engine.start(account_id, name)

    async def quiet(self) -> None:
        """Wait until the engine has done all that it can do now."""
        for _ in range(4):
            await turns_of_the_loop()
            with pytest.raises(NotFound):
                await self.engine.pause("nobody", "nothing")

    # Looking.

    async def status(self, name: str, account_id: str = ACME) -> str:
        return (await self.engine.campaign(account_id, name)).campaign.status.value

    async def counters(self, name: str, account_id: str = ACME) -> Counters:
        return (await self.engine.campaign(account_id, name)).counters

    async def contacts(self, name: str, account_id: str = ACME) -> list[Contact]:
        """Read the first page."""
        return [*(await self.engine.contacts(account_id, name)).contacts]

    async def contact(self, name: str, position: int = 0, account_id: str = ACME) -> Contact:
        return (await self.contacts(name, account_id))[position]

    async def open_attempts(self) -> dict[str, Attempt]:
        return {each.id: each for each in (await self.store.agenda()).open_attempts}

    async def until_dialled(self, *names: str) -> None:
        await until(lambda: self.phone.dialled == [*names])

    async def until_status(self, name: str, status: str, account_id: str = ACME) -> None:
        async def has_it() -> bool:
            return await self.status(name, account_id) == status

        await until_async(has_it)

    async def until_closed(self, *attempts: str) -> None:
        """Wait until none of these attempts is open."""

        async def are_closed() -> bool:
            return not set(attempts) & set(await self.open_attempts())

        await until_async(are_closed)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let timers look at the clock all the time, so that what they wait for happens when the clock is moved."""
    monkeypatch.setattr("kataven_core.runtime.timers._SLEEP_MAX_S", 0.001)
