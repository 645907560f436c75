-- Payments and refunds share one table, because their numbers share one space at QFPay.
CREATE TABLE entries (
    environment  TEXT    NOT NULL,
    merchant     TEXT    NOT NULL,
    number       TEXT    NOT NULL,                  -- out_trade_no
    kind         TEXT    NOT NULL CHECK (kind IN ('payment', 'refund')),
    state        TEXT    NOT NULL,
    version      INTEGER NOT NULL,                  -- one more with every change
    amount_minor INTEGER NOT NULL,
    currency     TEXT    NOT NULL,
    terms        TEXT    NOT NULL,                  -- JSON; never the payer's auth_code
    original     TEXT,                              -- a refund's payment, by syssn
    syssn        TEXT,
    respcd       TEXT,
    resperr      TEXT,
    shown        TEXT,                              -- JSON: what the payer was shown
    created_ms   INTEGER NOT NULL,
    sent_ms      INTEGER,                           -- when it last left, or was about to
    updated_ms   INTEGER NOT NULL,
    PRIMARY KEY (environment, merchant, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX entries_by_syssn ON entries (environment, merchant, syssn) WHERE syssn IS NOT NULL;
CREATE INDEX entries_by_original ON entries (environment, merchant, original)
    WHERE original IS NOT NULL;
