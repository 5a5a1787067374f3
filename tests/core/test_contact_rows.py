import json
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_core import CampaignId, Contact, ContactRow, ContactRows, ContactStatus, Outcome, contact_of
from kataven_core.codec import contact_members

SPRING: Final = CampaignId("spring")
FIRST: Final[ContactRow] = (0, "+14155550100", '{"name": "Zoë \\"Z\\""}', "pending", 0, 0, None, None, None, 0)
SECOND: Final[ContactRow] = (1, "+14155550101", "{}", "failed", 2, 3, "busy", 1_000_001, None, 60_000_000)
ROWS: Final = ContactRows(SPRING, [FIRST, SECOND])


def micros(first: datetime, last: datetime) -> st.SearchStrategy[int]:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return st.integers(*((each - epoch) // timedelta(microseconds=1) for each in (first, last)))


TIMES: Final = st.one_of(
    micros(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)),
    st.integers(0, 2_000_000_000).map(lambda seconds: seconds * 1_000_000),
)
CONTACT_ROWS: Final[st.SearchStrategy[ContactRow]] = st.tuples(
    st.integers(0, 10**7),
    st.sampled_from(["+14155550100", "+4930123456", "+85212345678"]),
    st.dictionaries(st.text(), st.text(), max_size=3).map(lambda fields: json.dumps(fields, ensure_ascii=False)),
    st.sampled_from([each.value for each in ContactStatus]),
    st.integers(0, 9),
    st.integers(0, 9),
    st.sampled_from([None, *(each.value for each in Outcome)]),
    st.none() | TIMES,
    st.none() | TIMES,
    TIMES,
)


@given(rows=st.lists(CONTACT_ROWS, max_size=4))
def test_what_is_shown_of_rows_is_what_is_shown_of_their_contacts(rows: list[ContactRow]) -> None:
    contacts = ContactRows(SPRING, rows)
    assert [json.loads(each) for each in contacts.encoded()] == [contact_members(each) for each in contacts]


def test_members_come_in_the_order_of_the_api() -> None:
    (shown, _) = ROWS.encoded()
    assert [*json.loads(shown)] == [*contact_members(ROWS[0])]
    assert '"id":"spring.0","position":0,' in shown


def test_a_row_is_a_contact() -> None:
    assert contact_of(SPRING, SECOND) == Contact(
        campaign_id=SPRING,
        position=1,
        phone_number=ROWS[1].phone_number,
        custom_fields={},
        status=ContactStatus.FAILED,
        attempts=2,
        claims=3,
        last_outcome=Outcome.BUSY,
        last_attempt_at=datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC),
        updated_at=datetime(1970, 1, 1, 0, 1, tzinfo=UTC),
    )
    waiting = contact_of(SPRING, (*SECOND[:8], 2_000_000, 0))
    assert waiting.next_attempt_at == datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC)
    assert contact_of(SPRING, FIRST).custom_fields["name"] == 'Zoë "Z"'


def test_rows_are_a_sequence_of_contacts() -> None:
    assert (len(ROWS), ROWS[-1].position, [each.position for each in ROWS]) == (2, 1, [0, 1])
    assert ROWS[1:] == [ROWS[1]]
    assert (ROWS[0], ROWS[1]) == ROWS
    assert (ROWS[0], ROWS[1]) == ROWS
    assert [ROWS[0]] != ROWS
    assert [ROWS[1], ROWS[0]] != ROWS
    assert ROWS != 2
    assert repr(ContactRows(SPRING, [])) == "ContactRows([])"
    with pytest.raises(IndexError):
        ROWS[2]
