"""Where a dialer is, what opens it, and how long it is waited for."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen

from kataven_core import InvalidValue, Problem

_TOKEN = re.compile(r"[\x21-\x7e]+")
_URL = re.compile(r"[\x21-\x7e]+")
_MAX_LABEL_CHARS: Final = 63


@frozen(kw_only=True)
class HttpLineSettings:
    """One dialer and the patience with it. ``InvalidValue`` names every setting that can't be used.

    ``url`` is what ``/calls`` is put behind; ``token`` opens it, ``secret`` signs what it reports to ``report_url``.
    ``request_limit_s`` bounds every request and every look-up as a whole. ``settled_after_s`` after a request has
    ended it has surely reached the dialer, or never will. A dialer that fails is tried again after ``first_pause_s``,
    doubled each time up to ``longest_pause_s``; opening waits ``open_patience_s`` for its first answer.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    secret: str = field(repr=False)
    report_url: str
    ring_timeout_s: float = 30.0
    max_duration_s: float = 3_600.0
    request_limit_s: float = 4.5
    settled_after_s: float = 10.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    open_patience_s: float = 1.0

    def __attrs_post_init__(self) -> None:
        problems = [*_wrong_address("url", self.url), *_wrong_address("report_url", self.report_url)]
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            problems.append(Problem("token", "token is no token: write ASCII characters without blanks"))
        if problems:
            raise InvalidValue.of("invalid_settings", problems)

    @property
    def base(self) -> str:
        """The address without the slash at its end."""
        return self.url.rstrip("/")


def _wrong_address(name: str, url: str) -> Iterator[Problem]:
    """Say what is wrong with an address; it is never quoted, as it may hold a password."""
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in {"http", "https"} and _is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        yield Problem(name, f"{name} is no address: write it as http://HOST:PORT, with a port from 1 to 65535")
        return
    if not is_http or not _URL.fullmatch(url):
        yield Problem(name, f"{name} is no http:// or https:// address: write it as http://HOST:PORT")
    elif "@" in parts.netloc:
        yield Problem(name, f"{name} holds a name or a password: leave them out, a token opens the dialer")
    elif name == "url" and (parts.query or parts.fragment or "?" in url or "#" in url):
        yield Problem(name, f"{name} has a ? or a #: leave it out, /calls is put behind the address")


def _is_host(host: str) -> bool:
    """Whether a name server can be asked for it, or it is an IPv6 address."""
    return bool(host) and (":" in host or all(1 <= len(each) <= _MAX_LABEL_CHARS for each in host.split(".")))
