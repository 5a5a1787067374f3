"""Claims last: who is dialled now."""

from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import heapify, heappop, heapreplace

from kataven_core.account import Agent, Caps, OutboundNumber
from kataven_core.attempt import Attempt
from kataven_core.budget import PACING_CAPS, Allowance, Cap, account_allowance, dial_allowance
from kataven_core.contact import Contact
from kataven_core.contact import claim as claim_contact
from kataven_core.events import AttemptClaimed
from kataven_core.values import attempt_id

from .decision import Order
from .turn import CampaignTurn, Turn

_NEVER = datetime.min.replace(tzinfo=UTC)


def claim(turn: Turn) -> None:
    """Hand out what may be dialled, one dial at a time, so that the account's campaigns get even shares.

    Where slots are short, the running campaign with the fewest calls in flight goes first; where dials are, under a cap
    for the minute or the day, the one with the fewest of this decision's. Among equals it is the one that has not
    dialled for the longest time, then the one that has dialled least: both are read from what is stored, so that shares
    stay even over decisions, restarts and processes.
    """
    account = turn.account
    if account is None:
        return
    allowance = account_allowance(account.caps, turn.usage, turn.now)
    is_paced = allowance.binding in PACING_CAPS
    running = [campaign for campaign in turn.campaigns.values() if campaign.is_running]
    callers = [account.callers(each.campaign.agent_id, each.campaign.phone_number_id) for each in running]
    due = [_due(turn, campaign) for campaign in running]
    heap = [(*_standing(campaign, is_paced=is_paced), index) for index, campaign in enumerate(running)]
    heapify(heap)
    while heap and len(turn.orders) < allowance.dials:
        index = heap[0][-1]
        campaign = running[index]
        contact = next(due[index], None) if campaign.room else None
        if contact is None:
            heappop(heap)
            continue
        _dial(turn, campaign, contact, *callers[index])
        if len(heap) > 1:
            heapreplace(heap, (*_standing(campaign, is_paced=is_paced), index))
    if turn.orders:
        turn.usage = turn.usage.after_claims(len(turn.orders))
    for campaign in running:
        _look_back(turn, account.caps, campaign)


def hold(turn: Turn, opens_at: datetime | None) -> None:
    """Dial nothing, as the line takes no calls, and say so wherever something is, or may be, due."""
    for campaign in turn.campaigns.values():
        if campaign.is_running and _has_work(turn, campaign):
            turn.holds[campaign.campaign.id] = Allowance(dials=0, binding=Cap.LINE, limit=0, opens_at=opens_at)


def _due(turn: Turn, campaign: CampaignTurn) -> Iterator[Contact]:
    """Yield the candidates that may be dialled at the moment they are asked for: one call per number at a time."""
    for contact in campaign.candidates:
        if contact.is_due(turn.now) and contact.phone_number not in turn.busy_numbers:
            yield contact


def _has_work(turn: Turn, campaign: CampaignTurn) -> bool:
    """Whether something is due; one that has just begun was given nothing to tell it by, and is taken to have some."""
    is_unread = campaign.has_begun and not campaign.candidates and not campaign.tally.is_finished
    return is_unread or next(_due(turn, campaign), None) is not None


def _standing(campaign: CampaignTurn, *, is_paced: bool) -> tuple[int, float, int]:
    """Say how far back a campaign stands in the row: the smallest goes first."""
    tally = campaign.tally
    served = campaign.dials if is_paced else tally.calls_in_flight
    return served, (tally.last_dial_at or _NEVER).timestamp(), tally.attempts


def _dial(turn: Turn, campaign: CampaignTurn, contact: Contact, agent: Agent, caller: OutboundNumber) -> None:
    value = campaign.campaign
    claimed = claim_contact(contact, turn.now)
    attempt = Attempt(
        id=attempt_id(value.id, contact.position, claimed.claims),
        account_id=value.account_id,
        campaign_id=value.id,
        position=contact.position,
        n=claimed.claims,
        phone_number=contact.phone_number,
        claimed_at=turn.now,
    )
    turn.change_contact(contact, claimed)
    turn.change_attempt(None, attempt)
    turn.busy_numbers.add(contact.phone_number)
    campaign.dials += 1
    turn.attempt_happened(campaign, AttemptClaimed, attempt, n=attempt.n, phone_number=attempt.phone_number)
    turn.orders.append(
        Order(
            attempt_id=attempt.id,
            account_id=value.account_id,
            campaign_id=value.id,
            to=contact.phone_number,
            caller=caller.e164,
            agent_id=agent.id,
            route=agent.route,
            variables=dict(contact.custom_fields),
        )
    )


def _look_back(turn: Turn, caps: Caps, campaign: CampaignTurn) -> None:
    """Say why a campaign with more contacts due may not dial them, or that it may dial more than it was given.

    It may if what it was given is used up, or has numbers that this decision dials for another campaign.
    """
    value = campaign.campaign
    allowance = dial_allowance(
        max_concurrent_calls=value.max_concurrent_calls,
        calls_in_flight=campaign.tally.calls_in_flight,
        caps=caps,
        usage=turn.usage,
        now=turn.now,
    )
    if next(_due(turn, campaign), None) or (not allowance.dials and _has_work(turn, campaign)):
        turn.holds[value.id] = allowance
    elif allowance.dials and (campaign.has_begun or (campaign.candidates and turn.orders)):
        turn.again.append(value.id)
