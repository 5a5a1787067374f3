"""Campaigns and their counters."""

import json
from typing import Final

from kataven_core import (
    AccountId,
    Campaign,
    CampaignId,
    CampaignStatus,
    Counters,
    Outcome,
)

from .cells import Row, moment, moment_or_none, stamp, stamp_or_none

CAMPAIGN: Final = (
    "account_id",
    "id",
    "name",
    "agent_id",
    "phone_number_id",
    "status",
    "max_concurrent_calls",
    "retries_per_contact",
    "retry_delay_seconds",
    "scheduled_at",
    "started_at",
    "completed_at",
    "created_at",
    "created_by",
    "is_deleted",
)


def campaign_row(campaign: Campaign) -> Row:
    """Give a campaign in the order of ``CAMPAIGN``."""
    return (
        campaign.account_id,
        campaign.id,
        campaign.name,
        campaign.agent_id,
        campaign.phone_number_id,
        campaign.status.value,
        campaign.max_concurrent_calls,
        campaign.retries_per_contact,
        campaign.retry_delay_seconds,
        stamp_or_none(campaign.scheduled_at),
        stamp_or_none(campaign.started_at),
        stamp_or_none(campaign.completed_at),
        stamp(campaign.created_at),
        campaign.created_by,
        int(campaign.is_deleted),
    )


def campaign_from(row: Row) -> Campaign:
    """Give a stored campaign."""
    return Campaign(
        account_id=AccountId(row[0]),
        id=CampaignId(row[1]),
        name=row[2],
        agent_id=row[3],
        phone_number_id=row[4],
        status=CampaignStatus(row[5]),
        max_concurrent_calls=row[6],
        retries_per_contact=row[7],
        retry_delay_seconds=row[8],
        scheduled_at=moment_or_none(row[9]),
        started_at=moment_or_none(row[10]),
        completed_at=moment_or_none(row[11]),
        created_at=moment(row[12]),
        created_by=row[13],
        is_deleted=bool(row[14]),
    )


COUNTERS: Final = (
    "pending",
    "in_progress",
    "completed",
    "failed",
    "cancelled",
    "suppressed",
    "attempts",
    "calls_in_flight",
    "outcomes",
    "last_dial_at",
    "sequence",
)


def counters_row(counters: Counters) -> Row:
    """Give counters in the order of ``COUNTERS``."""
    return (
        counters.pending,
        counters.in_progress,
        counters.completed,
        counters.failed,
        counters.cancelled,
        counters.suppressed,
        counters.attempts,
        counters.calls_in_flight,
        json.dumps(counters.outcomes),
        stamp_or_none(counters.last_dial_at),
        counters.sequence,
    )


def counters_from(campaign_id: CampaignId, row: Row) -> Counters:
    """Give stored counters."""
    return Counters(
        campaign_id=campaign_id,
        pending=row[0],
        in_progress=row[1],
        completed=row[2],
        failed=row[3],
        cancelled=row[4],
        suppressed=row[5],
        attempts=row[6],
        calls_in_flight=row[7],
        outcomes={Outcome(name): count for name, count in json.loads(row[8]).items()},
        last_dial_at=moment_or_none(row[9]),
        sequence=row[10],
    )
