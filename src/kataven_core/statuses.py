"""The words for where a campaign, a contact and an attempt stand, as they go over the wire."""

from enum import StrEnum, unique


@unique
class CampaignStatus(StrEnum):
    """Where a campaign stands; ``kataven_core.campaign`` holds the table of its moves."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing will ever be dialled again."""
        return self in {CampaignStatus.COMPLETED, CampaignStatus.FAILED}


@unique
class ContactStatus(StrEnum):
    """Where a contact stands; ``PENDING`` is never dialled, or waiting for a retry."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"

    @property
    def is_terminal(self) -> bool:
        """Whether the contact will never be dialled again."""
        return self not in {ContactStatus.PENDING, ContactStatus.IN_PROGRESS}


@unique
class AttemptState(StrEnum):
    """Where one dial stands. States only move down this list.

    ``CLAIMED``: written down, perhaps sent. ``UNKNOWN``: perhaps ringing, the line's answer was lost; never sent again.
    ``LIVE``: the line has the call. ``DONE``: over; the outcome says how.
    """

    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    LIVE = "live"
    DONE = "done"


@unique
class Outcome(StrEnum):
    """How an attempt ended.

    ``CANCELLED``: hung up by our side before an answer. ``LOST``: the line can't say any more; the phone may have rung.
    ``UNSENT``: the phone surely did not ring; the attempt uses up nothing and is never shown.
    """

    ANSWERED = "answered"
    MACHINE = "machine"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    INVALID_NUMBER = "invalid_number"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    UNSENT = "unsent"


CARRIER_OUTCOMES = frozenset(Outcome) - {Outcome.LOST, Outcome.UNSENT}
"""What a line may report as the end of a call; the other two are our own conclusions."""
