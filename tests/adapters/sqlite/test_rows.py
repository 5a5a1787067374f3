"""What goes into the tables comes out of them again, to the microsecond and the last letter."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from kataven_adapters.sqlite.rows import (
    ATTEMPT,
    CAMPAIGN,
    CONTACT,
    COUNTERS,
    RECEIPT,
    USAGE,
    account_from,
    account_text,
    attempt_from,
    attempt_row,
    campaign_from,
    campaign_row,
    contact_changes,
    contact_from,
    counters_from,
    counters_row,
    moment,
    moment_or_none,
    receipt_from,
    receipt_row,
    stamp,
    stamp_or_none,
    usage_from,
    usage_row,
)
from kataven_adapters.sqlite.rows.cells import Row
from kataven_adapters.sqlite.schema import MIGRATIONS
from kataven_core import (
    NO_LIMIT,
    Account,
    AccountId,
    AccountUsage,
    Agent,
    AgentStatus,
    Attempt,
    AttemptState,
    Campaign,
    CampaignId,
    CampaignStatus,
    Caps,
    Contact,
    ContactStatus,
    Counters,
    Once,
    OutboundNumber,
    Outcome,
    PhoneNumber,
    Receipt,
    attempt_id,
)

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)

times = st.datetimes(timezones=st.just(UTC))
maybe_times = st.none() | times
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
counts = st.integers(0, 2**62)
seconds = st.floats(0, 1e12, allow_nan=False)
numbers = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True).map(PhoneNumber)
accounts = texts.map(AccountId)
names = texts.map(CampaignId)
outcomes = st.sampled_from(Outcome)

usages = st.builds(
    AccountUsage,
    minute=times,
    day=times,
    calls_in_flight=counts,
    calls_this_minute=counts,
    calls_today=counts,
    seconds_today=seconds,
)
caps = st.integers(0, NO_LIMIT)
whole_accounts = st.builds(
    Account,
    id=accounts,
    caps=st.builds(Caps, concurrent_max=caps, calls_per_minute=caps, daily_calls_max=caps, daily_minutes_max=caps),
    agents=st.lists(
        st.builds(Agent, id=texts, name=texts, status=st.sampled_from(AgentStatus), route=texts), max_size=3
    ).map(tuple),
    phone_numbers=st.lists(
        st.builds(OutboundNumber, id=texts, e164=numbers, outbound_enabled=st.booleans()), max_size=3
    ).map(tuple),
)
campaigns = st.builds(
    Campaign,
    id=names,
    account_id=accounts,
    name=texts,
    agent_id=texts,
    phone_number_id=texts,
    status=st.sampled_from(CampaignStatus),
    max_concurrent_calls=counts,
    retries_per_contact=counts,
    retry_delay_seconds=counts,
    scheduled_at=maybe_times,
    started_at=maybe_times,
    completed_at=maybe_times,
    created_at=times,
    created_by=texts,
    is_deleted=st.booleans(),
)
whole_counters = st.builds(
    Counters,
    campaign_id=names,
    **{status.value: counts for status in ContactStatus},
    attempts=counts,
    calls_in_flight=counts,
    outcomes=st.dictionaries(outcomes, counts),
    last_dial_at=maybe_times,
    sequence=counts,
)
contacts = st.builds(
    Contact,
    campaign_id=st.just(CampaignId("a")),
    position=counts,
    phone_number=numbers,
    custom_fields=st.dictionaries(texts, texts, max_size=5),
    status=st.sampled_from(ContactStatus),
    attempts=counts,
    claims=counts,
    last_outcome=st.none() | outcomes,
    last_attempt_at=maybe_times,
    next_attempt_at=maybe_times,
    updated_at=times,
)

keys = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)
receipts = st.builds(
    Receipt,
    once=st.builds(Once, scope=texts, key=keys, fingerprint=texts, note=texts),
    answer=campaigns,
    at=times,
)


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    campaign, position, n = draw(names), draw(counts), draw(counts)
    return Attempt(
        id=attempt_id(campaign, position, n),
        account_id=draw(accounts),
        campaign_id=campaign,
        position=position,
        n=n,
        phone_number=draw(numbers),
        claimed_at=draw(times),
        state=draw(st.sampled_from(AttemptState)),
        call_id=draw(st.none() | texts),
        answered_at=draw(maybe_times),
        ended_at=draw(maybe_times),
        outcome=draw(st.none() | outcomes),
        duration_s=draw(st.none() | seconds),
    )


A_CAMPAIGN: Final = Campaign(
    id=CampaignId("a"),
    account_id=AccountId("acme"),
    name="a",
    agent_id="agent",
    phone_number_id="line",
    status=CampaignStatus.DRAFT,
    max_concurrent_calls=1,
    retries_per_contact=0,
    retry_delay_seconds=300,
    scheduled_at=None,
    created_at=datetime(2026, 3, 2, 12, 0, 0, 1, tzinfo=UTC),
    created_by="key",
)


@pytest.fixture(scope="module")
def tables() -> Iterator[sqlite3.Connection]:
    """Give the tables, each empty whenever it is written to."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript("".join(MIGRATIONS))
        yield connection


def through(tables: sqlite3.Connection, table: str, columns: Sequence[str], row: Row) -> Row:
    """Write a row into its table, and read it again."""
    named = ", ".join(columns)
    marks = ", ".join("?" * len(columns))
    tables.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are the test's own
    tables.execute(f"INSERT INTO {table} ({named}) VALUES ({marks})", row)  # noqa: S608 - the names are the test's own
    found: Row = tables.execute(f"SELECT {named} FROM {table}").fetchone()  # noqa: S608 - the names are the test's own
    return found


