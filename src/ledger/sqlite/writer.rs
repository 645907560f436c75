//! The one writer of a process: changes that wait share a transaction, and so a sync of the disk.
//!
//! A change is told "done" only after the commit it was part of. When anything in a transaction
//! fails, all of it is undone and every change in it is told so: nothing was written.
use std::{any::Any, time::Duration};

use futures::future::BoxFuture;
use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};

use crate::ledger::LedgerError;

/// Most changes of one transaction.
const MOST: usize = 128;
/// How long the writer keeps its connection when nothing is written.
const IDLE: Duration = Duration::from_secs(60);

type Done = Result<Box<dyn Any + Send>, LedgerError>;
type Work = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Done> + Send>;

/// One change, and whom to tell.
struct Job {
    work: Work,
    told: oneshot::Sender<Done>,
}

/// Hands changes to the task that writes.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl Writer {
    /// A writer to the file of `options`, running on this runtime until it is dropped.
    pub(super) fn start(options: SqliteConnectOptions) -> Self {
        let (jobs, waiting) = mpsc::channel(MOST);
        tokio::spawn(run(options, waiting));
        Self { jobs }
    }

    /// Does `work` inside a transaction; its result stands once it is on disk.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, LedgerError>
    where
        T: Any + Send,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, LedgerError>>
            + Send
            + 'static,
    {
        let work: Work = Box::new(move |connection| {
            let done = work(connection);
            Box::pin(async move {
                let result: Box<dyn Any + Send> = Box::new(done.await?);
                Ok(result)
            })
        });
        let (told, done) = oneshot::channel();
        let gone = || LedgerError::Store("the writer has ended".into());
        self.jobs.send(Job { work, told }).await.map_err(|_| gone())?;
        let done = done.await.map_err(|_| gone())??;
        done.downcast().map(|it| *it).map_err(|_| gone())
    }
}

async fn run(options: SqliteConnectOptions, mut waiting: mpsc::Receiver<Job>) {
    let mut open: Option<SqliteConnection> = None;
    loop {
        let next = tokio::time::timeout(IDLE, waiting.recv()).await;
        let first = match next {
            Ok(Some(job)) => job,
            Ok(None) => return,
            Err(_) => {
                open = None;
                continue;
            }
        };
        let connection = match open.take() {
            Some(connection) => Ok(connection),
            None => options.connect().await.map_err(LedgerError::from),
        };
        open = match connection {
            Ok(connection) => transaction(connection, first, &mut waiting).await,
            Err(error) => {
                let _ = first.told.send(Err(error));
                None
            }
        };
    }
}

/// One transaction of all that waits. Gives the connection back while it is good: one that failed
/// is closed, and with it goes whatever state it was in.
async fn transaction(
    mut connection: SqliteConnection,
    first: Job,
    waiting: &mut mpsc::Receiver<Job>,
) -> Option<SqliteConnection> {
    if let Err(error) = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await {
        // Who waits behind it would wait as long, and for the same.
        let mut next = Some(first);
        while let Some(job) = next {
            let told = format!("the ledger cannot be written to now: {error}");
            let _ = job.told.send(Err(LedgerError::Store(told.into())));
            next = waiting.try_recv().ok();
        }
        return None;
    }
    let mut done = Vec::new();
    let mut next = Some(first);
    while let Some(job) = next.take() {
        match (job.work)(&mut connection).await {
            Ok(result) => done.push((job.told, result)),
            // It read what it could not make sense of, and wrote nothing.
            Err(error @ LedgerError::Damaged { .. }) => {
                let _ = job.told.send(Err(error));
            }
            Err(error @ LedgerError::Store(_)) => return undone(done, job.told, error),
        }
        if done.len() < MOST {
            next = waiting.try_recv().ok();
        }
    }
    if let Err(error) = sqlx::raw_sql("COMMIT").execute(&mut connection).await {
        let (last, _) = done.pop()?;
        return undone(done, last, error.into());
    }
    for (told, result) in done {
        let _ = told.send(Ok(result));
    }
    Some(connection)
}

fn undone(
    others: Vec<(oneshot::Sender<Done>, Box<dyn Any + Send>)>,
    failed: oneshot::Sender<Done>,
    error: LedgerError,
) -> Option<SqliteConnection> {
    for (told, _) in others {
        let error = format!("undone together with a change that failed: {error}");
        let _ = told.send(Err(LedgerError::Store(error.into())));
    }
    let _ = failed.send(Err(error));
    None
}
