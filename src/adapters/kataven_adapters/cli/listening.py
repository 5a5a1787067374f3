"""Where a server listens: addresses that are bound before anything is begun, and listened at when all is ready."""

import errno
import logging
import resource
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final

from aiohttp import web
from aiohttp.log import server_logger

from kataven_adapters.cli.failure import USAGE, CommandFailure
from kataven_adapters.cli.output import one_line

_HEAD_S: Final = 20.0
"""How long a connection may take to bring the head of its next request, and how long it may be idle: the same timer."""
_LINGER_S: Final = 1.0
"""How long the rest of a request is waited for that was answered before all of it had come."""
_FINISH_S: Final = 1.0
"""How long requests under way may take when the server stops; and as long again, once they are told to."""
_BACKLOG: Final = 1_024
_FILES: Final = 65_536
"""Connections that may be open at once, if the system allows it: most systems begin with 1,024 for each process."""
_EVERYWHERE: Final = {"0.0.0.0", "::", ""}  # noqa: S104 - it is looked for, not bound

_Place = tuple[socket.AddressFamily, tuple[Any, ...]]


@contextmanager
def bound(host: str, port: int) -> Iterator[Sequence[socket.socket]]:
    """Hold the port on every address of the host. Nobody gets in before ``listening``."""
    found: list[socket.socket] = []
    try:
        _bind_all(host, port, found)
        yield found
    finally:
        for each in found:
            each.close()


def allow_many() -> None:
    """Take as many connections as this process may have without asking anybody."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def url_of(host: str, port: int) -> str:
    """Give the address as it is written in a browser."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def url_from_elsewhere(host: str, port: int) -> str:
    """Give the address to which a dialer reports; ``CommandFailure`` where it can't be told from the host's."""
    if host in _EVERYWHERE:
        raise CommandFailure(
            f"a dialer can't report to {host}, which is every address of this machine: write under [server] "
            f"public_url, by which the dialer reaches it, such as http://HOST:{port}",
            USAGE,
        )
    return url_of(host, port)


@asynccontextmanager
async def listening(
    app: web.Application,
    sockets: Sequence[socket.socket],
    *,
    head_s: float = _HEAD_S,
    finish_s: float = _FINISH_S,
    cancels: bool = False,
    logger: logging.Logger = server_logger,
) -> AsyncIterator[None]:
    """Answer with this application; on leaving take nobody new in, and let what is under way end.

    Where it ``cancels``, a request whose client goes is not answered to its end.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,  # what is compressed is refused, and that is not for aiohttp to say
        handler_cancellation=cancels,
        keepalive_timeout=head_s,
        lingering_time=_LINGER_S,
        logger=logger,
        shutdown_timeout=finish_s,
    )
    await runner.setup()
    try:
        for each in sockets:
            await web.SockSite(runner, each, backlog=_BACKLOG).start()
        yield
    finally:
        await runner.cleanup()


def _bind_all(host: str, port: int, found: list[socket.socket]) -> None:
    """Bind; port 0 takes one that is free, the same on all addresses. One that this machine does not have is let be."""
    fault: OSError | None = None
    try:
        for family, address in _places(host, port):
            taken = found[0].getsockname()[1] if found else port
            try:
                found.append(_bind(family, (address[0], taken, *address[2:])))
            except OSError as error:
                if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT} and port:
                    raise
                fault = error
    except (OSError, UnicodeError) as error:
        raise CommandFailure(one_line(_why(host, port, error))) from None
    if not found:
        raise CommandFailure(one_line(_why(host, port, fault)))


def _places(host: str, port: int) -> Sequence[_Place]:
    known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in known))


def _bind(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def _why(host: str, port: int, error: OSError | UnicodeError | None) -> str:
    match error:
        case socket.gaierror() | UnicodeError():
            return f"there is no host {host!r}: write an address of this machine, such as 127.0.0.1"
        case OSError(errno=errno.EADDRINUSE):
            return f"port {port} of {host} is in use: stop what listens there, or name another with --port"
        case OSError(errno=errno.EACCES):
            return f"port {port} of {host} is not open to this user: name one from 1024 on with --port"
        case OSError(errno=errno.EADDRNOTAVAIL):
            return f"{host} is no address of this machine: name one of its own with --host"
        case _:
            return f"port {port} of {host} can't be listened at: {error}"
