-- The simulator's book: payments and refunds side by side, as QFPay's enquiry lists them.
-- Times end in _ms (Unix, milliseconds) or are written as QFPay writes them (UTC+8).
CREATE TABLE IF NOT EXISTS trades (
    serial        INTEGER PRIMARY KEY,
    syssn         TEXT    NOT NULL UNIQUE,
    merchant      TEXT    NOT NULL,
    order_type    TEXT    NOT NULL,           -- payment, refund
    out_trade_no  TEXT    NOT NULL,
    pay_type      TEXT    NOT NULL,
    txamt         INTEGER NOT NULL,
    txcurrcd      TEXT    NOT NULL,
    txdtm         TEXT    NOT NULL,
    sysdtm        TEXT    NOT NULL,
    created_ms    INTEGER NOT NULL,
    udid          TEXT    NOT NULL,
    goods_name    TEXT    NOT NULL,
    return_url    TEXT    NOT NULL,
    auth_digest   TEXT,                       -- of a payer's code that was used
    origssn       TEXT,                       -- a refund's payment
    answered      TEXT    NOT NULL,           -- the respcd the call was answered with; blank: a checkout page's
    waiting       TEXT    NOT NULL,           -- the respcd while nothing is decided
    pays_ms       INTEGER,                    -- when it becomes 0000 by itself
    expires_ms    INTEGER NOT NULL,
    settled       TEXT,                       -- the respcd somebody decided on
    settled_ms    INTEGER,
    cancelled     INTEGER NOT NULL DEFAULT 0, -- 1 reversed, 2 closed
    notify_url    TEXT    NOT NULL,
    notify_due_ms INTEGER,
    notify_tries  INTEGER NOT NULL DEFAULT 0,
    notify_note   TEXT    NOT NULL DEFAULT ''
) STRICT;
-- Older books let no number have several trades, as those of a checkout page do.
DROP INDEX IF EXISTS trades_number;
CREATE INDEX IF NOT EXISTS trades_of_number ON trades (merchant, out_trade_no);
CREATE UNIQUE INDEX IF NOT EXISTS trades_code ON trades (merchant, auth_digest) WHERE auth_digest IS NOT NULL;
CREATE INDEX IF NOT EXISTS trades_origssn ON trades (origssn) WHERE origssn IS NOT NULL;
CREATE INDEX IF NOT EXISTS trades_sysdtm ON trades (merchant, sysdtm);
CREATE INDEX IF NOT EXISTS trades_notify ON trades (notify_due_ms) WHERE notify_due_ms IS NOT NULL;
