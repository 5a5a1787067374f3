from datetime import UTC, datetime
from inspect import isclass
from typing import Any, get_args

import pytest
from attrs import evolve, fields
from attrs.exceptions import FrozenInstanceError

from kataven_core import events
from kataven_core.events import (
    AttemptAnswered,
    AttemptClaimed,
    AttemptDoubted,
    AttemptEnded,
    AttemptEvent,
    AttemptLive,
    CampaignCompleted,
    CampaignCreated,
    CampaignDeleted,
    CampaignEvent,
    CampaignFailed,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopped,
    Event,
)
from kataven_core.phone_number import PhoneNumber
from kataven_core.settings import CampaignSettings
from kataven_core.statuses import ContactStatus, Outcome
from kataven_core.values import AccountId, AttemptId, CampaignId

AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
HERE: dict[str, Any] = {"account_id": AccountId("acme"), "campaign_id": CampaignId("spring"), "sequence": 1, "at": AT}
DIAL: dict[str, Any] = HERE | {"attempt_id": AttemptId("spring.0.1"), "position": 0}
ONE_OF_EACH: list[Event] = [
    CampaignCreated(
        **HERE, settings=CampaignSettings(name="Spring", agent_id="a", phone_number_id="n"), total=3, created_by="key"
    ),
    CampaignStarted(**HERE),
    CampaignPaused(**HERE),
    CampaignResumed(**HERE),
    CampaignStopped(**HERE, cancelled=2),
    CampaignCompleted(**HERE),
    CampaignFailed(**HERE, cancelled=2, reason="the agent is gone"),
    CampaignDeleted(**HERE),
    AttemptClaimed(**DIAL, n=1, phone_number=PhoneNumber("+14155550123")),
    AttemptDoubted(**DIAL),
    AttemptLive(**DIAL, call_id=None),
    AttemptAnswered(**DIAL, answered_at=AT),
    AttemptEnded(
        **DIAL,
        outcome=Outcome.BUSY,
        ended_at=AT,
        duration_s=0.0,
        contact_status=ContactStatus.FAILED,
        next_attempt_at=None,
    ),
]


def test_an_event_is_one_of_these() -> None:
    kinds: set[type] = {type(event) for event in ONE_OF_EACH}
    assert set(get_args(Event)) == kinds
    assert {kind for kind in vars(events).values() if isclass(kind) and issubclass(kind, CampaignEvent)} == kinds | {
        CampaignEvent,
        AttemptEvent,
    }


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_an_event_is_hashable_and_never_changes(event: Any) -> None:
    assert {event: 1}[evolve(event)] == 1
    assert not hasattr(event, "__dict__")
    with pytest.raises(FrozenInstanceError):
        event.sequence = 2


@pytest.mark.parametrize("kind", get_args(Event))
def test_an_event_names_its_parts(kind: Any) -> None:
    assert all(part.kw_only for part in fields(kind))


@pytest.mark.parametrize("kind", get_args(Event))
def test_an_event_says_whose_it_is_and_when(kind: Any) -> None:
    parts = {part.name for part in fields(kind)}
    assert parts >= {"account_id", "campaign_id", "sequence", "at"}
    assert issubclass(kind, AttemptEvent) == (parts >= {"attempt_id", "position"})


def test_alike_events_of_different_kinds_differ() -> None:
    assert len({CampaignStarted(**HERE), CampaignPaused(**HERE), CampaignResumed(**HERE)}) == 3
