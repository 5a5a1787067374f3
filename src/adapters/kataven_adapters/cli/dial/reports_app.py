"""The one address of the API that a dialer needs, where there is no API around it (extra ``http-line``: aiohttp)."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Final

from aiohttp import web

from kataven_adapters.wire.taking import MAX_BYTES, Take
from kataven_core import AdapterFault, CommandRefused, InvalidValue

_BODY_S: Final = 10.0
"""How long a body may take to come."""
_RETRY_AFTER_S: Final = 1


def reports_app(takers: Mapping[str, Take]) -> web.Application:
    """Give an application that hands what is posted to ``/lines/NAME/reports`` to the line of that name.

    It answers 204 when that is durable; 401 to whoever is not the dialer, 400 and 408 to what can't be read, 503 where
    it is to be sent again.
    """
    app = web.Application(client_max_size=MAX_BYTES)
    for name, take in takers.items():
        app.router.add_post(f"/lines/{name}/reports", partial(_taken, take))
    return app


async def _taken(take: Take, request: web.Request) -> web.Response:
    try:
        async with asyncio.timeout(_BODY_S):
            body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return _said(400, f"the body has more than {MAX_BYTES:,} bytes: send fewer reports")
    except TimeoutError:
        return _said(408, "the body stopped coming: send it again")
    try:
        await take({name.lower(): value for name, value in request.headers.items()}, body)
    except CommandRefused as refusal:
        return _said(401, refusal.message)
    except InvalidValue as error:
        return _said(400, error.message)
    except AdapterFault:
        answer = _said(503, "the reports can't be taken now: send them again in a moment")
        answer.headers["Retry-After"] = str(_RETRY_AFTER_S)
        return answer
    return web.Response(status=204)


def _said(status: int, sentence: str) -> web.Response:
    return web.Response(status=status, text=sentence)
