from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kataven_core as kc
from kataven_adapters.http.fields import (
    CONTACTS,
    KNOWN,
    NUMBERS,
    OURS,
    STEERING,
    misplaced,
    read_options,
    read_settings,
)
from kataven_adapters.numbers import national_parser

from .conftest import ACME

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
TEXTS: dict[str, Any] = {"name": "March", "agent_id": "reminder", "phone_number_id": "office"}


def settings(**texts: str) -> kc.CampaignSettings | list[kc.Problem]:
    return read_settings({**TEXTS, **texts}, ACME, now=NOW, retry_delay_min_s=60)


def wrong(found: kc.CampaignSettings | kc.CsvOptions | list[kc.Problem]) -> list[str]:
    """Give what is wrong, each once, with its name in its sentence."""
    assert isinstance(found, list)
    assert all(each.field in each.message for each in found)
    names = [each.field for each in found]
    assert len(set(names)) == len(names)
    return sorted(names)


def test_a_form_becomes_settings() -> None:
    made = settings(max_concurrent_calls="007", retries_per_contact="2", scheduled_at="2026-03-15T09:00:00+02:00")
    assert made == kc.CampaignSettings(
        **TEXTS,
        max_concurrent_calls=7,
        retries_per_contact=2,
        scheduled_at=datetime(2026, 3, 15, 7, tzinfo=UTC),
    )
    assert settings() == kc.CampaignSettings(**TEXTS)
    assert settings(strict="what steers is not looked at here") == settings()


def test_all_that_is_wrong_is_named_once() -> None:
    everything = read_settings({}, ACME, now=NOW, retry_delay_min_s=60)
    assert wrong(everything) == sorted(TEXTS)
    texts = dict.fromkeys([*TEXTS, *NUMBERS, "scheduled_at"], "\t")
    assert wrong(settings(**texts)) == sorted(texts)
    assert wrong(settings(name="x" * 256, agent_id="nobody", retries_per_contact="6", max_concurrent_calls="x")) == [
        "agent_id",
        "max_concurrent_calls",
        "name",
        "retries_per_contact",
    ]
    assert wrong(settings(agent_id="draft", phone_number_id="silent")) == ["agent_id", "phone_number_id"]


def test_the_least_delay_is_what_the_server_says() -> None:
    texts = {**TEXTS, "retry_delay_seconds": "1"}
    assert wrong(read_settings(texts, ACME, now=NOW, retry_delay_min_s=60)) == ["retry_delay_seconds"]
    made = read_settings(texts, ACME, now=NOW, retry_delay_min_s=1)
    assert isinstance(made, kc.CampaignSettings)
    assert made.retry_delay_seconds == 1


@given(st.text(max_size=40))
def test_a_number_is_nothing_but_ascii_digits(text: str) -> None:
    read = settings(retry_delay_seconds=text)
    is_digits = text != "" and set(text) <= set("0123456789") and len(text) <= 18
    if is_digits and 60 <= int(text) <= 2_592_000:
        assert isinstance(read, kc.CampaignSettings)
        assert read.retry_delay_seconds == int(text)
    else:
        assert wrong(read) == ["retry_delay_seconds"]


@given(st.text(max_size=60), st.sampled_from([*TEXTS, *NUMBERS, "scheduled_at"]))
def test_whatever_is_sent_it_is_a_value_or_a_problem_of_its_part(text: str, field: str) -> None:
    read = settings(**{field: text})
    assert isinstance(read, kc.CampaignSettings) or wrong(read) == [field]


def test_a_time_is_strictly_in_the_future_and_at_most_five_years_ahead() -> None:
    for at, is_good in (
        (NOW, False),
        (NOW + timedelta(microseconds=1), True),
        (NOW + timedelta(days=5 * 365), True),
        (NOW + timedelta(days=5 * 365 + 3), False),
    ):
        assert isinstance(settings(scheduled_at=at.isoformat()), kc.CampaignSettings) is is_good, at
    assert wrong(settings(scheduled_at="2027-W10-2T10:00:00Z")) == ["scheduled_at"]


def test_a_form_says_how_its_file_is_read() -> None:
    assert read_options({}, None) == kc.CsvOptions()
    texts = {"phone_column": " Cell ", "duplicates": "keep", "strict": "true"}
    assert read_options(texts, None) == kc.CsvOptions(
        phone_column=" Cell ", duplicates=kc.Duplicates.KEEP, is_strict=True
    )
    national = read_options({"default_region": "us"}, national_parser)
    assert isinstance(national, kc.CsvOptions)
    assert national.national
    assert national.national("(415) 555-0100") == "+14155550100"


@pytest.mark.parametrize(
    ("texts", "fields"),
    [
        ({"strict": "yes"}, ["strict"]),
        ({"strict": "TRUE"}, ["strict"]),
        ({"strict": ""}, ["strict"]),
        ({"duplicates": "drop"}, ["duplicates"]),
        ({"duplicates": "Keep"}, ["duplicates"]),
        ({"phone_column": " \u3000"}, ["phone_column"]),
        ({"default_region": "Atlantis"}, ["default_region"]),
        ({"default_region": ""}, ["default_region"]),
        (dict.fromkeys(STEERING, ""), sorted(STEERING)),
    ],
)
def test_what_can_not_steer_is_named(texts: dict[str, str], fields: list[str]) -> None:
    assert wrong(read_options(texts, national_parser)) == fields


def test_without_a_reader_of_national_numbers_no_region_can_be_used() -> None:
    assert wrong(read_options({"default_region": "US"}, None)) == ["default_region"]


def test_names_alone_tell_strangers_twins_and_what_comes_too_late() -> None:
    def found(*names: str) -> list[str]:
        return [each.field for each in misplaced(names)]

    assert found(*TEXTS, *STEERING, CONTACTS, *NUMBERS, *OURS) == []
    assert found("name", CONTACTS, "name", "strict", "colour", "id", "id") == ["name", "strict", "colour", "id"]
    assert found("strict", CONTACTS, "strict") == ["strict"]
    assert found("") == [""]
    assert not KNOWN & OURS
    (long,) = misplaced(["x" * 4000])
    assert len(long.field) == 64
    assert len(long.message) < 150
    (strange,) = misplaced(["a\r\nb\u202e"])
    assert strange.message.isprintable()


@pytest.mark.parametrize("text", ["x" * 4000, "\r\n", "'\"", "\ud800", "<b>"])
@pytest.mark.parametrize("field", ["retries_per_contact", "scheduled_at", "strict", "duplicates", "default_region"])
def test_what_was_sent_is_shown_in_short_and_in_print(field: str, text: str) -> None:
    texts: dict[str, Any] = {field: text}
    found = read_options(texts, national_parser) if field in STEERING else settings(**texts)
    assert wrong(found) == [field]
    assert isinstance(found, list)
    assert all(len(each.message) < 300 and each.message.isprintable() for each in found)
