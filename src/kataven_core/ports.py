"""What the engine asks of the world around it: a store, a line, a publisher and a clock.

Whoever implements one holds it against the suite of the same name in ``kataven_core.testing``. A driver's own errors
never cross a port: what an adapter can't do is an ``AdapterFault``, with one sentence that says what to mend.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from attrs import field, frozen

from .account import Account
from .attempt import Attempt
from .campaign import Campaign
from .contact import Contact
from .contacts_csv import RejectedRow
from .counters import Counters
from .cycle import AccountView, Decision, Inputs, Order, PutAccount
from .events import CampaignEvent
from .phone_number import PhoneNumber
from .receipts import Receipt
from .reports import Ended, Placed, Report, Unsent
from .statuses import ContactStatus
from .values import AccountId, CampaignId

PAGE_SIZE: Final = 100
"""Contacts on one page."""
REJECTS_PAGE_SIZE: Final = 1_000
"""Rejected rows on one page."""
LOOK_AHEAD: Final = 1_000
"""Contacts that are due among which free ones are looked for, so that a file of one number slows nobody else."""
MAX_STAGED_ROWS: Final = 1_000
"""Rows that one call of ``Store.stage`` may bring: so long, and no longer, others wait for the writer."""

Decide = Callable[[AccountView, Inputs, datetime], Decision]
"""One account's whole turn, pure: ``kataven_core.decide``."""


@frozen(kw_only=True)
class AccountTurn:
    """What has come in for one account, and the campaigns to decide on besides those that it names."""

    account_id: AccountId
    inputs: Inputs = field(factory=Inputs)
    campaigns: frozenset[CampaignId] = frozenset()

    @property
    def named_campaigns(self) -> frozenset[CampaignId]:
        """The campaigns to decide on, those that commands name among them; reports name theirs by their attempts."""
        commands = (each for each in self.inputs.commands if not isinstance(each, PutAccount))
        return self.campaigns.union(each.campaign_id for each in commands)

    @property
    def named_receipts(self) -> frozenset[tuple[str, str]]:
        """Scope and key of the receipts to look for: of the commands that are to be done once."""
        asked = (each.once for each in self.inputs.commands if not isinstance(each, PutAccount))
        return frozenset(once.name for once in asked if once)

    @property
    def puts_account(self) -> bool:
        """Whether the account itself is to change, so that all its running campaigns are to be decided on."""
        return any(isinstance(each, PutAccount) for each in self.inputs.commands)


class StagedContact(NamedTuple):
    """One accepted row on its way into the store; ``custom_fields_json`` is a JSON object, name to string."""

    position: int
    phone_number: PhoneNumber
    custom_fields_json: str


class CampaignRecord(NamedTuple):
    """A campaign and where it stands in numbers."""

    campaign: Campaign
    counters: Counters


class ContactsPage(NamedTuple):
    """Contacts in file order: ``PAGE_SIZE`` of them, from ``page * PAGE_SIZE`` on; ``total`` counts all pages'.

    A store that has rows gives ``ContactRows``, of which nobody makes contacts who only shows them.
    """

    contacts: Sequence[Contact]
    page: int
    total: int

    @property
    def has_next(self) -> bool:
        """Whether there are more behind these."""
        return (self.page + 1) * PAGE_SIZE < self.total


@frozen(kw_only=True)
class Agenda:
    """What a process that starts has to go on with.

    ``open_attempts`` are the dials whose end is not known; ``campaigns`` those that run or are scheduled; ``deleted``
    those that are gone for their users and whose contacts are still there, to be discarded when their calls have ended.
    """

    open_attempts: tuple[Attempt, ...] = ()
    campaigns: tuple[tuple[AccountId, CampaignId], ...] = ()
    deleted: tuple[tuple[AccountId, CampaignId], ...] = ()


