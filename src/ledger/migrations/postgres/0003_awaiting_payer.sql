-- The same as SQLite's fourth.
-- In a large ledger the index takes its time.
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;

DROP INDEX entries_unfinished;
CREATE INDEX entries_unfinished ON entries (created_ms, number)
    WHERE state IN ('sent', 'awaiting_payer', 'pending', 'in_doubt');
