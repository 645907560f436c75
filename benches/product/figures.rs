//! Figures and how they are written. It knows no process.
use std::{fmt::Write as _, time::Duration};

/// How fast something went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// What the server's processors worked for each, where the system tells. Unlike the others it
    /// does not depend on what else the machine does.
    pub(crate) work: Option<Duration>,
}

impl Rate {
    /// From what each took, what all took together, and what the server worked for all.
    pub(crate) fn new(
        mut latencies: Vec<Duration>,
        whole: Duration,
        work: Option<Duration>,
    ) -> Self {
        latencies.sort_unstable();
        let count = u32::try_from(latencies.len()).map_or(f64::INFINITY, f64::from);
        Self {
            per_second: count / whole.as_secs_f64(),
            p50: at(&latencies, 50),
            p99: at(&latencies, 99),
            work: work.map(|it| it.div_f64(count.max(1.0))),
        }
    }

    /// The round in the middle.
    pub(crate) fn median(mut rounds: Vec<Self>) -> Self {
        rounds.sort_unstable_by(|a, b| a.per_second.total_cmp(&b.per_second));
        let none = || Self::new(Vec::new(), Duration::MAX, None);
        rounds.get(rounds.len() / 2).copied().unwrap_or_else(none)
    }

    /// As the cells of a row: a second, p50, p99, work.
    pub(crate) fn cells(&self) -> [String; 4] {
        [self.whole(), written(self.p50), written(self.p99), self.work()]
    }

    pub(crate) fn work(&self) -> String {
        self.work.map_or("?".to_owned(), written)
    }

    /// A second, rounded, in groups of three digits.
    pub(crate) fn whole(&self) -> String {
        let digits = format!("{:.0}", self.per_second);
        let mut grouped = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        grouped
    }
}

/// The duration that `percent` of all stay under.
fn at(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}

/// The middle of some durations, and the least and the most.
pub(crate) fn spread(mut durations: Vec<Duration>) -> String {
    durations.sort_unstable();
    let [least, middle, most] = [0, 50, 100].map(|percent| written(at(&durations, percent)));
    format!("{middle} ({least} to {most})")
}

/// A duration in the unit that reads best.
pub(crate) fn written(duration: Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    if micros < 1000.0 { format!("{micros:.0} µs") } else { format!("{:.1} ms", micros / 1000.0) }
}

/// A table whose columns stand in line: the first to the left, those that are figures to the right.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    /// How many columns, from the second, are figures.
    figures: usize,
}

impl Table {
    pub(crate) fn new<const N: usize>(heads: [&str; N], figures: usize) -> Self {
        Self { rows: vec![heads.map(str::to_owned).to_vec()], figures }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// As text, under `title`.
    pub(crate) fn written(&self, title: &str) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(move |row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = format!("{title}\n");
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let gap = if column == 0 { "  " } else { "   " };
                let _ = if (1..=self.figures).contains(&column) {
                    write!(line, "{gap}{cell:>width$}")
                } else {
                    write!(line, "{gap}{cell:<width$}")
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
