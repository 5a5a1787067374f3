from typing import Any

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError

from kataven_core.account import NO_LIMIT, Account, Agent, AgentStatus, Caps, OutboundNumber
from kataven_core.errors import InvalidValue
from kataven_core.phone_number import PhoneNumber
from kataven_core.values import AccountId

CAPS = ["concurrent_max", "calls_per_minute", "daily_calls_max", "daily_minutes_max"]
ANNA = Agent(id="anna", name="Anna", route="sales")
OFFICE = OutboundNumber(id="office", e164=PhoneNumber("+14155550100"))
ACME = Account(
    id=AccountId("acme"),
    agents=(
        ANNA,
        Agent(id="drafted", status=AgentStatus.DRAFT),
        Agent(id="paused", status=AgentStatus.PAUSED),
        Agent(id="archived", status=AgentStatus.ARCHIVED),
    ),
    phone_numbers=(OFFICE, OutboundNumber(id="inbound", e164=PhoneNumber("+14155550101"), outbound_enabled=False)),
)


def caps(**values: Any) -> Caps:
    return Caps(**values)


def test_the_words_for_agents() -> None:
    assert [*map(str, AgentStatus)] == ["draft", "active", "paused", "archived"]


def test_an_omitted_cap_is_the_greatest_integer_of_the_wire() -> None:
    assert NO_LIMIT == 2**31 - 1
    assert Account(id=AccountId("acme")).caps == Caps(
        concurrent_max=NO_LIMIT, calls_per_minute=NO_LIMIT, daily_calls_max=NO_LIMIT, daily_minutes_max=NO_LIMIT
    )


@pytest.mark.parametrize("cap", CAPS)
def test_a_cap_includes_its_edges_and_nothing_beyond(cap: str) -> None:
    assert getattr(caps(**{cap: 0}), cap) == 0
    assert getattr(caps(**{cap: NO_LIMIT}), cap) == NO_LIMIT
    for value in (-1, NO_LIMIT + 1):
        with pytest.raises(InvalidValue, match=rf"^{cap} is {value}: it must be from 0 to 2147483647$") as caught:
            caps(**{cap: value})
        assert caught.value.code == "invalid_cap"


def test_all_wrong_caps_are_named_at_once() -> None:
    with pytest.raises(InvalidValue) as caught:
        caps(concurrent_max=-1, calls_per_minute=5, daily_calls_max=-2, daily_minutes_max=2**31)
    assert [problem.field for problem in caught.value.problems] == [
        "concurrent_max",
        "daily_calls_max",
        "daily_minutes_max",
    ]


def test_a_changed_cap_is_checked_too() -> None:
    with pytest.raises(InvalidValue):
        evolve(Caps(), concurrent_max=-1)


@pytest.mark.parametrize("value", [ACME, ANNA, OFFICE, Caps()], ids=lambda value: type(value).__name__)
def test_values_are_hashable_and_never_change(value: Any) -> None:
    assert {value: 1}[evolve(value)] == 1
    with pytest.raises(FrozenInstanceError):
        value.id = "other"


def test_agents_and_numbers_are_found_by_id_whatever_their_status() -> None:
    assert ACME.agent("anna") is ANNA
    assert ACME.agent("archived") == Agent(id="archived", status=AgentStatus.ARCHIVED)
    assert ACME.agent("nobody") is None
    assert ACME.phone_number("office") is OFFICE
    assert ACME.phone_number("inbound") is ACME.phone_numbers[1]
    assert ACME.phone_number("+14155550100") is None


@pytest.mark.parametrize(
    ("agent_id", "phone_number_id", "fields"),
    [
        ("anna", "office", []),
        ("drafted", "office", ["agent_id"]),
        ("paused", "office", ["agent_id"]),
        ("archived", "office", ["agent_id"]),
        ("nobody", "office", ["agent_id"]),
        ("anna", "inbound", ["phone_number_id"]),
        ("anna", "nowhere", ["phone_number_id"]),
        ("paused", "inbound", ["agent_id", "phone_number_id"]),
        ("nobody", "nowhere", ["agent_id", "phone_number_id"]),
    ],
)
def test_what_keeps_an_agent_and_a_number_from_calling(agent_id: str, phone_number_id: str, fields: list[str]) -> None:
    problems = ACME.obstacles(agent_id, phone_number_id)
    assert [problem.field for problem in problems] == fields
    assert all(problem.message.startswith(problem.field) for problem in problems)


def test_an_obstacle_says_what_to_do() -> None:
    gone, forbidden = ACME.obstacles("nobody", "nowhere"), ACME.obstacles("paused", "inbound")
    assert [problem.message for problem in gone + forbidden] == [
        "agent_id is no agent of this account: name one of its active agents",
        "phone_number_id is no number of this account: give the id of one of its numbers",
        "agent_id is an agent that is paused: activate it first",
        "phone_number_id is a number that may not call out: enable outbound calls for it",
    ]


def test_the_callers_are_the_agent_and_the_number() -> None:
    assert ACME.callers("anna", "office") == (ANNA, OFFICE)


@pytest.mark.parametrize(
    ("agent_id", "phone_number_id", "field"), [("nobody", "office", "agent_id"), ("anna", "nowhere", "phone_number_id")]
)
def test_there_are_no_callers_where_one_is_missing(agent_id: str, phone_number_id: str, field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        ACME.callers(agent_id, phone_number_id)
    assert caught.value.code == "invalid_settings"
    assert [problem.field for problem in caught.value.problems] == [field]


def test_an_agent_has_no_name_and_no_route_unless_given() -> None:
    assert (Agent(id="a").name, Agent(id="a").route) == ("", "")
