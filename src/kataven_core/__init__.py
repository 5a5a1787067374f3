"""Kataven Core: the pure heart of an engine for outbound voice campaigns.

Pure functions on frozen values decide a whole campaign; whoever calls them owns the clock, the store and the phone
line. Begin with ``ContactsParser`` (a file to contacts), ``campaign_settings`` and ``decide`` (one account's turn).
``kataven_core.codec`` turns the values into plain forms; it is imported on demand.
"""

from ._version import __version__
from .account import NO_LIMIT, Account, Agent, AgentStatus, Caps, OutboundNumber
from .attempt import Attempt
from .budget import AccountUsage, Allowance, Cap, account_allowance, dial_allowance
from .campaign import Campaign, Operation
from .contact import Contact
from .contact import cancel as cancel_contact
from .contacts_csv import (
    AcceptedRow,
    Batch,
    ContactsFileError,
    ContactsParser,
    CsvOptions,
    Duplicates,
    FileFault,
    Header,
    RejectCode,
    RejectedRow,
    rejects_csv,
)
from .counters import Counters
from .cycle import (
    AccountView,
    AttemptChange,
    CampaignView,
    Command,
    ContactChange,
    CreateCampaign,
    Decision,
    Inputs,
    Operate,
    Order,
    PutAccount,
    decide,
)
from .errors import BudgetExhausted, CommandRefused, InvalidValue, KatavenError, NotFound, Problem
from .events import (
    AttemptAnswered,
    AttemptClaimed,
    AttemptDoubted,
    AttemptEnded,
    AttemptLive,
    CampaignCompleted,
    CampaignCreated,
    CampaignDeleted,
    CampaignEvent,
    CampaignFailed,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopped,
    Event,
)
from .phone_number import NationalParser, PhoneNumber, parse_phone_number
from .reports import Answered, Doubtful, Ended, Lost, NeverPlaced, Placed, Report, Ringing, Unsent
from .retry import RetryPolicy, next_attempt_at
from .settings import CampaignSettings, campaign_settings
from .snapshot import Snapshot, take_snapshot
from .statuses import AttemptState, CampaignStatus, ContactStatus, Outcome
from .values import AccountId, AttemptId, CampaignId, ContactId, account_id, attempt_id, contact_id

__all__ = [
    "NO_LIMIT",
    "AcceptedRow",
    "Account",
    "AccountId",
    "AccountUsage",
    "AccountView",
    "Agent",
    "AgentStatus",
    "Allowance",
    "Answered",
    "Attempt",
    "AttemptAnswered",
    "AttemptChange",
    "AttemptClaimed",
    "AttemptDoubted",
    "AttemptEnded",
    "AttemptId",
    "AttemptLive",
    "AttemptState",
    "Batch",
    "BudgetExhausted",
    "Campaign",
    "CampaignCompleted",
    "CampaignCreated",
    "CampaignDeleted",
    "CampaignEvent",
    "CampaignFailed",
    "CampaignId",
    "CampaignPaused",
    "CampaignResumed",
    "CampaignSettings",
    "CampaignStarted",
    "CampaignStatus",
    "CampaignStopped",
    "CampaignView",
    "Cap",
    "Caps",
    "Command",
    "CommandRefused",
    "Contact",
    "ContactChange",
    "ContactId",
    "ContactStatus",
    "ContactsFileError",
    "ContactsParser",
    "Counters",
    "CreateCampaign",
    "CsvOptions",
    "Decision",
    "Doubtful",
    "Duplicates",
    "Ended",
    "Event",
    "FileFault",
    "Header",
    "Inputs",
    "InvalidValue",
    "KatavenError",
    "Lost",
    "NationalParser",
    "NeverPlaced",
    "NotFound",
    "Operate",
    "Operation",
    "Order",
    "OutboundNumber",
    "Outcome",
    "PhoneNumber",
    "Placed",
    "Problem",
    "PutAccount",
    "RejectCode",
    "RejectedRow",
    "Report",
    "RetryPolicy",
    "Ringing",
    "Snapshot",
    "Unsent",
    "__version__",
    "account_allowance",
    "account_id",
    "attempt_id",
    "campaign_settings",
    "cancel_contact",
    "contact_id",
    "decide",
    "dial_allowance",
    "next_attempt_at",
    "parse_phone_number",
    "rejects_csv",
    "take_snapshot",
]
