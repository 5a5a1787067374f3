import json
from datetime import UTC, datetime
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.account import NO_LIMIT, Account, Agent, AgentStatus, Caps, OutboundNumber
from kataven_core.attempt import Attempt
from kataven_core.campaign import Campaign
from kataven_core.codec import campaign_members, contact_members, from_plain, to_plain
from kataven_core.contact import Contact
from kataven_core.counters import Counters
from kataven_core.errors import InvalidValue
from kataven_core.events import CampaignCreated, CampaignStopped, Event
from kataven_core.phone_number import PhoneNumber
from kataven_core.receipts import Once, Receipt
from kataven_core.reports import Ended, Lost, Placed, Report
from kataven_core.settings import CampaignSettings
from kataven_core.snapshot import Snapshot
from kataven_core.statuses import AttemptState, CampaignStatus, ContactStatus, Outcome
from kataven_core.values import AccountId, AttemptId, CampaignId

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

# Any value of each kind

texts = st.text(max_size=9)
counts = st.integers(0, NO_LIMIT)
times = st.datetimes(timezones=st.just(UTC))
numbers = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True).map(PhoneNumber)
seconds = st.floats(0, 1e6)
accounts = st.builds(
    Account,
    id=texts.map(AccountId),
    caps=st.builds(
        Caps, concurrent_max=counts, calls_per_minute=counts, daily_calls_max=counts, daily_minutes_max=counts
    ),
    agents=st.lists(
        st.builds(Agent, id=texts, name=texts, status=st.sampled_from(AgentStatus), route=texts), max_size=2
    ).map(tuple),
    phone_numbers=st.lists(
        st.builds(OutboundNumber, id=texts, e164=numbers, outbound_enabled=st.booleans()), max_size=2
    ).map(tuple),
)
chosen: dict[str, Any] = {
    "name": texts,
    "agent_id": texts,
    "phone_number_id": texts,
    "max_concurrent_calls": counts,
    "retries_per_contact": counts,
    "retry_delay_seconds": counts,
    "scheduled_at": st.none() | times,
}
settings = st.builds(CampaignSettings, **chosen)
campaigns = st.builds(
    Campaign,
    **chosen,
    id=texts.map(CampaignId),
    account_id=texts.map(AccountId),
    status=st.sampled_from(CampaignStatus),
    started_at=st.none() | times,
    completed_at=st.none() | times,
    created_at=times,
    created_by=texts,
    is_deleted=st.booleans(),
)
contacts = st.builds(
    Contact,
    campaign_id=texts.map(CampaignId),
    position=counts,
    phone_number=numbers,
    custom_fields=st.dictionaries(texts, texts, max_size=3),
    status=st.sampled_from(ContactStatus),
    attempts=counts,
    claims=counts,
    last_outcome=st.none() | st.sampled_from(Outcome),
    last_attempt_at=st.none() | times,
    next_attempt_at=st.none() | times,
    updated_at=times,
)
attempts = st.builds(
    Attempt,
    id=texts.map(AttemptId),
    account_id=texts.map(AccountId),
    campaign_id=texts.map(CampaignId),
    position=counts,
    n=counts,
    phone_number=numbers,
    claimed_at=times,
    state=st.sampled_from(AttemptState),
    call_id=st.none() | texts,
    answered_at=st.none() | times,
    ended_at=st.none() | times,
    outcome=st.none() | st.sampled_from(Outcome),
    duration_s=st.none() | seconds,
)
by_status = {status.value: counts for status in ContactStatus}
counters = st.builds(
    Counters,
    **by_status,
    campaign_id=texts.map(CampaignId),
    attempts=counts,
    calls_in_flight=counts,
    outcomes=st.dictionaries(st.sampled_from(Outcome), counts, max_size=3),
    last_dial_at=st.none() | times,
    sequence=counts,
)
snapshots = st.builds(
    Snapshot,
    **by_status,
    campaign_id=texts.map(CampaignId),
    status=st.sampled_from(CampaignStatus),
    total=counts,
    attempts=counts,
    calls_in_flight=counts,
    answer_rate=st.none() | st.floats(0, 1),
    calls_per_minute=counts,
    eta=st.none() | times,
    timestamp=times,
)
receipts = st.builds(
    Receipt,
    once=st.builds(Once, scope=texts, key=texts.filter(str.isprintable).filter(bool), fingerprint=texts, note=texts),
    answer=campaigns,
    at=times,
)
event_parts: dict[str, Any] = {
    "account_id": texts.map(AccountId),
    "campaign_id": texts.map(CampaignId),
    "sequence": counts,
    "at": times,
    "settings": settings,
    "total": counts,
    "created_by": texts,
    "cancelled": counts,
    "reason": texts,
    "attempt_id": texts.map(AttemptId),
    "position": counts,
    "n": counts,
    "phone_number": numbers,
    "call_id": st.none() | texts,
    "answered_at": times,
    "outcome": st.sampled_from(Outcome),
    "ended_at": times,
    "duration_s": seconds,
    "contact_status": st.sampled_from(ContactStatus),
    "next_attempt_at": st.none() | times,
}


