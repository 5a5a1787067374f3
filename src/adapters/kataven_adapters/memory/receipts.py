"""An account's receipts: found by name, and forgotten by age without looking at all of them."""

from bisect import bisect_left, insort
from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter

from kataven_core import Receipt

Name = tuple[str, str]


class Receipts:
    """Receipts by scope and key; ``_ages`` holds time and name of each, sorted."""

    def __init__(self) -> None:
        self._receipts: dict[Name, Receipt] = {}
        self._ages: list[tuple[datetime, Name]] = []

    def named(self, names: Iterable[Name]) -> dict[Name, Receipt]:
        """Give those of these names that are there."""
        return {name: self._receipts[name] for name in names if name in self._receipts}

    def put(self, receipt: Receipt) -> None:
        """Keep a receipt, in place of the one that had its name."""
        name = receipt.once.name
        before = self._receipts.get(name)
        if before:
            del self._ages[bisect_left(self._ages, (before.at, name))]
        self._receipts[name] = receipt
        insort(self._ages, (receipt.at, name))

    def forget(self, since: datetime) -> None:
        """Drop those from before."""
        count = bisect_left(self._ages, since, key=itemgetter(0))
        for _, name in self._ages[:count]:
            del self._receipts[name]
        del self._ages[:count]
