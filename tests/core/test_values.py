from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.errors import InvalidValue
from kataven_core.values import (
    CampaignId,
    account_id,
    attempt_id,
    campaign_id,
    contact_id,
    floor_day,
    floor_minute,
    format_rfc3339,
    parse_rfc3339,
    utc,
)


@pytest.mark.parametrize("text", ["a", "0", "acme", "acme_north", "a-b_c-", "9" * 63, "a__b"])
def test_a_slug_is_an_account_id(text: str) -> None:
    assert account_id(text) == text


@pytest.mark.parametrize("text", ["", "_a", "-a", "A", "acme.north", "a b", "a\n", "é", "a" * 64, "\u0661"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(
        InvalidValue, match="is no account id: use 1 to 63 of a-z, 0-9, - and _, beginning with a "
    ) as caught:
        account_id(text)
    assert caught.value.code == "invalid_account_id"


def test_ids_tell_campaign_position_and_claim() -> None:
    campaign = CampaignId("c1")
    assert contact_id(campaign, 0) == "c1.0"
    assert attempt_id(campaign, 12, 3) == "c1.12.3"


@given(st.sets(st.tuples(st.integers(0, 250_000), st.integers(1, 99)), min_size=2))
def test_no_two_claims_of_a_campaign_share_an_id(claims: set[tuple[int, int]]) -> None:
    campaign = CampaignId("c1")
    assert len({attempt_id(campaign, position, n) for position, n in claims}) == len(claims)


GOOD = {
    "2026-01-31T09:30:00Z": "2026-01-31T09:30:00Z",
    "2026-01-31t09:30:00z": "2026-01-31T09:30:00Z",
    "2026-01-31T09:30:00+00:00": "2026-01-31T09:30:00Z",
    "2026-01-31T09:30:00-00:00": "2026-01-31T09:30:00Z",
    "2026-01-31T09:30:00+02:00": "2026-01-31T07:30:00Z",
    "2026-01-31T23:30:00-05:45": "2026-02-01T05:15:00Z",
    "2026-01-31T00:00:00+23:59": "2026-01-30T00:01:00Z",
    "2026-01-31T09:30:00.5Z": "2026-01-31T09:30:00.500000Z",
    "2026-01-31T09:30:00.000001Z": "2026-01-31T09:30:00.000001Z",
    "2026-01-31T09:30:00.9999999999Z": "2026-01-31T09:30:00.999999Z",
    "2026-01-31T09:30:00.0Z": "2026-01-31T09:30:00Z",
    "2024-02-29T00:00:00Z": "2024-02-29T00:00:00Z",
    "0001-01-01T00:00:00Z": "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z": "9999-12-31T23:59:59.999999Z",
}


@pytest.mark.parametrize("text", GOOD)
def test_rfc3339_is_read_as_utc_and_written_with_z(text: str) -> None:
    value = parse_rfc3339(text)
    assert value.tzinfo is UTC
    assert format_rfc3339(value) == GOOD[text]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-31",
        "2026-01-31T09:30:00",
        "2026-01-31T09:30Z",
        "2026-01-31T09Z",
        "2026-01-31 09:30:00Z",
        "2026-01-31T09:30:00 Z",
        " 2026-01-31T09:30:00Z",
        "2026-01-31T09:30:00Z\n",
        "2026-W05-6T09:30:00Z",
        "2026-031T09:30:00Z",
        "20260131T093000Z",
        "2026-1-31T09:30:00Z",
        "26-01-31T09:30:00Z",
        "+2026-01-31T09:30:00Z",
        "-001-01-31T09:30:00Z",
        "12026-01-31T09:30:00Z",
        "2026-01-31T09:30:00.Z",
        "2026-01-31T09:30:00,5Z",
        "2026-01-31T09:30:00+0200",
        "2026-01-31T09:30:00+02",
        "2026-01-31T09:30:00+24:00",
        "2026-01-31T09:30:00+02:60",
        "2026-01-31T09:30:00+02:00:30",
        "2026-01-31T09:30:00CET",
        "2026-01-31T09:30:00\u221202:00",
        "2026-01-31T24:00:00Z",
        "2026-01-31T25:00:00Z",
        "\uff12026-01-31T09:30:00Z",
        "1769851800",
    ],
)
def test_other_forms_are_no_rfc3339(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"is no RFC 3339 time: write it as 2026-01-31T09:30:00Z$") as caught:
        parse_rfc3339(text)
    assert caught.value.code == "invalid_time"


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-31T09:60:00Z",
        "2026-12-31T23:59:60Z",
    ],
)
def test_a_time_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"is no time that exists: check day and hour$") as caught:
        parse_rfc3339(text)
    assert caught.value.code == "invalid_time"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"])
def test_a_time_beyond_the_years_of_utc_is_refused(text: str) -> None:
    with pytest.raises(
        InvalidValue, match=r"is not within the years 1 to 9999 in UTC: check year and offset$"
    ) as caught:
        parse_rfc3339(text)
    assert caught.value.code == "invalid_time"


@pytest.mark.parametrize("text", ["x" * 10_000, f"2026-02-30T00:00:00.{'0' * 10_000}Z"])
def test_a_message_quotes_no_more_than_a_time_s_worth(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_rfc3339(text)
    assert caught.value.message.startswith(f"{text[:64]!r} is no ")


OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=OFFSETS)  # noqa: DTZ001 - bounds are naive


@given(TIMES)
def test_what_is_written_is_read_as_the_same_instant(value: datetime) -> None:
    assert parse_rfc3339(format_rfc3339(value)) == value
    assert parse_rfc3339(value.isoformat()) == value


@given(TIMES)
def test_utc_is_the_same_instant(value: datetime) -> None:
    assert utc(value) == value
    assert utc(value).tzinfo is UTC


class Nowhere(tzinfo):
    """A zone that knows no offset, so that its times are naive."""

    def utcoffset(self, _: datetime | None, /) -> None:
        return None

    dst = tzname = utcoffset


@pytest.mark.parametrize("zone", [None, Nowhere()])
def test_a_naive_time_is_refused(zone: tzinfo | None) -> None:
    with pytest.raises(InvalidValue, match=r"names no time zone: add Z or an offset such as \+02:00$") as caught:
        utc(datetime(2026, 1, 31, 9, 30, tzinfo=zone))
    assert caught.value.code == "naive_time"


@given(TIMES)
def test_floors_are_the_last_whole_minute_and_day(value: datetime) -> None:
    moment = utc(value)
    minute, day = floor_minute(moment), floor_day(moment)
    assert (minute.second, minute.microsecond, minute.tzinfo) == (0, 0, UTC)
    assert (day.hour, day.minute, day.second, day.microsecond) == (0, 0, 0, 0)
    assert timedelta(0) <= moment - minute < timedelta(minutes=1)
    assert timedelta(0) <= moment - day < timedelta(days=1)


@pytest.mark.parametrize("text", ["a", "0-_Z", "a" * 64, "46c1d058-f1cc-4635-95d3-d1ba9064a075"])
def test_an_id_as_a_uuid_is_written_is_a_campaign_id(text: str) -> None:
    assert campaign_id(text) == text


@pytest.mark.parametrize("text", ["", "a" * 65, "a.0", "a b", "a\n", "a\0b", "é", "\ud800", "a/b"])
def test_any_other_text_is_no_campaign_id(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        campaign_id(text)
    assert caught.value.code == "invalid_campaign_id"
    assert caught.value.message.startswith(f"{text[:64]!r} is no campaign id: ")
