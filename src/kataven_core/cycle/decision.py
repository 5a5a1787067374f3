"""What one decision comes to: what to write, what to dial, what to tell."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from attrs import field, frozen

from kataven_core.account import Account
from kataven_core.attempt import Attempt
from kataven_core.budget import AccountUsage, Allowance
from kataven_core.campaign import Campaign
from kataven_core.contact import Contact
from kataven_core.counters import Counters
from kataven_core.errors import KatavenError
from kataven_core.events import CampaignEvent
from kataven_core.phone_number import PhoneNumber
from kataven_core.receipts import Receipt
from kataven_core.values import AccountId, AttemptId, CampaignId


class AttemptChange(NamedTuple):
    """An attempt before (None: it is new) and after; written only where the store still holds what was before."""

    before: Attempt | None
    after: Attempt


class ContactChange(NamedTuple):
    """A contact before and after; written only where the store still holds what was before."""

    before: Contact
    after: Contact


@frozen(kw_only=True)
class Order:
    """One call for the line to place, after the commit and never before it.

    ``caller`` is the account's number that is shown; ``route`` what the line does with the answered call; ``variables``
    the contact's custom fields. The same ``attempt_id`` is the same call.
    """

    attempt_id: AttemptId
    account_id: AccountId
    campaign_id: CampaignId
    to: PhoneNumber
    caller: PhoneNumber
    agent_id: str
    route: str
    variables: Mapping[str, str]


@frozen(kw_only=True)
class Decision:
    """What to do, in this order: write all changes in one transaction; then send orders, publish events, give answers.

    Contacts are written before ``cancelled``: the campaigns all of whose pending contacts are to be cancelled.
    ``answers`` match the commands: what became of the campaign or account, or the error. ``holds`` says why, for each
    running campaign that was given more candidates than it may dial, or may dial none now that it begins.
    ``unrecognized`` are the attempts of reports that nobody knows.

    What the account has of receipts from before ``receipts_since`` is forgotten; None: nothing is. ``receipts`` are
    written with all else, each in place of the one that the account has of this scope and key.

    Three say when to decide on a campaign again, besides when a report or a command names it. ``again``: at
    once, as it may dial more than it was given: it has just begun, or used all up. ``wakes``: at this time, as a retry
    or a schedule comes due or a cap opens; not of one whose slots are all taken, as only the end of one of its calls
    lets it dial. ``waits``: when any call of the account ends, a command comes for it, or the line is up again, as a
    cap or the budget of the account holds it back, or a call to a number that it has.
    """

    account: Account | None
    usage: AccountUsage
    campaigns: tuple[Campaign, ...] = ()
    counters: tuple[Counters, ...] = ()
    attempts: tuple[AttemptChange, ...] = ()
    contacts: tuple[ContactChange, ...] = ()
    cancelled: tuple[CampaignId, ...] = ()
    orders: tuple[Order, ...] = ()
    events: tuple[CampaignEvent, ...] = ()
    answers: tuple[Campaign | Account | KatavenError, ...] = ()
    holds: Mapping[CampaignId, Allowance] = field(factory=dict)
    again: tuple[CampaignId, ...] = ()
    wakes: Mapping[CampaignId, datetime] = field(factory=dict)
    waits: tuple[CampaignId, ...] = ()
    unrecognized: tuple[AttemptId, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    receipts_since: datetime | None = None
