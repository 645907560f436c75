//! QFPay's two request limits for a merchant: so many in a second, so many in a minute
//! (contract §6). They hold for one process; the book does not know them.
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60_000;

/// How many requests are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In any second.
    pub per_second: usize,
    /// In any minute.
    pub per_minute: usize,
}

/// QFPay's documented limits.
impl Default for Limits {
    fn default() -> Self {
        Self { per_second: 100, per_minute: 400 }
    }
}

/// The requests of the last minute, by the simulator's clock.
#[derive(Debug)]
pub(super) struct Limiter {
    limits: Limits,
    answered_ms: Mutex<VecDeque<i64>>,
}

impl Limiter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, answered_ms: Mutex::default() }
    }

    /// Counts a request that is answered, or says after how many seconds to try again.
    pub(super) fn take(&self, now: Timestamp) -> Result<(), i64> {
        let now = now.as_millisecond();
        let mut answered = self.answered_ms.lock().unwrap_or_else(PoisonError::into_inner);
        while answered.front().is_some_and(|at| *at <= now - MINUTE) {
            answered.pop_front();
        }
        let waits = [(self.limits.per_second, SECOND), (self.limits.per_minute, MINUTE)].map(
            |(most, span)| {
                // The one that has to leave the span before another may come in.
                let blocking = match most {
                    0 => Some(now),
                    _ => answered.len().checked_sub(most).and_then(|at| answered.get(at).copied()),
                };
                blocking.map_or(0, |at| (at + span - now).max(0))
            },
        );
        match waits.into_iter().max() {
            Some(wait) if wait > 0 => Err((wait + SECOND - 1) / SECOND),
            _ => {
                answered.push_back(now);
                Ok(())
            }
        }
    }

    /// Takes back a request of `now` that was counted and is not answered after all.
    pub(super) fn give_back(&self, now: Timestamp) {
        let now = now.as_millisecond();
        let mut answered = self.answered_ms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = answered.iter().rposition(|it| *it == now) {
            answered.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn a_request_over_either_limit_waits_until_an_older_one_leaves_the_span() {
        let limiter = Limiter::new(Limits { per_second: 2, per_minute: 3 });
        let start: Timestamp = "2026-11-23T06:30:00Z".parse().unwrap();
        let at = |ms: i64| limiter.take(start + ms.milliseconds());
        assert_eq!([at(0), at(10), at(20)], [Ok(()), Ok(()), Err(1)]);
        assert_eq!(at(1_000), Ok(()));
        assert_eq!(at(2_000), Err(58));
        assert_eq!([at(60_000), at(60_001)], [Ok(()), Err(1)]);
    }
}
