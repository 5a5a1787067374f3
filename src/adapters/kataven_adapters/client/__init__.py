"""The Python client of the campaigns API, for code that waits and for asyncio, on httpx alone (extra ``client``)."""

from .answers import CreatedCampaign
from .asynchronous import AsyncCampaigns, AsyncKatavenClient
from .errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ConnectionError,  # noqa: A004 - the client's own
    KatavenError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TimeoutError,  # noqa: A004 - the client's own
)
from .sync import Campaigns, KatavenClient

__all__ = [
    "APIError",
    "AsyncCampaigns",
    "AsyncKatavenClient",
    "AuthenticationError",
    "BadRequestError",
    "Campaigns",
    "ConflictError",
    "ConnectionError",
    "CreatedCampaign",
    "KatavenClient",
    "KatavenError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServerError",
    "TimeoutError",
]
