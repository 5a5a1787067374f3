"""Claims last: who is dialled now."""

from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import heapify, heappop, heapreplace

from kataven_core.account import Account, Agent, OutboundNumber
from kataven_core.attempt import Attempt
from kataven_core.budget import account_allowance, dial_allowance
from kataven_core.contact import Contact
from kataven_core.contact import claim as claim_contact
from kataven_core.events import AttemptClaimed
from kataven_core.values import attempt_id

from .decision import Order
from .turn import CampaignTurn, Turn

_NEVER = datetime.min.replace(tzinfo=UTC)


def claim(turn: Turn) -> None:
    """Hand out the free slots, one at a time, to the running campaign with the fewest calls in flight.

    Among equals the one goes first that has not dialled for the longest time, then the one that has dialled least. All
    three are read from what is stored, so that shares stay even over decisions, restarts and processes.
    """
    account = turn.account
    if account is None:
        return
    running = [campaign for campaign in turn.campaigns.values() if campaign.is_running]
    due = [_due(turn, campaign) for campaign in running]
    callers = [account.callers(each.campaign.agent_id, each.campaign.phone_number_id) for each in running]
    heap = [(*_standing(campaign), index) for index, campaign in enumerate(running)]
    heapify(heap)
    left = account_allowance(account.caps, turn.usage, turn.now).dials
    while heap and len(turn.orders) < left:
        index = heap[0][-1]
        campaign = running[index]
        has_room = campaign.tally.calls_in_flight < campaign.campaign.max_concurrent_calls
        contact = next(due[index], None) if has_room else None
        if contact is None:
            heappop(heap)
            continue
        _dial(turn, campaign, contact, *callers[index])
        heapreplace(heap, (*_standing(campaign), index))
    if turn.orders:
        turn.usage = turn.usage.after_claims(len(turn.orders))
    for index, campaign in enumerate(running):
        if next(due[index], None):
            _hold(turn, account, campaign)


def _due(turn: Turn, campaign: CampaignTurn) -> Iterator[Contact]:
    """Yield the candidates that may be dialled at the moment they are asked for: one call per number at a time."""
    for contact in campaign.candidates:
        if contact.is_due(turn.now) and contact.phone_number not in turn.busy_numbers:
            yield contact


def _standing(campaign: CampaignTurn) -> tuple[int, datetime, int]:
    tally = campaign.tally
    return tally.calls_in_flight, tally.last_dial_at or _NEVER, tally.attempts


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
            variables=contact.custom_fields,
        )
    )


def _hold(turn: Turn, account: Account, campaign: CampaignTurn) -> None:
    """Say why a campaign that has more contacts due may dial no more of them now."""
    turn.holds[campaign.campaign.id] = dial_allowance(
        max_concurrent_calls=campaign.campaign.max_concurrent_calls,
        calls_in_flight=campaign.tally.calls_in_flight,
        caps=account.caps,
        usage=turn.usage,
        now=turn.now,
    )
