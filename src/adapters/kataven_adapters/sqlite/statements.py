"""What is read for decisions, as SQL: each finds its rows by an index, which a test holds against the query plans."""

from typing import Final

from .rows import ATTEMPT, CAMPAIGN, CONTACT, COUNTERS, RECEIPT, USAGE, columns

ACCOUNTS: Final = f"""
SELECT a.id, a.account, {columns(USAGE, "a")},
    (SELECT count(*) FROM attempts o WHERE o.account_id = a.id AND o.state <> 'done'),
    (SELECT total(c.max_concurrent_calls) FROM campaigns c WHERE c.account_id = a.id AND c.status = 'running'),
    (
        SELECT min(s.scheduled_at) FROM campaigns s
        WHERE s.account_id = a.id AND s.status = 'scheduled' AND s.is_deleted = 0
    )
FROM json_each(?) w CROSS JOIN accounts a ON a.id = w.value
"""
"""Accounts: calls in flight and reservations are counted; then the first of their schedules."""

REPORTED: Final = f"""
SELECT w.value ->> 4, {columns(CAMPAIGN, "c")}, {columns(ATTEMPT, "a")}, {columns(CONTACT, "k")}
FROM json_each(?) w
CROSS JOIN campaigns c ON c.account_id = w.value ->> 0 AND c.id = w.value ->> 1
CROSS JOIN attempts a ON a.campaign_no = c.no AND a.position = w.value ->> 2 AND a.n = w.value ->> 3
LEFT JOIN contacts k ON k.campaign_no = c.no AND k.position = a.position
"""
"""Attempts that reports name, with their contacts, which are gone where the campaign was discarded."""

OPEN: Final = f"""
SELECT {columns(CAMPAIGN, "c")}, {columns(ATTEMPT, "a")}, {columns(CONTACT, "k")}
FROM attempts a CROSS JOIN campaigns c ON c.no = a.campaign_no
CROSS JOIN contacts k ON k.campaign_no = a.campaign_no AND k.position = a.position
WHERE a.state <> 'done'
"""
"""All attempts that are open, with their contacts."""

CAMPAIGNS: Final = f"""
SELECT c.no, {columns(CAMPAIGN, "c")}, {columns(COUNTERS, "n")}
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

_PENDING: Final = (
    "FROM contacts k INDEXED BY {} WHERE k.campaign_no = :no AND k.status = 'pending' AND k.next_attempt_at"
)
"""The index is named: left to choose, SQLite may walk along all contacts that are through."""
FRESH: Final = f"""
SELECT {columns(CONTACT, "k")} {_PENDING.format("contacts_fresh")} IS NULL AND k.position > :position
ORDER BY k.position LIMIT :count
"""
RETRIES: Final = f"""
SELECT {columns(CONTACT, "k")} {_PENDING.format("contacts_retry")} IS NOT NULL
AND (k.next_attempt_at, k.position) > (:at, :position) ORDER BY k.next_attempt_at, k.position LIMIT :count
"""
"""The next of a campaign's pending contacts behind a time and a position."""
NEXT_RETRY: Final = f"SELECT min(k.next_attempt_at) {_PENDING.format('contacts_retry')} > :at"
"""When the first retry after a time comes."""
