"""The clock of the machine, ids and chance: what the core takes as arguments comes from here."""

import random  # noqa: TID251 - the one place where the runtime draws
import time
import uuid
from datetime import UTC, datetime

from kataven_core.values import CampaignId


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Give the wall time, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place where the runtime reads the wall clock

    def monotonic(self) -> float:
        """Give seconds that never go back."""
        return time.monotonic()  # noqa: TID251 - the one place where the runtime reads it


def new_campaign_id() -> CampaignId:
    """Draw an id that nobody else has."""
    return CampaignId(str(uuid.uuid4()))  # noqa: TID251 - the one place where an id is drawn


def chance() -> float:
    """Draw a number from 0 to 1, 1 left out."""
    return random.random()  # noqa: S311 - it spreads pauses, and keeps no secret
