//! The ledger in one SQLite file, safely shared by several processes of one desk.
//!
//! WAL with `synchronous=FULL`: what was committed survives a power cut. Writers take the lock
//! first (`BEGIN IMMEDIATE`), one connection of this process at a time.
use std::{path::Path, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    types::Json,
};
use tokio::sync::OnceCell;

use super::{
    Entry, Go, Ledger, LedgerError, News, Payment, Record, Refund, Reserved, Scope,
    rows::{self, Row, select},
};
use crate::domain::{
    OrderNumber, PaymentState, PaymentTerms, RefundEvent, RefundState, RefundTerms, Syssn,
};

/// How long a writer waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Most connections that read at once.
const READERS: u32 = 4;

/// The ledger of one scope in an SQLite file.
#[derive(Debug)]
pub struct SqliteLedger {
    reader: SqlitePool,
    /// One connection: the writers of this process queue here rather than in the file's lock.
    writer: SqlitePool,
    scope: Scope,
    migrated: OnceCell<()>,
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl SqliteLedger {
    /// The ledger in `file`. The file is made, and brought up to date, at its first use, so that
    /// a server that is only probed leaves nothing behind.
    pub fn new(file: &Path, scope: Scope) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = |most| {
            SqlitePoolOptions::new().max_connections(most).connect_lazy_with(options.clone())
        };
        Self { reader: pool(READERS), writer: pool(1), scope, migrated: OnceCell::new() }
    }

    async fn reader(&self) -> Result<&SqlitePool, LedgerError> {
        self.migrated.get_or_try_init(|| migrate(&self.writer)).await?;
        Ok(&self.reader)
    }

    async fn write(&self) -> Result<Transaction<'static, Sqlite>, LedgerError> {
        self.reader().await?;
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    fn environment(&self) -> &'static str {
        self.scope.environment.name()
    }

    fn merchant(&self) -> &str {
        &self.scope.merchant
    }

    async fn reserve(
        &self,
        number: &OrderNumber,
        new: NewEntry<'_>,
        now: Timestamp,
    ) -> Result<Reserved<Entry>, LedgerError> {
        let mut transaction = self.write().await?;
        let inserted = sqlx::query(
            "INSERT INTO entries (environment, merchant, number, kind, state, version, \
             amount_minor, currency, terms, original, created_ms, updated_ms) \
             VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (environment, merchant, number) DO NOTHING",
        )
        .bind(self.environment())
        .bind(self.merchant())
        .bind(number.as_str())
        .bind(new.kind)
        .bind(new.state)
        .bind(i64::try_from(new.amount.minor()).unwrap_or(i64::MAX))
        .bind(new.amount.currency().code)
        .bind(Json(new.terms))
        .bind(new.original)
        .bind(now.as_millisecond())
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        let row: Row =
            sqlx::query_as(select!("WHERE environment = ? AND merchant = ? AND number = ?"))
                .bind(self.environment())
                .bind(self.merchant())
                .bind(number.as_str())
                .fetch_one(&mut *transaction)
                .await?;
        let entry = row.entry()?;
        transaction.commit().await?;
        Ok(if inserted == 1 { Reserved::New(entry) } else { Reserved::Taken(entry) })
    }

    /// Writes a change down if nobody was faster.
    async fn advance<T, S>(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        record: &Record<T, S>,
        to: &str,
        news: &News,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let changed = sqlx::query(
            "UPDATE entries SET state = ?, version = version + 1, syssn = coalesce(?, syssn), \
             respcd = coalesce(?, respcd), resperr = coalesce(?, resperr), \
             shown = coalesce(?, shown), updated_ms = ? \
             WHERE environment = ? AND merchant = ? AND number = ? AND version = ?",
        )
        .bind(to)
        .bind(news.syssn.as_ref().map(Syssn::as_str))
        .bind(&news.respcd)
        .bind(&news.resperr)
        .bind(rows::shown(news).map(Json))
        .bind(now.as_millisecond())
        .bind(self.environment())
        .bind(self.merchant())
        .bind(record.number.as_str())
        .bind(record.version)
        .execute(&mut **transaction)
        .await?
        .rows_affected();
        Ok(changed == 1)
    }

    async fn refunds(
        &self,
        syssn: &Syssn,
        executor: impl sqlx::Executor<'_, Database = Sqlite>,
    ) -> Result<Vec<Refund>, LedgerError> {
        let rows: Vec<Row> = sqlx::query_as(select!(
            "WHERE environment = ? AND merchant = ? AND original = ? AND kind = 'refund' \
             ORDER BY created_ms, number"
        ))
        .bind(self.environment())
        .bind(self.merchant())
        .bind(syssn.as_str())
        .fetch_all(executor)
        .await?;
        rows.into_iter().map(Row::refund).collect()
    }
}

/// What an entry begins with.
struct NewEntry<'a> {
    kind: &'static str,
    state: &'static str,
    amount: crate::domain::Amount,
    terms: Value,
    original: Option<&'a str>,
}

