//! Tell subscribers which of the orders that they follow changed: at once where this process changed
//! one, and at the next look where another did that shares the ledger.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Interval, MissedTickBehavior};

use super::{Listener, Payments};
use crate::{domain::OrderNumber, ledger::LedgerError};

/// How often all that is followed is looked at in the ledger.
const LOOK: Duration = Duration::from_secs(5);
/// What changed so shortly before it was followed is told, too: it may have been after the
/// subscriber was told that it is.
const JUST_NOW: SignedDuration = SignedDuration::from_secs(2);

/// How an order and its refunds stand, in brief: another version of any of them is another mark.
/// Empty while there is no such order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Mark {
    versions: Vec<(OrderNumber, i64)>,
    changed_at: Option<Timestamp>,
}

/// An order that is followed, and what its subscriber holds for it.
#[derive(Debug)]
struct One<T> {
    number: OrderNumber,
    mark: Mark,
    _held: T,
}

/// What one subscriber follows, each order under a name of the subscriber's.
#[derive(Debug)]
pub struct Followed<T>(Arc<Mutex<BTreeMap<String, One<T>>>>);

impl<T> Clone for Followed<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Followed<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Followed<T> {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, One<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    pub fn has(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }

    /// Follows what has this name no longer.
    pub fn drop(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Those to look at when `number` changed, or anything may have.
    fn concerned(&self, number: Option<&OrderNumber>) -> Vec<(String, OrderNumber)> {
        let followed = self.lock();
        let concerned = followed.iter().filter(|(_, it)| number.is_none_or(|at| it.number == *at));
        concerned.map(|(name, it)| (name.clone(), it.number.clone())).collect()
    }

    /// Whether what has this name stands otherwise than when it was last looked at.
    fn moved(&self, name: &str, mark: Mark) -> bool {
        let mut followed = self.lock();
        let Some(one) = followed.get_mut(name).filter(|it| it.mark.versions != mark.versions)
        else {
            return false;
        };
        one.mark = mark;
        true
    }
}

/// Hears what changes of what is followed.
pub struct Follower<T> {
    payments: Payments,
    followed: Followed<T>,
    listener: Listener,
    look: Interval,
    just_now: Vec<String>,
}

impl Payments {
    /// Follows an order from now on, under a name; it may be there yet or not. `held` is kept as long
    /// as it is followed.
    pub async fn follow<T>(
        &self,
        followed: &Followed<T>,
        name: &str,
        number: OrderNumber,
        held: T,
    ) -> Result<(), LedgerError> {
        let mark = self.mark(&number).await?;
        followed.lock().insert(name.to_owned(), One { number, mark, _held: held });
        Ok(())
    }

    /// Hears of changes from the moment it was made.
    pub fn follower<T>(&self, followed: Followed<T>) -> Follower<T> {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let listener = self.changes.listen();
        Follower { payments: self.clone(), followed, listener, look, just_now: Vec::new() }
    }

    async fn mark(&self, number: &OrderNumber) -> Result<Mark, LedgerError> {
        let Some((payment, refunds)) = self.written(number).await? else {
            return Ok(Mark::default());
        };
        let changed_at = refunds.iter().map(|it| it.updated_at).chain([payment.updated_at]).max();
        let refunds = refunds.into_iter().map(|it| (it.number, it.version));
        let versions = std::iter::once((payment.number, payment.version)).chain(refunds).collect();
        Ok(Mark { versions, changed_at })
    }
}

impl<T> Follower<T> {
    /// Tells first what changed just before it was followed.
    #[must_use]
    pub fn from_just_now(mut self) -> Self {
        let since = self.payments.clock.now().checked_sub(JUST_NOW).unwrap_or(Timestamp::MIN);
        let followed = self.followed.lock();
        let fresh = followed.iter().filter(|(_, it)| it.mark.changed_at >= Some(since));
        self.just_now = fresh.map(|(name, _)| name.clone()).collect();
        drop(followed);
        self
    }

    /// Waits until some changed, and gives their names. A ledger that cannot be read now is read at
    /// the next look.
    pub async fn next(&mut self) -> Vec<String> {
        loop {
            let just_now = std::mem::take(&mut self.just_now);
            if !just_now.is_empty() {
                return just_now;
            }
            let heard = tokio::select! {
                heard = self.listener.next() => heard,
                _ = self.look.tick() => None,
            };
            let mut moved = Vec::new();
            for (name, number) in self.followed.concerned(heard.as_ref()) {
                match self.payments.mark(&number).await {
                    Ok(mark) => moved.extend(self.followed.moved(&name, mark).then_some(name)),
                    Err(error) => tracing::debug!(%number, %error, "it could not be looked at"),
                }
            }
            if !moved.is_empty() {
                return moved;
            }
        }
    }
}
