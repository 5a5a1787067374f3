"""The campaigns API over HTTP, for any server: handlers that know no framework, and two thin bindings.

``create_app`` gives an aiohttp application, ``create_asgi_app`` an ASGI 3 one. ``routes`` is the table of all that can
be asked for; ``api`` takes a request to its handler and what comes of it back.
"""

from typing import TYPE_CHECKING, Unpack

from .api import Api, ApiOptions
from .keys import ApiKey, ApiKeys, Authenticate, Caller
from .messages import Request
from .metrics import Metrics
from .on_asgi import AsgiApp
from .settings import ApiSettings

if TYPE_CHECKING:
    from aiohttp import web

    from kataven_core.runtime import Engine

__all__ = [
    "Api",
    "ApiKey",
    "ApiKeys",
    "ApiOptions",
    "ApiSettings",
    "AsgiApp",
    "Authenticate",
    "Caller",
    "Metrics",
    "Request",
    "create_app",
    "create_asgi_app",
]


def create_app(engine: "Engine", authenticate: Authenticate, **options: Unpack[ApiOptions]) -> "web.Application":
    """Give an aiohttp application around an engine that its host opens: run it, or ``add_subapp`` it to another.

    ``options`` are those of ``Api``.
    """
    from .on_aiohttp import make_app  # noqa: PLC0415 - who serves by ASGI needs no aiohttp

    return make_app(Api(engine, authenticate, **options))


def create_asgi_app(engine: "Engine", authenticate: Authenticate, **options: Unpack[ApiOptions]) -> AsgiApp:
    """Give an ASGI 3 application around an engine that its host opens: run it, or mount it in another.

    ``options`` are those of ``Api``. One that is mounted hears nothing of the server's start and end: ``close`` it
    where the host shuts down, so that event streams end.
    """
    return AsgiApp(Api(engine, authenticate, **options))
