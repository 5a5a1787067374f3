"""What people ask of the engine: until they are answered, whichever process is there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Final

from attrs import asdict

from kataven_core import (
    AccountId,
    AdapterFault,
    CampaignId,
    CampaignSettings,
    Caps,
    CsvOptions,
    Duplicates,
    KatavenError,
    NotFound,
    Operation,
)
from kataven_core.runtime import Engine
from kataven_core.testing.samples import a_number, an_account

from .clock import VirtualClock
from .loop import VirtualLoop
from .oracle import Oracle
from .plan import CampaignPlan
from .processes import Processes

Ask = Callable[[Engine], Awaitable[None]]

NOT_YET: Final = AdapterFault("not_yet", "what this is about is not there yet", is_retryable=True)
_AGAIN_S: Final = 1.0
_DEAF_S: Final = 30.0
"""So long an answer is waited for, before it is asked for again."""


class People:
    """The owners of all accounts. What they may not do, they try too."""

    def __init__(
        self, loop: VirtualLoop, clock: VirtualClock, oracle: Oracle, processes: Processes, accounts: tuple[str, ...]
    ) -> None:
        self._loop, self._clock, self._oracle = loop, clock, oracle
        self._processes = processes
        self._accounts = accounts
        self._caps: dict[str, Caps] = {}
        self._have_left = False

    def leave(self) -> None:
        """Ask for nothing any more."""
        self._have_left = True

    def put(self, account: str, caps: Caps) -> None:
        """Have an account, with these caps from now on: what was asked for before, and is not done, gives way."""
        self._caps[account] = caps

        async def put(engine: Engine) -> None:
            await engine.put_account(an_account(AccountId(account), **asdict(self._caps[account])))

        self._insist(f"put {account}", put)

    def wants(self, account: str, caps: Caps) -> bool:
        """Whether these are the caps that an account has, or is to have as soon as it can be put."""
        return self._caps.get(account) == caps

    def create(self, campaign: CampaignPlan) -> None:
        """Have a campaign made."""
        ahead_s = campaign.scheduled_s
        settings = CampaignSettings(
            name=campaign.name,
            agent_id="agent",
            phone_number_id="line",
            max_concurrent_calls=campaign.cap,
            retries_per_contact=campaign.retries,
            retry_delay_seconds=campaign.retry_delay_s,
            scheduled_at=None if ahead_s is None else self._clock.now() + timedelta(seconds=ahead_s),
        )

        async def create(engine: Engine) -> None:
            try:
                await engine.create(
                    campaign.account,
                    settings,
                    contacts=_file(campaign),
                    options=CsvOptions(duplicates=Duplicates.KEEP),
                    campaign_id=campaign.name,
                )
            except NotFound:  # the account is not there yet
                raise NOT_YET from None

        self._insist(f"create {campaign.name}", create)

    def operate(self, account: str, name: str, operation: Operation) -> None:
        """Have something done to a campaign; every other account tries it first."""
        campaign = CampaignId(name)

        async def operate(engine: Engine) -> None:
            for other in self._accounts:
                if other != account:
                    await self._try_as_a_stranger(engine, other, campaign, operation)
            if campaign not in self._oracle.ledger.books:
                raise NOT_YET
            self._oracle.demanded(campaign, operation)
            try:
                await engine.operate(account, campaign, operation)
            finally:  # of a process that dies this is never reached: what it was asked for stays in the air
                self._oracle.settled(campaign, operation)
            self._oracle.granted(campaign, operation)

        self._insist(f"{operation} {campaign}", operate)

    async def _try_as_a_stranger(self, engine: Engine, other: str, campaign: CampaignId, operation: Operation) -> None:
        try:
            await engine.operate(other, campaign, operation)
        except NotFound:
            return
        self._oracle.breach("I11", f"{other} could {operation} {campaign}")

    def _insist(self, label: str, ask: Ask) -> None:
        process, engine = self._processes.process, self._processes.engine
        if self._have_left:
            return
        if process is None or engine is None:
            self._loop.outside_in(_AGAIN_S, self._insist, label, ask)
            return
        answered: list[bool] = []
        process.spawn(self._ask(label, ask, engine, answered))
        self._loop.outside_in(_DEAF_S, self._ask_again, label, ask, answered)

    async def _ask(self, label: str, ask: Ask, engine: Engine, answered: list[bool]) -> None:
        try:
            await ask(engine)
        except AdapterFault as fault:
            self._oracle.note("not now", label, fault.code)
            self._loop.outside_in(_AGAIN_S, self._insist, label, ask)
        except KatavenError as refusal:
            self._oracle.note("refused", label, refusal)
        else:
            self._oracle.note("done", label)
        answered.append(True)

    def _ask_again(self, label: str, ask: Ask, answered: list[bool]) -> None:
        if not answered:
            self._insist(label, ask)


async def _file(campaign: CampaignPlan) -> AsyncIterator[bytes]:
    rows = "".join(f"{a_number(number)}\n" for number in campaign.numbers)
    yield f"phone_number\n{rows}".encode()