/// Brings the file up to date. Two processes may begin at once: the one that is second finds the
/// work done and looks again.
async fn migrate(pool: &SqlitePool) -> Result<(), LedgerError> {
    let migrator = sqlx::migrate!("src/ledger/migrations/sqlite");
    let mut tries = 0_u32;
    loop {
        match migrator.run(pool).await {
            Ok(()) => return Ok(()),
            Err(error) if tries == 20 => return Err(LedgerError::Store(error.into())),
            Err(error) => tracing::debug!(%error, "the ledger is being brought up to date"),
        }
        tries = tries.saturating_add(1);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn reserve_payment(
        &self,
        number: &OrderNumber,
        terms: &PaymentTerms,
        now: Timestamp,
    ) -> Result<Reserved<Payment>, LedgerError> {
        let new = NewEntry {
            kind: rows::PAYMENT,
            state: PaymentState::Intended.word(),
            amount: terms.amount,
            terms: rows::payment_terms(terms),
            original: None,
        };
        Ok(match self.reserve(number, new, now).await? {
            Reserved::New(Entry::Payment(payment)) => Reserved::New(payment),
            Reserved::New(other) | Reserved::Taken(other) => Reserved::Taken(other),
        })
    }

    async fn reserve_refund(
        &self,
        number: &OrderNumber,
        terms: &RefundTerms,
        now: Timestamp,
    ) -> Result<Reserved<Refund>, LedgerError> {
        let new = NewEntry {
            kind: rows::REFUND,
            state: RefundState::Intended.word(),
            amount: terms.amount,
            terms: rows::refund_terms(terms),
            original: Some(terms.syssn.as_str()),
        };
        Ok(match self.reserve(number, new, now).await? {
            Reserved::New(Entry::Refund(refund)) => Reserved::New(refund),
            Reserved::New(other) | Reserved::Taken(other) => Reserved::Taken(other),
        })
    }

    async fn find(&self, number: &OrderNumber) -> Result<Option<Entry>, LedgerError> {
        let row: Option<Row> =
            sqlx::query_as(select!("WHERE environment = ? AND merchant = ? AND number = ?"))
                .bind(self.environment())
                .bind(self.merchant())
                .bind(number.as_str())
                .fetch_optional(self.reader().await?)
                .await?;
        row.map(Row::entry).transpose()
    }

    async fn find_by_syssn(&self, syssn: &Syssn) -> Result<Option<Entry>, LedgerError> {
        let row: Option<Row> =
            sqlx::query_as(select!("WHERE environment = ? AND merchant = ? AND syssn = ?"))
                .bind(self.environment())
                .bind(self.merchant())
                .bind(syssn.as_str())
                .fetch_optional(self.reader().await?)
                .await?;
        row.map(Row::entry).transpose()
    }

    async fn refunds_of(&self, syssn: &Syssn) -> Result<Vec<Refund>, LedgerError> {
        self.refunds(syssn, self.reader().await?).await
    }

    async fn advance_payment(
        &self,
        payment: &Payment,
        to: PaymentState,
        news: &News,
        now: Timestamp,
    ) -> Result<Option<Payment>, LedgerError> {
        let mut transaction = self.write().await?;
        let ours = self.advance(&mut transaction, payment, to.word(), news, now).await?;
        transaction.commit().await?;
        Ok(ours.then(|| payment.clone().changed(to, news, now)))
    }

    async fn advance_refund(
        &self,
        refund: &Refund,
        to: RefundState,
        news: &News,
        now: Timestamp,
    ) -> Result<Option<Refund>, LedgerError> {
        let mut transaction = self.write().await?;
        let ours = self.advance(&mut transaction, refund, to.word(), news, now).await?;
        transaction.commit().await?;
        Ok(ours.then(|| refund.clone().changed(to, news, now)))
    }

    async fn send_refund(
        &self,
        refund: &Refund,
        paid_minor: u64,
        now: Timestamp,
    ) -> Result<Go, LedgerError> {
        let Ok(to) = refund.state.on(RefundEvent::Send) else { return Ok(Go::Lost) };
        let mut transaction = self.write().await?;
        let others = self.refunds(&refund.terms.syssn, &mut *transaction).await?;
        if let Some(no) = super::stands_against(refund, &others, paid_minor) {
            return Ok(no);
        }
        let news = News::default();
        if !self.advance(&mut transaction, refund, to.word(), &news, now).await? {
            return Ok(Go::Lost);
        }
        transaction.commit().await?;
        Ok(Go::Sent(refund.clone().changed(to, &news, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::conformance::{ledger_tests, scope};

    ledger_tests!(|folder: &Path, scope| SqliteLedger::new(&folder.join("ledger.db"), scope));

    #[tokio::test]
    async fn a_ledger_that_is_never_used_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger.db");
        drop(SqliteLedger::new(&file, scope("m1")));
        assert!(!file.exists());
    }

    #[tokio::test]
    async fn a_commit_is_synced_to_disk() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::new(&folder.path().join("ledger.db"), scope("m1"));
        for pool in [ledger.reader().await.unwrap(), &ledger.writer] {
            let (mode,): (String,) =
                sqlx::query_as("PRAGMA journal_mode").fetch_one(pool).await.unwrap();
            let (level,): (i64,) =
                sqlx::query_as("PRAGMA synchronous").fetch_one(pool).await.unwrap();
            assert_eq!((mode.as_str(), level), ("wal", 2));
        }
    }
}
