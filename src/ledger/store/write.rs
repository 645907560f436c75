//! The changes: how an entry and its row of the audit are written, both or neither.
use sqlx::{PgConnection, SqliteConnection, types::Json};

use super::{ChangeRow, NewRow, Outcome, Store as _};
use crate::{domain::Syssn, ledger::rows};

macro_rules! insert_entry {
    () => {
        "INSERT INTO entries (environment, merchant, number, kind, state, version, amount_minor, \
         currency, terms, original, digest, attempt, created_ms, sent_ms, updated_ms, shown) \
         VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9, $10, $11, $12, $12, $12, $23) \
         ON CONFLICT (environment, merchant, number) DO NOTHING"
    };
}

macro_rules! update_entry {
    () => {
        "UPDATE entries SET state = $5, version = version + 1, syssn = coalesce($6, syssn), \
         respcd = coalesce($7, respcd), resperr = coalesce($8, resperr), \
         shown = coalesce($9, shown), sent_ms = coalesce($10, sent_ms), \
         attempt = coalesce($11, attempt), late = late OR $23, updated_ms = $12 \
         WHERE environment = $1 AND merchant = $2 AND number = $3 AND version = $4"
    };
}

macro_rules! insert_event {
    () => {
        "INSERT INTO events (environment, merchant, number, at_ms, what, tool, transport, client, \
         principal, terms, from_state, to_state, respcd, detail) "
    };
}

/// A change with its event in one statement; both changes number the event's parameters alike.
macro_rules! and_event {
    ($change:expr) => {
        concat!(
            "WITH change AS (",
            $change,
            " RETURNING 1) ",
            insert_event!(),
            "SELECT $1, $2, $3, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22 FROM change"
        )
    };
}

/// $1 to $12; what is `shown` is $23, behind the event.
macro_rules! bind_new {
    ($query:expr, $new:expr) => {
        $query
            .bind($new.scope.environment.name())
            .bind($new.scope.merchant.as_str())
            .bind($new.number.as_str())
            .bind($new.terms.kind)
            .bind($new.state)
            .bind($new.terms.minor())
            .bind($new.terms.amount.currency().code)
            .bind(Json($new.terms.json.clone()))
            .bind($new.terms.original.as_deref())
            .bind($new.terms.digest.as_str())
            .bind($new.attempt.as_str())
            .bind($new.now_ms)
    };
}

/// $1 to $12; what is `late` is $23, behind the event.
macro_rules! bind_change {
    ($query:expr, $change:expr) => {
        $query
            .bind($change.scope.environment.name())
            .bind($change.scope.merchant.as_str())
            .bind($change.number.as_str())
            .bind($change.version)
            .bind($change.to)
            .bind($change.news.syssn.as_ref().map(Syssn::as_str))
            .bind($change.news.respcd.as_deref())
            .bind($change.news.resperr.as_deref())
            .bind(rows::shown($change.news.shown.as_ref()).map(Json))
            .bind($change.attempt.as_ref().map(|_| $change.now_ms))
            .bind($change.attempt.as_deref())
            .bind($change.now_ms)
    };
}

/// Ten parameters, as [`insert_event`] has them behind the time.
macro_rules! bind_event {
    ($query:expr, $event:expr) => {
        $query
            .bind($event.what.word())
            .bind($event.caller.tool)
            .bind($event.caller.transport)
            .bind($event.caller.client.as_deref())
            .bind($event.caller.principal.as_deref())
            .bind($event.terms.clone().map(Json))
            .bind($event.from)
            .bind($event.to)
            .bind($event.respcd.as_deref())
            .bind($event.detail.as_deref())
    };
}

pub(super) use {bind_event, insert_event};

/// The changes: an entry and its row of the audit, both or neither.
pub(in crate::ledger) trait Write: Send {
    /// Adds an entry; false if its number is taken.
    fn insert(&mut self, new: &NewRow) -> impl Future<Output = Outcome<bool>> + Send;

    /// Changes an entry; false if it has another version by now.
    fn update(&mut self, change: &ChangeRow) -> impl Future<Output = Outcome<bool>> + Send;

    /// Makes others wait who come with the same key, until the transaction ends.
    fn lock(&mut self, key: String) -> impl Future<Output = Outcome<()>> + Send;
}

/// One writer at a time, in a transaction of several statements.
impl Write for SqliteConnection {
    async fn insert(&mut self, new: &NewRow) -> Outcome<bool> {
        const INSERT: &str = insert_entry!();
        let insert = bind_event!(bind_new!(sqlx::query(INSERT), new), new.event);
        let insert = insert.bind(rows::shown(new.shown.as_ref()).map(Json));
        if insert.execute(&mut *self).await?.rows_affected() == 0 {
            return Ok(false);
        }
        self.note(&new.scope, Some(&new.number), &new.event, new.now_ms).await?;
        Ok(true)
    }

    async fn update(&mut self, change: &ChangeRow) -> Outcome<bool> {
        // Nothing stands between, so the last parameter is the next one here.
        const UPDATE: &str = update_entry!();
        let update = bind_change!(sqlx::query(UPDATE), change);
        let update = bind_event!(update, change.event).bind(change.news.late);
        if update.execute(&mut *self).await?.rows_affected() == 0 {
            return Ok(false);
        }
        self.note(&change.scope, Some(&change.number), &change.event, change.now_ms).await?;
        Ok(true)
    }

    async fn lock(&mut self, _: String) -> Outcome<()> {
        Ok(())
    }
}

/// Both statements in one, so that a change costs one round trip and is atomic by itself.
impl Write for PgConnection {
    async fn insert(&mut self, new: &NewRow) -> Outcome<bool> {
        const INSERT: &str = and_event!(insert_entry!());
        let insert = bind_event!(bind_new!(sqlx::query(INSERT), new), new.event);
        let insert = insert.bind(rows::shown(new.shown.as_ref()).map(Json));
        Ok(insert.execute(&mut *self).await?.rows_affected() == 1)
    }

    async fn update(&mut self, change: &ChangeRow) -> Outcome<bool> {
        const UPDATE: &str = and_event!(update_entry!());
        let update = bind_event!(bind_change!(sqlx::query(UPDATE), change), change.event);
        Ok(update.bind(change.news.late).execute(&mut *self).await?.rows_affected() == 1)
    }

    async fn lock(&mut self, key: String) -> Outcome<()> {
        // These locks are the whole database's, and each schema in it may hold a ledger.
        const LOCK: &str =
            "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '|' || $1, 0))";
        sqlx::query(LOCK).bind(key).execute(&mut *self).await?;
        Ok(())
    }
}
