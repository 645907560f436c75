//! The virtual payer: when an order is paid, and what a person at its page may decide.
//!
//! A delay becomes a moment in the book when the order is made, so it needs no timer and survives
//! a restart.
use std::time::Duration;

use super::book::PAID;

/// Who pays the orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payer {
    /// Nobody has to do anything: an order is paid so long after it was made.
    Pays { after: Duration },
    /// Somebody decides, at the order's page or through [`Simulator::act`](super::Simulator::act).
    Waits,
}

/// What a payer can do with an order that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Pay,
    /// The wallet refuses.
    Fail,
    /// Time runs out.
    Expire,
}

/// How long a refund takes that was answered with a pending code, when the payer only [waits](Payer::Waits).
const REFUND: Duration = Duration::from_secs(3);

impl Payer {
    /// The moment an order made at `now_ms` is paid at by itself.
    pub(super) fn pays_ms(self, now_ms: i64) -> Option<i64> {
        match self {
            Self::Pays { after } => Some(later(now_ms, after)),
            Self::Waits => None,
        }
    }

    /// The moment a pending refund made at `now_ms` is through.
    pub(super) fn refunds_ms(self, now_ms: i64) -> i64 {
        self.pays_ms(now_ms).unwrap_or_else(|| later(now_ms, REFUND))
    }
}

fn later(now_ms: i64, after: Duration) -> i64 {
    now_ms.saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX))
}

impl Act {
    pub(super) const ALL: [Self; 3] = [Self::Pay, Self::Fail, Self::Expire];

    /// The last part of its address.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Fail => "fail",
            Self::Expire => "expire",
        }
    }

    pub(super) fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }

    /// The respcd the order has afterwards.
    pub(super) const fn respcd(self) -> &'static str {
        match self {
            Self::Pay => PAID,
            Self::Fail => "1205",
            Self::Expire => "1181",
        }
    }
}