def events(kind: Any) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{part.name: event_parts[part.name] for part in attrs.fields(kind)})


KINDS: dict[type, st.SearchStrategy[Any]] = {
    Account: accounts,
    Campaign: campaigns,
    Contact: contacts,
    Attempt: attempts,
    Counters: counters,
    CampaignSettings: settings,
    Snapshot: snapshots,
    Receipt: receipts,
}


def over_the_wire(data: Any) -> Any:
    return json.loads(json.dumps(data, allow_nan=False))


def types_in(plain: Any) -> set[type]:
    parts = [*plain, *plain.values()] if type(plain) is dict else plain if type(plain) is list else []
    return {type(plain)}.union(*map(types_in, parts))


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
def test_a_value_comes_back_as_it_was(kind: type, data: st.DataObject) -> None:
    value = data.draw(KINDS[kind])
    assert from_plain(over_the_wire(to_plain(value)), kind) == value


@pytest.mark.parametrize("kind", get_args(Event))
@given(st.data())
def test_an_event_comes_back_as_it_was(kind: Any, data: st.DataObject) -> None:
    event = data.draw(events(kind))
    plain = over_the_wire(to_plain(event, Event))
    assert plain["type"] == kind.__name__
    assert from_plain(plain, Event) == event


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
def test_a_plain_form_is_what_json_makes_of_it(kind: type, data: st.DataObject) -> None:
    plain = to_plain(data.draw(KINDS[kind]))
    assert over_the_wire(plain) == plain
    assert types_in(plain) <= {dict, list, str, int, float, bool, type(None)}


@given(contacts)
def test_what_comes_back_is_as_typed_as_before(contact: Contact) -> None:
    back = from_plain(to_plain(contact), Contact)
    assert (type(back.phone_number), type(back.status), list(back.custom_fields.items())) == (
        PhoneNumber,
        ContactStatus,
        list(contact.custom_fields.items()),
    )


# What the API shows

DRAFT = Campaign(
    id=CampaignId("spring"),
    account_id=AccountId("acme"),
    name="Spring 🐦",
    agent_id="anna",
    phone_number_id="office",
    status=CampaignStatus.DRAFT,
    max_concurrent_calls=5,
    retries_per_contact=0,
    retry_delay_seconds=300,
    scheduled_at=None,
    created_at=NOW,
    created_by="key",
)
FRESH = Contact(
    campaign_id=CampaignId("spring"),
    position=4,
    phone_number=PhoneNumber("+14155550123"),
    custom_fields={"name": "Ada", "City": ""},
    updated_at=NOW,
)
CAMPAIGN_MEMBERS = [
    "id",
    "name",
    "agent_id",
    "phone_number_id",
    "status",
    "max_concurrent_calls",
    "retries_per_contact",
    "retry_delay_seconds",
    "scheduled_at",
    "started_at",
    "completed_at",
    "created_at",
    "created_by",
]
CONTACT_MEMBERS = [
    "id",
    "position",
    "phone_number",
    "custom_fields",
    "status",
    "attempts",
    "last_outcome",
    "last_attempt_at",
    "next_attempt_at",
    "updated_at",
]


