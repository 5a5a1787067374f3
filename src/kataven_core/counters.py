"""A campaign in numbers: kept by folding its events, never by counting rows."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from attrs import field, frozen

from .events import (
    AttemptClaimed,
    AttemptEnded,
    CampaignCreated,
    CampaignEvent,
    CampaignFailed,
    CampaignStopped,
)
from .statuses import ContactStatus, Outcome
from .values import CampaignId


@frozen(kw_only=True)
class Counters:
    """Where a campaign's contacts and attempts stand. The six contact counts always sum to ``total``.

    ``attempts`` leaves out the unsent and counts those in flight; ``outcomes`` counts ended ones. ``sequence`` is the
    number of the campaign's last event.
    """

    campaign_id: CampaignId
    pending: int = 0
    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    suppressed: int = 0
    attempts: int = 0
    calls_in_flight: int = 0
    outcomes: Mapping[Outcome, int] = field(factory=dict)
    last_dial_at: datetime | None = None
    sequence: int = 0

    @property
    def total(self) -> int:
        """All contacts."""
        return self.pending + self.in_progress + self.completed + self.failed + self.cancelled + self.suppressed

    @property
    def ended_attempts(self) -> int:
        """Attempts with an outcome."""
        return sum(self.outcomes.values())

    @property
    def is_finished(self) -> bool:
        """Whether every contact has come to its end."""
        return not self.pending and not self.in_progress


class Tally:
    """Counters while events are being folded into them: the one mutable form, for the length of one decision."""

    def __init__(self, counters: Counters) -> None:
        self.campaign_id = counters.campaign_id
        self.contacts = {status: getattr(counters, status.value) for status in ContactStatus}
        self.outcomes = dict(counters.outcomes)
        self.attempts = counters.attempts
        self.calls_in_flight = counters.calls_in_flight
        self.last_dial_at = counters.last_dial_at
        self.sequence = counters.sequence

    @property
    def is_finished(self) -> bool:
        """Whether every contact has come to its end."""
        return not self.contacts[ContactStatus.PENDING] and not self.contacts[ContactStatus.IN_PROGRESS]

    def add(self, event: CampaignEvent) -> None:
        """Fold the next event in."""
        self.sequence = event.sequence
        match event:
            case AttemptClaimed():
                self._move(ContactStatus.PENDING, ContactStatus.IN_PROGRESS, 1)
                self.attempts += 1
                self.calls_in_flight += 1
                self.last_dial_at = event.at
            case AttemptEnded():
                self._move(ContactStatus.IN_PROGRESS, event.contact_status, 1)
                self.calls_in_flight -= 1
                if event.outcome is Outcome.UNSENT:
                    self.attempts -= 1
                else:
                    self.outcomes[event.outcome] = self.outcomes.get(event.outcome, 0) + 1
            case CampaignStopped() | CampaignFailed():
                self._move(ContactStatus.PENDING, ContactStatus.CANCELLED, event.cancelled)
            case CampaignCreated():
                self.contacts[ContactStatus.PENDING] = event.total
            case _:
                pass

    def counters(self) -> Counters:
        """Give the counters as they stand."""
        return Counters(
            campaign_id=self.campaign_id,
            **{status.value: count for status, count in self.contacts.items()},
            attempts=self.attempts,
            calls_in_flight=self.calls_in_flight,
            outcomes=dict(self.outcomes),
            last_dial_at=self.last_dial_at,
            sequence=self.sequence,
        )

    def _move(self, source: ContactStatus, target: ContactStatus, count: int) -> None:
        self.contacts[source] -= count
        self.contacts[target] += count


def fold(counters: Counters, events: Iterable[CampaignEvent]) -> Counters:
    """Give the counters after these events of the campaign."""
    tally = Tally(counters)
    for event in events:
        tally.add(event)
    return tally.counters()
