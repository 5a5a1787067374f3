"""Whose each open attempt is, so that a report finds its account; doubts about one go to the reconciler."""

import logging
from collections.abc import Iterable, Sequence

from kataven_core.attempt import Attempt
from kataven_core.cycle import AttemptChange
from kataven_core.reports import Report
from kataven_core.statuses import AttemptState
from kataven_core.values import AccountId, AttemptId

from .reconciler import Reconciler

log = logging.getLogger("kataven_core.line")


class OpenAttempts:
    """The open attempts of all accounts."""

    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler
        self._account_of: dict[AttemptId, AccountId] = {}

    def __len__(self) -> int:
        return len(self._account_of)

    def take_up(self, attempts: Iterable[Attempt]) -> None:
        """Know the open attempts of an earlier process."""
        self._account_of.update((attempt.id, attempt.account_id) for attempt in attempts)

    def follow(self, changes: Sequence[AttemptChange]) -> None:
        """Take note of what was committed."""
        for before, after in changes:
            if not after.is_open:
                self._account_of.pop(after.id, None)
                self._reconciler.settle(after.id)
                continue
            self._account_of[after.id] = after.account_id
            if after.state is AttemptState.UNKNOWN:
                self._reconciler.doubt(after)
            elif before is not None:
                self._reconciler.hear(after)

    def by_account(self, reports: Iterable[Report]) -> dict[AccountId, list[Report]]:
        """Sort reports by account; those about attempts that are over, or nobody's, change nothing and are left out."""
        sorted_: dict[AccountId, list[Report]] = {}
        for report in reports:
            account_id = self._account_of.get(report.attempt_id)
            if account_id is None:
                log.debug("a report about %s, which is not open, was passed over", report.attempt_id)
            else:
                sorted_.setdefault(account_id, []).append(report)
        return sorted_
