"""Third, what befalls campaigns as time passes: they fail, finish, come due."""

from datetime import datetime

from kataven_core.account import Account
from kataven_core.campaign import come_due, fail, finish
from kataven_core.errors import BudgetExhausted
from kataven_core.statuses import CampaignStatus

from .turn import CampaignTurn, Turn


def pass_time(turn: Turn) -> None:
    """Complete what is finished, fail what may call no more, start what has come due and fits, the earliest first.

    In this order, as each frees budget for the next. What has come due and does not fit stays scheduled.
    """
    account = turn.account
    if account is None:
        return
    for campaign in turn.campaigns.values():
        _fail_or_finish(turn, campaign, account)
    for campaign in sorted(_scheduled(turn), key=_due_order):
        try:
            moved = come_due(
                campaign.campaign,
                counters=campaign.tally.counters(),
                account=account,
                reserved=turn.reserved,
                now=turn.now,
            )
        except BudgetExhausted:
            continue
        turn.move(campaign, moved)
        _fail_or_finish(turn, campaign, account)


def _scheduled(turn: Turn) -> list[CampaignTurn]:
    campaigns = turn.campaigns.values()
    return [
        each for each in campaigns if each.campaign.status is CampaignStatus.SCHEDULED and not each.campaign.is_deleted
    ]


def _due_order(campaign: CampaignTurn) -> tuple[datetime, datetime, str]:
    """Order by schedule, then by age."""
    value = campaign.campaign
    return value.scheduled_at or value.created_at, value.created_at, value.id


def _fail_or_finish(turn: Turn, campaign: CampaignTurn, account: Account) -> None:
    value = campaign.campaign
    if not campaign.is_running:
        return
    if campaign.tally.is_finished:
        turn.move(campaign, finish(value, counters=campaign.tally.counters(), now=turn.now))
    elif account.obstacles(value.agent_id, value.phone_number_id):
        turn.move(campaign, fail(value, counters=campaign.tally.counters(), account=account, now=turn.now))
