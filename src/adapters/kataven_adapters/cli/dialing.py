"""One file dialled to its end: a campaign of its own, taken up where it stands, in an account of its own."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import Any, Final, TypeVar

from attrs import frozen

from kataven_adapters.registry import line_from_url, store_from_url
from kataven_core import (
    Account,
    AccountId,
    Agent,
    Campaign,
    CampaignId,
    CampaignStatus,
    Caps,
    CommandRefused,
    Contact,
    ContactsFileError,
    CsvOptions,
    Inputs,
    NotFound,
    Operate,
    Operation,
    OutboundNumber,
    PhoneNumber,
    RejectedRow,
    Snapshot,
    campaign_settings,
    decide,
)
from kataven_core.ports import AccountTurn, CampaignRecord, Store
from kataven_core.runtime import Engine, EngineSettings, ImportProgress, SystemClock

from .failure import CommandFailure
from .output import counted, note, one_line

T = TypeVar("T")

ACCOUNT: Final = AccountId("dial")
_CALLER: Final = OutboundNumber(id="dial", e164=PhoneNumber("+12025550100"))
"""The number shown by a line that is not told another: one that is kept free for fiction."""
_NAME_CHARS: Final = 255
"""Characters of a campaign's name: the last of a longer file name."""
_LOOK_EVERY_S: Final = 0.2
"""How often progress is looked at: what a person sees as moving."""

Show = Callable[[Snapshot | ImportProgress], None]


@frozen(kw_only=True)
class Plan:
    """What the command line asks for. ``contacts`` is the file's content; durations are seconds."""

    file: str
    contacts: bytes
    reading: CsvOptions
    calls: int
    retries: int
    retry_delay_s: int
    store_url: str
    line_url: str
    is_simulated: bool
    reconcile_every_s: float
    lost_after_s: float
    results: str | None
    rejects: str
    is_again: bool
    is_json: bool


@frozen(kw_only=True)
class Result:
    """How the campaign stands when the command ends, and who was in the file."""

    record: CampaignRecord
    rejected: tuple[RejectedRow, ...]
    contacts: tuple[Contact, ...]
    ended_at: datetime
    is_interrupted: bool

    @property
    def is_through(self) -> bool:
        """Whether every contact has come to its end."""
        return self.record.campaign.status is CampaignStatus.COMPLETED and self.record.counters.is_finished


