from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import pytest
from jsonschema_rs import Draft202012Validator

import kataven_core as kc
from kataven_adapters.http.creation import ACCEPTED, REJECTED
from kataven_adapters.http.fields import KNOWN, OURS
from kataven_adapters.http.schemas import object_of, schema_of
from kataven_adapters.http.shapes import shapes
from kataven_core import phone_number, settings
from kataven_core.codec import CAMPAIGN_MEMBERS, CONTACT_MEMBERS
from kataven_core.ports import PAGE_SIZE

SHAPES = shapes()
FORM = SHAPES["CampaignForm"]["properties"]


@attrs.frozen(kw_only=True)
class Parrot:
    """Something with a member of each type that goes over the wire."""

    id: kc.CampaignId
    words: int
    loudness: float | None
    is_asleep: bool
    born_at: datetime | None
    number: kc.PhoneNumber
    status: kc.ContactStatus
    last: kc.Outcome | None
    names: Mapping[str, str]

    @property
    def age(self) -> int:
        return self.words


def test_a_class_becomes_an_object_of_exactly_its_members() -> None:
    schema = object_of(Parrot)
    assert schema["properties"] == {
        "id": {"type": "string"},
        "words": {"type": "integer", "minimum": 0},
        "loudness": {"type": ["number", "null"], "minimum": 0},
        "is_asleep": {"type": "boolean"},
        "born_at": {"type": ["string", "null"], "format": "date-time"},
        "number": {"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$"},
        "status": {"type": "string", "enum": [each.value for each in kc.ContactStatus]},
        "last": {"type": ["string", "null"], "enum": [*(e.value for e in kc.Outcome if e != "unsent"), None]},
        "names": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    assert schema["required"] == [*schema["properties"]]
    assert schema["additionalProperties"] is False


def test_named_members_may_be_properties_and_carry_notes_and_ranges() -> None:
    schema = object_of(Parrot, ["age"], notes={"age": "In words."}, ranges={"age": {"maximum": 9}})
    assert schema["properties"] == {"age": {"type": "integer", "minimum": 0, "maximum": 9, "description": "In words."}}


def test_a_type_that_never_goes_over_the_wire_is_refused() -> None:
    with pytest.raises(KeyError):
        schema_of(bytes)


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("Campaign", CAMPAIGN_MEMBERS),
        ("Contact", CONTACT_MEMBERS),
        ("Snapshot", [each.name for each in attrs.fields(kc.Snapshot)]),
        ("CallLimits", [each.name for each in attrs.fields(kc.Caps)]),
        ("CampaignList", ["campaigns", "count"]),
        ("ContactsPage", ["contacts", "page", "page_size", "total", "has_next"]),
    ],
)
def test_answers_hold_all_their_members_and_no_others(name: str, members: list[str]) -> None:
    assert [*SHAPES[name]["properties"]] == [*members] == SHAPES[name]["required"]
    assert SHAPES[name]["additionalProperties"] is False


def test_the_members_are_the_contracts() -> None:
    contract = (
        "id name agent_id phone_number_id status max_concurrent_calls retries_per_contact retry_delay_seconds "
        "scheduled_at started_at completed_at created_at created_by"
    )
    assert [*SHAPES["Campaign"]["properties"]] == contract.split()
    contract = (
        "campaign_id status total pending in_progress completed failed cancelled suppressed attempts calls_in_flight "
        "answer_rate calls_per_minute eta timestamp"
    )
    assert [*SHAPES["Snapshot"]["properties"]] == contract.split()


def test_the_form_has_every_part_that_is_read_and_wants_those_without_a_default() -> None:
    assert {*FORM} == KNOWN
    assert not {*FORM} & OURS
    assert SHAPES["CampaignForm"]["required"] == ["name", "agent_id", "phone_number_id", "contacts"]
    assert SHAPES["CampaignForm"]["additionalProperties"] is False
    defaults = {name: part["default"] for name, part in FORM.items() if "default" in part}
    assert defaults == {
        "max_concurrent_calls": 5,
        "retries_per_contact": 0,
        "retry_delay_seconds": 300,
        "phone_column": "phone_number",
        "duplicates": "reject",
        "strict": False,
    }


@pytest.mark.parametrize("shape", ["Campaign", "CampaignForm"])
def test_the_ranges_are_the_cores(shape: str) -> None:
    found = SHAPES[shape]["properties"]
    ranges = {name: (each.get("minimum"), each["maximum"]) for name, each in found.items() if "maximum" in each}
    assert ranges == {
        "max_concurrent_calls": (1, settings.MAX_CONCURRENT_CALLS),
        "retries_per_contact": (0, settings.MAX_RETRIES),
        "retry_delay_seconds": (settings.RETRY_DELAY_MIN_S, settings.RETRY_DELAY_MAX_S),
    }
    for name in ("name", "agent_id", "phone_number_id"):
        assert (found[name]["minLength"], found[name]["maxLength"]) == (1, settings.MAX_NAME_CHARS)


def test_a_page_has_as_many_contacts_as_the_store_gives() -> None:
    page = SHAPES["ContactsPage"]["properties"]
    assert page["page_size"]["const"] == page["contacts"]["maxItems"] == PAGE_SIZE
    assert {each["maximum"] for each in SHAPES["CallLimits"]["properties"].values()} == {kc.NO_LIMIT}


def test_a_number_is_what_the_core_takes_for_one() -> None:
    pattern = schema_of(kc.PhoneNumber)["pattern"]
    assert pattern == f"^{phone_number.E164.pattern}$"


def _is_valid(schema: dict[str, Any], value: object) -> bool:
    return Draft202012Validator(schema, validate_formats=True).is_valid(value)


@pytest.mark.parametrize("text", ["March", " x ", "é", "\x01", "line\nbreak", "a" * 255])
def test_a_text_that_the_core_takes_fits(text: str) -> None:
    kc.campaign_settings(now=NOW, name=text, agent_id="a", phone_number_id="n")
    assert _is_valid(FORM["name"], text)


@pytest.mark.parametrize("text", ["", " ", "\t\r\n", "\x1c\x1f\x85\u00a0\u2003", "a\0", "\0", "a" * 256])
def test_a_text_that_the_core_refuses_does_not(text: str) -> None:
    with pytest.raises(kc.InvalidValue):
        kc.campaign_settings(now=NOW, name=text, agent_id="a", phone_number_id="n")
    assert not _is_valid(FORM["name"], text)


NOW = kc.parse_rfc3339("2026-01-31T09:30:00Z")


def test_headers_of_a_new_campaign_keep_their_names() -> None:
    assert (ACCEPTED, REJECTED) == ("Kataven-Accepted-Rows", "Kataven-Rejected-Rows")
