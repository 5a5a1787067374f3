"""What decisions look at, for all accounts of a cycle at once: the same few statements, however much comes in."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from kataven_core import (
    AccountId,
    AccountUsage,
    AccountView,
    Attempt,
    AttemptId,
    Campaign,
    CampaignId,
    CampaignStatus,
    CampaignView,
    Contact,
    Counters,
    Receipt,
    candidates_wanted,
)
from kataven_core.ports import AccountTurn

from .candidates import Due, Seeker, find_due
from .open_calls import OpenCalls
from .rows import (
    ATTEMPT,
    CAMPAIGN,
    Row,
    account_from,
    attempt_from,
    campaign_from,
    contact_from,
    counters_from,
    moment_or_none,
    receipt_from,
    stamp,
    usage_from,
)
from .statements import ACCOUNTS, CAMPAIGNS, RECEIPTS, REPORTED

Key = tuple[AccountId, CampaignId]
_DIGITS_MAX: Final = 18
"""What surely fits into 64 bits."""
Reported = dict[AttemptId, tuple[Attempt, Contact | None]]
Receipts = dict[tuple[str, str], Receipt]


class Reading(NamedTuple):
    """The views of a cycle's turns, in their order, and the numbers in the tables of all campaigns in them."""

    views: tuple[AccountView, ...]
    numbers: dict[Key, int]


class _Found(NamedTuple):
    no: int
    campaign: Campaign
    counters: Counters
    next_retry_at: datetime | None


def read(connection: sqlite3.Connection, turns: Sequence[AccountTurn], now: datetime, open_calls: OpenCalls) -> Reading:
    """Read what the decisions of these turns look at."""
    accounts = {row[0]: row for row in connection.execute(ACCOUNTS, (_json(turn.account_id for turn in turns),))}
    reported = {turn.account_id: _reported(connection, turn, open_calls) for turn in turns}
    found = _campaigns(connection, turns, reported, now)
    due = find_due(connection, _seekers(found, turns, reported), now)
    receipts = _receipts(connection, turns)
    views = []
    for turn in turns:
        mine = [each for each in found if each.campaign.account_id == turn.account_id]
        read_of = reported[turn.account_id]
        views.append(
            AccountView(
                **_account(turn.account_id, accounts.get(turn.account_id), now),
                campaigns=tuple(_campaign(each, due) for each in mine),
                attempts={name: attempt for name, (attempt, _) in read_of.items()},
                contacts={contact.id: contact for _, contact in read_of.values() if contact},
                receipts=receipts[turn.account_id],
                busy_numbers=frozenset().union(*(due[each.no].busy_numbers for each in mine if each.no in due)),
            )
        )
    return Reading(tuple(views), {(each.campaign.account_id, each.campaign.id): each.no for each in found})


def _account(account_id: AccountId, row: Row | None, now: datetime) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "account": account_from(row[1]) if row else None,
        "usage": usage_from(row[2:], row[7]) if row else AccountUsage.empty(now),
        "reserved": int(row[8]) if row else 0,
    }


def _campaign(found: _Found, due: dict[int, Due]) -> CampaignView:
    return CampaignView(
        campaign=found.campaign,
        counters=found.counters,
        candidates=due[found.no].contacts if found.no in due else (),
        next_retry_at=found.next_retry_at,
    )


def _reported(connection: sqlite3.Connection, turn: AccountTurn, open_calls: OpenCalls) -> Reported:
    """Give what reports name: what is held as it is, and what is not from the file."""
    reported: Reported = {}
    names = []
    for name in dict.fromkeys(report.attempt_id for report in turn.inputs.reports):
        if held := open_calls.find(turn.account_id, name):
            reported[name] = held
        elif parts := _parts(name):
            names.append((turn.account_id, *parts, name))
    attempt_at = 1 + len(CAMPAIGN)
    contact_at = attempt_at + len(ATTEMPT)
    for row in connection.execute(REPORTED, (_json(names),)) if names else ():
        campaign = campaign_from(row[1:attempt_at])
        contact = (
            contact_from(campaign.id, campaign.created_at, row[contact_at:]) if row[contact_at] is not None else None
        )
        reported[AttemptId(row[0])] = attempt_from(campaign.id, row[attempt_at:]), contact
    return reported


def _parts(name: AttemptId) -> tuple[str, int, int] | None:
    """Take an attempt's id apart, if it is one that this store can hold."""
    campaign, position, n = ("", "", *name.rsplit(".", 2))[-3:]
    if not (_is_number(position) and _is_number(n)):
        return None
    return campaign, int(position), int(n)


def _is_number(text: str) -> bool:
    """Whether it is a number as it is written in an id: no zero in front, and one of 64 bits."""
    return text.isascii() and text.isdigit() and (text[0] != "0" or text == "0") and len(text) <= _DIGITS_MAX


def _campaigns(
    connection: sqlite3.Connection, turns: Sequence[AccountTurn], reported: dict[AccountId, Reported], now: datetime
) -> list[_Found]:
    named = {(turn.account_id, name) for turn in turns for name in turn.named_campaigns}
    named |= {(attempt.account_id, attempt.campaign_id) for each in reported.values() for attempt, _ in each.values()}
    inputs = {
        "now": stamp(now),
        "named": _json(sorted(named)),
        "accounts": _json(turn.account_id for turn in turns),
        "put": _json(turn.account_id for turn in turns if turn.puts_account),
    }
    counters_at = 1 + len(CAMPAIGN)
    found = []
    for row in connection.execute(CAMPAIGNS, inputs):
        campaign = campaign_from(row[1:counters_at])
        counters = counters_from(campaign.id, row[counters_at:])
        found.append(_Found(row[0], campaign, counters, moment_or_none(row[-1])))
    return found


def _seekers(found: list[_Found], turns: Sequence[AccountTurn], reported: dict[AccountId, Reported]) -> list[Seeker]:
    ends = Counter(
        (turn.account_id, known[name][0].campaign_id)
        for turn in turns
        for known in [reported[turn.account_id]]
        for name in turn.inputs.ending & known.keys()
    )
    return [
        Seeker(each.no, each.campaign, candidates_wanted(each.campaign, each.counters, ends[key]))
        for each in found
        if each.campaign.status is CampaignStatus.RUNNING
        for key in [(each.campaign.account_id, each.campaign.id)]
    ]


def _receipts(connection: sqlite3.Connection, turns: Sequence[AccountTurn]) -> dict[AccountId, Receipts]:
    named = [(turn.account_id, *name) for turn in turns for name in turn.named_receipts]
    receipts: dict[AccountId, Receipts] = {turn.account_id: {} for turn in turns}
    for row in connection.execute(RECEIPTS, (_json(named),)) if named else ():
        receipt = receipt_from(row)
        receipts[row[0]][receipt.once.name] = receipt
    return receipts


def _json(values: Iterable[object]) -> str:
    return json.dumps([*values])
