//! The ledger in PostgreSQL, shared by replicas on several machines.
//!
//! Changes that wait together are one statement in a transaction of its own (`batch`); what must
//! look before it writes has a transaction, and takes an advisory lock first. A connection that
//! breaks is replaced and the change asked again: an opening is told apart from another caller's by
//! its attempt, and a change by the version it starts from, so asking twice is writing once.
mod batch;
mod pace;

use std::{str::FromStr as _, sync::Arc, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{
    ConnectOptions as _, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::sync::OnceCell;

use self::batch::{Batch, Work};
pub use self::pace::SharedPace;
use super::{
    Asked, Decision, Lapsed, LedgerError, Scope,
    approval::ApprovalRow,
    open::{Outcome, Wanted, open},
    port::ledger,
    store::{Approvals as _, ChangeRow, Lease, NewEvent, Store as _},
};

/// Most connections of one process.
const CONNECTIONS: u32 = 16;
/// How long a call waits for one of them, and for a new one to come about.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long one statement may take, and how long it may wait for another's lock. A statement is planned
/// once for a connection, most often while the tables are small, when reading all of one looks
/// cheapest; but every statement here looks single rows up by an index, for ever.
const SESSION: [(&str, &str); 7] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("statement_timeout", "10s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "15s"),
    // What was waited for by a lock has to be seen.
    ("default_transaction_isolation", "read committed"),
];
/// How long the server may be silent. It ends a statement sooner by itself; one that is frozen, or out
/// of reach behind a connection that still looks open, ends nothing.
const ANSWER: Duration = Duration::from_secs(20);
/// How often something is asked again after its connection broke: 50 ms, doubled each time, comes
/// to three seconds; that a server is coming up is waited for by the connection itself.
const TRIES: u32 = 7;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The database that replicas share.
#[derive(Debug)]
pub struct Database {
    connections: Arc<Connections>,
    batch: Batch,
}

/// Connections to tables that are up to date.
#[derive(Debug)]
struct Connections {
    pool: PgPool,
    ready: OnceCell<()>,
}

/// Why an address is none of a database. The address is not told back: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is no address of a PostgreSQL database; write it as postgres://user:password@host:5432/name"
)]
pub struct AddressError;

impl Database {
    /// Whether `url` is the address of a database.
    pub fn check(url: &SecretString) -> Result<(), AddressError> {
        PgConnectOptions::from_str(url.expose_secret()).map(|_| ()).map_err(|_| AddressError)
    }

    /// The database at `url`. Nothing is connected, and nothing made, before the first use.
    pub fn new(url: &SecretString) -> Result<Self, AddressError> {
        let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| AddressError)?;
        let options =
            options.application_name("qfpay-mcp").options(SESSION).disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            // After a restart of the server all that were open are stale.
            .test_before_acquire(true)
            .connect_lazy_with(options);
        let connections = Arc::new(Connections { pool, ready: OnceCell::new() });
        Ok(Self { batch: Batch::new(connections.clone()), connections })
    }

    async fn connection(&self) -> Result<PoolConnection<Postgres>, LedgerError> {
        self.connections.connection().await
    }
}

impl Connections {
    /// A connection to tables that are up to date.
    async fn connection(&self) -> Result<PoolConnection<Postgres>, LedgerError> {
        self.ready.get_or_try_init(|| migrate(&self.pool)).await.map_err(unreachable_in_time)?;
        self.pool.acquire().await.map_err(|error| unreachable_in_time(error.into()))
    }
}

/// Brings the tables up to date; replicas that start together wait for each other.
async fn migrate(pool: &PgPool) -> Result<(), LedgerError> {
    let migrator = sqlx::migrate!("src/ledger/migrations/postgres");
    let done = migrator.run(pool).await;
    // What broke the connection is told as itself, so that it is tried again.
    done.map_err(|error| {
        if let sqlx::migrate::MigrateError::Execute(error) = error {
            return error.into();
        }
        LedgerError::Store(error.into())
    })
}

/// The pool's own words for it tell an operator nothing.
fn unreachable_in_time(error: LedgerError) -> LedgerError {
    let LedgerError::Store(cause) = &error else { return error };
    if matches!(cause.downcast_ref(), Some(sqlx::Error::PoolTimedOut)) {
        let seconds = ACQUIRE.as_secs();
        let text = format!("no connection to PostgreSQL came about within {seconds} s");
        return LedgerError::Store(text.into());
    }
    error
}

fn silent() -> LedgerError {
    let text = format!("PostgreSQL has not answered for {} s", ANSWER.as_secs());
    LedgerError::Store(text.into())
}

