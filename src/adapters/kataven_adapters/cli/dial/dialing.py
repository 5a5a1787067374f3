"""One file dialled to its end: a campaign of its own, taken up where it stands, in an account of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from itertools import count
from secrets import token_hex  # noqa: TID251 - a name of its own for each campaign
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from kataven_adapters.cli.failure import CommandFailure
from kataven_adapters.cli.output import counted, note, one_line, with_options
from kataven_adapters.registry import store_from_url
from kataven_core import (
    Account,
    AccountId,
    Agent,
    Campaign,
    CampaignId,
    Caps,
    CommandRefused,
    Contact,
    ContactsFileError,
    CsvOptions,
    Inputs,
    KatavenError,
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

from .hearing import placing
from .interrupt import Interrupt, heard
from .plan import Plan, Result

T = TypeVar("T")

ACCOUNT: Final = AccountId("dial")
_CALLER: Final = OutboundNumber(id="dial", e164=PhoneNumber("+12025550100"))
"""The number shown by a line that is not told another: one that is kept free for fiction."""
_NAME_CHARS: Final = 255
"""Characters of a campaign's name: the last of a longer file name."""
_LOOK_EVERY_S: Final = 0.2
"""How often progress is looked at: what a person sees as moving."""

Show = Callable[[Snapshot | ImportProgress], None]


