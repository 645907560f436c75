-- What counts towards the limits of a day and of an hour, read from this index alone.
CREATE INDEX entries_by_day
    ON entries (environment, merchant, kind, sent_ms, currency, state, amount_minor);

-- What persons were asked and said, and which of their answers are used up.
CREATE TABLE approvals (
    environment TEXT    NOT NULL,
    merchant    TEXT    NOT NULL,
    code        TEXT    NOT NULL,                  -- what a person types, or a sealed answer's id
    number      TEXT    NOT NULL,                  -- of the payment or refund
    digest      TEXT    NOT NULL,                  -- of all that it is about
    question    TEXT    NOT NULL,                  -- JSON: what the person is shown
    nonce       TEXT    NOT NULL,                  -- of the page's form
    state       TEXT    NOT NULL
        CHECK (state IN ('asked', 'waiting', 'approved', 'declined', 'used', 'lapsed')),
    asked_by    TEXT    NOT NULL,                  -- the client, as it says itself
    decided_by  TEXT,
    asked_ms    INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL,
    PRIMARY KEY (environment, merchant, code)
) STRICT, WITHOUT ROWID;

CREATE INDEX approvals_by_number ON approvals (environment, merchant, number);
-- What is over is forgotten after a day; the audit keeps it.
CREATE INDEX approvals_by_end ON approvals (environment, merchant, expires_ms);

-- Each row of the audit, with a hash over it and over the row before it.
CREATE TABLE chain (
    environment TEXT    NOT NULL,
    merchant    TEXT    NOT NULL,
    seq         INTEGER NOT NULL,                  -- 1, 2, 3 … of the merchant
    event_id    INTEGER NOT NULL,
    hash        TEXT    NOT NULL,
    PRIMARY KEY (environment, merchant, seq)
) STRICT, WITHOUT ROWID;

-- What was in the audit before there was a chain: it is not covered, but it is counted.
CREATE TABLE chain_start (
    environment TEXT    NOT NULL,
    merchant    TEXT    NOT NULL,
    rows        INTEGER NOT NULL,
    last_id     INTEGER NOT NULL,
    PRIMARY KEY (environment, merchant)
) STRICT, WITHOUT ROWID;

INSERT INTO chain_start SELECT environment, merchant, count(*), max(id) FROM events GROUP BY 1, 2;

CREATE INDEX events_by_time ON events (environment, merchant, at_ms, id);

CREATE TRIGGER chain_is_not_changed BEFORE UPDATE ON chain
BEGIN SELECT RAISE(ABORT, 'the chain is only ever added to'); END;
CREATE TRIGGER chain_is_not_removed BEFORE DELETE ON chain
BEGIN SELECT RAISE(ABORT, 'the chain is only ever added to'); END;
CREATE TRIGGER chain_start_is_not_changed BEFORE UPDATE ON chain_start
BEGIN SELECT RAISE(ABORT, 'the start of the chain stays'); END;
CREATE TRIGGER chain_start_is_not_removed BEFORE DELETE ON chain_start
BEGIN SELECT RAISE(ABORT, 'the start of the chain stays'); END;
