from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.errors import InvalidValue
from kataven_core.settings import CampaignSettings, campaign_settings

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
A_MICROSECOND = timedelta(microseconds=1)


def made(**changes: Any) -> CampaignSettings:
    given: dict[str, Any] = {"now": NOW, "name": "Spring", "agent_id": "agent-1", "phone_number_id": "number-1"}
    return campaign_settings(**(given | changes))


def wrong_fields(**changes: Any) -> list[str]:
    with pytest.raises(InvalidValue) as caught:
        made(**changes)
    assert caught.value.code == "invalid_settings"
    for problem in caught.value.problems:
        assert problem.field in problem.message
        assert problem.message in caught.value.message
    return [problem.field for problem in caught.value.problems]


def test_the_defaults() -> None:
    assert made() == CampaignSettings(
        name="Spring",
        agent_id="agent-1",
        phone_number_id="number-1",
        max_concurrent_calls=5,
        retries_per_contact=0,
        retry_delay_seconds=300,
        scheduled_at=None,
    )
    assert made() == CampaignSettings(name="Spring", agent_id="agent-1", phone_number_id="number-1")


def test_all_that_is_given_is_kept() -> None:
    tomorrow = NOW + timedelta(days=1)
    settings = made(max_concurrent_calls=7, retries_per_contact=2, retry_delay_seconds=90, scheduled_at=tomorrow)
    assert settings == CampaignSettings(
        name="Spring",
        agent_id="agent-1",
        phone_number_id="number-1",
        max_concurrent_calls=7,
        retries_per_contact=2,
        retry_delay_seconds=90,
        scheduled_at=tomorrow,
    )


def test_settings_never_change() -> None:
    with pytest.raises(FrozenInstanceError):
        made().name = "Summer"  # type: ignore[misc] # that it can't be set is the point


@pytest.mark.parametrize(
    ("field", "lowest", "highest"),
    [
        ("max_concurrent_calls", 1, 100),
        ("retries_per_contact", 0, 5),
        ("retry_delay_seconds", 60, 30 * 86_400),
    ],
)
def test_a_range_includes_its_edges_and_nothing_beyond(field: str, lowest: int, highest: int) -> None:
    assert getattr(made(**{field: lowest}), field) == lowest
    assert getattr(made(**{field: highest}), field) == highest
    assert wrong_fields(**{field: lowest - 1}) == [field]
    assert wrong_fields(**{field: highest + 1}) == [field]


def test_a_range_is_named_in_the_message() -> None:
    with pytest.raises(InvalidValue, match=r"^max_concurrent_calls is 101: it must be a whole number from 1 to 100$"):
        made(max_concurrent_calls=101)


def test_the_least_retry_delay_may_be_lowered_for_trials() -> None:
    assert made(retry_delay_seconds=1, retry_delay_min_s=1).retry_delay_seconds == 1
    assert wrong_fields(retry_delay_seconds=0, retry_delay_min_s=1) == ["retry_delay_seconds"]


@pytest.mark.parametrize("field", ["name", "agent_id", "phone_number_id"])
@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0\u2003"])
def test_a_text_is_not_blank(field: str, blank: str) -> None:
    assert wrong_fields(**{field: blank}) == [field]


@pytest.mark.parametrize("field", ["name", "agent_id", "phone_number_id"])
def test_a_text_holds_no_nul(field: str) -> None:
    assert wrong_fields(**{field: "a\0b"}) == [field]


def test_a_name_is_up_to_255_characters_of_any_width() -> None:
    assert made(name="ü" * 255).name == "ü" * 255
    assert made(name="🐦" * 255).name == "🐦" * 255
    assert wrong_fields(name="🐦" * 256) == ["name"]


@pytest.mark.parametrize("name", ["  Spring  ", "e\u0301te\u0301", "Ⅻ ﬁn", "אביב 🐦", "\u200bSpring", "a\r\nb"])
def test_a_name_is_kept_to_the_letter(name: str) -> None:
    assert made(name=name).name == name


@given(st.text(max_size=255))
def test_a_name_is_kept_to_the_letter_or_refused(name: str) -> None:
    if name.strip() and "\0" not in name:
        assert made(name=name).name == name
    else:
        assert wrong_fields(name=name) == ["name"]


def test_a_schedule_is_strictly_in_the_future() -> None:
    assert made(scheduled_at=NOW + A_MICROSECOND).scheduled_at == NOW + A_MICROSECOND
    assert wrong_fields(scheduled_at=NOW) == ["scheduled_at"]
    assert wrong_fields(scheduled_at=NOW - A_MICROSECOND) == ["scheduled_at"]


@pytest.mark.parametrize("now", [NOW, NOW.replace(year=2027), NOW.replace(2028, 2, 28)])
def test_a_schedule_is_at_most_5_years_ahead(now: datetime) -> None:
    in_5_years = now.replace(year=now.year + 5)
    assert made(now=now, scheduled_at=in_5_years).scheduled_at == in_5_years
    assert wrong_fields(now=now, scheduled_at=in_5_years + timedelta(days=2)) == ["scheduled_at"]
    assert wrong_fields(now=now, scheduled_at=now.replace(year=now.year + 6)) == ["scheduled_at"]


def test_a_schedule_of_any_offset_is_kept_in_utc() -> None:
    settings = made(scheduled_at=datetime(2026, 3, 14, 15, 0, tzinfo=timezone(timedelta(hours=5, minutes=30))))
    assert settings.scheduled_at == datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
    assert settings.scheduled_at.tzinfo is UTC


def test_a_schedule_is_compared_as_an_instant_not_as_a_clock() -> None:
    in_the_past = datetime(2026, 3, 14, 14, 0, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert wrong_fields(scheduled_at=in_the_past) == ["scheduled_at"]


class NoZone(tzinfo):
    def utcoffset(self, _: datetime | None) -> None:
        return None

    dst = tzname = utcoffset


@pytest.mark.parametrize("zone", [None, NoZone()])
def test_a_schedule_without_a_zone_is_refused(zone: Any) -> None:
    assert wrong_fields(scheduled_at=datetime(2026, 5, 1, tzinfo=zone)) == ["scheduled_at"]


def test_all_wrong_fields_are_named_at_once() -> None:
    assert wrong_fields(
        name=" ",
        agent_id="\0",
        phone_number_id="n" * 256,
        max_concurrent_calls=0,
        retries_per_contact=6,
        retry_delay_seconds=59,
        scheduled_at=NOW - timedelta(days=1),
    ) == [
        "name",
        "agent_id",
        "phone_number_id",
        "max_concurrent_calls",
        "retries_per_contact",
        "retry_delay_seconds",
        "scheduled_at",
    ]


@pytest.mark.parametrize("wrong", [1.5, 2.0, True, "3"])
def test_whole_numbers_are_meant(wrong: Any) -> None:
    assert wrong_fields(max_concurrent_calls=wrong) == ["max_concurrent_calls"]


def test_half_a_character_is_no_text() -> None:
    assert wrong_fields(name="a\ud800") == ["name"]
