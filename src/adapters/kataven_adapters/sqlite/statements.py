"""What is read for decisions, as SQL: each finds its rows by an index, which a test holds against the query plans."""

from typing import Final

from .rows import ATTEMPT, CAMPAIGN, CONTACT, COUNTERS, USAGE, columns

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

_IS_BUSY: Final = """EXISTS (
    SELECT 1 FROM attempts o
    WHERE o.account_id = w.value ->> 1 AND o.phone_number = {}.phone_number AND o.state <> 'done'
)"""


def _candidates(index: str, due: str, order: str, *, only_free: bool) -> str:
    """Name the index: left to choose, SQLite may walk along all contacts that are through."""
    is_free = f"AND NOT {_IS_BUSY.format('r')}" if only_free else ""
    return f"""
SELECT w.value ->> 0, {_IS_BUSY.format("k")}, {columns(CONTACT, "k")}
FROM json_each(:running) w CROSS JOIN contacts k ON k.campaign_no = w.value ->> 0 AND k.position IN (
    SELECT r.position FROM contacts r INDEXED BY {index}
    WHERE r.campaign_no = w.value ->> 0 AND r.status = 'pending' AND {due} {is_free}
    ORDER BY {order} LIMIT :wanted
)
"""


_RETRY: Final = ("contacts_retry", "r.next_attempt_at <= :now", "r.next_attempt_at, r.position")
_FRESH: Final = ("contacts_fresh", "r.next_attempt_at IS NULL", "r.position")
RETRIES: Final = _candidates(*_RETRY, only_free=False)
FRESH: Final = _candidates(*_FRESH, only_free=False)
FREE_RETRIES: Final = _candidates(*_RETRY, only_free=True)
FREE_FRESH: Final = _candidates(*_FRESH, only_free=True)
"""The first that are due of each running campaign; the free ones are asked for only where some are busy."""
