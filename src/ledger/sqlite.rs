//! The ledger in one SQLite file, safely shared by several processes of one desk.
//!
//! WAL with `synchronous=FULL`: what was committed survives a power cut. Writers take the lock
//! first (`BEGIN IMMEDIATE`), one connection of this process at a time.
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::{
    Sqlite, SqliteConnection, SqlitePool,
    pool::PoolConnection,
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
    file: PathBuf,
    /// Which file was opened and brought up to date.
    opened: OnceCell<Identity>,
}

/// What tells a file apart from another one of the same name.
type Identity = Option<(u64, u64)>;

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
        let file = file.to_path_buf();
        Self { reader: pool(READERS), writer: pool(1), scope, file, opened: OnceCell::new() }
    }

    async fn reader(&self) -> Result<&SqlitePool, LedgerError> {
        let opened = self.opened.get_or_try_init(|| open(&self.file, &self.writer)).await?;
        // What is written to a file that has lost its name is on no disk after a restart.
        if identity(&self.file) != *opened {
            let file = self.file.display();
            let text = format!("{file} was moved or deleted while in use; restart the server");
            return Err(LedgerError::Store(text.into()));
        }
        Ok(&self.reader)
    }

    async fn write(&self) -> Result<Write, LedgerError> {
        self.reader().await?;
        let mut write = Write { connection: self.writer.acquire().await?, committed: false };
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *write.connection).await?;
        Ok(write)
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
        .execute(transaction.on())
        .await?
        .rows_affected();
        let row: Row =
            sqlx::query_as(select!("WHERE environment = ? AND merchant = ? AND number = ?"))
                .bind(self.environment())
                .bind(self.merchant())
                .bind(number.as_str())
                .fetch_one(transaction.on())
                .await?;
        let entry = row.entry()?;
        transaction.commit().await?;
        Ok(if inserted == 1 { Reserved::New(entry) } else { Reserved::Taken(entry) })
    }

    /// Writes a change down if nobody was faster.
    async fn advance<T, S>(
        &self,
        transaction: &mut SqliteConnection,
        record: &Record<T, S>,
        to: &str,
        news: &News,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let changed = sqlx::query(
            "UPDATE entries SET state = ?, version = version + 1, syssn = coalesce(?, syssn), \
             respcd = coalesce(?, respcd), resperr = coalesce(?, resperr), \
             shown = coalesce(?, shown), sent_ms = coalesce(?, sent_ms), updated_ms = ? \
             WHERE environment = ? AND merchant = ? AND number = ? AND version = ?",
        )
        .bind(to)
        .bind(news.syssn.as_ref().map(Syssn::as_str))
        .bind(&news.respcd)
        .bind(&news.resperr)
        .bind(rows::shown(news).map(Json))
        .bind((to == PaymentState::Sent.word()).then(|| now.as_millisecond()))
        .bind(now.as_millisecond())
        .bind(self.environment())
        .bind(self.merchant())
        .bind(record.number.as_str())
        .bind(record.version)
        .execute(transaction)
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

/// A transaction that writes. One that does not commit takes its connection with it: whatever
/// state an error or a dropped call left it in is gone, and SQLite undoes what was written.
struct Write {
    connection: PoolConnection<Sqlite>,
    committed: bool,
}

impl Write {
    fn on(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    async fn commit(mut self) -> Result<(), LedgerError> {
        sqlx::raw_sql("COMMIT").execute(self.on()).await?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        if !self.committed {
            self.connection.close_on_drop();
        }
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

/// Makes the file and its folder, if need be for the owner only, and brings it up to date.
async fn open(file: &Path, pool: &SqlitePool) -> Result<Identity, LedgerError> {
    let folder = file.parent().unwrap_or(Path::new(""));
    if !folder.as_os_str().is_empty() && !folder.exists() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(|error| LedgerError::Store(error.into()))?;
    }
    migrate(pool).await?;
    Ok(identity(file))
}

#[cfg(unix)]
fn identity(file: &Path) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(file).ok().map(|it| (it.dev(), it.ino()))
}

#[cfg(not(unix))]
fn identity(file: &Path) -> Identity {
    file.exists().then_some((0, 0))
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
        let ours = self.advance(transaction.on(), payment, to.word(), news, now).await?;
        transaction.commit().await?;
        Ok(ours.then(|| payment.clone().changed(to, to == PaymentState::Sent, news, now)))
    }

    async fn advance_refund(
        &self,
        refund: &Refund,
        to: RefundState,
        news: &News,
        now: Timestamp,
    ) -> Result<Option<Refund>, LedgerError> {
        let mut transaction = self.write().await?;
        let ours = self.advance(transaction.on(), refund, to.word(), news, now).await?;
        transaction.commit().await?;
        Ok(ours.then(|| refund.clone().changed(to, to == RefundState::Sent, news, now)))
    }

    async fn send_refund(
        &self,
        refund: &Refund,
        paid_minor: u64,
        now: Timestamp,
    ) -> Result<Go, LedgerError> {
        let Ok(to) = refund.state.on(RefundEvent::Send) else { return Ok(Go::Lost) };
        let mut transaction = self.write().await?;
        let others = self.refunds(&refund.terms.syssn, transaction.on()).await?;
        if let Some(no) = super::stands_against(refund, &others, paid_minor) {
            return Ok(no);
        }
        let news = News::default();
        if !self.advance(transaction.on(), refund, to.word(), &news, now).await? {
            return Ok(Go::Lost);
        }
        transaction.commit().await?;
        Ok(Go::Sent(refund.clone().changed(to, true, &news, now)))
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

    fn payment_terms() -> PaymentTerms {
        let currency = crate::spec::Currency::find("HKD").unwrap();
        PaymentTerms {
            amount: crate::domain::Amount::from_minor(1, currency).unwrap(),
            pay_type: crate::spec::PayType::find("800201").unwrap(),
            extras: std::collections::BTreeMap::new(),
        }
    }

    async fn reserve(ledger: &SqliteLedger, number: &str) -> Result<(), String> {
        let number = number.parse().unwrap();
        let now = "2026-11-23T06:30:05Z".parse().unwrap();
        let reserved = ledger.reserve_payment(&number, &payment_terms(), now).await;
        reserved.map(|_| ()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_write_that_failed_or_was_given_up_does_not_spoil_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::new(&folder.path().join("ledger.db"), scope("m1"));
        reserve(&ledger, "A1").await.unwrap();
        // Given up in the middle of a transaction.
        let mut write = ledger.write().await.unwrap();
        sqlx::raw_sql("DELETE FROM entries").execute(write.on()).await.unwrap();
        drop(write);
        // The disk is full: no page may be added.
        let mut write = ledger.write().await.unwrap();
        sqlx::raw_sql("PRAGMA max_page_count = 1").execute(write.on()).await.unwrap();
        let blob = "CREATE TABLE big AS SELECT zeroblob(900000)";
        assert!(sqlx::raw_sql(blob).execute(write.on()).await.is_err());
        drop(write);
        reserve(&ledger, "A2").await.unwrap();
        assert!(ledger.find(&"A1".parse().unwrap()).await.unwrap().is_some());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_file_that_was_deleted_or_replaced_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger.db");
        let ledger = SqliteLedger::new(&file, scope("m1"));
        reserve(&ledger, "A1").await.unwrap();
        std::fs::rename(&file, folder.path().join("moved.db")).unwrap();
        let told = reserve(&ledger, "A2").await.unwrap_err();
        assert!(told.contains("was moved or deleted while in use; restart the server"), "{told}");
        reserve(&SqliteLedger::new(&file, scope("m1")), "A2").await.unwrap();
        assert!(reserve(&ledger, "A3").await.is_err());
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
