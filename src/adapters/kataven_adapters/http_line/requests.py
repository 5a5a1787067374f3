"""One request to the dialer, and whether it can have been heard: that alone decides whether a phone may be ringing.

Nothing is sent twice: a POST that fails on a kept connection fails, and no redirect is followed.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import quote

import aiohttp
from yarl import URL

from kataven_core import AdapterFault

from .settings import HttpLineSettings

_MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
"""Some ten thousand calls that are up, with much room to spare."""
_KEEP_ALIVE_S: Final = 1.5
"""Shorter than servers keep a connection open: else one is closed under a call that is being asked for."""
LIVE_CALLS: Final = "/calls?state=live"


class Answer(NamedTuple):
    """What the dialer has answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(Exception):
    """The dialer can't be reached, so it has heard nothing; the text says what to mend."""


class Requests:
    """Asks one dialer, once opened. ``NotSent`` where no byte has left; ``AdapterFault`` where no one knows."""

    def __init__(self, settings: HttpLineSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Make ready; nothing is sent."""
        limit_s = self._settings.request_limit_s
        token = self._settings.token
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=limit_s, sock_connect=limit_s / 2),
            headers={"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {token}"} if token else {}),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def place(self, attempt_id: str, body: bytes) -> Answer:
        """Ask for a call."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": attempt_id}
        return await self._ask("POST", "/calls", body, headers)

    async def look_up(self, attempt_id: str) -> Answer:
        """Ask what became of a call."""
        return await self._ask("GET", f"/calls/{quote(attempt_id, safe='')}")

    async def live(self) -> Answer:
        """Ask which calls are up."""
        return await self._ask("GET", LIVE_CALLS)

    async def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        if self._session is None:
            raise NotSent("the line is not open")
        base = self._settings.base
        url = URL(base + path, encoded=True)
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return Answer(response.status, response.headers, await _body(response))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(
                f"the dialer at {base} can't be reached: {_reason(error)}: is it running, and is the address right?"
            ) from None
        except TimeoutError:
            raise _fault(f"the dialer at {base} has not answered within {self._settings.request_limit_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _fault(f"the dialer at {base} broke off: {_reason(error)}") from None


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Read the body. A refusal stands without it: what is cut off then is left out."""
    body = bytearray()
    try:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > _MAX_ANSWER_BYTES:
                raise _fault(f"the dialer's answer is longer than {_MAX_ANSWER_BYTES // 1024 // 1024} MiB")
    except (aiohttp.ClientError, OSError, TimeoutError, AdapterFault):
        if not HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return b""
    return bytes(body)


def _reason(error: Exception) -> str:
    """Say what the system says, without what the library puts around it."""
    if isinstance(error, aiohttp.ClientSSLError):
        return "it does not speak TLS, or its certificate is not trusted: write http:// or mend that"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error)
    return str(error) or type(error).__name__


def _fault(sentence: str) -> AdapterFault:
    return AdapterFault("line_failed", sentence, is_retryable=True)
