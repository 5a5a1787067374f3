"""The client for code that waits."""

import os
import time
from collections.abc import Callable, Generator
from datetime import datetime
from random import SystemRandom  # noqa: TID251 - composition: chance comes from here
from types import TracebackType
from typing import Any, BinaryIO, Self

import httpx

from . import calls
from .access import access
from .answers import CreatedCampaign
from .following import Following
from .retries import Retries
from .sse import Item
from .sync_wire import SyncWire
from .transport import new_boundary
from .upload import OnProgress


class KatavenClient:
    """Speaks with one account's campaigns API; ``timeout`` is in seconds, for each wait on the network.

    What is not given is taken from ``KATAVEN_API_KEY`` and ``KATAVEN_BASE_URL``. With ``retry``, a GET that fails for a
    passing reason and whatever is answered 429 are tried up to three times more; other calls only under an idempotency
    key. ``transport`` is handed to httpx, ``sleep`` waits between tries, ``chance`` gives numbers from 0 up to 1.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        account_id: str | None = None,
        timeout: float | None = 30.0,
        retry: bool = False,  # noqa: FBT001, FBT002 - the contract's signature
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] | None = None,
    ) -> None:
        chance = chance or SystemRandom().random
        self._access = access(api_key, base_url, account_id, os.environ)
        self._wire = SyncWire(self._access, timeout, Retries(is_on=retry, chance=chance), sleep, transport)
        self.campaigns = Campaigns(self._wire, chance)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._access.root!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections; nothing can be asked any more."""
        self._wire.close()

    def call_limits(self) -> dict[str, Any]:
        """Give the account's caps."""
        return self._wire.ask(calls.limits())

    def rejects(self, campaign_id: str) -> Generator[bytes, None, None]:
        """Yield the rejected rows of a campaign's file as they come: CSV of line, column, code, message, value."""
        return self._wire.stream(calls.rejecting(campaign_id))


class Campaigns:
    """The account's campaigns."""

    def __init__(self, wire: SyncWire, chance: Callable[[], float]) -> None:
        self._wire = wire
        self._chance = chance

    def list(self) -> dict[str, Any]:
        """Give all campaigns, newest first, as ``campaigns``, and how many there are as ``count``."""
        return self._wire.ask(calls.listing())

    def get(self, campaign_id: str) -> dict[str, Any]:
        """Give a campaign."""
        return self._wire.ask(calls.getting(campaign_id))

    def create(  # noqa: PLR0917 - the contract's signature
        self,
        name: str,
        agent_id: str,
        phone_number_id: str,
        contacts: BinaryIO,
        max_concurrent_calls: int = 5,
        retries_per_contact: int = 0,
        retry_delay_seconds: int = 300,
        scheduled_at: str | datetime | None = None,
        *,
        default_region: str | None = None,
        phone_column: str | None = None,
        duplicates: str | None = None,
        strict: bool = False,
        idempotency_key: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> CreatedCampaign:
        """Create a campaign of a CSV file that is open in binary mode, and is read while it is sent.

        What it gives is the campaign, and has ``accepted_rows`` and ``rejected_rows`` besides. ``on_progress`` is told
        the bytes of the file that have been sent and how many there are, None where the file does not say.
        """
        parts = {
            "name": name,
            "agent_id": agent_id,
            "phone_number_id": phone_number_id,
            "max_concurrent_calls": max_concurrent_calls,
            "retries_per_contact": retries_per_contact,
            "retry_delay_seconds": retry_delay_seconds,
            "scheduled_at": scheduled_at,
            "default_region": default_region,
            "phone_column": phone_column,
            "duplicates": duplicates,
            "strict": strict or None,
        }
        return self._wire.ask(calls.creating(contacts, parts, new_boundary(), idempotency_key, on_progress))

    def start(self, campaign_id: str, *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Let a campaign dial, and give it as it is then; ``ConflictError`` where its status or the budget forbids."""
        return self._wire.ask(calls.moving(campaign_id, "start", idempotency_key))

    def pause(self, campaign_id: str, *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Let a campaign dial nobody new."""
        return self._wire.ask(calls.moving(campaign_id, "pause", idempotency_key))

    def resume(self, campaign_id: str, *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Let a paused campaign go on."""
        return self._wire.ask(calls.moving(campaign_id, "resume", idempotency_key))

    def stop(self, campaign_id: str, *, idempotency_key: str | None = None) -> dict[str, Any]:
        """End a campaign for good: who was not dialled yet is cancelled."""
        return self._wire.ask(calls.moving(campaign_id, "stop", idempotency_key))

    def delete(self, campaign_id: str) -> None:
        """Delete a campaign; ``ConflictError`` while it runs."""
        self._wire.ask(calls.deleting(campaign_id))

    def list_contacts(self, campaign_id: str, status: str | None = None, page: int = 0) -> dict[str, Any]:
        """Give a page of a campaign's contacts, in the file's order; pages are counted from 0."""
        return self._wire.ask(calls.listing_contacts(campaign_id, status, page))

    def stream_events(
        self, campaign_id: str, *, last_event_id: str | None = None, reconnect: bool = False
    ) -> Generator[Item, None, None]:
        """Yield a campaign's snapshots, and comments and ``event: end`` as strings, until the server closes.

        With ``reconnect``, a connection that breaks before the end is made anew. Closing the iterator closes it.
        """
        following = Following(campaign_id, last_event_id, is_persistent=reconnect, chance=self._chance)
        return self._wire.follow(following)
