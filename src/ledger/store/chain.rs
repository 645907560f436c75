//! The chain over the audit, and the audit as a whole.
use sqlx::{PgConnection, SqliteConnection};

use super::Outcome;
use crate::ledger::{
    EventFilter, Scope,
    chain::{self, ChainRow, Hashed},
    rows::EventRow,
};

pub(in crate::ledger) trait Chain: Send {
    /// Hangs a row of the audit that was just written behind the last one.
    fn link(
        &mut self,
        event_id: i64,
        event: impl FnOnce() -> Hashed + Send,
    ) -> impl Future<Output = Outcome<()>> + Send;

    /// Links behind `after`, with their rows of the audit.
    fn chain(
        &mut self,
        scope: &Scope,
        after: i64,
        limit: u32,
    ) -> impl Future<Output = Outcome<Vec<ChainRow>>> + Send;

    /// Hangs what waits into the chain; how many rows still wait, because somebody else is at it.
    fn chain_up(&mut self, scope: &Scope) -> impl Future<Output = Outcome<i64>> + Send;

    /// What there was before the chain: how many rows, and the id of the last one.
    fn chain_start(&mut self, scope: &Scope) -> impl Future<Output = Outcome<(i64, i64)>> + Send;

    /// How many rows of the audit are behind the id `after`, as far as one statement counts, and
    /// the id of the last of them; none at the end. It stops where the chain begins.
    fn count_events(
        &mut self,
        scope: &Scope,
        after: i64,
    ) -> impl Future<Output = Outcome<(i64, Option<i64>)>> + Send;

    fn events(
        &mut self,
        scope: &Scope,
        filter: &EventFilter,
    ) -> impl Future<Output = Outcome<Vec<EventRow>>> + Send;
}

macro_rules! chain {
    ($connection:ty, link: $link:path, chain_up: $chain_up:path) => {
        impl Chain for $connection {
            async fn link(
                &mut self,
                event_id: i64,
                event: impl FnOnce() -> Hashed + Send,
            ) -> Outcome<()> {
                $link(self, event_id, event).await
            }

            async fn chain_up(&mut self, scope: &Scope) -> Outcome<i64> {
                $chain_up(self, scope).await
            }

            async fn chain(
                &mut self,
                scope: &Scope,
                after: i64,
                limit: u32,
            ) -> Outcome<Vec<ChainRow>> {
                sqlx::query_as(
                    "SELECT c.seq, c.hash, e.environment, e.merchant, e.at_ms, e.number, e.what, \
                     e.tool, e.transport, e.client, e.principal, CAST(e.terms AS TEXT) AS terms, \
                     e.from_state, e.to_state, e.respcd, e.detail FROM chain c \
                     LEFT JOIN events e ON e.id = c.event_id WHERE c.environment = $1 \
                     AND c.merchant = $2 AND c.seq > $3 ORDER BY c.seq LIMIT $4",
                )
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&mut *self)
                .await
            }

            async fn chain_start(&mut self, scope: &Scope) -> Outcome<(i64, i64)> {
                let start = sqlx::query_as(
                    "SELECT rows, last_id FROM chain_start WHERE environment = $1 \
                     AND merchant = $2",
                )
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .fetch_optional(&mut *self)
                .await?;
                Ok(start.unwrap_or((0, i64::MIN)))
            }

            async fn count_events(
                &mut self,
                scope: &Scope,
                after: i64,
            ) -> Outcome<(i64, Option<i64>)> {
                let (_, last_id) = self.chain_start(scope).await?;
                let until = if after < last_id { last_id } else { i64::MAX };
                sqlx::query_as(
                    "SELECT CAST(count(*) AS BIGINT), max(id) FROM (SELECT id FROM events \
                     WHERE environment = $1 AND merchant = $2 AND id > $3 AND id <= $4 \
                     ORDER BY id LIMIT 10000) AS page",
                )
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(after)
                .bind(until)
                .fetch_one(&mut *self)
                .await
            }

            async fn events(
                &mut self,
                scope: &Scope,
                filter: &EventFilter,
            ) -> Outcome<Vec<EventRow>> {
                let since = filter.since.as_millisecond();
                let (after_ms, after_id) = match filter.after {
                    Some((at, id)) => (at.as_millisecond(), id),
                    None => (since, i64::MIN),
                };
                sqlx::query_as(
                    "SELECT id, at_ms, number, what, tool, transport, client, principal, terms, \
                     from_state, to_state, respcd, detail FROM events WHERE environment = $1 \
                     AND merchant = $2 AND (at_ms, id) > ($3, $4) AND at_ms < $5 \
                     ORDER BY at_ms, id LIMIT $6",
                )
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(after_ms)
                .bind(after_id)
                .bind(filter.until.as_millisecond())
                .bind(i64::from(filter.limit))
                .fetch_all(&mut *self)
                .await
            }
        }
    };
}

chain!(SqliteConnection, link: link_behind_last, chain_up: nothing_waits);
chain!(PgConnection, link: linked_by_a_trigger, chain_up: chain_what_waits);

/// The file's lock is ours until the commit, so nobody can come between.
async fn link_behind_last(
    connection: &mut SqliteConnection,
    event_id: i64,
    event: impl FnOnce() -> Hashed,
) -> Outcome<()> {
    let event = event();
    let last: Option<(i64, String)> = sqlx::query_as(
        "SELECT seq, hash FROM chain WHERE environment = $1 AND merchant = $2 \
         ORDER BY seq DESC LIMIT 1",
    )
    .bind(event.environment.as_str())
    .bind(event.merchant.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let seq = last.as_ref().map_or(0, |(seq, _)| *seq).saturating_add(1);
    let hash = chain::hash(last.as_ref().map(|(_, hash)| hash.as_str()), seq, &event);
    sqlx::query(
        "INSERT INTO chain (environment, merchant, seq, event_id, hash) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(event.environment)
    .bind(event.merchant)
    .bind(seq)
    .bind(event_id)
    .bind(hash)
    .execute(connection)
    .await?;
    Ok(())
}

async fn nothing_waits(_: &mut SqliteConnection, _: &Scope) -> Outcome<i64> {
    Ok(0)
}

/// A trigger of the database does it, for all rows of a statement at once, and for those that
/// another transaction left waiting.
async fn linked_by_a_trigger(
    _: &mut PgConnection,
    _: i64,
    _: impl FnOnce() -> Hashed,
) -> Outcome<()> {
    Ok(())
}

async fn chain_what_waits(connection: &mut PgConnection, scope: &Scope) -> Outcome<i64> {
    let whose = (scope.environment.name(), scope.merchant.as_str());
    let up = sqlx::query("SELECT chain_up($1, $2)").bind(whose.0).bind(whose.1);
    up.execute(&mut *connection).await?;
    let (waiting,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM chain_queue WHERE environment = $1 AND merchant = $2")
            .bind(whose.0)
            .bind(whose.1)
            .fetch_one(connection)
            .await?;
    Ok(waiting)
}
