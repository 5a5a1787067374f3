"""The tables, version by version. A file of an older version is brought up when it is opened.

Times are whole microseconds since 1970, UTC. ``campaign_no`` stands for a campaign's account and id, which are long, in
the tables of which there are many rows. A campaign's contacts are there before it is, as an upload's, under its number.
"""

from typing import Final

APPLICATION_ID: Final = 0x4B617456
"""``KatV``: marks the file as ours, so that another program's is never written to."""

_FIRST = """
CREATE TABLE owner (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    pid INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    cycle INTEGER NOT NULL
) STRICT;
INSERT INTO owner VALUES (1, 0, 0, 0);

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    minute INTEGER NOT NULL,
    day INTEGER NOT NULL,
    calls_this_minute INTEGER NOT NULL,
    calls_today INTEGER NOT NULL,
    seconds_today REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE uploads (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    campaign_id TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE campaigns (
    no INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    phone_number_id TEXT NOT NULL,
    status TEXT NOT NULL,
    max_concurrent_calls INTEGER NOT NULL,
    retries_per_contact INTEGER NOT NULL,
    retry_delay_seconds INTEGER NOT NULL,
    scheduled_at INTEGER,
    started_at INTEGER,
    completed_at INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    is_deleted INTEGER NOT NULL
) STRICT;
CREATE INDEX campaigns_newest ON campaigns (account_id, created_at, no) WHERE is_deleted = 0;
CREATE INDEX campaigns_running ON campaigns (account_id, max_concurrent_calls) WHERE status = 'running';
CREATE INDEX campaigns_scheduled ON campaigns (account_id, scheduled_at) WHERE status = 'scheduled' AND is_deleted = 0;
CREATE INDEX campaigns_deleted ON campaigns (account_id, id) WHERE is_deleted = 1;

CREATE TABLE counters (
    campaign_no INTEGER PRIMARY KEY REFERENCES campaigns (no),
    pending INTEGER NOT NULL,
    in_progress INTEGER NOT NULL,
    completed INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    suppressed INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    calls_in_flight INTEGER NOT NULL,
    outcomes TEXT NOT NULL,
    last_dial_at INTEGER,
    sequence INTEGER NOT NULL
) STRICT;

CREATE TABLE contacts (
    campaign_no INTEGER NOT NULL,
    position INTEGER NOT NULL,
    phone_number TEXT NOT NULL,
    custom_fields TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    claims INTEGER NOT NULL DEFAULT 0,
    last_outcome TEXT,
    last_attempt_at INTEGER,
    next_attempt_at INTEGER,
    updated_at INTEGER,
    PRIMARY KEY (campaign_no, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_fresh ON contacts (campaign_no, position) WHERE status = 'pending' AND next_attempt_at IS NULL;
CREATE INDEX contacts_retry ON contacts (campaign_no, next_attempt_at, position)
    WHERE status = 'pending' AND next_attempt_at IS NOT NULL;

CREATE TABLE rejects (
    no INTEGER PRIMARY KEY,
    campaign_no INTEGER NOT NULL,
    line INTEGER NOT NULL,
    "column" TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT;
CREATE INDEX rejects_of ON rejects (campaign_no, no);

CREATE TABLE attempts (
    campaign_no INTEGER NOT NULL REFERENCES campaigns (no),
    position INTEGER NOT NULL,
    n INTEGER NOT NULL,
    account_id TEXT NOT NULL,
    phone_number TEXT NOT NULL,
    claimed_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    call_id TEXT,
    answered_at INTEGER,
    ended_at INTEGER,
    outcome TEXT,
    duration_s REAL,
    PRIMARY KEY (campaign_no, position, n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX attempts_open_contact ON attempts (campaign_no, position) WHERE state <> 'done';
CREATE UNIQUE INDEX attempts_open_number ON attempts (account_id, phone_number) WHERE state <> 'done';
CREATE INDEX attempts_claimed ON attempts (campaign_no, claimed_at);
"""

_SECOND = """
CREATE TABLE receipts (
    account_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    note TEXT NOT NULL,
    answer TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account_id, scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_oldest ON receipts (account_id, at);
"""

MIGRATIONS: Final = (_FIRST, _SECOND)
"""What brings a file from version n to n + 1, for each n from 0. Never changed once released: only added to."""

VERSION: Final = len(MIGRATIONS)
