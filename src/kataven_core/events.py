"""What happened: facts in the past tense, numbered for each campaign without a gap.

Folding a campaign's events gives its campaign (``campaign.apply``), its counters (``counters.Tally``) and each of its
attempts and contacts (``attempt.apply``, ``contact.apply``). They are published only after the commit of the decision
that they belong to.
"""

from datetime import datetime

from attrs import frozen

from .phone_number import PhoneNumber
from .settings import CampaignSettings
from .statuses import ContactStatus, Outcome
from .values import AccountId, AttemptId, CampaignId


@frozen(kw_only=True)
class CampaignEvent:
    """Something that happened to a campaign or in it. ``sequence`` counts from 1; ``at`` is UTC."""

    account_id: AccountId
    campaign_id: CampaignId
    sequence: int
    at: datetime


@frozen(kw_only=True)
class CampaignCreated(CampaignEvent):
    """A campaign came into being with ``total`` contacts, all pending."""

    settings: CampaignSettings
    total: int
    created_by: str


@frozen(kw_only=True)
class CampaignStarted(CampaignEvent):
    """A draft or scheduled campaign began to dial."""


@frozen(kw_only=True)
class CampaignPaused(CampaignEvent):
    """No new dial until the campaign is resumed; calls in flight go on."""


@frozen(kw_only=True)
class CampaignResumed(CampaignEvent):
    """A paused campaign goes on."""


@frozen(kw_only=True)
class CampaignStopped(CampaignEvent):
    """A campaign was ended by hand; its ``cancelled`` pending contacts with it."""

    cancelled: int


@frozen(kw_only=True)
class CampaignCompleted(CampaignEvent):
    """Every contact of the campaign is finished."""


@frozen(kw_only=True)
class CampaignFailed(CampaignEvent):
    """The agent or number may call no more, says ``reason``; ``cancelled`` pending contacts end with it."""

    cancelled: int
    reason: str


@frozen(kw_only=True)
class CampaignDeleted(CampaignEvent):
    """The campaign is gone for its users; calls in flight keep their slots until they end, then its rows may go."""


@frozen(kw_only=True)
class AttemptEvent(CampaignEvent):
    """Something that happened to one dial."""

    attempt_id: AttemptId
    position: int


@frozen(kw_only=True)
class AttemptClaimed(AttemptEvent):
    """A dial was written down, before any of it left for the line; ``n`` counts the contact's claims from 1."""

    n: int
    phone_number: PhoneNumber


@frozen(kw_only=True)
class AttemptDoubted(AttemptEvent):
    """The line's answer was lost: the phone may be ringing."""


@frozen(kw_only=True)
class AttemptLive(AttemptEvent):
    """The line has the call, under its own ``call_id`` where it gave one."""

    call_id: str | None


@frozen(kw_only=True)
class AttemptAnswered(AttemptEvent):
    """Somebody, or a machine, picked up."""

    answered_at: datetime


@frozen(kw_only=True)
class AttemptEnded(AttemptEvent):
    """A dial is over, and this is what becomes of its contact.

    ``duration_s`` is the talk in seconds, 0 where there was none. ``next_attempt_at`` is set when it is dialled again.
    """

    outcome: Outcome
    ended_at: datetime
    duration_s: float
    contact_status: ContactStatus
    next_attempt_at: datetime | None


Event = (
    CampaignCreated
    | CampaignStarted
    | CampaignPaused
    | CampaignResumed
    | CampaignStopped
    | CampaignCompleted
    | CampaignFailed
    | CampaignDeleted
    | AttemptClaimed
    | AttemptDoubted
    | AttemptLive
    | AttemptAnswered
    | AttemptEnded
)
