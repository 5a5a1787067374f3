"""The queue of a campaign's contacts, held against a list that is looked through from end to end."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kataven_adapters.memory.queue import ContactQueue
from kataven_core import CampaignId, Contact, ContactStatus, PhoneNumber, cancel_contact
from kataven_core.ports import StagedContact

F = TypeVar("F", bound=Callable[..., Any])
A: Final = CampaignId("a")
NOON: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
ENDS: Final = (ContactStatus.COMPLETED, ContactStatus.FAILED, ContactStatus.CANCELLED, ContactStatus.SUPPRESSED)
ANY: Final = st.integers(0, 1_000_000)
"""Picks one out of those that there are."""


def number(index: int) -> PhoneNumber:
    return PhoneNumber(f"+1415{index:07}")


def staged(numbers: Iterable[int]) -> list[StagedContact]:
    return [StagedContact(position, number(index), '{"row": "x"}') for position, index in enumerate(numbers)]


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Model:
    """Contacts in a list; whatever is asked, all of them are looked at."""

    def __init__(self, rows: list[StagedContact]) -> None:
        self.contacts = [
            Contact(
                campaign_id=A,
                position=row.position,
                phone_number=row.phone_number,
                custom_fields={"row": "x"},
                updated_at=NOON,
            )
            for row in rows
        ]

    def in_status(self, *statuses: ContactStatus) -> list[Contact]:
        return [each for each in self.contacts if each.status in statuses]

    def due(self, now: datetime, wanted: int, busy: frozenset[PhoneNumber]) -> list[Contact]:
        """Give the first so many, and those behind them until as many are free."""
        due = [each for each in self.contacts if each.is_due(now)]
        due.sort(key=lambda each: (each.next_attempt_at is None, each.next_attempt_at or NOON, each.position))
        free = [index for index, each in enumerate(due) if each.phone_number not in busy]
        behind = [index for index in free[:wanted] if index >= wanted]
        return due[:wanted] + [due[index] for index in behind]

    def next_retry_at(self, now: datetime) -> datetime | None:
        later = [each.next_attempt_at for each in self.in_status(ContactStatus.PENDING) if each.next_attempt_at]
        return min((time for time in later if time > now), default=None)


def has(*statuses: ContactStatus) -> Callable[[F], F]:
    """Say when a rule can be used: when somebody is in one of these."""

    def somebody_is(machine: Any) -> bool:
        return bool(machine.model.in_status(*statuses))

    return precondition(somebody_is)


class QueueMachine(RuleBasedStateMachine):
    """Claims in any order, takes back, retries, ends, cancels; a queue and the model do the same."""

    @initialize(numbers=st.lists(st.integers(0, 5), max_size=12))
    def begin(self, numbers: list[int]) -> None:
        rows = staged(numbers)
        self.queue = ContactQueue(A, rows, NOON)
        self.model = Model(rows)

    def put(self, after: Contact) -> None:
        self.queue.put(after)
        self.model.contacts[after.position] = after

    def one_of(self, pick: int, *statuses: ContactStatus) -> Contact:
        those = self.model.in_status(*statuses)
        return those[pick % len(those)]

    @rule(pick=ANY)
    @has(ContactStatus.PENDING)
    def claim(self, pick: int) -> None:
        before = self.one_of(pick, ContactStatus.PENDING)
        self.put(evolve(before, status=ContactStatus.IN_PROGRESS, next_attempt_at=None, claims=before.claims + 1))

    @rule(wanted=st.integers(1, 4), now=st.integers(0, 9))
    def claim_the_first(self, wanted: int, now: int) -> None:
        for before in self.queue.due(at(now), wanted, ()):
            self.put(evolve(before, status=ContactStatus.IN_PROGRESS, next_attempt_at=None, claims=before.claims + 1))

    @rule(pick=ANY)
    @has(ContactStatus.IN_PROGRESS)
    def take_back_as_fresh(self, pick: int) -> None:
        before = self.one_of(pick, ContactStatus.IN_PROGRESS)
        self.put(evolve(before, status=ContactStatus.PENDING))

    @rule(pick=ANY, seconds=st.integers(0, 9))
    @has(ContactStatus.IN_PROGRESS, ContactStatus.PENDING)
    def retry_at(self, pick: int, seconds: int) -> None:
        before = self.one_of(pick, ContactStatus.IN_PROGRESS, ContactStatus.PENDING)
        self.put(
            evolve(before, status=ContactStatus.PENDING, next_attempt_at=at(seconds), attempts=before.attempts + 1)
        )

    @rule(pick=ANY, status=st.sampled_from(ENDS))
    @has(*ContactStatus)
    def end(self, pick: int, status: ContactStatus) -> None:
        self.put(evolve(self.one_of(pick, *ContactStatus), status=status, next_attempt_at=None))

    @rule(pick=ANY)
    @has(*ENDS)
    def bring_back(self, pick: int) -> None:
        self.put(evolve(self.one_of(pick, *ENDS), status=ContactStatus.PENDING))

    @rule(pick=ANY, seconds=st.integers(0, 9))
    @has(ContactStatus.PENDING)
    def change_nothing_that_counts(self, pick: int, seconds: int) -> None:
        self.put(evolve(self.one_of(pick, ContactStatus.PENDING), updated_at=at(seconds)))

    @rule(seconds=st.integers(0, 9))
    def cancel_all_that_are_pending(self, seconds: int) -> None:
        self.queue.cancel_pending(at(seconds))
        self.model.contacts = [
            cancel_contact(each, at(seconds)) if each.status is ContactStatus.PENDING else each
            for each in self.model.contacts
        ]

    @rule(now=st.integers(-1, 10), wanted=st.integers(1, 5), busy=st.frozensets(st.integers(0, 5).map(number)))
    def look_for_those_that_are_due(self, now: int, wanted: int, busy: frozenset[PhoneNumber]) -> None:
        assert self.queue.due(at(now), wanted, busy) == self.model.due(at(now), wanted, busy)

    @rule(now=st.integers(-1, 10))
    def look_for_the_next_retry(self, now: int) -> None:
        assert self.queue.next_retry_at(at(now)) == self.model.next_retry_at(at(now))

    @invariant()
    def everybody_who_is_due_is_found_in_order(self) -> None:
        for now in (at(-1), at(4), at(10)):
            assert self.queue.due(now, 100, ()) == self.model.due(now, 100, frozenset())
            assert self.queue.next_retry_at(now) == self.model.next_retry_at(now)

    @invariant()
    def every_contact_is_as_it_was_put(self) -> None:
        assert [self.queue[position] for position in range(len(self.queue))] == self.model.contacts
        for status in ContactStatus:
            assert self.queue.positions(status) == [each.position for each in self.model.in_status(status)]
        assert self.queue.positions(None) == [each.position for each in self.model.contacts]


TestQueueMachine = QueueMachine.TestCase


@given(st.lists(st.integers(0, 4), max_size=10), st.integers(1, 6), st.frozensets(st.integers(0, 4).map(number)))
def test_busy_numbers_are_made_up_for_by_as_many_that_are_free(
    numbers: list[int], wanted: int, busy: frozenset[PhoneNumber]
) -> None:
    rows = staged(numbers)
    found = ContactQueue(A, rows, NOON).due(NOON, wanted, busy)
    free = [each.position for each in found if each.phone_number not in busy]
    all_free = [row.position for row in rows if row.phone_number not in busy]
    assert [each.position for each in found][:wanted] == [row.position for row in rows][:wanted]
    assert free[:wanted] == all_free[:wanted]
    assert found == Model(rows).due(NOON, wanted, busy)


def test_a_retry_is_due_at_its_time_and_comes_before_fresh_ones() -> None:
    queue = ContactQueue(A, staged(range(3)), NOON)
    queue.put(evolve(queue[2], next_attempt_at=at(5)))
    assert [each.position for each in queue.due(at(4), 9, ())] == [0, 1]
    assert [each.position for each in queue.due(at(5), 9, ())] == [2, 0, 1]
    assert (queue.next_retry_at(at(4)), queue.next_retry_at(at(5))) == (at(5), None)


def test_a_contact_that_is_not_in_the_file_is_not_there() -> None:
    queue = ContactQueue(A, staged(range(3)), NOON)
    with pytest.raises(IndexError):
        queue[3]
