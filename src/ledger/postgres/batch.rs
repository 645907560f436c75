//! Changes that wait together become one statement: one round trip and one commit for all of them.
//!
//! A statement of its own costs the server as much for one row as for many, and that is what limits
//! how many payments a second it can keep. Who waits alone waits no longer than before.
use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::types::Json;
use tokio::sync::{OnceCell, mpsc, oneshot};

use super::{Connections, persist};
use crate::{
    domain::Syssn,
    ledger::{
        LedgerError, rows,
        store::{ChangeRow, NewEvent, NewRow},
    },
};

/// Most changes of one statement.
const MOST: usize = 128;

/// What is to change. Each is told by its id whether it came about.
#[derive(Debug)]
pub(super) enum Work {
    Insert(Box<NewRow>),
    Update(Box<ChangeRow>),
}

/// One change, and whom to tell.
#[derive(Debug)]
struct Job {
    work: Work,
    told: oneshot::Sender<Result<bool, LedgerError>>,
}

/// Hands changes to the task that writes them.
#[derive(Debug)]
pub(super) struct Batch {
    connections: Arc<Connections>,
    jobs: OnceCell<mpsc::Sender<Job>>,
}

/// Rows come as JSON: `jsonb_to_recordset` makes a table of them, whatever their number. An entry
/// that is added is known by its attempt, a change by the id it was given here. The numbers of all
/// changes stand by themselves, too: whichever way the join is planned, the index finds them first.
const WRITE: &str = "WITH \
    i AS (SELECT * FROM jsonb_to_recordset($1) AS i(environment TEXT, merchant TEXT, number TEXT, \
        kind TEXT, state TEXT, amount_minor BIGINT, currency TEXT, terms JSONB, original TEXT, \
        digest TEXT, attempt TEXT, shown JSONB, now_ms BIGINT, event JSONB)), \
    u AS (SELECT * FROM jsonb_to_recordset($2) AS u(id TEXT, environment TEXT, merchant TEXT, \
        number TEXT, version BIGINT, state TEXT, syssn TEXT, respcd TEXT, resperr TEXT, \
        shown JSONB, sent_ms BIGINT, attempt TEXT, late BOOLEAN, now_ms BIGINT, event JSONB)), \
    added AS (INSERT INTO entries (environment, merchant, number, kind, state, version, \
        amount_minor, currency, terms, original, digest, attempt, shown, created_ms, sent_ms, \
        updated_ms) SELECT environment, merchant, number, kind, state, 1, amount_minor, currency, \
        terms, original, digest, attempt, shown, now_ms, now_ms, now_ms FROM i ORDER BY number \
        ON CONFLICT (environment, merchant, number) DO NOTHING RETURNING attempt), \
    changed AS (UPDATE entries SET state = u.state, version = entries.version + 1, \
        syssn = coalesce(u.syssn, entries.syssn), respcd = coalesce(u.respcd, entries.respcd), \
        resperr = coalesce(u.resperr, entries.resperr), shown = coalesce(u.shown, entries.shown), \
        sent_ms = coalesce(u.sent_ms, entries.sent_ms), \
        attempt = coalesce(u.attempt, entries.attempt), late = entries.late OR u.late, \
        updated_ms = u.now_ms FROM u WHERE entries.number = ANY($3) \
        AND entries.environment = u.environment \
        AND entries.merchant = u.merchant AND entries.number = u.number \
        AND entries.version = u.version RETURNING u.id), \
    happened AS (SELECT environment, merchant, number, now_ms, event FROM i JOIN added \
        USING (attempt) UNION ALL SELECT environment, merchant, number, now_ms, event FROM u \
        JOIN changed USING (id)), \
    told AS (INSERT INTO events (environment, merchant, number, at_ms, what, tool, transport, \
        client, principal, terms, from_state, to_state, respcd, detail) \
        SELECT h.environment, h.merchant, h.number, h.now_ms, e.* FROM happened h, \
        jsonb_to_record(h.event) AS e(what TEXT, tool TEXT, transport TEXT, client TEXT, \
        principal TEXT, terms JSONB, from_state TEXT, to_state TEXT, respcd TEXT, detail TEXT)) \
    SELECT attempt FROM added UNION ALL SELECT id FROM changed";

