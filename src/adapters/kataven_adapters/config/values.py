"""What can be configured, with its defaults and its ranges; what may hold a secret is left out of every ``repr``."""

from typing import Final

import attrs
from attrs import field, frozen

from kataven_core import MAX_FILE_BYTES, NO_LIMIT, RETRY_DELAY_MIN_S, Account, Agent, Caps, OutboundNumber, account_id
from kataven_core.ports import LineOptions

from .checks import NOT_BLANK, Must, matching, within, wrong_account_id

_USUAL_RING_S: Final = 15
"""Calls that are given up sooner have often not rung at all."""
_ON_ITS_WAY_S: Final = 10
"""So long a request for a call may still be on its way, and ring a phone that was given up."""
_MARGIN_S: Final = 90.0
"""So much longer than it should a call may last, until it is set up and torn down."""
_SIGNING: Final = r"whsec_(?=.)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
_FORM_BYTES: Final = 64 * 1024
"""What a request may hold besides the contacts file: the settings and the boundaries between the parts."""


def _lower(text: str) -> str:
    return text.lower()


@frozen(kw_only=True)
class ServerConfig:
    """Where the API listens, and how much it takes. Port 0: any that is free.

    ``public_url`` is how others reach it, where that is not host and port. ``max_streams`` are event streams open at
    once; ``requests_per_minute`` are an account's, None: as many as it likes.
    """

    host: str = field(default="127.0.0.1", validator=NOT_BLANK)
    port: int = field(default=8080, validator=within(0, 65_535))
    public_url: str | None = field(
        default=None, validator=matching(r"https?://\S+", "is no web address: write it as https://calls.example.com")
    )
    retry_delay_min_s: int = field(default=RETRY_DELAY_MIN_S, validator=within(0, RETRY_DELAY_MIN_S))
    max_body_bytes: int = field(default=MAX_FILE_BYTES + _FORM_BYTES, validator=within(_FORM_BYTES, 2**30))
    max_streams: int = field(default=1_000, validator=within(0, 100_000))
    requests_per_minute: int | None = field(default=None, validator=within(1, 1_000_000))


@frozen(kw_only=True)
class StoreConfig:
    """Where all state lives."""

    url: str = field(default="sqlite:///kataven.db", validator=NOT_BLANK, repr=False)


@frozen(kw_only=True)
class LineConfig:
    """What places calls, and when a call without news is asked about and given up; all times in seconds."""

    url: str = field(default="simulated://", validator=NOT_BLANK, repr=False)
    token: str | None = field(default=None, validator=NOT_BLANK, repr=False)
    secret: str | None = field(
        default=None,
        validator=matching(
            _SIGNING, "is no signing secret: write whsec_ and base64, as openssl rand -base64 24 gives it"
        ),
        repr=False,
    )
    ring_timeout_s: float = field(default=30.0, validator=within(0.1, 600))
    max_duration_s: float = field(default=3_600.0, validator=within(0.1, 86_400))
    reconcile_every_s: float = field(default=30.0, validator=within(0.1, 3_600))
    lost_after_s: float = field(default=120.0, validator=within(_ON_ITS_WAY_S, 86_400))

    @property
    def longest_call_s(self) -> float:
        """After how many seconds no call is up any more, whatever became of it."""
        return self.ring_timeout_s + self.max_duration_s + _MARGIN_S

    def options(self, public_url: str) -> LineOptions:
        """Give what the line itself is told; ``public_url`` is how it reaches this server."""
        return LineOptions(
            token=self.token,
            secret=self.secret,
            report_url=f"{public_url.rstrip('/')}/lines/http/reports",
            ring_timeout_s=self.ring_timeout_s,
            max_duration_s=self.max_duration_s,
        )


@frozen(kw_only=True)
class EventsConfig:
    """Where events go once they are durable."""

    url: str = field(default="memory://", validator=NOT_BLANK, repr=False)


@frozen(kw_only=True)
class ApiKeyConfig:
    """A key of an account, known by the SHA-256 of the whole key, in hex; ``id`` is whom its campaigns are by."""

    id: str = field(validator=NOT_BLANK)
    sha256: str = field(
        validator=matching(r"[0-9a-fA-F]{64}", "is no SHA-256: write the 64 hex digits that `kataven keys new` prints"),
        converter=_lower,
        repr=False,
    )


@frozen(kw_only=True)
class AccountConfig:
    """One tenant. A cap that is left out is no limit."""

    id: str = field(validator=Must(wrong_account_id))
    concurrent_max: int = field(default=NO_LIMIT, validator=within(0, NO_LIMIT))
    calls_per_minute: int = field(default=NO_LIMIT, validator=within(0, NO_LIMIT))
    daily_calls_max: int = field(default=NO_LIMIT, validator=within(0, NO_LIMIT))
    daily_minutes_max: int = field(default=NO_LIMIT, validator=within(0, NO_LIMIT))
    api_keys: tuple[ApiKeyConfig, ...] = ()
    agents: tuple[Agent, ...] = ()
    phone_numbers: tuple[OutboundNumber, ...] = ()

    def account(self) -> Account:
        """Give it as the engine knows it: without the keys."""
        caps = {each.name: getattr(self, each.name) for each in attrs.fields(Caps)}
        return Account(id=account_id(self.id), caps=Caps(**caps), agents=self.agents, phone_numbers=self.phone_numbers)


@frozen(kw_only=True)
class Config:
    """A whole configuration; one that is left out entirely is good for a trial on this machine."""

    server: ServerConfig = ServerConfig()
    store: StoreConfig = StoreConfig()
    line: LineConfig = LineConfig()
    events: EventsConfig = EventsConfig()
    accounts: tuple[AccountConfig, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed and hardly meant, a sentence for each."""
        ring_s = self.line.ring_timeout_s
        if ring_s >= _USUAL_RING_S:
            return ()
        return (
            f"line.ring_timeout_s is {ring_s:g}: calls that are given up before {_USUAL_RING_S} s have often not rung",
        )
