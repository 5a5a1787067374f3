"""What is durable, kept beside the store from the decisions that were committed: the oracle's own books."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from attrs import Factory, define, evolve

from kataven_core import (
    NO_LIMIT,
    Account,
    AccountId,
    Attempt,
    AttemptId,
    Campaign,
    CampaignId,
    CampaignStatus,
    Contact,
    ContactStatus,
    Counters,
    Decision,
    Outcome,
)


@define
class Book:
    """One campaign: its value, its counters as they were written, and every contact and attempt that ever changed."""

    campaign: Campaign
    total: int
    counters: Counters
    contacts: dict[int, Contact] = Factory(dict)
    attempts: dict[AttemptId, Attempt] = Factory(dict)
    are_cancelled: bool = False
    """Whether those that never changed were cancelled with their campaign."""

    @property
    def open(self) -> list[Attempt]:
        """The attempts whose end is not known."""
        return [each for each in self.attempts.values() if each.is_open]

    @property
    def is_running(self) -> bool:
        """Whether it dials."""
        return self.campaign.status is CampaignStatus.RUNNING and not self.campaign.is_deleted

    @property
    def is_awaited(self) -> bool:
        """Whether it has something to do, now or later."""
        is_to_dial = self.campaign.status in {CampaignStatus.RUNNING, CampaignStatus.SCHEDULED}
        return (is_to_dial and not self.campaign.is_deleted) or bool(self.open)

    @property
    def awaited(self) -> list[datetime]:
        """The times that it waits for: its schedule, or its contacts' retries."""
        if self.campaign.status is CampaignStatus.SCHEDULED:
            return [self.campaign.scheduled_at] if self.campaign.scheduled_at else []
        return [each.next_attempt_at for each in self.contacts.values() if each.next_attempt_at]

    @property
    def statuses(self) -> Counter[ContactStatus]:
        """How many contacts stand where."""
        statuses = Counter(each.status for each in self.contacts.values())
        untouched = ContactStatus.CANCELLED if self.are_cancelled else ContactStatus.PENDING
        statuses[untouched] += self.total - len(self.contacts)
        return statuses

    @property
    def outcomes(self) -> Counter[Outcome]:
        """What its attempts came to, but for those never sent."""
        ended = (each.outcome for each in self.attempts.values() if each.outcome)
        return Counter(outcome for outcome in ended if outcome is not Outcome.UNSENT)

    @property
    def dials(self) -> int:
        """Its attempts, but for those never sent."""
        return sum(each.outcome is not Outcome.UNSENT for each in self.attempts.values())


class Ledger:
    """All accounts and campaigns of a run."""

    def __init__(self) -> None:
        self.accounts: dict[AccountId, Account] = {}
        self.books: dict[CampaignId, Book] = {}
        self.minutes: dict[AccountId, datetime] = {}
        """The minutes whose dials the accounts' caps count."""

    def of(self, account_id: AccountId) -> list[Book]:
        """Give an account's campaigns."""
        return [book for book in self.books.values() if book.campaign.account_id == account_id]

    def reserved(self, account_id: AccountId) -> int:
        """Give what an account's running campaigns may use together."""
        running = (book.campaign for book in self.of(account_id) if book.campaign.status is CampaignStatus.RUNNING)
        return sum(each.max_concurrent_calls for each in running)

    def is_going_on(self) -> bool:
        """Whether anything has something to do; what is scheduled and never fits into its account's budget has not."""
        return any(book.is_awaited and not self._is_too_big(book.campaign) for book in self.books.values())

    def _is_too_big(self, campaign: Campaign) -> bool:
        account = self.accounts[campaign.account_id]
        is_waiting = campaign.status is CampaignStatus.SCHEDULED and not self.books[campaign.id].open
        return is_waiting and campaign.max_concurrent_calls > account.caps.concurrent_max

    def idlers(self, now: datetime) -> Iterable[Book]:
        """Give the campaigns that run, have somebody to dial and a slot to do it with, as far as is known here."""
        for book in self.books.values():
            account_id = book.campaign.account_id
            caps = self.accounts[account_id].caps
            up = sum(len(each.open) for each in self.of(account_id))
            is_free = len(book.open) < book.campaign.max_concurrent_calls and up < caps.concurrent_max
            is_day_open = min(caps.daily_calls_max, caps.daily_minutes_max) >= NO_LIMIT
            is_now = self.minutes.get(account_id, now) <= now  # else the clock was set back, and the cap's minute waits
            if book.is_running and is_free and is_day_open and is_now and self._has_due(book, now):
                yield book

    def _has_due(self, book: Book, now: datetime) -> bool:
        busy = {each.phone_number for other in self.of(book.campaign.account_id) for each in other.open}
        touched = any(each.is_due(now) and each.phone_number not in busy for each in book.contacts.values())
        return touched or (len(book.contacts) < book.total and not busy)  # of those untouched no number is known here

    def attempt(self, attempt_id: AttemptId) -> Attempt | None:
        """Find an attempt."""
        book = self.books.get(CampaignId(attempt_id.rsplit(".", 2)[0]))
        return book.attempts.get(attempt_id) if book else None

    def open(self) -> Iterable[Attempt]:
        """Give all attempts whose end is not known."""
        return (attempt for book in self.books.values() for attempt in book.open)

    def write(self, account_id: AccountId, decision: Decision) -> None:
        """Take over what was decided, in the order that ``Decision`` names."""
        if decision.account:
            self.accounts[account_id] = decision.account
        self.minutes[account_id] = decision.usage.minute
        counters = {each.campaign_id: each for each in decision.counters}
        for campaign in decision.campaigns:
            if campaign.id in self.books:
                self.books[campaign.id].campaign = campaign
            else:
                self.books[campaign.id] = Book(campaign, counters[campaign.id].total, counters[campaign.id])
        for name, each in counters.items():
            self.books[name].counters = each
        for _, attempt in decision.attempts:
            self.books[attempt.campaign_id].attempts[attempt.id] = attempt
        for _, contact in decision.contacts:
            self.books[contact.campaign_id].contacts[contact.position] = contact
        for name in decision.cancelled:
            self._cancel(self.books[name])

    def _cancel(self, book: Book) -> None:
        book.are_cancelled = True
        for position, contact in book.contacts.items():
            if contact.status is ContactStatus.PENDING:
                book.contacts[position] = evolve(contact, status=ContactStatus.CANCELLED, next_attempt_at=None)
