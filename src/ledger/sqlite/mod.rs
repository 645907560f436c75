//! The ledger in one SQLite file, safely shared by several processes of one desk.
//!
//! WAL with `synchronous=FULL`: what was committed survives a power cut. All that this process
//! writes goes through one `Writer`, which takes the file's lock first (`BEGIN IMMEDIATE`).
mod writer;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Sqlite, SqlitePool,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::OnceCell;

use self::writer::Writer;
use super::{
    Asked, Decision, Lapsed, LedgerError, Scope,
    approval::ApprovalRow,
    open::{Outcome, Wanted, open},
    port::ledger,
    rows,
    store::{Approvals as _, ChangeRow, Lease, NewEvent, Store as _, Write as _},
};

/// How long a writer waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Most connections that read at once.
const READERS: u32 = 4;

/// The ledger of one scope in an SQLite file.
#[derive(Debug)]
pub struct SqliteLedger {
    options: SqliteConnectOptions,
    reader: SqlitePool,
    writer: OnceCell<Writer>,
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
    /// The ledger in `file`. The file is made, and brought up to date, by the first that writes,
    /// so that a server that is only probed leaves nothing behind.
    pub fn new(file: &Path, scope: Scope) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .connect_lazy_with(options.clone());
        let (writer, opened) = (OnceCell::new(), OnceCell::new());
        Self { options, reader, writer, scope, file: file.to_path_buf(), opened }
    }

    /// The file is there, up to date, and the one that was opened first.
    async fn ready(&self) -> Result<(), LedgerError> {
        let opened = self.opened.get_or_try_init(|| prepare(&self.file, &self.reader)).await?;
        // What is written to a file that has lost its name is on no disk after a restart.
        if identity(&self.file) != *opened {
            let file = self.file.display();
            let text =
                format!("{file} was moved, deleted or emptied while in use; restart the server");
            return Err(LedgerError::Store(text.into()));
        }
        Ok(())
    }

    /// A connection to read with; none while nothing was ever written.
    async fn reader(&self) -> Result<Option<PoolConnection<Sqlite>>, LedgerError> {
        if !self.opened.initialized() && !self.file.exists() {
            return Ok(None);
        }
        self.ready().await?;
        Ok(Some(self.reader.acquire().await?))
    }

    async fn writer(&self) -> Result<&Writer, LedgerError> {
        self.ready().await?;
        Ok(self.writer.get_or_init(|| async { Writer::start(self.options.clone()) }).await)
    }

    async fn open(&self, wanted: Wanted) -> Result<Outcome, LedgerError> {
        let writer = self.writer().await?;
        writer
            .write(move |connection| {
                Box::pin(async move {
                    // Most of them are new, and then one statement is enough.
                    if wanted.is_plain() && connection.insert(&wanted.row(None)).await? {
                        return Ok(wanted.sent());
                    }
                    open(connection, wanted).await
                })
            })
            .await
    }

    async fn change(&self, change: ChangeRow) -> Result<bool, LedgerError> {
        let writer = self.writer().await?;
        writer
            .write(move |connection| Box::pin(async move { Ok(connection.update(&change).await?) }))
            .await
    }

    async fn add(
        &self,
        number: Option<String>,
        event: NewEvent,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let (writer, scope) = (self.writer().await?, self.scope.clone());
        writer
            .write(move |connection| {
                Box::pin(async move {
                    Ok(connection.note(&scope, number.as_deref(), &event, now_ms).await?)
                })
            })
            .await
    }

    async fn ask(&self, asked: Asked, event: NewEvent) -> Result<Option<ApprovalRow>, LedgerError> {
        let (writer, scope) = (self.writer().await?, self.scope.clone());
        writer
            .write(move |connection| {
                Box::pin(async move { Ok(connection.ask(&scope, &asked, &event).await?) })
            })
            .await
    }

    async fn settle(&self, decision: Decision, event: NewEvent) -> Result<bool, LedgerError> {
        let (writer, scope) = (self.writer().await?, self.scope.clone());
        writer
            .write(move |connection| {
                Box::pin(async move { Ok(connection.settle(&scope, &decision, &event).await?) })
            })
            .await
    }

    async fn spoil(&self, id: String) -> Result<(), LedgerError> {
        let (writer, scope) = (self.writer().await?, self.scope.clone());
        writer
            .write(move |connection| {
                Box::pin(async move {
                    connection.use_sealed(&scope, &id).await?;
                    Ok(())
                })
            })
            .await
    }

    async fn end(&self, lapsed: Lapsed, event: NewEvent, now_ms: i64) -> Result<(), LedgerError> {
        let (writer, scope) = (self.writer().await?, self.scope.clone());
        writer
            .write(move |connection| {
                Box::pin(async move { Ok(connection.end(&scope, &lapsed, &event, now_ms).await?) })
            })
            .await
    }

    async fn take(&self, lease: Lease) -> Result<bool, LedgerError> {
        let writer = self.writer().await?;
        writer
            .write(move |connection| Box::pin(async move { Ok(connection.lease(&lease).await?) }))
            .await
    }
}

/// Makes the file and its folder, if need be for the owner only, and brings it up to date.
async fn prepare(file: &Path, pool: &SqlitePool) -> Result<Identity, LedgerError> {
    let folder = file.parent().unwrap_or(Path::new(""));
    if !folder.as_os_str().is_empty() && !folder.exists() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(|error| LedgerError::Store(error.into()))?;
    }
    // Orders are nobody else's business; SQLite gives its other files the same mode.
    #[cfg(unix)]
    if !file.exists() {
        let mut options = std::fs::OpenOptions::new();
        options.create(true).append(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(file).map_err(|error| LedgerError::Store(error.into()))?;
    }
    migrate(pool).await?;
    fill_digests(pool).await?;
    Ok(identity(file))
}

#[cfg(unix)]
fn identity(file: &Path) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    // One that was emptied is not the one it was.
    std::fs::metadata(file).ok().filter(|it| it.len() > 0).map(|it| (it.dev(), it.ino()))
}

#[cfg(not(unix))]
fn identity(file: &Path) -> Identity {
    file.exists().then_some((0, 0))
}

/// Entries of versions that wrote no digest get theirs, so that the repeat guard sees them.
async fn fill_digests(pool: &SqlitePool) -> Result<(), LedgerError> {
    type Old = (String, String, String, String, String, i64, String, Option<String>);
    let old: Vec<Old> = sqlx::query_as(
        "SELECT environment, merchant, number, kind, currency, amount_minor, terms, original \
         FROM entries WHERE digest IS NULL",
    )
    .fetch_all(pool)
    .await?;
    for (environment, merchant, number, kind, currency, minor, terms, original) in old {
        let rest = original.unwrap_or(terms);
        let digest = rows::digest(&kind, &currency, minor.unsigned_abs(), &rest);
        sqlx::query(
            "UPDATE entries SET digest = ? WHERE environment = ? AND merchant = ? AND number = ?",
        )
        .bind(digest)
        .bind(environment)
        .bind(merchant)
        .bind(number)
        .execute(pool)
        .await?;
    }
    Ok(())
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

/// Reads with a connection, or gives what is true of an empty ledger.
macro_rules! read {
    ($self:ident, $method:ident($($argument:expr),*)) => {
        match $self.reader().await? {
            Some(mut connection) => connection.$method(&$self.scope, $($argument),*).await?,
            None => Default::default(),
        }
    };
}

ledger!(SqliteLedger, read);

#[cfg(test)]
mod tests;
