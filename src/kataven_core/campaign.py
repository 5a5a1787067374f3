"""What a campaign may do: every rule that moves it is in this file, the table first.

=========  ========  ========  =======  ==========  ======  ========  =======  =======
status     start     resume    pause    stop        delete  come due  finish   fail
=========  ========  ========  =======  ==========  ======  ========  =======  =======
draft      running   -         -        -           gone    -         -        -
scheduled  running   -         -        completed   gone    running   -        -
running    -         -         paused   completed   -       -         completed failed
paused     running   running   -        completed   gone    -         -        -
completed  -         -         -        -           gone    -         -        -
failed     -         -         -        -           gone    -         -        -
=========  ========  ========  =======  ==========  ======  ========  =======  =======

The first five are operations that someone asks for, and are refused with a reason where the table has no entry. The
last three happen as time passes: a schedule comes due, the last contact is finished, the agent or the number is gone.

Every way into ``running`` needs an agent and a number that may call and room in the account's budget. A campaign that
has nothing left to dial when it is resumed is completed at once; while paused it stays paused.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final, NamedTuple, assert_never

from attrs import evolve, frozen

from .account import Account
from .budget import admit
from .counters import Counters
from .errors import CommandRefused, InvalidValue
from .events import (
    CampaignCompleted,
    CampaignCreated,
    CampaignDeleted,
    CampaignEvent,
    CampaignFailed,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopped,
)
from .retry import RetryPolicy
from .settings import CampaignSettings
from .statuses import CampaignStatus
from .values import AccountId, CampaignId

_S = CampaignStatus


@unique
class Operation(StrEnum):
    """What can be done to a campaign."""

    START = "start"
    RESUME = "resume"
    PAUSE = "pause"
    STOP = "stop"
    DELETE = "delete"


@unique
class Occurrence(StrEnum):
    """What befalls a campaign as time passes."""

    COME_DUE = "come_due"
    FINISH = "finish"
    FAIL = "fail"


GONE: Final = None
"""Where a deleted campaign stands: nowhere."""

TABLE: Final = MappingProxyType(
    {
        (_S.DRAFT, Operation.START): _S.RUNNING,
        (_S.DRAFT, Operation.DELETE): GONE,
        (_S.SCHEDULED, Operation.START): _S.RUNNING,
        (_S.SCHEDULED, Operation.STOP): _S.COMPLETED,
        (_S.SCHEDULED, Operation.DELETE): GONE,
        (_S.SCHEDULED, Occurrence.COME_DUE): _S.RUNNING,
        (_S.RUNNING, Operation.PAUSE): _S.PAUSED,
        (_S.RUNNING, Operation.STOP): _S.COMPLETED,
        (_S.RUNNING, Occurrence.FINISH): _S.COMPLETED,
        (_S.RUNNING, Occurrence.FAIL): _S.FAILED,
        (_S.PAUSED, Operation.START): _S.RUNNING,
        (_S.PAUSED, Operation.RESUME): _S.RUNNING,
        (_S.PAUSED, Operation.STOP): _S.COMPLETED,
        (_S.PAUSED, Operation.DELETE): GONE,
        (_S.COMPLETED, Operation.DELETE): GONE,
        (_S.FAILED, Operation.DELETE): GONE,
    }
)
"""Where each move leads. What is not here is refused to whoever asks, and never befalls anybody."""


@frozen(kw_only=True)
class Campaign:
    """A campaign as its users see it, and whose it is.

    ``started_at`` is its first start, ``completed_at`` its end, whichever way; ``created_by`` the id of the API key. A
    deleted one is kept, unseen, until its calls have ended.
    """

    id: CampaignId
    account_id: AccountId
    name: str
    agent_id: str
    phone_number_id: str
    status: CampaignStatus
    max_concurrent_calls: int
    retries_per_contact: int
    retry_delay_seconds: int
    scheduled_at: datetime | None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    created_at: datetime
    created_by: str
    is_deleted: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will ever be dialled again."""
        return self.is_deleted or self.status.is_terminal

    @property
    def retry_policy(self) -> RetryPolicy | None:
        """How its contacts are retried; None when it is over."""
        if self.is_over:
            return None
        return RetryPolicy.fixed(retries=self.retries_per_contact, delay_s=self.retry_delay_seconds)


class Transition(NamedTuple):
    """A campaign after a move, and what happened; no events, no move."""

    campaign: Campaign
    events: tuple[CampaignEvent, ...]


def create(
    settings: CampaignSettings, *, campaign_id: CampaignId, account: Account, total: int, created_by: str, now: datetime
) -> Transition:
    """Make a campaign of ``total`` contacts: a draft, or scheduled when its settings name a time.

    Raises ``InvalidValue`` when its agent or number may not call.
    """
    problems = account.obstacles(settings.agent_id, settings.phone_number_id)
    if problems:
        raise InvalidValue.of("invalid_settings", problems)
    event = CampaignCreated(
        account_id=account.id,
        campaign_id=campaign_id,
        sequence=1,
        at=now,
        settings=settings,
        total=total,
        created_by=created_by,
    )
    return Transition(_created(event), (event,))


