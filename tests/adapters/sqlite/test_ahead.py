"""What is read ahead is what the file holds, in the order in which it is dialled, however little of it is kept."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Final

import pytest
from attrs import evolve
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from kataven_adapters.sqlite import SqliteStore, ahead, held
from kataven_adapters.sqlite.ahead import Ahead
from kataven_adapters.sqlite.rows import stamp
from kataven_adapters.sqlite.schema import MIGRATIONS
from kataven_core import CampaignStatus, Contact, ContactStatus
from kataven_core.testing import store_machine
from kataven_core.testing.samples import NOON, a_campaign

CONTACTS: Final = 12
CAMPAIGN: Final = a_campaign(status=CampaignStatus.RUNNING)


@pytest.fixture
def _little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let next to nothing be read ahead and kept."""
    monkeypatch.setattr(ahead, "_SPARE", 1)
    monkeypatch.setattr(ahead, "_KEPT", 2)
    monkeypatch.setattr(held, "_KEPT", 1)


class Beside:
    """What is read ahead of twelve contacts, beside the table in which they are."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.ahead = Ahead(1, CAMPAIGN)
        connection.executescript("".join(MIGRATIONS))
        connection.executemany(
            "INSERT INTO contacts (campaign_no, position, phone_number, custom_fields) VALUES (1, ?, ?, '{}')",
            [(position, f"+1415555{position:04}") for position in range(CONTACTS)],
        )

    def due(self, now: datetime, wanted: int) -> list[Contact]:
        return [*islice(self.ahead.due(self.connection, now, wanted), wanted)]

    def positions(self, now: datetime, wanted: int) -> list[int]:
        return [contact.position for contact in self.due(now, wanted)]

    def in_the_table(self, now: datetime, wanted: int) -> list[int]:
        found = self.connection.execute(
            "SELECT position FROM contacts WHERE status = 'pending' AND coalesce(next_attempt_at, 0) <= ? "
            "ORDER BY next_attempt_at IS NULL, next_attempt_at, position LIMIT ?",
            (stamp(now), wanted),
        )
        return [position for (position,) in found]

    def later_in_the_table(self, now: datetime) -> int | None:
        found = self.connection.execute(
            "SELECT min(next_attempt_at) FROM contacts WHERE status = 'pending' AND next_attempt_at > ?", (stamp(now),)
        )
        at: int | None = found.fetchone()[0]
        return at

    def change(self, before: Contact, after: Contact) -> None:
        at = after.next_attempt_at and stamp(after.next_attempt_at)
        self.connection.execute(
            "UPDATE contacts SET status = ?, next_attempt_at = ? WHERE position = ?",
            (after.status.value, at, after.position),
        )
        self.ahead.follow(before, after)


@pytest.fixture
def beside() -> Iterator[Beside]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield Beside(connection)


@pytest.mark.usefixtures("_little")
def test_it_is_the_table_whatever_is_dialled_and_comes_back() -> None:
    claims = st.tuples(st.just("claim"), st.integers(0, 4))
    ends = st.tuples(st.sampled_from(["unsent", "over", *range(-2, 5)]), st.integers(0, CONTACTS - 1))
    waits = st.tuples(st.just("wait"), st.integers(-2, 3))

    @given(
        story=st.lists(st.one_of(claims, ends, ends, ends, waits), min_size=20, max_size=60), wanted=st.integers(1, 4)
    )
    @settings(deadline=None, max_examples=200)
    def law(story: list[tuple[str | int, int]], wanted: int) -> None:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            here = Beside(connection)
            now, up = NOON, dict[int, Contact]()
            for what, number in story:
                if what == "wait":
                    now += timedelta(seconds=number)
                elif what == "claim":
                    for before in here.due(now, number):
                        up[before.position] = evolve(before, status=ContactStatus.IN_PROGRESS, next_attempt_at=None)
                        here.change(before, up[before.position])
                elif up:
                    before = up.pop(sorted(up)[number % len(up)])
                    here.change(before, ended(before, what, now))
                assert here.positions(now, wanted) == here.in_the_table(now, wanted)
                at = here.ahead.next_retry_at(connection, now)
                assert (at and stamp(at)) == here.later_in_the_table(now)
                here.ahead.trim()

    law()


def ended(contact: Contact, how: str | int, now: datetime) -> Contact:
    """Let a call be over: for good, never sent, or dialled again after so many seconds."""
    if how == "over":
        return evolve(contact, status=ContactStatus.COMPLETED)
    again_at = None if isinstance(how, str) else now + timedelta(seconds=how)
    return evolve(contact, status=ContactStatus.PENDING, next_attempt_at=again_at)


def test_what_is_known_is_not_read_again(beside: Beside) -> None:
    assert beside.positions(NOON, 3) == [0, 1, 2]
    beside.connection.execute("DELETE FROM contacts")
    assert beside.positions(NOON, CONTACTS) == [*range(CONTACTS)]


@pytest.mark.usefixtures("_little")
def test_no_more_is_kept_than_is_worth_it(beside: Beside) -> None:
    assert len(beside.due(NOON, CONTACTS)) == CONTACTS
    beside.ahead.trim()
    beside.connection.execute("DELETE FROM contacts")
    assert beside.positions(NOON, CONTACTS) == [0, 1]


@pytest.mark.usefixtures("_little")
def test_a_store_that_keeps_next_to_nothing_is_as_the_model_says(tmp_path: Path) -> None:
    numbers = count()
    machine = store_machine(lambda: SqliteStore(tmp_path / f"{next(numbers)}.db"), is_durable=True)
    as_it_is = settings(max_examples=10, stateful_step_count=30, phases=[Phase.reuse, Phase.generate])
    run_state_machine_as_test(machine, settings=as_it_is)
