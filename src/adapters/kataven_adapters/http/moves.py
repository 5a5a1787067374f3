"""When to look at a campaign again because its status has changed, by the events that tell of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from kataven_core import (
    AdapterFault,
    CampaignCompleted,
    CampaignDeleted,
    CampaignFailed,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopped,
)
from kataven_core.ports import Subscription

_MOVES: Final = (
    CampaignStarted,
    CampaignPaused,
    CampaignResumed,
    CampaignStopped,
    CampaignCompleted,
    CampaignFailed,
    CampaignDeleted,
)
"""The events after which a campaign has another status."""
_PAUSE_S: Final = 0.5
"""How long to let a publisher be that has failed: one that goes on failing must not be all that is heard."""


async def each_move(subscription: Subscription) -> AsyncIterator[None]:
    """Yield once when listening has begun, and then at each change; also where one may have been missed.

    Ends when the events do.
    """
    async with subscription as events:
        yield
        while True:
            try:
                async for event in events:
                    if isinstance(event, _MOVES):
                        yield
            except AdapterFault:
                yield
                await asyncio.sleep(_PAUSE_S)
            else:
                return
