"""``POST /campaigns``: a campaign from a form, read as it comes; it is there whole, or not at all."""

from contextlib import AsyncExitStack
from typing import Final

from .calls import Call
from .draft import Draft
from .forms import Form
from .messages import Response
from .once import attempted
from .shown import campaign_answer

SCOPE: Final = "POST /campaigns"
ACCEPTED: Final = "Kataven-Accepted-Rows"
REJECTED: Final = "Kataven-Rejected-Rows"


async def create(call: Call) -> Response:
    """Make a campaign of a form with a contacts file."""
    form = Form(call.request.header("content-type"), call.body)
    account = await call.account()
    async with attempted(call, SCOPE) as attempt, AsyncExitStack() as uploads:
        draft = Draft(call, attempt)
        await draft.read(form, uploads)
        if attempt and (before := attempt.replay(draft.payload)):
            campaign, headers = before
            return campaign_answer(call, campaign, 201, headers)
        settings = draft.settings(account)
        assert draft.upload is not None  # noqa: S101 - else something would have been wrong
        progress = draft.upload.progress
        headers = {ACCEPTED: str(progress.accepted), REJECTED: str(progress.rejected)}
        campaign = await draft.upload.create(
            settings,
            created_by=call.caller.key_id,
            once=attempt.once(draft.payload, headers) if attempt else None,
        )
        return campaign_answer(call, campaign, 201, headers)
