"""What one decision looks at: one account, as it is read in one transaction, and what has come in for it."""

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from kataven_core.account import Account
from kataven_core.attempt import Attempt
from kataven_core.budget import AccountUsage
from kataven_core.campaign import Campaign, Operation
from kataven_core.contact import Contact
from kataven_core.counters import Counters
from kataven_core.phone_number import PhoneNumber
from kataven_core.receipts import Once, Receipt
from kataven_core.reports import ENDING, Report
from kataven_core.settings import CampaignSettings
from kataven_core.values import AccountId, AttemptId, CampaignId, ContactId


@frozen(kw_only=True)
class CampaignView:
    """One campaign with its counters.

    ``candidates`` are contacts that are due, in the order in which they are to be dialled: retries by time, then fresh
    ones in file order; the first ``candidates_wanted`` of them, and if some have a number that is busy, so many more
    that as many have not. A campaign that does not run needs none. ``next_retry_at`` is the earliest
    ``next_attempt_at`` of its pending contacts that is still to come; None where none waits for a later time.
    """

    campaign: Campaign
    counters: Counters
    candidates: tuple[Contact, ...] = ()
    next_retry_at: datetime | None = None


@frozen(kw_only=True)
class AccountView:
    """What is read before a decision.

    ``reserved`` is the sum of ``max_concurrent_calls`` over all of the account's running campaigns, in calls.
    ``campaigns`` holds at least those that a report or a command of these inputs names, those with something due, and
    all running ones when the account itself is to change; ``attempts`` those that a report names, ``contacts`` theirs.
    ``busy_numbers`` are the numbers in an open call of the account; at least those that a candidate has. ``receipts``
    are those that ``once`` of a command names, by scope and key, as they are stored: old ones too.
    """

    account_id: AccountId
    account: Account | None
    usage: AccountUsage
    reserved: int = 0
    campaigns: tuple[CampaignView, ...] = ()
    attempts: Mapping[AttemptId, Attempt] = field(factory=dict)
    contacts: Mapping[ContactId, Contact] = field(factory=dict)
    busy_numbers: frozenset[PhoneNumber] = frozenset()
    receipts: Mapping[tuple[str, str], Receipt] = field(factory=dict)


@frozen(kw_only=True)
class CreateCampaign:
    """Make a campaign of the ``total`` contacts that were stored for it under ``campaign_id``.

    With ``once``, at most once in ``RECEIPT_LIFETIME``: asked again, the answer is the campaign that was made first.
    """

    campaign_id: CampaignId
    settings: CampaignSettings
    total: int
    created_by: str
    once: Once | None = None


@frozen(kw_only=True)
class Operate:
    """Do something to a campaign; with ``once``, at most once in ``RECEIPT_LIFETIME``."""

    campaign_id: CampaignId
    operation: Operation
    once: Once | None = None


@frozen(kw_only=True)
class PutAccount:
    """Make the account, or change its caps, agents and numbers."""

    account: Account


Command = CreateCampaign | Operate | PutAccount


@frozen(kw_only=True)
class Inputs:
    """What has come in: facts first, then requests; time is the third input.

    ``line_is_up`` false holds every dial of the account back, until ``line_opens_at`` where that is known: the line is
    down, or has asked for a pause. ``retry_jitter_s`` is added to the delay of a retry after the attempt that it names,
    in seconds.
    """

    reports: tuple[Report, ...] = ()
    commands: tuple[Command, ...] = ()
    line_is_up: bool = True
    line_opens_at: datetime | None = None
    retry_jitter_s: Mapping[AttemptId, float] = field(factory=dict)

    @property
    def ending(self) -> frozenset[AttemptId]:
        """The attempts that a report may end."""
        return frozenset(report.attempt_id for report in self.reports if isinstance(report, ENDING))


def candidates_wanted(campaign: Campaign, counters: Counters, ends: int) -> int:
    """Say how many candidates a decision can use: one for each slot that is free or may become so, and one more.

    That one shows that there are more than may be dialled, so that ``Decision.holds`` says why. ``ends`` counts the
    campaign's attempts that are ``ending`` in these inputs: each may free a slot.
    """
    return max(campaign.max_concurrent_calls - counters.calls_in_flight, 0) + ends + 1
