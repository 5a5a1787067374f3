"""Rows to values and back, one column order for each table."""

from .accounts import (
    RECEIPT,
    USAGE,
    account_from,
    account_text,
    receipt_from,
    receipt_row,
    usage_from,
    usage_row,
)
from .campaigns import CAMPAIGN, COUNTERS, campaign_from, campaign_row, counters_from, counters_row
from .cells import Row, columns, moment, moment_or_none, stamp, stamp_or_none
from .contacts import (
    ATTEMPT,
    CONTACT,
    attempt_changes,
    attempt_from,
    attempt_row,
    contact_changes,
    contact_from,
)

__all__ = [
    "ATTEMPT",
    "CAMPAIGN",
    "CONTACT",
    "COUNTERS",
    "RECEIPT",
    "USAGE",
    "Row",
    "account_from",
    "account_text",
    "attempt_changes",
    "attempt_from",
    "attempt_row",
    "campaign_from",
    "campaign_row",
    "columns",
    "contact_changes",
    "contact_from",
    "counters_from",
    "counters_row",
    "moment",
    "moment_or_none",
    "receipt_from",
    "receipt_row",
    "stamp",
    "stamp_or_none",
    "usage_from",
    "usage_row",
]
