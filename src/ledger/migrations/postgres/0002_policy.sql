-- The same as SQLite's third; see there for what the columns are.
-- In a large ledger the indexes take their time.
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;

CREATE INDEX entries_by_day ON entries (sent_ms)
    INCLUDE (environment, merchant, kind, currency, state, amount_minor);

CREATE TABLE approvals (
    environment TEXT   NOT NULL,
    merchant    TEXT   NOT NULL,
    code        TEXT   NOT NULL,
    number      TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    question    JSONB  NOT NULL,
    nonce       TEXT   NOT NULL,
    state       TEXT   NOT NULL
        CHECK (state IN ('asked', 'waiting', 'approved', 'declined', 'used', 'lapsed')),
    asked_by    TEXT   NOT NULL,
    decided_by  TEXT,
    asked_ms    BIGINT NOT NULL,
    expires_ms  BIGINT NOT NULL,
    PRIMARY KEY (code, merchant, environment)
);

CREATE INDEX approvals_by_number ON approvals (number);
CREATE INDEX approvals_by_end ON approvals (expires_ms);

CREATE TABLE chain (
    environment TEXT   NOT NULL,
    merchant    TEXT   NOT NULL,
    seq         BIGINT NOT NULL,
    event_id    BIGINT NOT NULL,
    hash        TEXT   NOT NULL,
    PRIMARY KEY (environment, merchant, seq)
);

CREATE TABLE chain_start (
    environment TEXT   NOT NULL,
    merchant    TEXT   NOT NULL,
    rows        BIGINT NOT NULL,
    last_id     BIGINT NOT NULL,
    PRIMARY KEY (environment, merchant)
);

INSERT INTO chain_start SELECT environment, merchant, count(*), max(id) FROM events GROUP BY 1, 2;

CREATE INDEX events_by_time ON events (at_ms, id);

CREATE FUNCTION chain_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the chain is only ever added to'; END $$;
CREATE TRIGGER chain_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON chain
    FOR EACH STATEMENT EXECUTE FUNCTION chain_is_only_added_to();

CREATE TRIGGER chain_start_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON chain_start
    FOR EACH STATEMENT EXECUTE FUNCTION chain_is_only_added_to();

-- One part of what is hashed, as `domain::digest` writes it.
CREATE FUNCTION chain_part(part TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN part IS NULL THEN '-'
               ELSE octet_length(convert_to(part, 'UTF8')) || ':' || part END $$;

-- Rows of the audit that do not hang in the chain yet.
CREATE TABLE chain_queue (
    environment TEXT   NOT NULL,
    merchant    TEXT   NOT NULL,
    event_id    BIGINT NOT NULL,
    PRIMARY KEY (environment, merchant, event_id)
);

-- Hangs all that waits behind the last link. Nobody waits for anybody: where another transaction is
-- doing so, what it does not see yet is left to the next one, or to who verifies the chain.
CREATE FUNCTION chain_up(of_environment TEXT, of_merchant TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    e RECORD;
    last_seq BIGINT;
    last_hash TEXT;
    ids BIGINT[] := '{}';
    hashes TEXT[] := '{}';
BEGIN
    IF NOT pg_try_advisory_xact_lock(
        hashtextextended('chain|' || of_environment || '|' || of_merchant, 0))
    THEN
        RETURN;
    END IF;
    SELECT seq, hash INTO last_seq, last_hash FROM chain
        WHERE environment = of_environment AND merchant = of_merchant
        ORDER BY seq DESC LIMIT 1;
    last_seq := coalesce(last_seq, 0);
    FOR e IN
        WITH taken AS (DELETE FROM chain_queue WHERE environment = of_environment
            AND merchant = of_merchant RETURNING event_id)
        SELECT events.* FROM taken JOIN events ON events.id = taken.event_id ORDER BY events.id
    LOOP
        ids := ids || e.id;
        last_hash := encode(sha256(convert_to(
            chain_part(last_hash) || chain_part((last_seq + cardinality(ids))::TEXT)
            || chain_part(e.environment) || chain_part(e.merchant) || chain_part(e.at_ms::TEXT)
            || chain_part(e.number) || chain_part(e.what) || chain_part(e.tool)
            || chain_part(e.transport) || chain_part(e.client) || chain_part(e.principal)
            || chain_part(e.terms::TEXT) || chain_part(e.from_state) || chain_part(e.to_state)
            || chain_part(e.respcd) || chain_part(e.detail), 'UTF8')), 'hex');
        hashes := hashes || last_hash;
    END LOOP;
    INSERT INTO chain (environment, merchant, seq, event_id, hash)
        SELECT of_environment, of_merchant, last_seq + at, id, hash
        FROM unnest(ids, hashes) WITH ORDINALITY AS u(id, hash, at);
END $$;

CREATE FUNCTION chain_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chain_queue (environment, merchant, event_id)
        SELECT environment, merchant, id FROM added;
    PERFORM chain_up(whose.environment, whose.merchant)
        FROM (SELECT DISTINCT environment, merchant FROM added) AS whose;
    RETURN NULL;
END $$;

CREATE TRIGGER events_are_chained AFTER INSERT ON events
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION chain_events();
