-- For the repeat guard, retried writes, and payments that were paid after they had been given up.
ALTER TABLE entries ADD COLUMN digest  TEXT;                       -- of the terms
ALTER TABLE entries ADD COLUMN attempt TEXT;                       -- who sent it last, a random word
ALTER TABLE entries ADD COLUMN late    INTEGER NOT NULL DEFAULT 0; -- succeeded after it had ended

CREATE INDEX entries_by_time ON entries (environment, merchant, created_ms, number);
CREATE INDEX entries_by_digest ON entries (environment, merchant, digest, updated_ms);
-- Those of before; their digest is filled in when the ledger is opened.
CREATE INDEX entries_without_digest ON entries (environment) WHERE digest IS NULL;
CREATE INDEX entries_unfinished ON entries (environment, merchant, created_ms, number)
    WHERE state IN ('sent', 'pending', 'in_doubt');

-- What happened, in order; rows are only ever added.
CREATE TABLE events (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    environment TEXT    NOT NULL,
    merchant    TEXT    NOT NULL,
    at_ms       INTEGER NOT NULL,
    number      TEXT,                              -- of the entry it is about, if of one
    what        TEXT    NOT NULL,
    tool        TEXT    NOT NULL,
    transport   TEXT    NOT NULL,
    client      TEXT,
    principal   TEXT,
    terms       TEXT,                              -- JSON; never the payer's auth_code
    from_state  TEXT,
    to_state    TEXT,
    respcd      TEXT,
    detail      TEXT
) STRICT;

CREATE INDEX events_by_number ON events (environment, merchant, number, id)
    WHERE number IS NOT NULL;

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TRIGGER events_are_not_removed BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;

-- Work that one process at a time does for all.
CREATE TABLE leases (
    environment TEXT    NOT NULL,
    merchant    TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    holder      TEXT    NOT NULL,
    until_ms    INTEGER NOT NULL,
    PRIMARY KEY (environment, merchant, name)
) STRICT, WITHOUT ROWID;
