"""What a handler works with: who asks for what, and the services that all of them share."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import field, frozen

from kataven_adapters.wire.taking import Take
from kataven_core import Account, NotFound
from kataven_core.ports import Clock
from kataven_core.runtime import Engine

from .body import Body
from .feeds import Feeds
from .fields import ReadRegion
from .keys import Caller
from .messages import Request
from .problems import HttpProblem
from .settings import ApiSettings

if TYPE_CHECKING:
    from .metrics import Metrics
    from .route import Route


@frozen(kw_only=True)
class Services:
    """One for the whole API. ``under_way`` are the keys of requests that are to be done once, and have begun.

    ``line_reports`` take what dialers report, by the name of the line in their path.
    """

    engine: Engine
    settings: ApiSettings
    clock: Clock
    feeds: Feeds
    metrics: "Metrics"
    routes: "Sequence[Route]"
    read_region: ReadRegion | None = None
    line_reports: Mapping[str, Take] = field(factory=dict)
    under_way: set[tuple[str, str, str]] = field(factory=set)


@frozen(kw_only=True)
class Call:
    """One request on its way to its handler. ``ids`` are what its path names."""

    request: Request
    body: Body
    services: Services
    caller: Caller
    ids: Mapping[str, str]

    @property
    def engine(self) -> Engine:
        """Give the engine."""
        return self.services.engine

    @property
    def account_id(self) -> str:
        """Give the account whose request it is."""
        return self.caller.account_id

    @property
    def campaign_id(self) -> str:
        """Give the campaign that the path names."""
        return self.ids["id"]

    async def account(self) -> Account:
        """Read the caller's account; a key may be known of one that the engine was never given."""
        try:
            return await self.engine.account(self.account_id)
        except NotFound:
            sentence = "the account of this key is not set up on this server: ask its operator"
            raise HttpProblem(403, "account_not_set_up", sentence) from None
