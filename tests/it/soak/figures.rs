//! What became of a storm, in figures.
use std::{fmt, time::Duration};

/// What became of it all.
pub(crate) struct Figures {
    pub(super) orders: u64,
    pub(super) refunds: usize,
    pub(super) paid: usize,
    pub(super) closed: usize,
    pub(super) kills: u64,
    pub(super) interrupted: u64,
    pub(super) careless_refused: u64,
    pub(super) careless_taken: u64,
    pub(super) faults: Vec<(&'static str, u64)>,
    /// When the storm was over.
    pub(super) in_doubt: usize,
    /// Of those, by asking.
    pub(super) settled: usize,
    /// Of the rest, as never arrived.
    pub(super) given_up: usize,
    pub(super) duplicates: u64,
    pub(super) lost: usize,
    pub(super) too_many: u64,
    pub(super) differences: Vec<String>,
    pub(super) stormy: Duration,
    pub(super) whole: Duration,
}

impl Figures {
    /// What must not be, a line each.
    pub(super) fn wrong(&self) -> Vec<String> {
        let counts = [
            ("made twice", self.duplicates),
            ("lost", u64::try_from(self.lost).unwrap()),
            ("requests too many", self.too_many),
        ];
        let wrong = counts.iter().filter(|it| it.1 > 0).map(|(what, n)| format!("{what}: {n}"));
        wrong.chain(self.differences.iter().take(20).cloned()).collect()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, refunds, paid, closed, kills, interrupted, .. } = self;
        writeln!(f, "  orders {orders}, paid {paid}, closed {closed}, refunds {refunds}")?;
        writeln!(f, "  kills {kills}, calls whose answer never came {interrupted}")?;
        let struck = self.faults.iter().filter(|it| it.1 > 0);
        let struck: Vec<String> = struck.map(|(word, count)| format!("{word} {count}")).collect();
        writeln!(f, "  faults: {}", struck.join(", "))?;
        let (refused, taken) = (self.careless_refused, self.careless_taken);
        writeln!(f, "  repeats without a number: refused {refused}, taken {taken}")?;
        let Self { in_doubt, settled, given_up, .. } = self;
        writeln!(f, "  in doubt {in_doubt}, settled by asking {settled}, given up {given_up}")?;
        let Self { duplicates, lost, too_many, .. } = self;
        let differences = self.differences.len();
        writeln!(
            f,
            "  duplicates {duplicates}, lost {lost}, requests too many {too_many}, differences \
             {differences}"
        )?;
        let (stormy, whole) = (self.stormy.as_secs_f32(), self.whole.as_secs_f32());
        write!(f, "  storm {stormy:.1} s, whole {whole:.1} s")
    }
}
