from typing import Any

import pytest

from kataven_adapters.http_line import HttpLineSettings, http_line
from kataven_core import AdapterFault, InvalidValue
from kataven_core.ports import LineOptions
from kataven_core.testing.clocks import StillClock

from .conftest import SECRET

REPORT_URL = "https://engine.test/lines/http/reports"
NO_ADDRESS = "url is no http:// or https:// address: write it as http://HOST:PORT"
NO_PORT = "url is no address: write it as http://HOST:PORT, with a port from 1 to 65535"


@pytest.mark.parametrize("url", ["http://d", "https://dialer.test:8443/v1/", "http://[::1]:80", "http://127.0.0.1:1"])
def test_an_address_of_a_dialer_is_taken(url: str) -> None:
    settings = HttpLineSettings(url=url, secret=SECRET, report_url=REPORT_URL)
    assert settings.base == url.rstrip("/")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "dialer:80"}, NO_ADDRESS),
        ({"url": "ftp://dialer"}, NO_ADDRESS),
        ({"url": "http://"}, NO_ADDRESS),
        ({"url": "http://a..b"}, NO_ADDRESS),
        ({"url": f"http://{'a' * 64}.test"}, NO_ADDRESS),
        ({"url": "http://d:0"}, NO_ADDRESS),
        ({"url": "http://d:99999"}, NO_PORT),
        ({"url": "http://d e"}, NO_ADDRESS),
        ({"url": "http://[::1"}, NO_PORT),
        ({"url": "http://me:pw@d"}, "url holds a name or a password: leave them out, a token opens the dialer"),
        ({"url": "http://d/?x=1"}, "url has a ? or a #: leave it out, /calls is put behind the address"),
        ({"url": "http://d/#"}, "url has a ? or a #: leave it out, /calls is put behind the address"),
        ({"report_url": "engine"}, "report_url is no http:// or https:// address: write it as http://HOST:PORT"),
        ({"token": "a b"}, "token is no token: write ASCII characters without blanks"),
        ({"token": "a\r\nX: y"}, "token is no token: write ASCII characters without blanks"),
        ({"token": ""}, "token is no token: write ASCII characters without blanks"),
    ],
)
def test_what_can_not_be_used_is_named_and_never_shown(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        HttpLineSettings(**{"url": "http://d", "secret": SECRET, "report_url": REPORT_URL, **changes})
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            LineOptions(report_url=REPORT_URL),
            'it takes a secret, or anybody could report on its calls: write secret = "env:LINE_SECRET" under [line]',
        ),
        (
            LineOptions(secret=SECRET),
            "it takes an address to which the dialer reports: write public_url under [server]",
        ),
        (
            LineOptions(secret="whsec_?", report_url=REPORT_URL),  # noqa: S106 - made up
            "the secret is no signing secret: write whsec_ and base64, as `echo whsec_$(openssl rand -base64 24)` does",
        ),
        (
            LineOptions(secret=SECRET, report_url=REPORT_URL, token="ä"),  # noqa: S106 - made up
            "token is no token: write ASCII characters without blanks",
        ),
    ],
)
def test_a_line_that_lacks_something_says_what_to_write(options: LineOptions, message: str) -> None:
    with pytest.raises(AdapterFault) as caught:
        http_line("http://d", StillClock(), options)
    assert caught.value.code == "invalid_url"
    assert caught.value.message == f"the HTTP line can't be used: {message}"


def test_no_secret_is_shown() -> None:
    settings = HttpLineSettings(url="http://d", token="t0ken", secret=SECRET, report_url=REPORT_URL)  # noqa: S106 - made up
    assert SECRET not in repr(settings)
    assert "t0ken" not in repr(settings)
