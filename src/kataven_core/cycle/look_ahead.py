"""Last, when to look again: what time alone will move, and what only the end of a call will."""

from collections.abc import Iterator
from datetime import datetime

from kataven_core.budget import Cap
from kataven_core.statuses import CampaignStatus, ContactStatus

from .turn import CampaignTurn, Turn


def look_ahead(turn: Turn) -> None:
    """Say for each campaign when to decide on it again, and which wait for a call of the account to end."""
    returned = _returned(turn)
    for name, campaign in turn.campaigns.items():
        at = min([*_times(turn, campaign), *returned.get(name, ())], default=None)
        if at is not None and not _is_full(campaign):
            turn.wakes[name] = at
        if _awaits_budget(turn, campaign) or (campaign.is_running and _awaits_a_call(turn, campaign)):
            turn.waits.append(name)


def _is_full(campaign: CampaignTurn) -> bool:
    """Whether no time can let it dial: only the end of one of its own calls can, and that is a report of it."""
    return campaign.is_running and not campaign.room


def _returned(turn: Turn) -> dict[str, list[datetime]]:
    """Give the times at which contacts that this decision has made pending may be dialled, by campaign.

    They were no candidates, as they were read while their dial was open: so even one that is due at once is looked at
    again.
    """
    times: dict[str, list[datetime]] = {}
    for _, contact in turn.contacts.values():
        if contact.status is ContactStatus.PENDING and turn.campaigns[contact.campaign_id].is_running:
            times.setdefault(contact.campaign_id, []).append(contact.next_attempt_at or turn.now)
    return times


def _times(turn: Turn, campaign: CampaignTurn) -> Iterator[datetime]:
    value = campaign.campaign
    hold = turn.holds.get(value.id)
    if campaign.is_running:
        yield from (at for at in (campaign.next_retry_at, hold and hold.opens_at) if at)
    elif value.status is CampaignStatus.SCHEDULED and not value.is_deleted:
        yield from (at for at in (value.scheduled_at,) if at and at > turn.now)


def _awaits_budget(turn: Turn, campaign: CampaignTurn) -> bool:
    """Whether its schedule has come and it did not fit. A read finds it by its time, unless the clock is set back."""
    value = campaign.campaign
    is_due = value.scheduled_at is not None and value.scheduled_at <= turn.now
    return value.status is CampaignStatus.SCHEDULED and is_due and not value.is_deleted


def _awaits_a_call(turn: Turn, campaign: CampaignTurn) -> bool:
    """Whether a cap that is not the campaign's own holds it back, or a call to the number of one of its contacts.

    An end of its own calls is a report, and brings it into the view anyway. A dial that was never sent gives back what
    it took of the minute and the day: so even a cap that the clock lifts may open when a call ends.
    """
    hold = turn.holds.get(campaign.campaign.id)
    if hold and hold.binding is not Cap.CAMPAIGN_CALLS:
        return True
    return any(
        each.is_due(turn.now)
        and each.phone_number in turn.busy_numbers
        and (each.campaign_id, each.position) not in turn.contacts
        for each in campaign.candidates
    )