class Dialing:
    """Dials what the plan says; ``show`` hears how far it has come."""

    def __init__(self, plan: Plan, show: Show) -> None:
        self._plan = plan
        self._show = show
        self._clock = SystemClock()
        self._interrupt = Interrupt(self._clock)
        self._digest = sha256(plan.contacts).hexdigest()[:32]

    async def run(self) -> Result:
        """Dial to the end, or until somebody interrupts: then calls in flight end, and nothing more is dialled."""
        store = store_from_url(self._plan.store_url)
        with heard(self._interrupt), placing(self._plan, self._clock) as (line, hearing):
            await self._lay_to_rest(store)
            async with Engine(store=store, line=line, clock=self._clock, settings=self._settings) as engine, hearing:
                name = await self._unless_interrupted(self._begin(engine))
                if name is None:
                    name = await self._begun(engine)
                is_through = await self._unless_interrupted(self._watch(engine, name))
                if not is_through:
                    await self._wind_down(engine, name)
                return await self._result(engine, name, is_interrupted=not is_through)

    @property
    def _settings(self) -> EngineSettings:
        line = self._plan.line
        return EngineSettings(
            reconcile_every_s=line.reconcile_every_s,
            lost_after_s=line.lost_after_s,
            longest_call_s=line.longest_call_s,
            drain_s=_LEAVE_S,
        )

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
            if not pauses:
                return
            (decision,) = await store.settle([turn], decide, self._clock.now())
            for answer in decision.answers:  # what would go on must not be passed over
                if isinstance(answer, KatavenError):
                    raise answer

    async def _begin(self, engine: Engine) -> CampaignId:
        """Find the file's campaign, or make it; have it running."""
        last = await self._last(engine)
        if last is not None and not last.campaign.is_over:
            await self._go_on(engine, last)
            return last.campaign.id
        if last is not None and not self._plan.is_again:
            raise CommandFailure(
                one_line(f"{self._plan.file} was dialled to its end {_when(last.campaign)}: --again dials it anew")
            )
        await engine.put_account(_account(Caps(concurrent_max=self._plan.calls)))
        created = await self._create(engine)
        await self._start(engine, created.id)
        return created.id

    async def _begun(self, engine: Engine) -> CampaignId:
        """Find what was begun before somebody interrupted."""
        last = await self._last(engine)
        if last is None or last.campaign.is_over:
            raise CommandFailure("interrupted before anybody was dialled: nothing is kept")
        return last.campaign.id

    async def _last(self, engine: Engine) -> CampaignRecord | None:
        """Say how the last campaign of this file stands, if there was one."""
        names = await self._all_names(engine)
        return await engine.campaign(ACCOUNT, names[0]) if names else None

    async def _all_names(self, engine: Engine) -> list[CampaignId]:
        """Name this file's campaigns, the newest first."""
        return [each.id for each in await engine.campaigns(ACCOUNT) if each.id.startswith(f"{self._digest}-")]

    async def _go_on(self, engine: Engine, record: CampaignRecord) -> None:
        """Take it up under the cap that is asked for now, though it may have reserved more when it was begun."""
        campaign, counters = record
        if campaign.created_by != self._by:
            raise CommandFailure(
                one_line(
                    f"{self._plan.file} was begun by {campaign.created_by}: finish it on that line, "
                    "or begin it anew in another store, --store URL"
                )
            )
        done = counters.total - counters.pending - counters.in_progress
        kept = "".join(f"; {each}, as it was begun" for each in self._kept(campaign))
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
            yield f"--max-concurrent stays {campaign.max_concurrent_calls}"
        if plan.retries != campaign.retries_per_contact:
            yield f"--retries stays {campaign.retries_per_contact}"
        if plan.retry_delay_s != campaign.retry_delay_seconds:
            yield f"--retry-delay stays {campaign.retry_delay_seconds}"
        if plan.reading != CsvOptions():
            yield "its rows stay"

    @property
    def _by(self) -> str:
        """Say what dials: a file that was begun on one line is never finished on another by mistake."""
        return f"kataven dial on {_line_named(self._plan.line_url)}"

    def _names(self, first: int) -> Iterator[CampaignId]:
        """Name campaigns by the file's content, so that the same file finds them again, and number them.

        Attempts are named after their campaign, and a dialer remembers them: two that are named alike are one call to
        it, even where they are of two stores. So chance has a part in it, but on a line whose calls are made up: there
        the same file has the same fates each time.
        """
        for run in count(first):
            chance = "" if self._plan.is_simulated else f"-{token_hex(8)}"
            yield CampaignId(f"{self._digest}-{run}{chance}")

    async def _create(self, engine: Engine) -> Campaign:
        """Make the file's campaign under the next name that is free: one that was given up keeps its own."""
        for name in self._names(len(await self._all_names(engine))):
            try:
                return await self._upload(engine, name)
            except CommandRefused as refused:
                if refused.code != "campaign_exists":
                    raise
        raise AssertionError("there are names without end")

    async def _upload(self, engine: Engine, name: CampaignId) -> Campaign:
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
                created_by=self._by,
                campaign_id=name,
                on_progress=self._show,
            )
        except ContactsFileError as error:
            raise CommandFailure(one_line(f"{plan.file}: {with_options(error.message)}")) from None

    async def _watch(self, engine: Engine, name: CampaignId) -> bool:
        """Show how far it has come, until it is over, or the engine can't go on."""
        while True:
            if engine.failure:
                raise engine.failure
            snapshot = await engine.snapshot(ACCOUNT, name)
            self._show(snapshot)
            if snapshot.status.is_terminal and not snapshot.calls_in_flight:
                return True
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _wind_down(self, engine: Engine, name: CampaignId) -> None:
        """Dial nobody any more, and wait for the calls that are up."""
        note(f"interrupted: nobody new is dialled, calls that are up have {_WIND_DOWN_S:g} s to end")
        with suppress(CommandRefused):  # it has not begun to run, or is over
            await engine.pause(ACCOUNT, name)
        self._show(snapshot := await engine.snapshot(ACCOUNT, name))
        while snapshot.calls_in_flight and not self._interrupt.is_longer_ago_than(_WIND_DOWN_S):
            await asyncio.sleep(_LOOK_EVERY_S)
            self._show(snapshot := await engine.snapshot(ACCOUNT, name))

    async def _unless_interrupted(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do something, unless somebody interrupts: then give None."""
        doing, waiting = asyncio.ensure_future(work), asyncio.ensure_future(self._interrupt.wait())
        await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing})
        return None if doing.cancelled() else doing.result()

    async def _result(self, engine: Engine, name: CampaignId, *, is_interrupted: bool) -> Result:
        return Result(
            record=await engine.campaign(ACCOUNT, name),
            rejected=await self._all_of(_rejects(engine, name)),
            contacts=await self._all_of(_contacts(engine, name)) if self._plan.results else (),
            ended_at=self._clock.now(),
            is_interrupted=is_interrupted,
        )

    async def _all_of(self, pages: AsyncIterator[Sequence[T]]) -> tuple[T, ...] | None:
        """Read all that there is, or give None when somebody has interrupted and the time is up."""
        found: list[T] = []
        async for page in pages:
            if self._interrupt.is_longer_ago_than(_READ_S):
                return None
            found += page
        return tuple(found)


_AGENT: Final = Agent(id="dial", name="kataven dial")

# A command that is told to stop must end within 10 s. Counted from the interrupt:
_WIND_DOWN_S: Final = 6.5
"""How long calls may take to end."""
_READ_S: Final = 7.5
"""Until when who was in the file is read."""
_LEAVE_S: Final = 1.5
"""How long leaving the engine may take after that; the files are written in what is left."""


def _line_named(url: str) -> str:
    """Name a line: one of another address may be another dialer, which does not know this one's calls."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def _account(caps: Caps) -> Account:
    return Account(id=ACCOUNT, caps=caps, agents=(_AGENT,), phone_numbers=(_CALLER,))


def _when(campaign: Campaign) -> str:
    return f"on {campaign.completed_at:%Y-%m-%d at %H:%M} UTC" if campaign.completed_at else "before"


async def _rejects(engine: Engine, name: CampaignId) -> AsyncIterator[Sequence[RejectedRow]]:
    page = 0
    while rows := await engine.rejects(ACCOUNT, name, page=page):
        yield rows
        page += 1


async def _contacts(engine: Engine, name: CampaignId) -> AsyncIterator[Sequence[Contact]]:
    page, has_next = 0, True
    while has_next:
        found = await engine.contacts(ACCOUNT, name, page=page)
        yield found.contacts
        page, has_next = page + 1, found.has_next
