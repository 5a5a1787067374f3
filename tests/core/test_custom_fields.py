import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_core import CustomFields


@given(st.dictionaries(st.text(), st.text()))
def test_they_are_what_was_encoded_whichever_way_they_are_looked_at(fields: dict[str, str]) -> None:
    stored = CustomFields(json.dumps(fields))
    assert dict(stored) == fields
    assert stored == fields
    assert fields == stored
    assert len(stored) == len(fields)
    assert stored == CustomFields(json.dumps(fields, indent=1))


def test_one_is_found_by_its_name() -> None:
    stored = CustomFields('{"first_name": "Ada"}')
    assert stored["first_name"] == "Ada"
    assert stored.get("last_name") is None
    with pytest.raises(KeyError):
        stored["last_name"]


def test_what_is_stored_stays_as_it_is() -> None:
    assert CustomFields('{"a":"b" }').encoded == '{"a":"b" }'
    assert repr(CustomFields("{}")) == "CustomFields('{}')"
