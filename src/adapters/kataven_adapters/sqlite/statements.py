"""What is read for decisions, as SQL: each finds its rows by an index, which a test holds against the query plans."""

from typing import Final

from .rows import ATTEMPT, CAMPAIGN, CONTACT, COUNTERS, RECEIPT, USAGE, columns

ACCOUNTS: Final = f"""
SELECT a.id, a.account, {columns(USAGE, "a")},
    (SELECT count(*) FROM attempts o WHERE o.account_id = a.id AND o.state <> 'done'),
    (SELECT total(c.max_concurrent_calls) FROM campaigns c WHERE c.account_id = a.id AND c.status = 'running')
FROM json_each(?) w CROSS JOIN accounts a ON a.id = w.value
"""
"""The accounts of the turns: calls in flight and reservations are counted, never remembered."""

REPORTED: Final = f"""
SELECT w.value ->> 4, {columns(CAMPAIGN, "c")}, {columns(ATTEMPT, "a")}, {columns(CONTACT, "k")}
FROM json_each(?) w
CROSS JOIN campaigns c ON c.account_id = w.value ->> 0 AND c.id = w.value ->> 1
CROSS JOIN attempts a ON a.campaign_no = c.no AND a.position = w.value ->> 2 AND a.n = w.value ->> 3
LEFT JOIN contacts k ON k.campaign_no = c.no AND k.position = a.position
"""
"""The attempts that reports name, with their contacts, which are gone where the campaign was discarded."""

CAMPAIGNS: Final = f"""
SELECT c.no, {columns(CAMPAIGN, "c")}, {columns(COUNTERS, "n")}, CASE c.status WHEN 'running' THEN (
    SELECT min(r.next_attempt_at) FROM contacts r
    WHERE r.campaign_no = c.no AND r.status = 'pending' AND r.next_attempt_at > :now
) END
FROM campaigns c JOIN counters n ON n.campaign_no = c.no
WHERE c.no IN (
    SELECT c.no FROM json_each(:named) w CROSS JOIN campaigns c
    ON c.account_id = w.value ->> 0 AND c.id = w.value ->> 1
    UNION ALL
    SELECT c.no FROM json_each(:accounts) w CROSS JOIN campaigns c
    ON c.account_id = w.value AND c.status = 'scheduled' AND c.is_deleted = 0 AND c.scheduled_at <= :now
    UNION ALL
    SELECT c.no FROM json_each(:put) w CROSS JOIN campaigns c ON c.account_id = w.value AND c.status = 'running'
)
ORDER BY c.no
"""
"""Campaigns to decide on: those named, those whose schedule has come, all running ones of an account that is put."""

RECEIPTS: Final = f"""
SELECT {columns(RECEIPT, "r")} FROM json_each(?) w
CROSS JOIN receipts r ON r.account_id = w.value ->> 0 AND r.scope = w.value ->> 1 AND r.key = w.value ->> 2
"""
"""What was answered before to those of the commands that are to be done once."""

_IS_BUSY: Final = """EXISTS (
    SELECT 1 FROM attempts o
    WHERE o.account_id = w.value ->> 1 AND o.phone_number = {}.phone_number AND o.state <> 'done'
)"""


def _due(index: str, due: str, order: str, limit: str) -> str:
    """Name the index: left to choose, SQLite may walk along all contacts that are through."""
    return f"""
        SELECT r.position, r.phone_number, r.next_attempt_at FROM contacts r INDEXED BY {index}
        WHERE r.campaign_no = w.value ->> 0 AND r.status = 'pending' AND {due} ORDER BY {order} LIMIT {limit}"""


def _candidates(positions: str) -> str:
    return f"""
SELECT w.value ->> 0, {_IS_BUSY.format("k")}, {columns(CONTACT, "k")}
FROM json_each(:running) w CROSS JOIN contacts k ON k.campaign_no = w.value ->> 0 AND k.position IN ({positions})
"""


def _first(index: str, due: str, order: str) -> str:
    return _candidates(f"SELECT position FROM ({_due(index, due, order, ':wanted')})")


def _first_free(index: str, due: str, order: str) -> str:
    """Look for free ones among those ahead, and no further."""
    ahead = _due(index, due, order, ":ahead")
    free = f"NOT {_IS_BUSY.format('ahead')}"
    return _candidates(f"SELECT position FROM ({ahead}) ahead WHERE {free} LIMIT :wanted")


_RETRY: Final = ("contacts_retry", "r.next_attempt_at <= :now", "r.next_attempt_at, r.position")
_FRESH: Final = ("contacts_fresh", "r.next_attempt_at IS NULL", "r.position")
RETRIES: Final = _first(*_RETRY)
FRESH: Final = _first(*_FRESH)
FREE_RETRIES: Final = _first_free(*_RETRY)
FREE_FRESH: Final = _first_free(*_FRESH)
"""The first that are due of each running campaign; the free ones are asked for only where some are busy."""