class Store(AbstractAsyncContextManager["Store"], Protocol):
    """Where all state lives. It holds no rule and reads no clock.

    Entering it opens it: ``AdapterFault`` says what to mend when it can't be used, and what an earlier process staged
    and never made a campaign of is swept away. A campaign that is staged, deleted or another account's is not there for
    any read: they raise ``NotFound``, the same for each of them.
    """

    async def settle(self, turns: Sequence[AccountTurn], decide: Decide, now: datetime) -> Sequence[Decision]:
        """Let each account take its turn: read its view, ``decide``, write all that was decided, in one transaction.

        No account stands twice in ``turns``; the decisions come in their order. ``decide`` sees the view that
        ``AccountView`` describes, read in the same transaction: the campaigns that are named, those that the inputs
        name, those whose schedule has come, all running ones where the account is put, and the receipts that the inputs
        name. It may be called more than once. When this raises, nothing has changed: ``AdapterFault`` when the store
        can't do it, or whatever ``decide`` has raised. When it returns, everything is durable.
        """
        ...

    async def stage(
        self,
        account_id: AccountId,
        campaign_id: CampaignId,
        contacts: Sequence[StagedContact],
        rejects: Sequence[RejectedRow] = (),
    ) -> None:
        """Take the next rows of an upload, at most ``MAX_STAGED_ROWS`` of each; nobody sees them yet.

        They become a campaign's when ``CreateCampaign`` is settled for this id. Positions count from 0 without a gap.
        ``CommandRefused`` with the code ``campaign_exists`` where the id is a campaign's already, or another account's
        upload's: ids are unique over all accounts, as those of attempts are made of them.
        """
        ...

    async def discard(self, account_id: AccountId, campaign_id: CampaignId) -> None:
        """Remove what was staged, or the contacts of a deleted campaign whose calls have ended, in small steps.

        Others are served between the steps. Attempts are kept: they are the record of who was called when; so the id
        stays taken. Does nothing to a campaign that can be seen, that still holds calls, or that does not exist.
        """
        ...

    async def agenda(self) -> Agenda:
        """Give what a process that starts has to go on with, over all accounts."""
        ...

    async def account(self, account_id: AccountId) -> Account:
        """Give an account; ``NotFound`` where it was never put."""
        ...

    async def campaign(self, account_id: AccountId, campaign_id: CampaignId) -> CampaignRecord:
        """Give one campaign, both parts as of the same moment."""
        ...

    async def campaigns(self, account_id: AccountId) -> Sequence[Campaign]:
        """Give an account's campaigns, the newest first; none for an account that does not exist."""
        ...

    async def contacts(
        self, account_id: AccountId, campaign_id: CampaignId, *, status: ContactStatus | None = None, page: int = 0
    ) -> ContactsPage:
        """Give a page of a campaign's contacts, or of those in one status; one past the end is empty.

        ``page`` counts from 0.
        """
        ...

    async def rejects(self, account_id: AccountId, campaign_id: CampaignId, *, page: int = 0) -> Sequence[RejectedRow]:
        """Give ``REJECTS_PAGE_SIZE`` rejected rows of a campaign's file, by line; one past the end is empty."""
        ...

    async def dials_since(self, account_id: AccountId, campaign_id: CampaignId, since: datetime) -> int:
        """Count a campaign's dials that were claimed at ``since`` or later; those never sent are left out."""
        ...

    async def receipt(self, account_id: AccountId, scope: str, key: str) -> Receipt | None:
        """Give what an account was answered under this key, though its campaign is gone; None where it was not.

        One that is too old to count is given until it is forgotten.
        """
        ...


@frozen(kw_only=True)
class Originated:
    """What became of one originate, as far as is known when it returns.

    ``Ended`` only as ``invalid_number``: the line refuses the number itself. With ``Unsent``, ``retry_after_s`` is how
    long the line wants to be left alone with this account's calls; None: as long as the engine likes.
    """

    report: Placed | Unsent | Ended
    retry_after_s: float | None = None


Deliver = Callable[[Sequence[Report]], Awaitable[None]]
"""Takes reports at once, and never refuses one. What it returns is done when they are durable; few lines need that."""


