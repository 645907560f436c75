//! The simulator's book: every payment and refund, in one SQLite file that several processes may
//! share.
//!
//! It knows times and states, not the wire and not the rules. How a trade stands is computed when
//! it is read, from the moment of reading; nothing has to happen for an order to be paid or to
//! expire.
mod read;
mod write;

use std::{path::Path, time::Duration};

use sqlx::{
    ConnectOptions as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub(super) use self::{read::Filter, write::NewTrade};
use crate::spec::{Flow, PayType};

const SCHEMA: &str = include_str!("schema.sql");
/// How long a writer waits for another process.
const BUSY: Duration = Duration::from_secs(5);
const READERS: u32 = 4;
/// Turning a new file to WAL ignores [`BUSY`]; two processes that start at once try again.
const OPEN_TRIES: u32 = 40;
const OPEN_PAUSE: Duration = Duration::from_millis(50);

/// Why the book could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the simulator's book failed: {0}")]
pub struct BookError(#[from] sqlx::Error);

/// The open book.
#[derive(Debug)]
pub(super) struct Book {
    readers: SqlitePool,
    /// One connection, so that writers of this process queue here and not in SQLite.
    writer: SqlitePool,
}

/// What an order or refund is in QFPay's enquiry.
pub(super) const PAYMENT: &str = "payment";
pub(super) const REFUND: &str = "refund";

/// The respcd of what is paid or refunded.
pub(super) const PAID: &str = "0000";

/// One payment or refund, as it stands at the moment of reading.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Trade {
    pub(super) syssn: String,
    pub(super) order_type: String,
    pub(super) out_trade_no: String,
    pub(super) pay_type: String,
    /// Minor units.
    pub(super) txamt: i64,
    pub(super) txcurrcd: String,
    pub(super) txdtm: String,
    pub(super) sysdtm: String,
    pub(super) created_ms: i64,
    pub(super) udid: String,
    pub(super) goods_name: String,
    pub(super) return_url: String,
    /// The payment's syssn, of a refund.
    pub(super) origssn: Option<String>,
    /// The payment's number, of a refund.
    pub(super) orig_out_trade_no: Option<String>,
    pub(super) answered: String,
    pub(super) waiting: String,
    /// The state: [`PAID`], the waiting code, or what ended it.
    pub(super) respcd: String,
    pub(super) paid_ms: Option<i64>,
    pub(super) cancelled: i64,
    /// Refunded by now, minor units.
    pub(super) refunded: i64,
    /// Refunded or being refunded, minor units.
    pub(super) promised: i64,
    pub(super) notify_url: String,
    pub(super) notify_due_ms: Option<i64>,
    pub(super) notify_tries: i64,
    pub(super) notify_note: String,
}

impl Trade {
    pub(super) fn is_payment(&self) -> bool {
        self.order_type == PAYMENT
    }

    pub(super) fn is_paid(&self) -> bool {
        self.respcd == PAID
    }

    /// Whether neither the payer nor the clock nor a call has decided it.
    pub(super) fn is_waiting(&self) -> bool {
        self.respcd == self.waiting
    }

    pub(super) fn pay_type(&self) -> Option<&'static PayType> {
        PayType::find(&self.pay_type)
    }

    pub(super) fn flow(&self) -> Option<Flow> {
        self.pay_type().map(|it| it.flow)
    }

    /// QFPay's `cancel`: 0 none, 1 reversed (or a payer's code refunded), 2 closed, 3 refunded,
    /// 5 refunded in part (contract §1.2).
    pub(super) fn cancel(&self) -> &'static str {
        let by_code = self.flow() == Some(Flow::Cpm);
        match self.cancelled {
            1 => "1",
            2 => "2",
            _ if self.refunded == 0 => "0",
            _ if self.refunded < self.txamt => "5",
            _ if by_code => "1",
            _ => "3",
        }
    }

    /// What can still be refunded, minor units.
    pub(super) fn refundable(&self) -> i64 {
        if self.cancelled == 0 { self.txamt.saturating_sub(self.promised) } else { 0 }
    }
}

impl Book {
    /// Opens the book at `path`, and makes it, and its folder, if there is none.
    pub(super) async fn open(path: &Path) -> Result<Self, BookError> {
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(sqlx::Error::Io)?;
        }
        let options = options(path).create_if_missing(true);
        let mut tries = 1;
        let writer = loop {
            let made = async {
                let writer = pool(1).connect_with(options.clone()).await?;
                sqlx::raw_sql(SCHEMA).execute(&writer).await?;
                Ok::<_, sqlx::Error>(writer)
            };
            match made.await {
                Ok(writer) => break writer,
                Err(error) if tries < OPEN_TRIES && is_busy(&error) => {
                    tries += 1;
                    tokio::time::sleep(OPEN_PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        };
        let readers = pool(READERS).connect_lazy_with(options);
        Ok(Self { readers, writer })
    }

    /// Opens the book at `path`, which must be there, to read it.
    pub(super) async fn open_to_read(path: &Path) -> Result<Self, BookError> {
        let writer = pool(1).connect_with(options(path)).await?;
        Ok(Self { readers: writer.clone(), writer })
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .disable_statement_logging()
}

fn pool(most: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(most)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// `SQLITE_BUSY` or `SQLITE_LOCKED`, plain or extended.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    let code = code.and_then(|it| it.parse::<u32>().ok());
    code.is_some_and(|it| matches!(it & 0xff, 5 | 6))
}
