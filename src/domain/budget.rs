//! What may still leave: an operator's limits as the ledger holds them, and what left already.
use jiff::Timestamp;

/// The most that may leave beside one new payment or refund. Amounts are minor units of its
/// currency; what surely did not move money does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// When the merchant's day began.
    pub day_start: Timestamp,
    /// The most of the day; none: as much as they like.
    pub most_today: Option<u64>,
    /// One hour ago.
    pub hour_start: Timestamp,
    /// The most entries since then, in every currency; none: as many as they like.
    pub most_last_hour: Option<u64>,
}

/// What left already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Minor units since the day began.
    pub today_minor: u64,
    /// Entries since one hour ago, in every currency, whatever became of them.
    pub last_hour: u64,
}

impl Budget {
    /// Whether `minor` more fits beside what left already.
    pub fn allows(&self, minor: u64, spent: Spent) -> bool {
        let today = spent.today_minor.saturating_add(minor);
        self.most_today.is_none_or(|most| today <= most)
            && self.most_last_hour.is_none_or(|most| spent.last_hour < most)
    }
}
