//! Keeps requests inside QFPay's limits: 100 a second and 400 a minute for each merchant.
//!
//! Source: contract §6 (<https://sdk.qfapi.com/integration/api-reference/api-usage-guidelines>).
//! The times of the last requests are kept, so no window of either length ever holds more than its
//! limit; a token bucket would let twice the minute's limit through in its first minute. QFPay counts
//! what arrives and we what leaves, and one request takes longer than another: each window is kept
//! so much longer.
use std::{
    collections::VecDeque,
    ops::{Add, Sub},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::{Instant, sleep_until};

/// At most `most` requests in any span of `span`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub most: usize,
    pub span: Duration,
}

/// QFPay's limits for a merchant.
pub const QFPAY: [Limit; 2] = [
    Limit { most: 100, span: Duration::from_secs(1) },
    Limit { most: 400, span: Duration::from_secs(60) },
];

/// How much more time one request may take from its turn to QFPay than another: three round trips
/// for a new connection, a busy machine.
pub const SPREAD: Duration = Duration::from_millis(500);

/// Hands out turns, so that requests stay inside QFPay's limits.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Waits for a turn, at most `patience`; a refusal takes no turn.
    async fn turn(&self, patience: Duration) -> Result<(), TooBusy>;
}

/// The turn would come later than the caller can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooBusy {
    pub retry_after: Duration,
}

/// Books the next turn inside all of `limits`, each kept [`SPREAD`] longer, on any clock that only
/// goes forward. `turns` holds when the last requests left or will leave, oldest first, and never
/// more than the largest limit.
pub fn book<At>(
    turns: &mut VecDeque<At>,
    limits: &[Limit],
    now: At,
    patience: Duration,
) -> Result<At, TooBusy>
where
    At: Copy + Ord + Add<Duration, Output = At> + Sub<Output = Duration>,
{
    let free = limits.iter().filter_map(|limit| {
        let before = turns.len().checked_sub(limit.most)?;
        Some(*turns.get(before)? + limit.span + SPREAD)
    });
    let at = free.max().map_or(now, |free| free.max(now));
    let wait = at - now;
    if wait > patience {
        return Err(TooBusy { retry_after: wait });
    }
    let most = limits.iter().map(|limit| limit.most).max().unwrap_or(0);
    turns.push_back(at);
    while turns.len() > most {
        turns.pop_front();
    }
    Ok(at)
}

/// The pace of one process.
#[derive(Debug)]
pub struct LocalPace {
    limits: Vec<Limit>,
    turns: Mutex<VecDeque<Instant>>,
}

impl LocalPace {
    /// A pace inside all of `limits`; without limits it never waits.
    pub fn new(limits: &[Limit]) -> Self {
        Self { limits: limits.to_vec(), turns: Mutex::default() }
    }

    fn book(&self, now: Instant, patience: Duration) -> Result<Instant, TooBusy> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        book(&mut turns, &self.limits, now, patience)
    }
}

#[async_trait]
impl Pace for LocalPace {
    async fn turn(&self, patience: Duration) -> Result<(), TooBusy> {
        let now = Instant::now();
        let at = self.book(now, patience)?;
        // A timer costs a millisecond even when its time has come.
        if at > now {
            sleep_until(at).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_is_spread_and_the_impatient_are_told_when_to_come_back() {
        let pace = LocalPace::new(&QFPAY);
        let start = Instant::now();
        let patience = Duration::from_secs(5);
        let booked: Vec<_> = (0..401).map(|_| pace.book(start, patience)).collect();
        assert_eq!(booked[99], Ok(start));
        assert_eq!(booked[100], Ok(start + Duration::from_millis(1500)));
        assert_eq!(booked[399], Ok(start + Duration::from_millis(4500)));
        assert_eq!(booked[400], Err(TooBusy { retry_after: Duration::from_millis(60_500) }));
        let later = start + Duration::from_millis(60_500);
        assert_eq!(pace.book(later, patience), Ok(later), "a refusal took no turn");
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_waited_for() {
        let pace = LocalPace::new(&[Limit { most: 1, span: Duration::from_secs(2) }]);
        let start = Instant::now();
        pace.turn(Duration::from_secs(9)).await.unwrap();
        pace.turn(Duration::from_secs(9)).await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_millis(2500));
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_its_limit_however_long_each_request_takes(
            gaps in prop::collection::vec((0_u64..700, 0_u64..500), 1..400),
        ) {
            let limits = [
                Limit { most: 3, span: Duration::from_secs(1) },
                Limit { most: 7, span: Duration::from_secs(5) },
            ];
            let pace = LocalPace::new(&limits);
            let mut now = Instant::now();
            let mut arrivals = Vec::new();
            for (gap, takes) in gaps {
                now += Duration::from_millis(gap);
                let turn = pace.book(now, Duration::from_secs(2));
                arrivals.extend(turn.map(|it| it + Duration::from_millis(takes)));
            }
            arrivals.sort_unstable();
            for limit in limits {
                for run in arrivals.windows(limit.most + 1) {
                    prop_assert!(run[limit.most] - run[0] >= limit.span);
                }
            }
        }
    }
}