@given(times)
@example(FIRST)
@example(LAST)
@example(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))
@example(datetime(1970, 1, 1, tzinfo=UTC))
def test_a_time_comes_back_to_the_microsecond(value: datetime) -> None:
    assert moment(stamp(value)) == value
    assert moment(stamp(value)).tzinfo is UTC
    assert moment_or_none(stamp_or_none(value)) == value
    assert stamp_or_none(value) == stamp(value)


def test_no_time_comes_back_as_none() -> None:
    assert (stamp_or_none(None), moment_or_none(None)) == (None, None)


def test_the_first_moment_is_a_time_and_not_none() -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert (stamp_or_none(epoch), moment_or_none(0)) == (0, epoch)


@given(times, times)
def test_stored_times_are_in_the_order_of_time(one: datetime, other: datetime) -> None:
    assert (stamp(one) < stamp(other)) == (one < other)
    assert stamp(other) - stamp(one) == (other - one) // timedelta(microseconds=1)


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-1439, 1439))  # noqa: DTZ001 - a zone is added
def test_a_time_in_another_zone_is_the_same_moment(value: datetime, minutes: int) -> None:
    local = value.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert moment(stamp(local)) == local


@given(usages)
def test_an_accounts_usage_comes_back_but_for_the_calls_in_flight_which_are_counted(
    tables: sqlite3.Connection, usage: AccountUsage
) -> None:
    row = through(tables, "accounts", ("id", "account", *USAGE), ("acme", "{}", *usage_row(usage)))
    assert usage_from(row[2:], 7) == evolve(usage, calls_in_flight=7)


@given(whole_accounts)
@example(Account(id=AccountId("acme")))
def test_an_account_comes_back(tables: sqlite3.Connection, account: Account) -> None:
    row = through(tables, "accounts", ("id", "account", *USAGE), (account.id, account_text(account), 0, 0, 0, 0, 0.0))
    assert (row[0], account_from(row[1])) == (account.id, account)


@given(campaigns)
def test_a_campaign_comes_back(tables: sqlite3.Connection, campaign: Campaign) -> None:
    assert campaign_from(through(tables, "campaigns", CAMPAIGN, campaign_row(campaign))) == campaign


@given(whole_counters)
@example(Counters(campaign_id=CampaignId("a")))
def test_counters_come_back(tables: sqlite3.Connection, counters: Counters) -> None:
    row = through(tables, "counters", ("campaign_no", *COUNTERS), (1, *counters_row(counters)))
    found = counters_from(counters.campaign_id, row[1:])
    assert found == counters
    assert {type(outcome) for outcome in found.outcomes} <= {Outcome}


@given(contacts)
def test_a_contact_comes_back_with_all_that_has_changed(tables: sqlite3.Connection, contact: Contact) -> None:
    staged = (contact.position, contact.phone_number, json.dumps(dict(contact.custom_fields)))
    row = through(tables, "contacts", ("campaign_no", *CONTACT), (1, *staged, *contact_changes(contact)))
    found = contact_from(A_CAMPAIGN.id, A_CAMPAIGN.created_at, row[1:])
    assert found == contact
    assert type(found.phone_number) is PhoneNumber


@given(numbers, st.dictionaries(texts, texts, max_size=5))
def test_a_contact_to_which_nothing_has_happened_is_as_old_as_its_campaign(
    tables: sqlite3.Connection, number: PhoneNumber, fields: dict[str, str]
) -> None:
    staged = ("campaign_no", "position", "phone_number", "custom_fields")
    through(tables, "contacts", staged, (1, 3, number, json.dumps(fields)))
    row = tables.execute(f"SELECT {', '.join(CONTACT)} FROM contacts").fetchone()  # noqa: S608 - the names are the test's own
    assert contact_from(A_CAMPAIGN.id, A_CAMPAIGN.created_at, row) == Contact(
        campaign_id=A_CAMPAIGN.id,
        position=3,
        phone_number=number,
        custom_fields=fields,
        updated_at=A_CAMPAIGN.created_at,
    )


@given(attempts())
def test_an_attempt_comes_back(tables: sqlite3.Connection, attempt: Attempt) -> None:
    row = through(tables, "attempts", ("campaign_no", *ATTEMPT), (1, *attempt_row(attempt)))
    found = attempt_from(attempt.campaign_id, row[1:])
    assert found == attempt
    assert type(found.phone_number) is PhoneNumber


@given(receipts)
def test_a_receipt_comes_back(tables: sqlite3.Connection, receipt: Receipt) -> None:
    row = through(tables, "receipts", RECEIPT, receipt_row(receipt.answer.account_id, receipt))
    assert (row[0], receipt_from(row)) == (receipt.answer.account_id, receipt)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("campaigns", CAMPAIGN),
        ("counters", COUNTERS),
        ("contacts", CONTACT),
        ("attempts", ATTEMPT),
        ("receipts", RECEIPT),
    ],
)
def test_every_column_of_a_table_is_written_and_read(
    tables: sqlite3.Connection, table: str, columns: Sequence[str]
) -> None:
    there = [row[1] for row in tables.execute(f"PRAGMA table_info({table})")]
    assert [name for name in there if name not in {"no", "campaign_no"}] == [*columns]
