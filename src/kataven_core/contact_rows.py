"""Contacts as a store keeps them: rows that merely pass, of which contacts are made where somebody asks for them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, final, overload

from .contact import Contact
from .custom_fields import CustomFields
from .phone_number import PhoneNumber
from .statuses import ContactStatus, Outcome
from .values import CampaignId

ContactRow = tuple[int, str, str, str, int, int, str | None, int | None, int | None, int]
"""Position, number, custom fields as JSON, status, attempts, claims, last outcome, last and next attempt, last change.

Times are whole microseconds since 1970, UTC.
"""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = 1_000_000
_STATUSES: Final = {each.value: each for each in ContactStatus}
_OUTCOMES: Final = {each.value: each for each in Outcome}


@final
class ContactRows(Sequence[Contact]):
    """Some contacts of a campaign by their rows; equal to any sequence of the same contacts."""

    __slots__ = ("_campaign_id", "_rows")

    def __init__(self, campaign_id: CampaignId, rows: Sequence[ContactRow]) -> None:
        self._campaign_id = campaign_id
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Contact: ...
    @overload
    def __getitem__(self, index: slice) -> "ContactRows": ...
    def __getitem__(self, index: int | slice) -> "Contact | ContactRows":
        if isinstance(index, slice):
            return ContactRows(self._campaign_id, self._rows[index])
        return contact_of(self._campaign_id, self._rows[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment] # it is equal to lists too, which have none

    def __repr__(self) -> str:
        return f"ContactRows({[*self]})"

    def encoded(self) -> Iterator[str]:
        """Yield each as the JSON object that the API shows: ``codec.contact_members``, and none of it read."""
        name = self._campaign_id
        for position, number, fields, status, attempts, _, outcome, last_at, next_at, updated_at in self._rows:
            last_outcome = "null" if outcome is None else f'"{outcome}"'
            last_attempt_at = "null" if last_at is None else _time(last_at)
            next_attempt_at = "null" if next_at is None else _time(next_at)
            yield (
                f'{{"id":"{name}.{position}","position":{position},"phone_number":"{number}","custom_fields":{fields},'
                f'"status":"{status}","attempts":{attempts},"last_outcome":{last_outcome},'
                f'"last_attempt_at":{last_attempt_at},"next_attempt_at":{next_attempt_at},'
                f'"updated_at":{_time(updated_at)}}}'
            )


def contact_of(campaign_id: CampaignId, row: ContactRow) -> Contact:
    """Give the contact that a row is. What is stored was valid when it was, and is not looked at again."""
    position, number, fields, status, attempts, claims, outcome, last_at, next_at, updated_at = row
    return Contact(
        campaign_id=campaign_id,
        position=position,
        phone_number=str.__new__(PhoneNumber, number),
        custom_fields=CustomFields(fields),
        status=_STATUSES[status],
        attempts=attempts,
        claims=claims,
        last_outcome=None if outcome is None else _OUTCOMES[outcome],
        last_attempt_at=None if last_at is None else _EPOCH + timedelta(microseconds=last_at),
        next_attempt_at=None if next_at is None else _EPOCH + timedelta(microseconds=next_at),
        updated_at=_EPOCH + timedelta(microseconds=updated_at),
    )


@lru_cache(maxsize=4_096)
def _time(stored: int) -> str:
    """Write a time as RFC 3339, with microseconds only where there are any; many contacts of a page share it."""
    seconds, microseconds = divmod(stored, _SECOND)
    return f'"{_second(seconds)}.{microseconds:06}Z"' if microseconds else f'"{_second(seconds)}Z"'


@lru_cache(maxsize=4_096)
def _second(seconds: int) -> str:
    """Write a whole second: even those that were dialled share few of them."""
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