class Dialing:
    """Dials what the plan says; ``show`` hears how far it has come."""

    def __init__(self, plan: Plan, show: Show) -> None:
        self._plan = plan
        self._show = show
        self._clock = SystemClock()
        self._digest = sha256(plan.contacts).hexdigest()[:32]

    async def run(self) -> Result:
        """Dial to the end, or until somebody interrupts: then calls in flight end, and nothing more is dialled."""
        plan = self._plan
        store, line = store_from_url(plan.store_url), line_from_url(plan.line_url, self._clock)
        settings = EngineSettings(
            reconcile_every_s=plan.reconcile_every_s, lost_after_s=plan.lost_after_s, drain_s=_LEAVE_S
        )
        with _interrupts() as interrupted:
            await self._lay_to_rest(store)
            async with Engine(store=store, line=line, clock=self._clock, settings=settings) as engine:
                name = await self._unless(interrupted, self._begin(engine))
                if name is None:
                    name = await self._begun(engine)
                is_through = await self._unless(interrupted, self._watch(engine, name))
                if not is_through:
                    await self._wind_down(engine, name)
                return await self._result(engine, name, is_interrupted=not is_through)

    async def _lay_to_rest(self, store: Store) -> None:
        """Let no other file go on by itself that was left in the middle, and nobody else's campaign at all."""
        async with store:
            agenda = await store.agenda()
            owners = {account for account, _ in agenda.campaigns} | {each.account_id for each in agenda.open_attempts}
            others = sorted(owners - {ACCOUNT})
            if others:
                names = ", ".join(others)
                raise CommandFailure(
                    f"the store holds campaigns of {names} that are under way: name another, --store URL"
                )
            pauses = tuple(Operate(campaign_id=name, operation=Operation.PAUSE) for _, name in agenda.campaigns)
            turn = AccountTurn(account_id=ACCOUNT, inputs=Inputs(commands=pauses, line_is_up=False))
            if pauses:
                await store.settle([turn], decide, self._clock.now())

    async def _begin(self, engine: Engine) -> CampaignId:
        """Find the file's campaign, or make it; have it running."""
        run, last = await self._last(engine)
        if last is not None and not last.campaign.is_over:
            await self._go_on(engine, last)
            return last.campaign.id
        if last is not None and not self._plan.is_again:
            raise CommandFailure(
                one_line(f"{self._plan.file} was dialled to its end {_when(last.campaign)}: --again dials it anew")
            )
        await engine.put_account(_account(Caps(concurrent_max=self._plan.calls)))
        created = await self._create(engine, self._name(run))
        await self._start(engine, created.id)
        return created.id

    async def _begun(self, engine: Engine) -> CampaignId:
        """Find what was begun before somebody interrupted."""
        _, last = await self._last(engine)
        if last is None or last.campaign.is_over:
            raise CommandFailure("interrupted before anybody was dialled: nothing is kept")
        return last.campaign.id

    async def _last(self, engine: Engine) -> tuple[int, CampaignRecord | None]:
        """Say how often the file was begun, and how the last of these campaigns stands."""
        run, last = 0, None
        while found := await _find(engine, self._name(run)):
            run, last = run + 1, found
        return run, last

    async def _go_on(self, engine: Engine, record: CampaignRecord) -> None:
        """Take it up under the cap that is asked for now, though it may have reserved more when it was begun."""
        campaign, counters = record
        done = counters.total - counters.pending - counters.in_progress
        kept = "".join(f"; {each} stays" for each in self._kept(campaign))
        note(f"goes on where it stood: {done:,} of {counted(counters.total, 'contact')} done{kept}")
        room = max(self._plan.calls, campaign.max_concurrent_calls)
        await engine.put_account(_account(Caps(concurrent_max=room, calls_per_minute=0)))  # it may start, not yet dial
        await self._start(engine, campaign.id)
        await engine.put_account(_account(Caps(concurrent_max=self._plan.calls)))

    async def _start(self, engine: Engine, name: CampaignId) -> None:
        if self._plan.is_simulated:
            note("no phone rings: the line is simulated; --line names a real one")
        await engine.start(ACCOUNT, name)

    def _kept(self, campaign: Campaign) -> Iterator[str]:
        """Yield what it was begun with, where something else is asked for now."""
        plan = self._plan
        if plan.calls > campaign.max_concurrent_calls:
            yield f"--max-concurrent {campaign.max_concurrent_calls}"
        if plan.retries != campaign.retries_per_contact:
            yield f"--retries {campaign.retries_per_contact}"
        if plan.retry_delay_s != campaign.retry_delay_seconds:
            yield f"--retry-delay {campaign.retry_delay_seconds}"

    def _name(self, run: int) -> CampaignId:
        """Name the file's campaign by its content, so that the same file finds it again."""
        return CampaignId(f"{self._digest}-{run}")

    async def _create(self, engine: Engine, name: CampaignId) -> Campaign:
        plan = self._plan
        settings = campaign_settings(
            now=self._clock.now(),
            name=one_line(plan.file)[-_NAME_CHARS:],
            agent_id=_AGENT.id,
            phone_number_id=_CALLER.id,
            max_concurrent_calls=plan.calls,
            retries_per_contact=plan.retries,
            retry_delay_seconds=plan.retry_delay_s,
            retry_delay_min_s=0,
        )
        try:
            return await engine.create(
                ACCOUNT,
                settings,
                contacts=BytesIO(plan.contacts),
                options=plan.reading,
                created_by="kataven dial",
                campaign_id=name,
                on_progress=self._show,
            )
        except ContactsFileError as error:
            raise CommandFailure(one_line(f"{plan.file}: {error.message}")) from None

    async def _watch(self, engine: Engine, name: CampaignId) -> bool:
        """Show how far it has come, until it is over."""
        while True:
            snapshot = await engine.snapshot(ACCOUNT, name)
            self._show(snapshot)
            if snapshot.status.is_terminal and not snapshot.calls_in_flight:
                return True
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _wind_down(self, engine: Engine, name: CampaignId) -> None:
        """Dial nobody any more, and wait for the calls that are up."""
        deadline = self._clock.monotonic() + _WIND_DOWN_S
        with suppress(CommandRefused):  # it has not begun to run, or is over
            await engine.pause(ACCOUNT, name)
        while (await engine.campaign(ACCOUNT, name)).counters.calls_in_flight and self._clock.monotonic() < deadline:
            self._show(await engine.snapshot(ACCOUNT, name))
            await asyncio.sleep(_LOOK_EVERY_S)
        self._show(await engine.snapshot(ACCOUNT, name))

    async def _unless(self, interrupted: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
        """Do something, unless somebody interrupts: then give None."""
        doing, waiting = asyncio.ensure_future(work), asyncio.ensure_future(interrupted.wait())
        await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing})
        return None if doing.cancelled() else doing.result()

    async def _result(self, engine: Engine, name: CampaignId, *, is_interrupted: bool) -> Result:
        rejected: list[RejectedRow] = []
        page = 0
        while rows := await engine.rejects(ACCOUNT, name, page=page):
            rejected += rows
            page += 1
        return Result(
            record=await engine.campaign(ACCOUNT, name),
            rejected=tuple(rejected),
            contacts=tuple([each async for each in _contacts(engine, name)]) if self._plan.results else (),
            ended_at=self._clock.now(),
            is_interrupted=is_interrupted,
        )


_AGENT: Final = Agent(id="dial", name="kataven dial")
_WIND_DOWN_S: Final = 6.5
"""How long calls may take to end when somebody interrupts."""
_LEAVE_S: Final = 1.5
"""How long leaving the engine may take then: both, within the 10 s in which a command that is told to stop must end."""


def _account(caps: Caps) -> Account:
    return Account(id=ACCOUNT, caps=caps, agents=(_AGENT,), phone_numbers=(_CALLER,))


async def _find(engine: Engine, name: CampaignId) -> CampaignRecord | None:
    try:
        return await engine.campaign(ACCOUNT, name)
    except NotFound:
        return None


def _when(campaign: Campaign) -> str:
    return f"on {campaign.completed_at:%Y-%m-%d at %H:%M} UTC" if campaign.completed_at else "before"


async def _contacts(engine: Engine, name: CampaignId) -> AsyncIterator[Contact]:
    page = 0
    while True:
        found = await engine.contacts(ACCOUNT, name, page=page)
        for contact in found.contacts:
            yield contact
        if not found.has_next:
            return
        page += 1


@contextmanager
def _interrupts() -> Iterator[asyncio.Event]:
    """Take Ctrl-C and SIGTERM as a request, not as an exception in the middle of something."""
    loop, interrupted = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    try:
        yield interrupted
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
