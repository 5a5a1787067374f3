from datetime import UTC, datetime, timedelta

import pytest

from kataven_adapters.wire.webhooks import BadSignature, key_of, signed, verify
from kataven_core import InvalidValue

KEY = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
OTHER = key_of("whsec_bm9ib2R5J3MgcGhvbmUgcmluZ3M=")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BODY = b'{"test": 2432232314}'
GOOD = signed(KEY, "msg_1", NOON, BODY)


def test_the_example_of_standard_webhooks_is_signed_as_it_shows() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed(KEY, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, BODY)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_what_is_signed_is_believed_whatever_case_its_headers_have() -> None:
    verify(KEY, GOOD, BODY, NOON)
    verify(KEY, {name.title(): text for name, text in GOOD.items()}, BODY, NOON)


def test_one_right_signature_among_several_is_enough() -> None:
    both = f"v1a,eA== {signed(OTHER, 'msg_1', NOON, BODY)['webhook-signature']} {GOOD['webhook-signature']}"
    verify(KEY, GOOD | {"webhook-signature": both}, BODY, NOON)


@pytest.mark.parametrize("off_s", [-300, 300])
def test_clocks_may_differ_by_five_minutes(off_s: int) -> None:
    verify(KEY, GOOD, BODY, NOON + timedelta(seconds=off_s))


@pytest.mark.parametrize("off_s", [-301, 301, 10**8])
def test_old_and_future_messages_are_not_believed(off_s: int) -> None:
    with pytest.raises(BadSignature, match="minutes off"):
        verify(KEY, GOOD, BODY, NOON + timedelta(seconds=off_s))


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_message_without_one_of_the_headers_is_not_believed(name: str) -> None:
    with pytest.raises(BadSignature, match="is not signed"):
        verify(KEY, {each: text for each, text in GOOD.items() if each != name}, BODY, NOON)
    with pytest.raises(BadSignature, match="is not signed"):
        verify(KEY, GOOD | {name: ""}, BODY, NOON)


@pytest.mark.parametrize("second", ["now", "-1", "1.5", "1e9", "٣", "9" * 13, "1" * 5000])
def test_a_time_that_is_none_is_not_believed(second: str) -> None:
    with pytest.raises(BadSignature, match="is no time"):
        verify(KEY, GOOD | {"webhook-timestamp": second}, BODY, NOON)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("webhook-id", "msg_2"),
        ("webhook-id", "\ud800"),
        ("webhook-timestamp", str(int(NOON.timestamp()) + 1)),
        ("webhook-signature", GOOD["webhook-signature"].removeprefix("v1,")),
        ("webhook-signature", GOOD["webhook-signature"].replace("v1,", "v2,")),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,ä\udc80"),
        ("webhook-signature", "v1,eA== " * 16 + GOOD["webhook-signature"]),
    ],
)
def test_what_was_changed_on_the_way_is_not_believed(name: str, text: str) -> None:
    with pytest.raises(BadSignature, match="another secret"):
        verify(KEY, GOOD | {name: text}, BODY, NOON)


def test_another_body_or_another_secret_is_not_believed() -> None:
    with pytest.raises(BadSignature) as caught:
        verify(KEY, GOOD, BODY + b" ", NOON)
    assert caught.value.code == "bad_signature"
    with pytest.raises(BadSignature):
        verify(OTHER, GOOD, BODY, NOON)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_hush!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_abc", "whsec_ä"]
)
def test_what_is_no_secret_is_refused_and_never_shown(secret: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        key_of(secret)
    assert (
        caught.value.message
        == "the secret is no signing secret: write whsec_ and base64, as `echo whsec_$(openssl rand -base64 24)` does"
    )
