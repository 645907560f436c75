//! Every statement of the ledger, once: both stores number their parameters the same way.
//!
//! What differs is how two statements become one ([`Write`]), and who must wait for whom.
mod approvals;
mod chain;
mod event;
mod write;

use jiff::Timestamp;
use sqlx::{PgConnection, SqliteConnection, types::Json};

use super::{
    Filter, Happening, News, Place, Scope,
    rows::{EventRow, Row, WrittenTerms, select},
};
use crate::domain::{Budget, OrderNumber, Shown, Spent, Syssn};

use self::write::{bind_event, insert_event};
pub(super) use self::{approvals::Approvals, chain::Chain, event::NewEvent, write::Write};

type Outcome<T> = Result<T, sqlx::Error>;

/// An entry to add.
#[derive(Debug, Clone)]
pub(super) struct NewRow {
    pub(super) scope: Scope,
    pub(super) number: String,
    pub(super) terms: WrittenTerms,
    pub(super) state: &'static str,
    /// What the payer is shown, where that is known already.
    pub(super) shown: Option<Shown>,
    pub(super) attempt: String,
    pub(super) now_ms: i64,
    pub(super) event: NewEvent,
}

/// A change to an entry, from one version on.
#[derive(Debug, Clone)]
pub(super) struct ChangeRow {
    pub(super) scope: Scope,
    pub(super) number: String,
    pub(super) version: i64,
    pub(super) to: &'static str,
    pub(super) news: News,
    /// Set where it is about to leave.
    pub(super) attempt: Option<String>,
    pub(super) now_ms: i64,
    pub(super) event: NewEvent,
}

/// What both stores say in the same words.
pub(super) trait Store: Write + Chain {
    fn note(
        &mut self,
        scope: &Scope,
        number: Option<&str>,
        event: &NewEvent,
        now_ms: i64,
    ) -> impl Future<Output = Outcome<()>> + Send;

    fn find(
        &mut self,
        scope: &Scope,
        number: &OrderNumber,
    ) -> impl Future<Output = Outcome<Option<Row>>> + Send;

    fn find_by_syssn(
        &mut self,
        scope: &Scope,
        syssn: &Syssn,
    ) -> impl Future<Output = Outcome<Option<Row>>> + Send;

    fn refunds(
        &mut self,
        scope: &Scope,
        syssn: &str,
    ) -> impl Future<Output = Outcome<Vec<Row>>> + Send;

    /// An entry with these terms that is unfinished, or was finished since without having ended in
    /// vain. What is refunded later was finished when it was made.
    fn repeated(
        &mut self,
        scope: &Scope,
        digest: &str,
        since_ms: i64,
    ) -> impl Future<Output = Outcome<Option<Row>>> + Send;

    /// What left already, as far as it counts.
    fn spent(
        &mut self,
        scope: &Scope,
        kind: &str,
        currency: &str,
        budget: &Budget,
    ) -> impl Future<Output = Outcome<Spent>> + Send;

    fn unfinished(
        &mut self,
        scope: &Scope,
        after: Option<&Place>,
        limit: u32,
    ) -> impl Future<Output = Outcome<Vec<Row>>> + Send;

    fn list(
        &mut self,
        scope: &Scope,
        filter: &Filter,
    ) -> impl Future<Output = Outcome<Vec<Row>>> + Send;

    fn history(
        &mut self,
        scope: &Scope,
        number: &OrderNumber,
    ) -> impl Future<Output = Outcome<Vec<EventRow>>> + Send;

    fn happened(
        &mut self,
        scope: &Scope,
        number: &OrderNumber,
        most: u32,
    ) -> impl Future<Output = Outcome<Vec<EventRow>>> + Send;

    fn lease(&mut self, lease: &Lease) -> impl Future<Output = Outcome<bool>> + Send;
}

/// A right to do some work alone.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    pub(super) scope: Scope,
    pub(super) name: String,
    pub(super) holder: String,
    pub(super) until_ms: i64,
    /// Leases that ended before then can be taken by anybody.
    pub(super) free_before_ms: i64,
}

