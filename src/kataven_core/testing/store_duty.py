"""A view with no more in it than it must hold: stores that keep to the contract give the same."""

from collections import Counter
from datetime import datetime

from attrs import evolve

from kataven_core import AccountView, CampaignStatus, CampaignView, PhoneNumber, candidates_wanted
from kataven_core.ports import AccountTurn


def at_least(view: AccountView, turn: AccountTurn, now: datetime) -> AccountView:
    """Leave out of a view what it holds beyond its duty, and put its campaigns in the order of their ids.

    Two stores that keep to the contract then give equal views.
    """
    named = {each.attempt_id for each in turn.inputs.reports} & {*view.attempts}
    ends = Counter(view.attempts[name].campaign_id for name in turn.inputs.ending & named)
    campaigns = tuple(
        _needed(each, ends[each.campaign.id], view.busy_numbers)
        for each in sorted(view.campaigns, key=lambda each: each.campaign.id)
    )
    theirs = {(each.campaign_id, each.position) for each in view.attempts.values() if each.is_open and each.id in named}
    wanted_numbers = {row.phone_number for each in campaigns for row in each.candidates}
    return evolve(
        view,
        usage=view.usage.rolled(now),
        campaigns=campaigns,
        attempts={name: each for name, each in view.attempts.items() if name in named},
        contacts={name: each for name, each in view.contacts.items() if (each.campaign_id, each.position) in theirs},
        busy_numbers=view.busy_numbers & wanted_numbers,
        receipts={name: each for name, each in view.receipts.items() if name in turn.named_receipts},
    )


def _needed(view: CampaignView, ends: int, busy: frozenset[PhoneNumber]) -> CampaignView:
    """Keep the candidates that a decision can use; none of a campaign that does not run."""
    if view.campaign.status is not CampaignStatus.RUNNING:
        return evolve(view, candidates=(), next_retry_at=None)
    wanted = candidates_wanted(view.campaign, view.counters, ends)
    free = [each for each in view.candidates if each.phone_number not in busy][:wanted]
    needed = (each for index, each in enumerate(view.candidates) if index < wanted or each in free)
    return evolve(view, candidates=tuple(needed))
