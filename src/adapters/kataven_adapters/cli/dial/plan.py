"""What a dial is asked for, and what it came to."""

from datetime import datetime

from attrs import frozen

from kataven_adapters.config import LineConfig, ServerConfig
from kataven_core import CampaignStatus, Contact, CsvOptions, RejectedRow
from kataven_core.ports import CampaignRecord


@frozen(kw_only=True)
class Plan:
    """What the command line asks for. ``contacts`` is the file's content; durations are seconds.

    ``line`` is how the line is configured, whatever ``line_url`` names; ``server`` is where a dialer reports to.
    """

    file: str
    contacts: bytes
    reading: CsvOptions
    calls: int
    retries: int
    retry_delay_s: int
    store_url: str
    line_url: str
    is_simulated: bool
    line: LineConfig
    server: ServerConfig
    results: str | None
    rejects: str
    is_again: bool
    is_json: bool


@frozen(kw_only=True)
class Result:
    """How the campaign stands when the command ends, and who was in the file.

    ``rejected`` and ``contacts`` are None where somebody interrupted and there was no time to read them.
    """

    record: CampaignRecord
    rejected: tuple[RejectedRow, ...] | None
    contacts: tuple[Contact, ...] | None
    ended_at: datetime
    is_interrupted: bool

    @property
    def is_through(self) -> bool:
        """Whether every contact has come to its end."""
        return self.record.campaign.status is CampaignStatus.COMPLETED and self.record.counters.is_finished

    @property
    def is_whole(self) -> bool:
        """Whether there was time to read all that is told of it."""
        return self.rejected is not None and self.contacts is not None