impl Lease {
    pub(super) fn new(
        scope: &Scope,
        (name, holder): (&str, &str),
        until: Timestamp,
        now: Timestamp,
        force: bool,
    ) -> Self {
        let free_before = if force { Timestamp::MAX } else { now };
        Self {
            scope: scope.clone(),
            name: name.to_owned(),
            holder: holder.to_owned(),
            until_ms: until.as_millisecond(),
            free_before_ms: free_before.as_millisecond(),
        }
    }
}

macro_rules! store {
    ($connection:ty) => {
        impl Store for $connection {
            async fn note(
                &mut self,
                scope: &Scope,
                number: Option<&str>,
                event: &NewEvent,
                now_ms: i64,
            ) -> Outcome<()> {
                const NOTE: &str = concat!(
                    insert_event!(),
                    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
                     RETURNING id"
                );
                let note = sqlx::query_as(NOTE)
                    .bind(scope.environment.name())
                    .bind(scope.merchant.as_str())
                    .bind(number)
                    .bind(now_ms);
                let (id,): (i64,) = bind_event!(note, event).fetch_one(&mut *self).await?;
                self.link(id, || event.hashed(scope, number, now_ms)).await
            }

            async fn find(&mut self, scope: &Scope, number: &OrderNumber) -> Outcome<Option<Row>> {
                sqlx::query_as(select!("AND number = $3"))
                    .bind(scope.environment.name())
                    .bind(scope.merchant.as_str())
                    .bind(number.as_str())
                    .fetch_optional(&mut *self)
                    .await
            }

            async fn find_by_syssn(
                &mut self,
                scope: &Scope,
                syssn: &Syssn,
            ) -> Outcome<Option<Row>> {
                sqlx::query_as(select!("AND syssn = $3 ORDER BY kind, created_ms LIMIT 1"))
                    .bind(scope.environment.name())
                    .bind(scope.merchant.as_str())
                    .bind(syssn.as_str())
                    .fetch_optional(&mut *self)
                    .await
            }

            async fn refunds(&mut self, scope: &Scope, syssn: &str) -> Outcome<Vec<Row>> {
                sqlx::query_as(select!(
                    "AND original = $3 AND kind = 'refund' ORDER BY created_ms, number"
                ))
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(syssn)
                .fetch_all(&mut *self)
                .await
            }

            async fn repeated(
                &mut self,
                scope: &Scope,
                digest: &str,
                since_ms: i64,
            ) -> Outcome<Option<Row>> {
                let recent = sqlx::query_as(select!(
                    "AND digest = $3 AND updated_ms >= $4 AND state NOT IN ('failed', 'closed') \
                     AND (kind = 'refund' OR state NOT IN ('partially_refunded', 'refunded') \
                     OR created_ms >= $4) ORDER BY updated_ms DESC LIMIT 1"
                ))
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(digest)
                .bind(since_ms)
                .fetch_optional(&mut *self)
                .await?;
                if recent.is_some() {
                    return Ok(recent);
                }
                sqlx::query_as(select!(
                    "AND digest = $3 AND state IN ('sent', 'awaiting_payer', 'pending', 'in_doubt') \
                     ORDER BY created_ms DESC LIMIT 1"
                ))
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(digest)
                .fetch_optional(&mut *self)
                .await
            }

            async fn spent(
                &mut self,
                scope: &Scope,
                kind: &str,
                currency: &str,
                budget: &Budget,
            ) -> Outcome<Spent> {
                let (day, hour) = (budget.day_start, budget.hour_start);
                let (minor, count): (i64, i64) = sqlx::query_as(
                    "SELECT CAST(coalesce(sum(CASE WHEN sent_ms >= $5 AND currency = $4 \
                     AND state NOT IN ('intended', 'failed', 'closed') THEN amount_minor END), 0) \
                     AS BIGINT), CAST(coalesce(sum(CASE WHEN sent_ms >= $6 \
                     AND state <> 'intended' THEN 1 END), 0) AS BIGINT) FROM entries \
                     WHERE environment = $1 AND merchant = $2 AND kind = $3 AND sent_ms >= $7",
                )
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(kind)
                .bind(currency)
                .bind(day.as_millisecond())
                .bind(hour.as_millisecond())
                .bind(day.min(hour).as_millisecond())
                .fetch_one(&mut *self)
                .await?;
                Ok(Spent { today_minor: minor.unsigned_abs(), last_hour: count.unsigned_abs() })
            }

            async fn unfinished(
                &mut self,
                scope: &Scope,
                after: Option<&Place>,
                limit: u32,
            ) -> Outcome<Vec<Row>> {
                let start = Timestamp::MIN.as_millisecond();
                sqlx::query_as(select!(
                    "AND state IN ('sent', 'awaiting_payer', 'pending', 'in_doubt') \
                     AND (created_ms, number) > ($3, $4) ORDER BY created_ms, number LIMIT $5"
                ))
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(after.map_or(start, |it| it.created_at.as_millisecond()))
                .bind(after.map_or("", |it| it.number.as_str()))
                .bind(i64::from(limit))
                .fetch_all(&mut *self)
                .await
            }

            async fn list(&mut self, scope: &Scope, filter: &Filter) -> Outcome<Vec<Row>> {
                let states = format!(",{},", filter.states.join(","));
                let since = filter.since.unwrap_or(Timestamp::MIN);
                let (before_ms, number) = filter.end();
                sqlx::query_as(select!(
                    "AND ($3 = ',,' OR $3 LIKE '%,' || state || ',%') \
                     AND created_ms >= $4 AND (created_ms, number) < ($5, $6) \
                     AND (late OR NOT $8) AND ($9 IS NULL OR resperr = $9) ORDER BY created_ms DESC, number DESC LIMIT $7"
                ))
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(states)
                .bind(since.as_millisecond())
                .bind(before_ms)
                .bind(number)
                .bind(i64::from(filter.limit))
                .bind(filter.late)
                .bind(filter.resperr.as_deref())
                .fetch_all(&mut *self)
                .await
            }

            async fn history(
                &mut self,
                scope: &Scope,
                number: &OrderNumber,
            ) -> Outcome<Vec<EventRow>> {
                sqlx::query_as(
                    "SELECT id, at_ms, number, what, tool, transport, client, principal, terms, \
                     from_state, to_state, respcd, detail FROM events \
                     WHERE environment = $1 AND merchant = $2 AND number = $3 ORDER BY id",
                )
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(number.as_str())
                .fetch_all(&mut *self)
                .await
            }

            async fn happened(
                &mut self,
                scope: &Scope,
                number: &OrderNumber,
                most: u32,
            ) -> Outcome<Vec<EventRow>> {
                sqlx::query_as(
                    "SELECT id, at_ms, number, what, tool, transport, client, principal, terms, \
                     from_state, to_state, respcd, detail FROM events \
                     WHERE environment = $1 AND merchant = $2 AND number = $3 AND what <> $4 \
                     ORDER BY id DESC LIMIT $5",
                )
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(number.as_str())
                .bind(Happening::Asked.word())
                .bind(i64::from(most))
                .fetch_all(&mut *self)
                .await
            }

            async fn lease(&mut self, lease: &Lease) -> Outcome<bool> {
                let taken = sqlx::query(
                    "INSERT INTO leases (environment, merchant, name, holder, until_ms) \
                     VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (environment, merchant, name) DO UPDATE \
                     SET holder = excluded.holder, until_ms = excluded.until_ms \
                     WHERE leases.holder = excluded.holder OR leases.until_ms <= $6",
                )
                .bind(lease.scope.environment.name())
                .bind(lease.scope.merchant.as_str())
                .bind(lease.name.as_str())
                .bind(lease.holder.as_str())
                .bind(lease.until_ms)
                .bind(lease.free_before_ms);
                Ok(taken.execute(&mut *self).await?.rows_affected() == 1)
            }
        }
    };
}

store!(SqliteConnection);
store!(PgConnection);
