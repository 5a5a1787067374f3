"""The client for asyncio."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from random import SystemRandom  # noqa: TID251 - composition: chance comes from here
from types import TracebackType
from typing import Any, BinaryIO, Self

import httpx

from . import calls
from .access import access
from .answers import CreatedCampaign
from .async_wire import AsyncWire
from .following import Following
from .retries import Retries
from .sse import Item
from .transport import new_boundary
from .upload import OnProgress


class AsyncKatavenClient:
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
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] | None = None,
    ) -> None:
        chance = chance or SystemRandom().random
        self._access = access(api_key, base_url, account_id, os.environ)
        self._wire = AsyncWire(self._access, timeout, Retries(is_on=retry, chance=chance), sleep, transport)
        self.campaigns = AsyncCampaigns(self._wire, chance)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._access.root!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections; nothing can be asked any more."""
        await self._wire.close()

    async def call_limits(self) -> dict[str, Any]:
        """Give the account's caps."""
        return await self._wire.ask(calls.limits())

    def rejects(self, campaign_id: str) -> AsyncGenerator[bytes, None]:
        """Yield the rejected rows of a campaign's file as they come: CSV of line, column, code, message, value."""
        return self._wire.stream(calls.rejecting(campaign_id))


class AsyncCampaigns:
    """The account's campaigns."""

    def __init__(self, wire: AsyncWire, chance: Callable[[], float]) -> None:
        self._wire = wire
        self._chance = chance

    async def list(self) -> dict[str, Any]:
        """Give all campaigns, newest first, as ``campaigns``, and how many there are as ``count``."""
        return await self._wire.ask(calls.listing())

    async def get(self, campaign_id: str) -> dict[str, Any]:
        """Give a campaign."""
        return await self._wire.ask(calls.getting(campaign_id))

    async def create(  # noqa: PLR0917 - the contract's signature
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
        return await self._wire.ask(calls.creating(contacts, parts, new_boundary(), idempotency_key, on_progress))

    async def start(self, campaign_id: str, *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Let a campaign dial, and give it as it is then; ``ConflictError`` where its status or the budget forbids."""
        return await self._wire.ask(calls.moving(campaign_id, "start", idempotency_key))

    async def pause(self, campaign_id: str, *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Let a campaign dial nobody new."""
        return await self._wire.ask(calls.moving(campaign_id, "pause", idempotency_key))

    async def resume(self, campaign_id: str, *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Let a paused campaign go on."""
        return await self._wire.ask(calls.moving(campaign_id, "resume", idempotency_key))

    async def stop(self, campaign_id: str, *, idempotency_key: str | None = None) -> dict[str, Any]:
        """End a campaign for good: who was not dialled yet is cancelled."""
        return await self._wire.ask(calls.moving(campaign_id, "stop", idempotency_key))

    async def delete(self, campaign_id: str) -> None:
        """Delete a campaign; ``ConflictError`` while it runs."""
        await self._wire.ask(calls.deleting(campaign_id))

    async def list_contacts(self, campaign_id: str, status: str | None = None, page: int = 0) -> dict[str, Any]:
        """Give a page of a campaign's contacts, in the file's order; pages are counted from 0."""
        return await self._wire.ask(calls.listing_contacts(campaign_id, status, page))

    def stream_events(
        self, campaign_id: str, *, last_event_id: str | None = None, reconnect: bool = False
    ) -> AsyncGenerator[Item, None]:
        """Yield a campaign's snapshots, and comments and ``event: end`` as strings, until the server closes.

        With ``reconnect``, a connection that breaks before the end is made anew. Closing the iterator closes it.
        """
        following = Following(campaign_id, last_event_id, is_persistent=reconnect, chance=self._chance)
        return self._wire.follow(following)
