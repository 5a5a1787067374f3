"""The table of all that can be asked for, and the way to a row of it.

Under ``/api/v1`` and its three aliases, which answer the same; what is for operators and readers is at the root too.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from kataven_core import Operation

from . import campaigns, creation
from .line_reports import take_reports
from .pages import docs, healthz, metrics, openapi, readyz
from .route import Route

CANONICAL: Final = "/api/v1"
PREFIXES: Final = ("/hub-api/api/v1", "/v1/api/v1", CANONICAL, "/v1")
"""The longest first, as the last begins another."""


ROUTES: Final = (
    Route(
        method="GET",
        template="/campaigns",
        handler=campaigns.list_campaigns,
        summary="All campaigns, the newest first",
        shows="CampaignList",
    ),
    Route(
        method="POST",
        template="/campaigns",
        handler=creation.create,
        summary="Make a campaign of a contacts file",
        description=(
            "A form with the campaign's settings and a CSV file whose column `phone_number` is dialled; all other "
            "columns are kept with each contact. Good rows are kept and bad ones rejected, unless `strict` says "
            "otherwise. The campaign is `draft`, or `scheduled` where `scheduled_at` is sent. A 400 leaves none behind."
        ),
        takes_form=True,
        shows="Campaign",
        success=201,
        refusals=(400, 408, 409, 422),
    ),
    Route(
        method="GET",
        template="/campaigns/{id}",
        handler=campaigns.get_campaign,
        summary="One campaign",
        shows="Campaign",
        refusals=(404,),
    ),
    Route(
        method="DELETE",
        template="/campaigns/{id}",
        handler=campaigns.delete_campaign,
        summary="Remove a campaign that does not run",
        description="Calls of a paused or stopped campaign that are in flight end by themselves, unseen.",
        success=204,
        refusals=(404, 409),
    ),
    Route(
        method="GET",
        template="/campaigns/{id}/contacts",
        handler=campaigns.list_contacts,
        summary="A page of a campaign's contacts, in file order",
        description="A page past the end is empty.",
        query=("status", "page"),
        shows="ContactsPage",
        refusals=(400, 404),
    ),
    Route(
        method="GET",
        template="/campaigns/{id}/rejects",
        handler=campaigns.list_rejects,
        summary="The rows of a campaign's file that can't be dialled, as CSV",
        description="The columns are `line,column,code,message,value`. The file is safe to open in a spreadsheet.",
        media_type="text/csv",
        refusals=(404,),
    ),
    Route(
        method="GET",
        template="/campaigns/{id}/events",
        handler=campaigns.stream_events,
        summary="A campaign's progress as it happens",
        description=(
            "Server-sent events: a Snapshot as JSON in each `data:` line, at once, every 2 s while the campaign runs, "
            "and at every change of its status; the comment `: heartbeat` every 15 s. When the campaign is over, "
            "there comes a last snapshot, then `event: end` with the same, and the stream closes."
        ),
        media_type="text/event-stream",
        shows="Event",
        refusals=(404,),
        is_stream=True,
    ),
    *(
        Route(
            method="POST",
            template=f"/campaigns/{{id}}/{name}",
            handler=campaigns.operation(name),
            summary=summary,
            description="It takes no body. A campaign's status that does not allow it is a 409 that names both.",
            shows="Campaign",
            refusals=(400, 404, 408, 409, 422),
        )
        for name, summary in (
            (Operation.START, "Let a campaign dial, if it fits into the account's budget"),
            (Operation.PAUSE, "Begin no new dial; calls in flight end by themselves"),
            (Operation.RESUME, "Let a paused campaign go on"),
            (Operation.STOP, "End a campaign for good; calls in flight end by themselves"),
        )
    ),
    Route(
        method="GET",
        template="/call-limits",
        handler=campaigns.call_limits,
        summary="The account's caps",
        description="2147483647 stands for no limit, 0 blocks every dial.",
        shows="CallLimits",
        tag="account",
    ),
    Route(
        method="GET",
        template="/openapi.json",
        handler=openapi,
        summary="This API as OpenAPI 3.1",
        is_open=True,
        is_anywhere=True,
        tag="about",
    ),
    Route(
        method="GET",
        template="/docs",
        handler=docs,
        summary="This API as a page to read",
        media_type="text/html",
        is_open=True,
        is_anywhere=True,
        tag="about",
    ),
    Route(
        method="GET",
        template="/healthz",
        handler=healthz,
        summary="Whether the process is alive",
        media_type="text/plain",
        is_open=True,
        is_at_root=True,
        tag="operations",
    ),
    Route(
        method="GET",
        template="/readyz",
        handler=readyz,
        summary="Whether engine, store and line can dial",
        media_type="text/plain",
        refusals=(503,),
        is_open=True,
        is_at_root=True,
        tag="operations",
    ),
    Route(
        method="GET",
        template="/metrics",
        handler=metrics,
        summary="Figures for Prometheus",
        media_type="text/plain",
        is_open=True,
        is_at_root=True,
        tag="operations",
    ),
    Route(
        method="POST",
        template="/lines/{line}/reports",
        handler=take_reports,
        summary="What a dialer reports of its calls",
        success=204,
        refusals=(400, 401, 404, 408, 503),
        is_open=True,
        is_at_root=True,
        is_described=False,
        tag="lines",
    ),
)

_BY_BEGINNING: Final = {
    key: tuple(route for route in ROUTES if (route.segments[0], len(route.segments)) == key)
    for key in {(route.segments[0], len(route.segments)) for route in ROUTES}
}
"""Routes by their first segment, which is a word in each, and how many they have."""


class Found(NamedTuple):
    """The route of a request, and the ids that its path names."""

    route: Route
    ids: Mapping[str, str]


@lru_cache(maxsize=1_024)
def find(path: str) -> Mapping[str, Found]:
    """Give the routes of a path, by method; none where there is no such path."""
    prefix = next((each for each in PREFIXES if path.startswith(f"{each}/")), "")
    segments = path.removeprefix(prefix).removeprefix("/").split("/")
    return {
        route.method: Found(route, ids)
        for route in _BY_BEGINNING.get((segments[0], len(segments)), ())
        if (route.is_anywhere or route.is_at_root is not bool(prefix)) and (ids := route.ids(segments)) is not None
    }
