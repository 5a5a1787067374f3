"""What the API shows of the engine's values."""

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import quote

from kataven_core import Campaign
from kataven_core.codec import campaign_members

from .calls import Call
from .json import encode
from .messages import Response


def campaign_answer(
    call: Call, campaign: Campaign, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Show a campaign; one that is new, with where it is found from now on."""
    place = {}
    if status == HTTPStatus.CREATED:
        place = {"Location": f"{quote(call.request.mount)}/api/v1/campaigns/{campaign.id}"}
    return Response(status=status, body=_encoded(campaign), headers={**place, **(headers or {})})


@lru_cache(maxsize=1_000)
def _encoded(campaign: Campaign) -> bytes:
    """Write a campaign once, however often it is asked for."""
    return encode(campaign_members(campaign))
