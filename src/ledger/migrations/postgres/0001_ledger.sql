-- The same tables as SQLite's; see there for what the columns are. Each index begins with what tells
-- most apart: with a common beginning the planner, as long as it has no statistics, takes any of them.
CREATE TABLE entries (
    environment  TEXT    NOT NULL,
    merchant     TEXT    NOT NULL,
    number       TEXT    NOT NULL,
    kind         TEXT    NOT NULL CHECK (kind IN ('payment', 'refund')),
    state        TEXT    NOT NULL,
    version      BIGINT  NOT NULL,
    amount_minor BIGINT  NOT NULL,
    currency     TEXT    NOT NULL,
    terms        JSONB   NOT NULL,
    original     TEXT,
    syssn        TEXT,
    respcd       TEXT,
    resperr      TEXT,
    shown        JSONB,
    created_ms   BIGINT  NOT NULL,
    sent_ms      BIGINT,
    updated_ms   BIGINT  NOT NULL,
    digest       TEXT,
    attempt      TEXT,
    late         BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (number, merchant, environment)
);

CREATE INDEX entries_by_syssn ON entries (syssn) WHERE syssn IS NOT NULL;
CREATE INDEX entries_by_original ON entries (original) WHERE original IS NOT NULL;
CREATE INDEX entries_by_time ON entries (created_ms, number);
CREATE INDEX entries_by_digest ON entries (digest, updated_ms);
CREATE INDEX entries_unfinished ON entries (created_ms, number)
    WHERE state IN ('sent', 'pending', 'in_doubt');

CREATE TABLE events (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment TEXT   NOT NULL,
    merchant    TEXT   NOT NULL,
    at_ms       BIGINT NOT NULL,
    number      TEXT,
    what        TEXT   NOT NULL,
    tool        TEXT   NOT NULL,
    transport   TEXT   NOT NULL,
    client      TEXT,
    principal   TEXT,
    terms       JSONB,
    from_state  TEXT,
    to_state    TEXT,
    respcd      TEXT,
    detail      TEXT
);

CREATE INDEX events_by_number ON events (number, id) WHERE number IS NOT NULL;

CREATE FUNCTION events_are_only_added() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'events are only ever added'; END $$;
CREATE TRIGGER events_are_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_are_only_added();

CREATE TABLE leases (
    environment TEXT   NOT NULL,
    merchant    TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    holder      TEXT   NOT NULL,
    until_ms    BIGINT NOT NULL,
    PRIMARY KEY (environment, merchant, name)
);

-- When the last requests to QFPay left or will leave, for the pace that all replicas share.
CREATE TABLE turns (
    environment TEXT     NOT NULL,
    merchant    TEXT     NOT NULL,
    at_us       BIGINT[] NOT NULL,
    PRIMARY KEY (environment, merchant)
);
