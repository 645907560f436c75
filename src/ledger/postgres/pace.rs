//! QFPay's rate limits, kept by all replicas together: the turns of a merchant stand in one row.
use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::Connection as _;

use super::{Database, persist};
use crate::{
    client::pace::{self, Limit, Pace, TooBusy},
    ledger::{LedgerError, Scope},
};

/// A pace that every process over one database keeps. Its clock is the database's.
#[derive(Debug)]
pub struct SharedPace {
    database: Arc<Database>,
    scope: Scope,
    limits: Vec<Limit>,
}

/// The row of a merchant, locked until the turn is written; times in microseconds. The clock is read
/// outside of what locks: inside, it would be read before the wait for the lock.
const READ: &str = "WITH mine AS (SELECT at_us FROM turns \
                                  WHERE environment = $1 AND merchant = $2 FOR UPDATE) \
                    SELECT at_us, (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT \
                    FROM mine";
const FIRST: &str = "INSERT INTO turns (environment, merchant, at_us) VALUES ($1, $2, '{}') \
                     ON CONFLICT DO NOTHING";
const WRITE: &str = "UPDATE turns SET at_us = $3 WHERE environment = $1 AND merchant = $2";

impl SharedPace {
    pub fn new(database: Arc<Database>, scope: Scope, limits: &[Limit]) -> Self {
        Self { database, scope, limits: limits.to_vec() }
    }

    /// Books the next turn; how long to wait for it.
    async fn book(&self, patience: Duration) -> Result<Result<Duration, TooBusy>, LedgerError> {
        let (environment, merchant) = (self.scope.environment.name(), self.scope.merchant.as_str());
        let mut connection = self.database.connection().await?;
        let mut transaction = connection.begin().await?;
        let read = || sqlx::query_as(READ).bind(environment).bind(merchant);
        let mut row: Option<(Vec<i64>, i64)> = read().fetch_optional(&mut *transaction).await?;
        if row.is_none() {
            let first = sqlx::query(FIRST).bind(environment).bind(merchant);
            first.execute(&mut *transaction).await?;
            row = read().fetch_optional(&mut *transaction).await?;
        }
        let (turns, now) = row.unwrap_or_default();
        let mut turns: VecDeque<Duration> = turns.into_iter().map(from_us).collect();
        let now = from_us(now);
        let at = match pace::book(&mut turns, &self.limits, now, patience) {
            Ok(at) => at,
            Err(busy) => return Ok(Err(busy)),
        };
        let turns: Vec<i64> = turns.into_iter().map(to_us).collect();
        let write = sqlx::query(WRITE).bind(environment).bind(merchant).bind(turns);
        write.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Ok(at.saturating_sub(now)))
    }
}

/// Microseconds since 1970.
fn from_us(us: i64) -> Duration {
    Duration::from_micros(u64::try_from(us).unwrap_or(0))
}

fn to_us(at: Duration) -> i64 {
    i64::try_from(at.as_micros()).unwrap_or(i64::MAX)
}

#[async_trait]
impl Pace for SharedPace {
    async fn turn(&self, patience: Duration) -> Result<(), TooBusy> {
        if self.limits.is_empty() {
            return Ok(());
        }
        let booked = persist!(self.book(patience).await);
        match booked {
            Ok(Ok(wait)) => {
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
                Ok(())
            }
            Ok(Err(busy)) => Err(busy),
            // Without the shared count nobody may send: nothing left, and it can be tried again.
            Err(error) => {
                tracing::warn!(%error, "the shared pace cannot be kept");
                Err(TooBusy { retry_after: Duration::from_secs(5) })
            }
        }
    }
}
