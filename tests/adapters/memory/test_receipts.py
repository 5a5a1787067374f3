from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kataven_adapters.memory.receipts import Name, Receipts
from kataven_core import Once, Receipt
from kataven_core.testing.samples import NOON, a_campaign

SECONDS = st.integers(0, 5).map(lambda seconds: NOON + timedelta(seconds=seconds))
RECEIPTS = st.builds(
    Receipt,
    once=st.builds(Once, scope=st.sampled_from("xy"), key=st.sampled_from("jkl"), fingerprint=st.sampled_from("fg")),
    answer=st.just(a_campaign()),
    at=SECONDS,
)


@given(st.lists(st.tuples(RECEIPTS, st.none() | SECONDS)))
def test_the_newest_of_each_name_is_there_until_it_is_forgotten(steps: list[tuple[Receipt, datetime | None]]) -> None:
    receipts, expected = Receipts(), dict[Name, Receipt]()
    for receipt, since in steps:
        receipts.put(receipt)
        expected[receipt.once.name] = receipt
        if since:
            receipts.forget(since)
            expected = {name: each for name, each in expected.items() if each.at >= since}
        assert receipts.named((scope, key) for scope in "xy" for key in "jkl") == expected
