"""What users read, as SQL: the account first in each, a campaign that is deleted in none."""

from typing import Final

from kataven_core import ContactStatus

from .rows import ATTEMPT, CAMPAIGN, CONTACT, COUNTERS, RECEIPT, columns

LAST_PAGE: Final = 2**40
"""Pages behind this one are empty for certain, and their rows' numbers no longer fit into 64 bits."""

_THE_CAMPAIGN: Final = """
FROM campaigns c CROSS JOIN counters n ON n.campaign_no = c.no {}
WHERE c.account_id = :account_id AND c.id = :campaign_id AND c.is_deleted = 0
"""

ACCOUNT: Final = "SELECT account FROM accounts WHERE id = :account_id"

NEWEST: Final = f"""
SELECT {columns(CAMPAIGN, "c")} FROM campaigns c
WHERE c.account_id = :account_id AND c.is_deleted = 0 ORDER BY c.created_at DESC, c.no DESC
"""

RECORD: Final = f"SELECT {columns(CAMPAIGN, 'c')}, {columns(COUNTERS, 'n')} {_THE_CAMPAIGN.format('')}"

_TOTAL: Final = " + ".join(f"n.{status.value}" for status in ContactStatus)
_COUNT: Final = " ".join(f"WHEN '{status.value}' THEN n.{status.value}" for status in ContactStatus)
_ROWS: Final = f"""
SELECT {{}}, (
    SELECT json_group_array(json_array({columns(CONTACT[:-1], "k")}, coalesce(k.updated_at, c.created_at)))
    FROM (SELECT * FROM contacts s WHERE s.campaign_no = c.no AND {{}}) k
) {_THE_CAMPAIGN.format("")}
"""
"""How many there are, and the rows of a page as JSON: in one step, as each step of many is a wait for the interpreter.

A contact that nothing has happened to is as old as its campaign.
"""
PAGE: Final = _ROWS.format(_TOTAL, "s.position >= :first AND s.position < :first + :count")
PAGE_IN_STATUS: Final = _ROWS.format(
    f"CASE :status {_COUNT} END", "s.status = :status ORDER BY s.position LIMIT :count OFFSET :first"
)

_REJECTED: Final = """
LEFT JOIN rejects r ON r.no IN (
    SELECT s.no FROM rejects s WHERE s.campaign_no = c.no ORDER BY s.no LIMIT :count OFFSET :first
)
"""
REJECTS: Final = f"""
SELECT r.line, r."column", r.code, r.message, r.value {_THE_CAMPAIGN.format(_REJECTED)} ORDER BY r.no
"""

DIALS: Final = f"""
SELECT (
    SELECT count(*) FROM attempts a WHERE a.campaign_no = c.no AND a.claimed_at >= :since AND a.outcome IS NOT 'unsent'
) {_THE_CAMPAIGN.format("")}
"""

RECEIPT_OF: Final = f"""
SELECT {columns(RECEIPT, "r")} FROM receipts r WHERE r.account_id = :account_id AND r.scope = :scope AND r.key = :key
"""

# At the start, over all accounts.

OPEN_ATTEMPTS: Final = f"""
SELECT c.id, {columns(ATTEMPT, "a")} FROM attempts a JOIN campaigns c ON c.no = a.campaign_no WHERE a.state <> 'done'
"""
TO_GO_ON_WITH: Final = """
SELECT account_id, id FROM campaigns WHERE status = 'running'
UNION ALL
SELECT account_id, id FROM campaigns WHERE status = 'scheduled' AND is_deleted = 0
"""
DELETED: Final = """
SELECT account_id, id FROM campaigns c WHERE is_deleted = 1
AND EXISTS (SELECT 1 FROM contacts k WHERE k.campaign_no = c.no)
"""
