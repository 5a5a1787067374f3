"""What the API shows of the engine's values."""

from collections.abc import Mapping
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
    return Response(status=status, body=encode(campaign_members(campaign)), headers={**place, **(headers or {})})
