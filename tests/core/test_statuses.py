import pytest

from kataven_core.statuses import CARRIER_OUTCOMES, AttemptState, CampaignStatus, ContactStatus, Outcome


def test_the_words_for_campaigns() -> None:
    assert [*map(str, CampaignStatus)] == ["draft", "scheduled", "running", "paused", "completed", "failed"]


def test_the_words_for_contacts() -> None:
    assert [*map(str, ContactStatus)] == [
        "pending",
        "in_progress",
        "completed",
        "failed",
        "cancelled",
        "suppressed",
    ]


def test_the_words_for_attempts() -> None:
    assert [*map(str, AttemptState)] == ["claimed", "unknown", "live", "done"]


def test_the_words_for_outcomes() -> None:
    shown = {"answered", "machine", "no_answer", "busy", "declined", "invalid_number", "failed", "cancelled", "lost"}
    assert {*map(str, Outcome)} == shown | {"unsent"}


@pytest.mark.parametrize(
    ("status", "is_terminal"),
    [
        ("draft", False),
        ("scheduled", False),
        ("running", False),
        ("paused", False),
        ("completed", True),
        ("failed", True),
    ],
)
def test_where_a_campaign_ends(status: str, is_terminal: bool) -> None:  # noqa: FBT001 - a column of the table
    assert CampaignStatus(status).is_terminal is is_terminal


@pytest.mark.parametrize(
    ("status", "is_terminal"),
    [
        ("pending", False),
        ("in_progress", False),
        ("completed", True),
        ("failed", True),
        ("cancelled", True),
        ("suppressed", True),
    ],
)
def test_where_a_contact_ends(status: str, is_terminal: bool) -> None:  # noqa: FBT001 - a column of the table
    assert ContactStatus(status).is_terminal is is_terminal


def test_lost_and_unsent_are_our_own_conclusions() -> None:
    assert frozenset(Outcome) - CARRIER_OUTCOMES == {Outcome.LOST, Outcome.UNSENT}
