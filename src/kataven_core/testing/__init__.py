"""Suites that hold an adapter to its port, for whoever writes one: stores, lines, publishers, clocks.

A test class that overrides a suite's hook runs it; ``store_machine`` tells random stories to a store besides. They take
pytest, pytest-asyncio and Hypothesis, which the extra ``testing`` installs.
"""

# ruff: noqa: E402 - pytest is told to show what an assert compared before the modules that hold them are imported

from typing import Final

import pytest

ASSERTING: Final = (
    "clocks",
    "host",
    "lines",
    "publishers",
    "store_candidates",
    "store_discarding",
    "store_durability",
    "store_failures",
    "store_forgetting",
    "store_histories",
    "store_likeness",
    "store_races",
    "store_reads",
    "store_receipts",
    "store_settling",
    "store_staging",
    "store_tenants",
    "store_twins",
    "store_usage",
    "store_views",
)
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in ASSERTING))

from .clocks import ClockContract, StillClock
from .lines import LineContract
from .publishers import PublisherContract
from .store_machine import store_machine
from .stores import StoreContract

__all__ = ["ClockContract", "LineContract", "PublisherContract", "StillClock", "StoreContract", "store_machine"]