def test_a_draft_shows_all_its_13_members() -> None:
    shown = campaign_members(DRAFT)
    assert list(shown) == CAMPAIGN_MEMBERS
    assert over_the_wire(shown) == {
        "id": "spring",
        "name": "Spring 🐦",
        "agent_id": "anna",
        "phone_number_id": "office",
        "status": "draft",
        "max_concurrent_calls": 5,
        "retries_per_contact": 0,
        "retry_delay_seconds": 300,
        "scheduled_at": None,
        "started_at": None,
        "completed_at": None,
        "created_at": "2026-03-14T09:26:53Z",
        "created_by": "key",
    }


def test_a_fresh_contact_shows_all_its_members() -> None:
    shown = contact_members(FRESH)
    assert list(shown) == CONTACT_MEMBERS
    assert over_the_wire(shown) == {
        "id": "spring.4",
        "position": 4,
        "phone_number": "+14155550123",
        "custom_fields": {"name": "Ada", "City": ""},
        "status": "pending",
        "attempts": 0,
        "last_outcome": None,
        "last_attempt_at": None,
        "next_attempt_at": None,
        "updated_at": "2026-03-14T09:26:53Z",
    }


@given(campaigns, contacts)
def test_the_members_are_always_the_same_in_this_order(campaign: Campaign, contact: Contact) -> None:
    assert list(over_the_wire(campaign_members(campaign))) == CAMPAIGN_MEMBERS
    assert list(over_the_wire(contact_members(contact))) == CONTACT_MEMBERS


def test_times_are_shown_in_utc_and_words_as_they_are() -> None:
    retried = attrs.evolve(FRESH, last_outcome=Outcome.NO_ANSWER, next_attempt_at=NOW.replace(microsecond=1_500))
    shown = contact_members(retried)
    assert (shown["last_outcome"], shown["next_attempt_at"]) == ("no_answer", "2026-03-14T09:26:53.001500Z")


@pytest.mark.parametrize(
    "report",
    [
        Placed(attempt_id=AttemptId("a.0.1"), at=NOW, call_id="x"),
        Ended(attempt_id=AttemptId("a.0.1"), at=NOW, outcome=Outcome.BUSY, duration_s=1.5),
        Lost(attempt_id=AttemptId("a.0.1"), at=NOW),
    ],
)
def test_a_report_comes_back_as_it_was(report: Any) -> None:
    plain = json.loads(json.dumps(to_plain(report, Report)))
    assert plain["type"] == type(report).__name__
    assert from_plain(plain, Report) == report


def test_a_report_of_no_known_type_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"Report\.type: must be one of Placed, Ringing, "):
        from_plain({"type": "CampaignStarted"}, Report)


def test_an_event_says_first_what_it_is() -> None:
    event = CampaignStopped(
        account_id=AccountId("acme"), campaign_id=CampaignId("spring"), sequence=7, at=NOW, cancelled=2
    )
    assert list(to_plain(event, Event).items()) == [
        ("type", "CampaignStopped"),
        ("account_id", "acme"),
        ("campaign_id", "spring"),
        ("sequence", 7),
        ("at", "2026-03-14T09:26:53Z"),
        ("cancelled", 2),
    ]


# What does not fit

ACCOUNT: dict[str, Any] = to_plain(
    Account(
        id=AccountId("acme"),
        agents=(Agent(id="anna"),),
        phone_numbers=(OutboundNumber(id="office", e164=PhoneNumber("+14155550100")),),
    )
)
EVENT: dict[str, Any] = to_plain(
    CampaignCreated(
        account_id=AccountId("acme"),
        campaign_id=CampaignId("spring"),
        sequence=1,
        at=NOW,
        settings=CampaignSettings(name="Spring", agent_id="anna", phone_number_id="office"),
        total=3,
        created_by="key",
    ),
    Event,
)


