"""What a committed decision must not do: each rule yields what breaks it, an invariant and a sentence."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime

from kataven_core import (
    AccountId,
    AttemptState,
    Campaign,
    CampaignId,
    CampaignStatus,
    ContactStatus,
    Decision,
    Order,
    Outcome,
)

from .ledger import Book, Ledger

Breach = tuple[str, str]


def foreign(ledger: Ledger, account_id: AccountId, decision: Decision) -> Iterator[Breach]:
    """I11: it changes what is another account's."""
    owners = {each.account_id for each in decision.campaigns} | {each.after.account_id for each in decision.attempts}
    owners |= {each.account_id for each in decision.orders} | {each.account_id for each in decision.events}
    books = (ledger.books.get(each.after.campaign_id) for each in decision.contacts)
    owners |= {book.campaign.account_id for book in books if book}
    if others := sorted(owners - {account_id}):
        yield "I11", f"a decision for {account_id} changes what is {', '.join(others)}'s"


def undone(ledger: Ledger, decision: Decision) -> Iterator[Breach]:
    """I8: it changes an attempt after its end, or one that was never claimed. To be looked at before it is booked."""
    for before, after in decision.attempts:
        known = ledger.attempt(after.id)
        if known is not None and known.state is AttemptState.DONE:
            yield "I8", f"{after.id} changes after its end"
        if known is None and before is not None:
            yield "I8", f"{after.id} changes, and was never claimed"


def admitted(
    ledger: Ledger, begun: list[Campaign], most: int, now: datetime, by_hand: AbstractSet[CampaignId]
) -> Iterator[Breach]:
    """I10, I5: campaigns begin beyond their account's budget, or before their time though nobody has started them.

    ``most`` is the largest budget that the account had while this was decided: it may change between two commands.
    """
    reserved = ledger.reserved(begun[0].account_id) if begun else 0
    if reserved > most:
        yield "I10", f"{begun[0].id} begins, {reserved} are reserved of {most}"
    for each in begun:
        if each.scheduled_at and now < each.scheduled_at and each.id not in by_hand:
            yield "I5", f"{each.id} begins at {now}, before {each.scheduled_at}"


def claimed(ledger: Ledger, account_id: AccountId, decision: Decision, live: list[Order]) -> Iterator[Breach]:
    """I1, I4: there are more calls than caps allow, those that may be up among them; or it dials what may not dial."""
    claims = [each.after for each in decision.attempts if each.before is None]
    for name in {each.campaign_id: None for each in claims}:
        campaign, up = ledger.books[name].campaign, _maybe_up(ledger.books[name], live)
        if up > campaign.max_concurrent_calls:
            yield "I1", f"{up} calls of {name} are or may be up, of {campaign.max_concurrent_calls}"
        if campaign.status is not CampaignStatus.RUNNING or campaign.is_deleted:
            yield "I4", f"{name} dials, and is {campaign.status}"
    most = ledger.accounts[account_id].caps.concurrent_max if claims else 0
    up = sum(_maybe_up(book, live) for book in ledger.of(account_id))
    if claims and up > most:
        yield "I1", f"{up} calls of {account_id} are or may be up, of {most}"


def _maybe_up(book: Book, live: list[Order]) -> int:
    """Count the attempts that are open, and the phones that ring for others."""
    rings = {order.attempt_id for order in live if order.campaign_id == book.campaign.id}
    return len({each.id for each in book.open} | rings)


def miscounted(book: Book) -> Iterator[Breach]:
    """I6, I8: counters are not what contacts and attempts come to."""
    counters, name = book.counters, book.campaign.id
    counted = {status: getattr(counters, status.value) for status in book.statuses}
    if counters.total != book.total:
        yield "I6", f"{counters.total} contacts of {name} are counted, of {book.total}"
    if any(counted[status] != count for status, count in book.statuses.items()):
        yield "I6", f"{name} counts {counted}, and its contacts are {dict(book.statuses)}"
    outcomes = {each: count for each, count in counters.outcomes.items() if each is not Outcome.UNSENT}
    if outcomes != dict(book.outcomes) or counters.attempts != book.dials:
        yield "I8", f"{name} counts {counters.attempts}, {outcomes}: they are {book.dials}, {dict(book.outcomes)}"
    if counters.calls_in_flight != len(book.open):
        yield "I8", f"{name} counts {counters.calls_in_flight} calls in flight: they are {len(book.open)}"


def left_over(book: Book) -> Iterator[Breach]:
    """I7, I12: something is held, or has come to no end, when nothing is to come any more."""
    campaign = book.campaign
    yield from (("I7", f"{attempt.id} is {attempt.state} in the end") for attempt in book.open)
    if campaign.status is CampaignStatus.RUNNING and not campaign.is_deleted:
        yield "I12", f"{campaign.id} still runs in the end"
    never = [each for each in book.contacts.values() if each.status is ContactStatus.FAILED and not each.last_outcome]
    if never:
        yield "I12", f"{len(never)} contacts of {campaign.id} have failed, and were never dialled"
    left = sorted(status for status, count in book.statuses.items() if count and not status.is_terminal)
    if left and campaign.status.is_terminal and not campaign.is_deleted:
        yield "I12", f"{campaign.id} is {campaign.status}, and contacts of it are {', '.join(left)}"