impl Batch {
    pub(super) fn new(connections: Arc<Connections>) -> Self {
        Self { connections, jobs: OnceCell::new() }
    }

    /// Writes a change down; false where another writer was first. True only once it is on disk.
    pub(super) async fn write(&self, work: Work) -> Result<bool, LedgerError> {
        let start = || async {
            let (jobs, waiting) = mpsc::channel(MOST);
            tokio::spawn(run(self.connections.clone(), waiting));
            jobs
        };
        let gone = || LedgerError::Store("the writer has ended".into());
        let (told, done) = oneshot::channel();
        let jobs = self.jobs.get_or_init(start).await;
        jobs.send(Job { work, told }).await.map_err(|_| gone())?;
        done.await.map_err(|_| gone())?
    }
}

/// Writes what waits, until nobody is left who could send anything.
async fn run(connections: Arc<Connections>, mut waiting: mpsc::Receiver<Job>) {
    let mut jobs = Vec::new();
    while waiting.recv_many(&mut jobs, MOST).await > 0 {
        let (mut inserts, mut updates, mut tellers) = (Vec::new(), Vec::new(), Vec::new());
        let mut numbers = Vec::new();
        for Job { work, told } in jobs.drain(..) {
            let id = match work {
                Work::Insert(new) => {
                    inserts.push(inserted(&new));
                    new.attempt
                }
                Work::Update(change) => {
                    let id = format!("{}", tellers.len());
                    updates.push(updated(&id, &change));
                    numbers.push(change.number);
                    id
                }
            };
            tellers.push((id, told));
        }
        let (inserts, updates) = (Value::Array(inserts), Value::Array(updates));
        let done: Result<Vec<(String,)>, LedgerError> = persist!({
            let mut connection = connections.connection().await?;
            let write = sqlx::query_as(WRITE).bind(Json(&inserts)).bind(Json(&updates));
            let write = write.bind(&numbers);
            Ok(write.fetch_all(&mut *connection).await?)
        });
        for (id, told) in tellers {
            let _ = told.send(match &done {
                Ok(ids) => Ok(ids.iter().any(|(it,)| *it == id)),
                // The connection is what failed, and it failed for all of them.
                Err(error) => Err(LedgerError::Store(error.to_string().into())),
            });
        }
    }
}

fn inserted(new: &NewRow) -> Value {
    json!({
        "environment": new.scope.environment.name(), "merchant": new.scope.merchant,
        "number": new.number, "kind": new.terms.kind, "state": new.state,
        "amount_minor": new.terms.minor(), "currency": new.terms.amount.currency().code,
        "terms": new.terms.json, "original": new.terms.original, "digest": new.terms.digest,
        "attempt": new.attempt, "shown": rows::shown(new.shown.as_ref()), "now_ms": new.now_ms, "event": event(&new.event),
    })
}

fn updated(id: &str, change: &ChangeRow) -> Value {
    let news = &change.news;
    json!({
        "id": id, "environment": change.scope.environment.name(),
        "merchant": change.scope.merchant, "number": change.number, "version": change.version,
        "state": change.to, "syssn": news.syssn.as_ref().map(Syssn::as_str),
        "respcd": news.respcd, "resperr": news.resperr, "shown": rows::shown(news.shown.as_ref()),
        "sent_ms": change.attempt.as_ref().map(|_| change.now_ms), "attempt": change.attempt,
        "late": news.late, "now_ms": change.now_ms, "event": event(&change.event),
    })
}

fn event(event: &NewEvent) -> Value {
    json!({
        "what": event.what.word(), "tool": event.caller.tool,
        "transport": event.caller.transport, "client": event.caller.client,
        "principal": event.caller.principal, "terms": event.terms, "from_state": event.from,
        "to_state": event.to, "respcd": event.respcd, "detail": event.detail,
    })
}
