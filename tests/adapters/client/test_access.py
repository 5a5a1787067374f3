import pytest

from kataven_adapters.client import KatavenError
from kataven_adapters.client.access import access

KEY = "sk_live_acme_test_0123456789"


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v1"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/api/v1"),
        ("https://voice.example.com/api/v1", "https://voice.example.com/api/v1"),
        ("https://voice.example.com/api/v1/", "https://voice.example.com/api/v1"),
        ("https://voice.example.com/hub-api/api/v1//", "https://voice.example.com/hub-api/api/v1"),
        ("https://voice.example.com/v1", "https://voice.example.com/v1"),
        ("https://voice.example.com/v1/api/v1", "https://voice.example.com/v1/api/v1"),
        ("https://example.com/voice", "https://example.com/voice/api/v1"),
        ("https://example.com/voice/api/v1", "https://example.com/voice/api/v1"),
        ("https://[::1]:8080/voice/", "https://[::1]:8080/voice/api/v1"),
        (" http://127.0.0.1:8080\n", "http://127.0.0.1:8080/api/v1"),
        ("HTTP://Voice.Example.com", "http://Voice.Example.com/api/v1"),
    ],
)
def test_an_address_may_end_in_a_prefix_of_the_api_or_not(base_url: str, root: str) -> None:
    assert access(KEY, base_url, None, {}).root == root


@pytest.mark.parametrize(
    "base_url",
    [
        "voice.example.com",
        "localhost:8080",
        "ftp://a",
        "http://",
        "http://a:0",
        "http://a:99999",
        "http://a:b",
        "http://\u00fc",
        "http://xn--\x7f",
        "http://[::1",
        "http://a b",
        "http://a/\n/b",
        "/api/v1",
    ],
)
def test_what_is_no_address_is_refused(base_url: str) -> None:
    with pytest.raises(KatavenError, match="base_url is no address of a server: write one such as https://"):
        access(KEY, base_url, None, {})


@pytest.mark.parametrize("base_url", ["http://user@a", "http://user:pass@a", f"https://{KEY}@a"])
def test_no_key_stands_in_an_address(base_url: str) -> None:
    with pytest.raises(KatavenError, match="base_url holds a user or a password") as found:
        access(KEY, base_url, None, {})
    assert "pass@" not in str(found.value)
    assert KEY not in str(found.value)


@pytest.mark.parametrize("base_url", ["http://a/?key=1", "http://a/#b"])
def test_an_address_ends_with_its_path(base_url: str) -> None:
    with pytest.raises(KatavenError, match=r"leave out what begins at \? or #"):
        access(KEY, base_url, None, {})


def test_the_environment_gives_what_the_caller_does_not() -> None:
    environment = {"KATAVEN_API_KEY": f" {KEY}\n", "KATAVEN_BASE_URL": "https://env.example.com"}
    assert access(None, None, None, environment).root == "https://env.example.com/api/v1"
    assert access(None, None, None, environment).headers["Authorization"] == f"Bearer {KEY}"
    assert access("other", "http://a", None, environment)[1:] == (
        "http://a/api/v1",
        {"Authorization": "Bearer other", "User-Agent": "kataven-client"},
    )
    assert access(KEY, None, None, {"KATAVEN_BASE_URL": ""}).root == "http://127.0.0.1:8080/api/v1"


def test_without_a_key_it_is_said_what_to_do() -> None:
    for environment in ({}, {"KATAVEN_API_KEY": " "}):
        with pytest.raises(KatavenError, match="there is no API key: give api_key, or set KATAVEN_API_KEY in the env"):
            access(None, None, None, environment)


@pytest.mark.parametrize("key", ["sk live", "sk\nlive", "sk_lïve", "sk\0"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(KatavenError, match="holds a character that no key has") as found:
        access(key, None, None, {})
    assert key not in str(found.value)


@pytest.mark.parametrize("account_id", ["a b", "a\r\nb", "ä"])
def test_an_account_that_no_header_can_hold_is_refused(account_id: str) -> None:
    with pytest.raises(KatavenError, match="give the account's id, or leave it out"):
        access(KEY, None, account_id, {})


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(access(KEY, None, None, {}))