def wrong_members(data: Any, kind: Any) -> list[str]:
    """Give the members that are named, sorted."""
    with pytest.raises(InvalidValue) as caught:
        from_plain(data, kind)
    assert caught.value.code == "invalid_data"
    for problem in caught.value.problems:
        assert problem.message.startswith(f"{problem.field}: ")
        assert problem.message in caught.value.message
    return sorted(problem.field for problem in caught.value.problems)


@pytest.mark.parametrize("kind", [*KINDS, Event], ids=lambda kind: getattr(kind, "__name__", "Event"))
@pytest.mark.parametrize("nonsense", [[], [{}], None, "", "x", 5, 1.5, True], ids=repr)
def test_nonsense_is_refused(kind: Any, nonsense: Any) -> None:
    assert wrong_members(nonsense, kind) == [getattr(kind, "__name__", "Event")]


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("id", [5, None, ["acme"]]),
        ("caps", [None, [], "none", 5]),
        ("agents", [None, {}, "", "anna", 5]),
        ("phone_numbers", [None, {}, "", "+14155550100", 5]),
    ],
)
def test_a_member_of_another_type_is_named(member: str, wrong: list[Any]) -> None:
    for value in wrong:
        assert wrong_members(ACCOUNT | {member: value}, Account) == [f"Account.{member}"]


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("name", [None, 5, True, ["Spring"]]),
        ("status", ["gone", "Draft", "", None, 5, []]),
        ("max_concurrent_calls", ["5", 5.0, None, True, []]),
        ("scheduled_at", ["tomorrow", "2026-03-14", "2026-03-14T09:26:53", "", 5, True, {}]),
        ("created_at", ["2026-W11-6T09:26:53Z", None]),
        ("is_deleted", ["false", 0, None]),
    ],
)
def test_a_value_is_never_bent_to_fit(member: str, wrong: list[Any]) -> None:
    plain = to_plain(DRAFT)
    for value in wrong:
        assert wrong_members(plain | {member: value}, Campaign) == [f"Campaign.{member}"]


@pytest.mark.parametrize("wrong", ["", "14155550123", "+1 415 555 0123", "+0123456789", 14155550123, None])
def test_a_number_is_e164_to_the_letter(wrong: Any) -> None:
    assert wrong_members(to_plain(FRESH) | {"phone_number": wrong}, Contact) == ["Contact.phone_number"]


@pytest.mark.parametrize("wrong", [None, [], [["name", "Ada"]], "name", 5])
def test_custom_fields_are_an_object(wrong: Any) -> None:
    assert wrong_members(to_plain(FRESH) | {"custom_fields": wrong}, Contact) == ["Contact.custom_fields"]


def test_custom_fields_are_strings() -> None:
    plain = to_plain(FRESH) | {"custom_fields": {"name": "Ada", "age @ home": 36, "city": None}}
    assert wrong_members(plain, Contact) == ["Contact.custom_fields['age @ home']", "Contact.custom_fields['city']"]


def test_outcomes_are_counted_by_their_words() -> None:
    plain = {"campaign_id": "spring", "outcomes": {"busy": 1, "bored": 2, "lost": "3"}}
    assert wrong_members(plain, Counters) == ["Counters.outcomes['bored']", "Counters.outcomes['lost']"]


def test_a_whole_number_of_seconds_is_a_number() -> None:
    attempt = Attempt(
        id=AttemptId("spring.4.1"),
        account_id=AccountId("acme"),
        campaign_id=CampaignId("spring"),
        position=4,
        n=1,
        phone_number=PhoneNumber("+14155550123"),
        claimed_at=NOW,
    )
    back = from_plain(to_plain(attempt) | {"duration_s": 3}, Attempt)
    assert (back.duration_s, type(back.duration_s)) == (3.0, float)
    for wrong in ("3", True):
        assert wrong_members(to_plain(attempt) | {"duration_s": wrong}, Attempt) == ["Attempt.duration_s"]


