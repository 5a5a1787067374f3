"""What decisions look at, for all accounts of a cycle at once: what is held, and the rest found by index."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from kataven_core import (
    AccountId,
    AccountUsage,
    AccountView,
    Attempt,
    AttemptId,
    CampaignId,
    CampaignStatus,
    CampaignView,
    Contact,
    PhoneNumber,
    Receipt,
    candidates_wanted,
)
from kataven_core.ports import AccountTurn

from .ahead import Ahead
from .candidates import NOBODY, find_due
from .held import Held, HeldAccount, HeldCampaign, Key
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

_DIGITS_MAX: Final = 18
"""What surely fits into 64 bits."""
Reported = dict[AttemptId, tuple[Attempt, Contact | None]]
Receipts = dict[tuple[str, str], Receipt]


class Reading(NamedTuple):
    """The views of a cycle's turns, in their order, with their accounts, and the campaigns in them by their keys."""

    views: tuple[AccountView, ...]
    accounts: tuple[HeldAccount | None, ...]
    campaigns: dict[Key, HeldCampaign]


class _Turn(NamedTuple):
    """A turn, its account where there is one, what its reports name, and what was answered to its commands before."""

    turn: AccountTurn
    account: HeldAccount | None
    reported: Reported
    receipts: Receipts

    @property
    def named(self) -> set[Key]:
        """The keys of the campaigns that it names."""
        names = self.turn.named_campaigns.union(attempt.campaign_id for attempt, _ in self.reported.values())
        return {(self.turn.account_id, name) for name in names}

    def ends(self) -> Counter[CampaignId]:
        """Count the calls of each campaign that its reports may end."""
        known = self.reported
        return Counter(known[name][0].campaign_id for name in self.turn.inputs.ending if name in known)

    def may_come_due(self, now: datetime) -> bool:
        """Whether the time of a schedule may have come."""
        return self.account is None or self.account.comes_due(now)


def read(connection: sqlite3.Connection, turns: Sequence[AccountTurn], now: datetime, held: Held) -> Reading:
    """Read what the decisions of these turns look at."""
    held.open_calls.read(connection)
    accounts, receipts = _accounts(connection, turns, held), _receipts(connection, turns)
    begun = [
        _Turn(turn, account, _reported(connection, turn, held.open_calls), receipts[turn.account_id])
        for turn, account in zip(turns, accounts, strict=True)
    ]
    campaigns = _campaigns(connection, begun, held, now)
    of_account: dict[AccountId, list[HeldCampaign]] = {turn.account_id: [] for turn in turns}
    for (account_id, _), campaign in campaigns.items():
        of_account[account_id].append(campaign)
    views = tuple(_view(connection, each, of_account[each.turn.account_id], held, now) for each in begun)
    return Reading(views, accounts, campaigns)


def _accounts(
    connection: sqlite3.Connection, turns: Sequence[AccountTurn], held: Held
) -> tuple[HeldAccount | None, ...]:
    found = {turn.account_id: held.accounts.get(turn.account_id) for turn in turns}
    missing = [name for name, account in found.items() if account is None]
    for row in connection.execute(ACCOUNTS, (_json(missing),)) if missing else ():
        found[row[0]] = HeldAccount(
            account_from(row[1]), usage_from(row[2:], row[7]), int(row[8]), moment_or_none(row[9])
        )
    return tuple(found.values())


def _campaigns(
    connection: sqlite3.Connection, turns: Sequence[_Turn], held: Held, now: datetime
) -> dict[Key, HeldCampaign]:
    """Give the campaigns to decide on, in the order of their numbers."""
    named = set[Key]().union(*(each.named for each in turns))
    found = {key: held.campaigns[key] for key in named & held.campaigns.keys()}
    new = sorted(named - found.keys())
    due = [each.turn.account_id for each in turns if each.may_come_due(now)]
    put = [each.turn.account_id for each in turns if each.turn.puts_account]
    if new or due or put:
        inputs = {"named": _json(new), "accounts": _json(due), "put": _json(put), "now": stamp(now)}
        for row in connection.execute(CAMPAIGNS, inputs):
            each = _found(row)
            key = each.campaign.account_id, each.campaign.id
            found.setdefault(key, held.campaigns.get(key) or each)
    return dict(sorted(found.items(), key=lambda each: each[1].no))


def _found(row: Row) -> HeldCampaign:
    counters_at = 1 + len(CAMPAIGN)
    campaign = campaign_from(row[1:counters_at])
    ahead = Ahead(row[0], campaign) if campaign.status is CampaignStatus.RUNNING else None
    return HeldCampaign(row[0], campaign, counters_from(campaign.id, row[counters_at:]), ahead)


def _view(
    connection: sqlite3.Connection, turn: _Turn, campaigns: Iterable[HeldCampaign], held: Held, now: datetime
) -> AccountView:
    account_id, account = turn.turn.account_id, turn.account
    numbers, ends = held.open_calls.numbers(account_id), turn.ends()
    busy_numbers: set[PhoneNumber] = set()
    views = []
    for each in campaigns:
        campaign, counters, due, retry_at = each.campaign, each.counters, NOBODY, None
        if each.ahead:
            wanted = candidates_wanted(campaign, counters, ends[campaign.id])
            due = find_due(connection, each.ahead, wanted=wanted, busy=numbers, now=now)
            retry_at = each.ahead.next_retry_at(connection, now)
        views.append(
            CampaignView(campaign=campaign, counters=counters, candidates=due.contacts, next_retry_at=retry_at)
        )
        busy_numbers |= due.busy_numbers
    return AccountView(
        account_id=account_id,
        account=account.account if account else None,
        usage=account.usage if account else AccountUsage.empty(now),
        reserved=account.reserved if account else 0,
        campaigns=tuple(views),
        attempts={name: attempt for name, (attempt, _) in turn.reported.items()},
        contacts={contact.id: contact for _, contact in turn.reported.values() if contact},
        receipts=turn.receipts,
        busy_numbers=frozenset(busy_numbers),
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


def _receipts(connection: sqlite3.Connection, turns: Sequence[AccountTurn]) -> dict[AccountId, Receipts]:
    named = [(turn.account_id, *name) for turn in turns for name in turn.named_receipts]
    receipts: dict[AccountId, Receipts] = {turn.account_id: {} for turn in turns}
    for row in connection.execute(RECEIPTS, (_json(named),)) if named else ():
        receipt = receipt_from(row)
        receipts[row[0]][receipt.once.name] = receipt
    return receipts


def _json(values: Iterable[object]) -> str:
    return json.dumps([*values])