/// Whether asking again over another connection can help.
fn is_passing(error: &LedgerError) -> bool {
    let LedgerError::Store(error) = error else { return false };
    match error.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) => true,
        // The server is going away or coming up, or two transactions stood in each other's way.
        Some(sqlx::Error::Database(error)) => error.code().is_some_and(|code| {
            code.starts_with("57P0") || ["40001", "40P01", "53300"].contains(&code.as_ref())
        }),
        Some(_) | None => false,
    }
}

/// How often something was asked, and when to ask again.
struct Tries {
    left: u32,
    pause: Duration,
}

impl Tries {
    const fn new() -> Self {
        Self { left: TRIES, pause: FIRST_PAUSE }
    }

    /// Whether to ask again, after a pause that this waits for.
    async fn again(&mut self, error: &LedgerError) -> bool {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || !is_passing(error) {
            return false;
        }
        tracing::warn!(%error, pause = ?self.pause, "the ledger's connection broke; asking again");
        tokio::time::sleep(self.pause).await;
        self.pause = self.pause.saturating_mul(2);
        true
    }
}

/// Asks until the connection holds. (A function would take an async closure, of which the compiler
/// cannot tell yet that its future may move between threads.)
macro_rules! persist {
    ($ask:expr) => {{
        let mut tries = $crate::ledger::postgres::Tries::new();
        loop {
            let ask = async { $ask };
            let done: Result<_, LedgerError> =
                match tokio::time::timeout($crate::ledger::postgres::ANSWER, ask).await {
                    Ok(done) => done,
                    Err(_) => Err($crate::ledger::postgres::silent()),
                };
            match done {
                Err(error) if tries.again(&error).await => {}
                done => break done,
            }
        }
    }};
}
use persist;

/// The ledger of one scope in a database.
#[derive(Debug, Clone)]
pub struct PostgresLedger {
    database: Arc<Database>,
    scope: Scope,
}

impl PostgresLedger {
    pub fn new(database: Arc<Database>, scope: Scope) -> Self {
        Self { database, scope }
    }

    async fn open(&self, wanted: Wanted) -> Result<Outcome, LedgerError> {
        // Most of them are new, and then it is one among the changes that wait.
        if wanted.is_plain()
            && self.database.batch.write(Work::Insert(Box::new(wanted.row(None)))).await?
        {
            return Ok(wanted.sent());
        }
        persist!({
            let mut connection = self.database.connection().await?;
            let mut transaction = sqlx::Connection::begin(&mut *connection).await?;
            let outcome = open(&mut *transaction, wanted.clone()).await?;
            transaction.commit().await?;
            Ok(outcome)
        })
    }

    async fn change(&self, change: ChangeRow) -> Result<bool, LedgerError> {
        self.database.batch.write(Work::Update(Box::new(change))).await
    }

    async fn add(
        &self,
        number: Option<String>,
        event: NewEvent,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        persist!({
            let mut connection = self.database.connection().await?;
            Ok(connection.note(&self.scope, number.as_deref(), &event, now_ms).await?)
        })
    }

    async fn ask(&self, asked: Asked, event: NewEvent) -> Result<Option<ApprovalRow>, LedgerError> {
        persist!({
            let mut connection = self.database.connection().await?;
            let mut transaction = sqlx::Connection::begin(&mut *connection).await?;
            let row = transaction.ask(&self.scope, &asked, &event).await?;
            transaction.commit().await?;
            Ok(row)
        })
    }

    async fn settle(&self, decision: Decision, event: NewEvent) -> Result<bool, LedgerError> {
        persist!({
            let mut connection = self.database.connection().await?;
            let mut transaction = sqlx::Connection::begin(&mut *connection).await?;
            let settled = transaction.settle(&self.scope, &decision, &event).await?;
            transaction.commit().await?;
            Ok(settled)
        })
    }

    async fn spoil(&self, id: String) -> Result<(), LedgerError> {
        persist!({
            self.database.connection().await?.use_sealed(&self.scope, &id).await?;
            Ok(())
        })
    }

    async fn end(&self, lapsed: Lapsed, event: NewEvent, now_ms: i64) -> Result<(), LedgerError> {
        persist!({
            let mut connection = self.database.connection().await?;
            let mut transaction = sqlx::Connection::begin(&mut *connection).await?;
            transaction.end(&self.scope, &lapsed, &event, now_ms).await?;
            transaction.commit().await?;
            Ok(())
        })
    }

    async fn take(&self, lease: Lease) -> Result<bool, LedgerError> {
        persist!(Ok(self.database.connection().await?.lease(&lease).await?))
    }
}

/// Reads with a connection that holds.
macro_rules! read {
    ($self:ident, $method:ident($($argument:expr),*)) => {
        persist!({
            let mut connection = $self.database.connection().await?;
            Ok(connection.$method(&$self.scope, $($argument),*).await?)
        })?
    };
}

ledger!(PostgresLedger, read);

#[cfg(test)]
mod tests;
