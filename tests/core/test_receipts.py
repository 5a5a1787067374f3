from datetime import timedelta

import pytest

from kataven_core.errors import InvalidValue
from kataven_core.receipts import RECEIPT_LIFETIME, Once, Receipt
from kataven_core.testing.samples import NOON, a_campaign

ONCE = Once(scope="POST /campaigns", key="k", fingerprint="f")
ANSWER = a_campaign()


def test_an_answer_is_given_again_for_a_day() -> None:
    assert timedelta(days=1) == RECEIPT_LIFETIME


@pytest.mark.parametrize(
    ("age", "counts"),
    [
        (timedelta(), True),
        (timedelta(days=1, microseconds=-1), True),
        (timedelta(days=1), False),
        (timedelta(days=1, microseconds=1), False),
        (timedelta(days=-9), True),
    ],
)
def test_a_receipt_counts_until_it_is_a_day_old_and_when_the_clock_was_set_back(
    age: timedelta, *, counts: bool
) -> None:
    assert Receipt(once=ONCE, answer=ANSWER, at=NOON).counts_at(NOON + age) is counts


def test_its_name_is_scope_and_key_and_nothing_else() -> None:
    other = Once(scope="POST /campaigns", key="k", fingerprint="g", note="n")
    assert ONCE.name == other.name == ("POST /campaigns", "k")
    assert ONCE.note == ""


@pytest.mark.parametrize("key", ["", "a\0b", "a\nb", "\ud800"])
def test_a_key_that_is_not_printable_is_refused(key: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        Once(scope="POST /campaigns", key=key, fingerprint="f")
    assert raised.value.code == "invalid_idempotency_key"
    assert raised.value.message == f"{key!r} is no key: use one or more printable characters; a UUID is best"


@pytest.mark.parametrize("key", ["k", "4b5e 9c", "5", "Zoë 😀"])
def test_any_other_key_is_taken_as_it_is(key: str) -> None:
    assert Once(scope="", key=key, fingerprint="").key == key