def test_a_time_of_any_offset_is_taken_in_utc() -> None:
    plain = to_plain(DRAFT) | {"scheduled_at": "2026-04-01T12:00:00+02:00"}
    assert from_plain(plain, Campaign).scheduled_at == datetime(2026, 4, 1, 10, tzinfo=UTC)


def test_what_has_a_default_may_be_missing() -> None:
    assert from_plain({"id": "acme"}, Account) == Account(id=AccountId("acme"))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_all_that_is_missing_is_named(kind: Any) -> None:
    needed = [part.name for part in attrs.fields(kind) if part.default is attrs.NOTHING]
    assert wrong_members({}, kind) == sorted(f"{kind.__name__}.{name}" for name in needed)


def test_all_that_is_unknown_is_named() -> None:
    plain = ACCOUNT | {"plan": "gold", "agent": [], "agents": [{"id": "anna", "voice": "alto"}]}
    assert wrong_members(plain, Account) == ["Account.agent", "Account.agents[0].voice", "Account.plan"]


def test_all_that_is_wrong_is_named_at_once_wherever_it_is() -> None:
    plain = ACCOUNT | {
        "id": 5,
        "caps": {"concurrent_max": -1, "calls_per_minute": 5, "daily_calls_max": 2**31},
        "agents": [{"id": "anna"}, {"name": "Bea", "status": "busy"}, "carl"],
        "phone_numbers": [{"id": "office", "e164": "0415", "outbound_enabled": 1}],
    }
    assert wrong_members(plain, Account) == [
        "Account.agents[1].id",
        "Account.agents[1].status",
        "Account.agents[2]",
        "Account.caps.concurrent_max",
        "Account.caps.daily_calls_max",
        "Account.id",
        "Account.phone_numbers[0].e164",
        "Account.phone_numbers[0].outbound_enabled",
    ]


@pytest.mark.parametrize("wrong", ["CampaignExploded", "campaign_stopped", "CampaignEvent", "", None, 5, []])
def test_an_event_of_no_known_type_is_refused(wrong: Any) -> None:
    assert wrong_members(EVENT | {"type": wrong}, Event) == ["Event.type"]


def test_an_event_without_a_type_is_refused() -> None:
    assert wrong_members({name: value for name, value in EVENT.items() if name != "type"}, Event) == ["Event.type"]


def test_the_wrong_members_of_an_event_are_named() -> None:
    plain = EVENT | {"at": "today", "settings": {"name": "Spring"}, "colour": "red"}
    assert wrong_members(plain, Event) == [
        "Event.at",
        "Event.colour",
        "Event.settings.agent_id",
        "Event.settings.phone_number_id",
    ]


def test_reading_leaves_what_was_given() -> None:
    plain = json.loads(json.dumps(EVENT))
    from_plain(plain, Event)
    assert plain == EVENT


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        ({}, Account, "Account.id: is missing"),
        ({"id": 5}, Account, "Account.id: must be a string"),
        ({"id": "acme", "plan": 1}, Account, "Account.plan: is no member of it: leave it out"),
        (
            {"id": "acme", "caps": {"concurrent_max": -1}},
            Account,
            "Account.caps.concurrent_max: concurrent_max is -1: it must be from 0 to 2147483647",
        ),
        (
            {"id": "acme", "agents": [{"id": "anna", "status": "busy"}]},
            Account,
            "Account.agents[0].status: 'busy' is not a valid AgentStatus",
        ),
        ([], Account, "Account: must be an object"),
        (to_plain(FRESH) | {"custom_fields": "name"}, Contact, "Contact.custom_fields: must be an object"),
    ],
)
def test_the_message_says_what_is_wrong(data: Any, kind: Any, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        from_plain(data, kind)
    assert caught.value.message == message
