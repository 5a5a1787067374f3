"""Commands that are done once, however often they are asked for: the first answer is kept, and given again."""

from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from .campaign import Campaign
from .errors import InvalidValue

RECEIPT_LIFETIME: Final = timedelta(hours=24)
"""How long an answer is given again; then its key is free."""


@frozen(kw_only=True)
class Once:
    """What makes a command be done once.

    ``scope`` is what is asked of what, as ``POST /campaigns``; ``key`` what whoever asks calls this one time of asking,
    ``InvalidValue`` where it is not printable; ``fingerprint`` tells one payload from another. ``note`` is kept beside
    the answer, for whoever asks again.
    """

    scope: str
    key: str
    fingerprint: str
    note: str = ""

    def __attrs_post_init__(self) -> None:
        if not (self.key and self.key.isprintable()):
            sentence = f"{self.key!r} is no key: use one or more printable characters; a UUID is best"
            raise InvalidValue("invalid_idempotency_key", sentence)

    @property
    def name(self) -> tuple[str, str]:
        """Scope and key: what its receipt is found by, within its account."""
        return self.scope, self.key


@frozen(kw_only=True)
class Receipt:
    """A command that was done once: ``answer`` is the campaign as it was left ``at`` that time."""

    once: Once
    answer: Campaign
    at: datetime

    def counts_at(self, now: datetime) -> bool:
        """Whether its answer is still given again; one from the future is, as only the clock was set back."""
        return now - self.at < RECEIPT_LIFETIME