def operate(
    campaign: Campaign, operation: Operation, *, counters: Counters, account: Account, reserved: int, now: datetime
) -> Transition:
    """Do to a campaign what somebody asks for, or raise ``CommandRefused`` and change nothing.

    ``reserved`` is the sum of ``max_concurrent_calls`` over the account's running campaigns, in calls.
    """
    if (campaign.status, operation) not in TABLE:
        raise _refused(campaign.status, operation)
    match operation:
        case Operation.START | Operation.RESUME:
            obstacles = _obstacles(campaign, account)
            if obstacles:
                raise CommandRefused(
                    "cannot_call", f"cannot {operation} a campaign that is {campaign.status}: {obstacles}"
                )
            _admit(campaign, account, reserved, operation)
            begins = campaign.started_at is None
            moved = _happen(campaign, counters, now, CampaignStarted if begins else CampaignResumed)
            return _and_finish(moved, counters, now)
        case Operation.PAUSE:
            return _happen(campaign, counters, now, CampaignPaused)
        case Operation.STOP:
            return _happen(campaign, counters, now, CampaignStopped, cancelled=counters.pending)
        case Operation.DELETE:
            return _happen(campaign, counters, now, CampaignDeleted)
        case _:
            assert_never(operation)


def come_due(campaign: Campaign, *, counters: Counters, account: Account, reserved: int, now: datetime) -> Transition:
    """Start a scheduled campaign whose time has come; it stays scheduled while ``BudgetExhausted`` is raised."""
    is_due = campaign.scheduled_at is not None and campaign.scheduled_at <= now
    if (campaign.status, Occurrence.COME_DUE) not in TABLE or not is_due:
        return Transition(campaign, ())
    _admit(campaign, account, reserved, Operation.START)
    return _happen(campaign, counters, now, CampaignStarted)


def finish(campaign: Campaign, *, counters: Counters, now: datetime) -> Transition:
    """Complete a running campaign that has nothing left to do."""
    if (campaign.status, Occurrence.FINISH) not in TABLE or not counters.is_finished:
        return Transition(campaign, ())
    return _happen(campaign, counters, now, CampaignCompleted)


def fail(campaign: Campaign, *, counters: Counters, account: Account, now: datetime) -> Transition:
    """Fail a running campaign whose agent or number is gone or may call no more."""
    obstacles = _obstacles(campaign, account)
    if (campaign.status, Occurrence.FAIL) not in TABLE or not obstacles:
        return Transition(campaign, ())
    return _happen(campaign, counters, now, CampaignFailed, cancelled=counters.pending, reason=obstacles)


def apply(campaign: Campaign | None, event: CampaignEvent) -> Campaign | None:
    """Fold the next event of a campaign in; the first is its creation."""
    if isinstance(event, CampaignCreated):
        return _created(event)
    return campaign and _moved(campaign, event)


def _obstacles(campaign: Campaign, account: Account) -> str:
    """Say what keeps a campaign's agent and number from calling; nothing when they may."""
    return "; ".join(problem.message for problem in account.obstacles(campaign.agent_id, campaign.phone_number_id))


def _admit(campaign: Campaign, account: Account, reserved: int, operation: Operation) -> None:
    admit(
        reserved=reserved,
        wanted=campaign.max_concurrent_calls,
        allowed=account.caps.concurrent_max,
        request=f"cannot {operation} a campaign that is {campaign.status}",
    )


def _and_finish(moved: Transition, counters: Counters, now: datetime) -> Transition:
    """Complete a campaign in the same move that set it running, when it has nothing left."""
    if not counters.is_finished:
        return moved
    after = evolve(counters, sequence=moved.events[-1].sequence)
    finished = finish(moved.campaign, counters=after, now=now)
    return Transition(finished.campaign, moved.events + finished.events)


def _happen(
    campaign: Campaign, counters: Counters, now: datetime, kind: Callable[..., CampaignEvent], **details: object
) -> Transition:
    event = kind(
        account_id=campaign.account_id, campaign_id=campaign.id, sequence=counters.sequence + 1, at=now, **details
    )
    return Transition(_moved(campaign, event), (event,))


def _created(event: CampaignCreated) -> Campaign:
    settings = event.settings
    return Campaign(
        id=event.campaign_id,
        account_id=event.account_id,
        name=settings.name,
        agent_id=settings.agent_id,
        phone_number_id=settings.phone_number_id,
        status=CampaignStatus.SCHEDULED if settings.scheduled_at else CampaignStatus.DRAFT,
        max_concurrent_calls=settings.max_concurrent_calls,
        retries_per_contact=settings.retries_per_contact,
        retry_delay_seconds=settings.retry_delay_seconds,
        scheduled_at=settings.scheduled_at,
        created_at=event.at,
        created_by=event.created_by,
    )


def _moved(campaign: Campaign, event: CampaignEvent) -> Campaign:
    match event:
        case CampaignStarted():
            return evolve(campaign, status=CampaignStatus.RUNNING, started_at=event.at)
        case CampaignResumed():
            return evolve(campaign, status=CampaignStatus.RUNNING)
        case CampaignPaused():
            return evolve(campaign, status=CampaignStatus.PAUSED)
        case CampaignStopped() | CampaignCompleted():
            return evolve(campaign, status=CampaignStatus.COMPLETED, completed_at=event.at)
        case CampaignFailed():
            return evolve(campaign, status=CampaignStatus.FAILED, completed_at=event.at)
        case CampaignDeleted():
            return evolve(campaign, is_deleted=True)
        case _:
            return campaign


def _refused(status: CampaignStatus, operation: Operation) -> CommandRefused:
    possible = [move.value for move in Operation if (status, move) in TABLE]
    return CommandRefused(
        "not_allowed_now",
        f"cannot {operation} a campaign that is {status}: what can be done with it now is {' or '.join(possible)}",
    )
