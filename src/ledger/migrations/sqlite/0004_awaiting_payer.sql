-- What awaits its payer on a checkout page is unfinished, too.
DROP INDEX entries_unfinished;
CREATE INDEX entries_unfinished ON entries (environment, merchant, created_ms, number)
    WHERE state IN ('sent', 'awaiting_payer', 'pending', 'in_doubt');
