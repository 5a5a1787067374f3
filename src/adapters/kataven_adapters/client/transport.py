"""What the synchronous and the asynchronous client share of httpx: its settings, and its errors in our words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx

from .access import Access
from .calls import Call
from .errors import ConnectionError, KatavenError, TimeoutError  # noqa: A004 - the client's own

SILENCE_S: Final = 50.0
"""A stream of events that says nothing for so long is dead: three heartbeats are missing."""
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


def http_options(access: Access, timeout: float | None, transport: object | None) -> dict[str, Any]:
    """Give what a client of httpx is made with: this machine is asked directly, and nobody is followed elsewhere."""
    if timeout is not None and timeout <= 0:
        raise KatavenError(f"timeout is {timeout}: give more than 0 seconds, or None to wait for ever")
    return {
        "headers": access.headers,
        "timeout": timeout,
        "limits": httpx.Limits(max_connections=None, max_keepalive_connections=20),
        "mounts": {} if transport else {f"all://{host}": None for host in _LOOPBACK},
        "transport": transport,
        "follow_redirects": False,
    }


def request_options(call: Call[Any], access: Access, timeout: float | None) -> dict[str, Any]:
    """Give what a request is made of, all but its body."""
    headers, length = dict(call.headers), call.upload.length if call.upload else None
    if length is not None:
        headers["Content-Length"] = str(length)
    options: dict[str, Any] = {
        "method": call.method,
        "url": access.root + call.path,
        "params": call.query,
        "headers": headers,
    }
    if call.is_stream and timeout is not None:
        options["timeout"] = httpx.Timeout(timeout, read=max(timeout, SILENCE_S))
    return options


@contextmanager
def translated(access: Access, timeout: float | None) -> Iterator[None]:
    """Raise the errors of httpx as ours; what they hold of the request goes no further."""
    try:
        yield
    except httpx.ConnectTimeout:
        raise TimeoutError(f"{access.place} can't be reached in {_seconds(timeout)}: check base_url") from None
    except httpx.TimeoutException:
        sentence = f"{access.place} has been silent for too long: look whether it was done, and ask again"
        raise TimeoutError(sentence) from None
    except httpx.ConnectError as error:
        sentence = f"{access.place} can't be reached ({_reason(error)}): check that it runs, and base_url"
        raise ConnectionError(sentence) from None
    except (httpx.RequestError, httpx.InvalidURL) as error:
        sentence = f"the connection to {access.place} broke ({_reason(error)}): look whether it was done, and ask again"
        raise ConnectionError(sentence) from None


def _seconds(timeout: float | None) -> str:
    return "time" if timeout is None else f"{timeout:g} s"


def _reason(error: Exception) -> str:
    return str(error).strip() or type(error).__name__


def new_boundary() -> str:
    """Give a line that stands in no file: nobody can guess it."""
    return os.urandom(16).hex()


def refuse_closed(http: httpx.Client | httpx.AsyncClient) -> None:
    """Say what is wrong where somebody asks after the end."""
    if http.is_closed:
        raise KatavenError("the client is closed: make a new one")