@frozen(kw_only=True)
class LineOptions:
    """What a line is told besides its address; one that has no use for something passes it over.

    ``token`` opens the other side, ``secret`` signs what it reports to ``report_url``. A phone that is not answered
    within ``ring_timeout_s`` is given up, and no call lasts longer than ``max_duration_s``.
    """

    token: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    report_url: str | None = None
    ring_timeout_s: float = 30.0
    max_duration_s: float = 3_600.0


class Line(AbstractAsyncContextManager["Line"], Protocol):
    """What places calls. Entering it opens it; ``AdapterFault`` says what to mend when it can't be used."""

    def listen(self, deliver: Deliver, turned: Callable[[], None]) -> None:
        """Hand every report to ``deliver`` from now on, and call ``turned`` when ``trouble`` has come or gone.

        Called once, before anything is originated.
        """
        ...

    async def originate(self, order: Order) -> Originated:
        """Place one call. The same ``attempt_id`` is never asked for twice.

        Raising anything, or being cancelled, leaves open whether the phone rings: nothing may be raised when it surely
        does not, as that is ``Unsent``. Reports may come before this returns. Where ``trouble`` is why it is unsent, it
        has come before this returns: then the account is not left alone, as the line as a whole is.
        """
        ...

    async def reconcile(self, attempts: Sequence[Attempt]) -> Sequence[Report]:
        """Say what is known of attempts about which this process has heard nothing, or not enough.

        ``Placed``, ``Ringing`` or ``Answered`` for a call that lives, ``Ended`` for one that is over, ``NeverPlaced``
        where the line would surely know it, does not, and no request for it can be under way, ``Lost`` where it can
        never know any more. Nothing for an attempt that it does not know, and may yet: such a one is asked about until
        it is given up. A line that could not ask about all of them delivers what it has learnt and raises
        ``AdapterFault``: nobody is given up then. It is waited for as long as for a call.
        """
        ...

    async def drain(self) -> None:
        """Wait until no call is up that would die with this process; at once where calls live elsewhere."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why nobody's calls can be placed now, in one sentence that says what to mend; None while they can.

        It is looked at right before each call. When it has gone, the line is asked about all calls that may be up, and
        only then for new ones.
        """
        ...


Subscription = AbstractAsyncContextManager[AsyncIterator[CampaignEvent]]
"""Events as they are published, from the moment at which it is entered; they end when it is left."""


class Publisher(Protocol):
    """Where events go once they are durable."""

    def publish(self, events: Sequence[CampaignEvent]) -> None:
        """Tell what has happened, in this order. Returns at once and never raises, however slow a listener is."""
        ...

    def subscribe(self, account_id: AccountId, campaign_id: CampaignId | None = None) -> Subscription:
        """Listen to one account's events, or to those of one campaign.

        Each listener hears them in the order of their ``sequence``. One that does not keep up is not waited for: it
        hears ``AdapterFault`` with the code ``too_slow`` in place of what it missed, and begins again from a snapshot.
        """
        ...


class Meter(Protocol):
    """Counts what the engine does. Each method returns at once and never raises."""

    def settled(self, decisions: Sequence[Decision], took_s: float) -> None:
        """Count one commit: what was decided in it, and how long reading, deciding and writing took together."""
        ...

    def sent(self, took_s: float) -> None:
        """Count one call that the line was asked for: how long it took from its claim to the line's answer."""
        ...

    def passed_over(self, reports: int) -> None:
        """Count reports about attempts that are not open, or never were: they change nothing."""
        ...


class Clock(Protocol):
    """Time. Wall time decides when, monotonic time measures how long."""

    def now(self) -> datetime:
        """Give the time, in UTC; it may jump."""
        ...

    def monotonic(self) -> float:
        """Give seconds from some fixed moment; they never go back."""
        ...


__all__ = [
    "LOOK_AHEAD",
    "MAX_STAGED_ROWS",
    "PAGE_SIZE",
    "REJECTS_PAGE_SIZE",
    "AccountTurn",
    "Agenda",
    "CampaignRecord",
    "Clock",
    "ContactsPage",
    "Decide",
    "Deliver",
    "Line",
    "LineOptions",
    "Meter",
    "Originated",
    "Publisher",
    "StagedContact",
    "Store",
    "Subscription",
]
