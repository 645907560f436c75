//! `orders` without a command: the list, newest first.
use std::io::Write as _;

use clap::{Args, builder::PossibleValuesParser};
use jiff::tz::TimeZone;

use super::{Desk, Failure, LATE, Out, export, line::Line, moment::Moment, table::Table};
use crate::{
    domain::{PaymentState, RefundState},
    ledger::{Entry, Filter, Ledger, LedgerError},
};

/// Entries read from the ledger at once.
const PAGE: u32 = 500;
/// Entries in the table unless somebody says otherwise.
const IN_TABLE: u32 = 50;
/// Further than this, nobody counts what is not shown.
const COUNTED: usize = 10_000;

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only what stands so, comma-separated
    #[arg(long, value_delimiter = ',', value_name = "STATUS",
        value_parser = PossibleValuesParser::new(words()))]
    status: Vec<String>,
    /// Only what was carried out after it had been taken for failed or closed
    #[arg(long)]
    late: bool,
    /// Only what was made then or later, by the merchant's clock: 2026-11-23, or
    /// '2026-11-23 14:30:00'
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// Only what was made until then, that day or second included
    #[arg(long, value_name = "WHEN")]
    until: Option<Moment>,
    /// At most so many; 0 writes all [default: 50 in the table, else all]
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Write one JSON array of objects
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Write CSV with a header. A cell that a spreadsheet would take for a formula begins with '
    #[arg(long)]
    csv: bool,
}

/// The words of payments and of refunds, each once.
fn words() -> Vec<&'static str> {
    let mut words: Vec<&str> = PaymentState::ALL.iter().map(|it| it.word()).collect();
    let refunds = RefundState::ALL.iter().map(|it| it.word());
    words.extend(refunds.filter(|it| PaymentState::find(it).is_none()));
    words
}

/// The list, read from the ledger in pages.
pub(super) struct Pages<'a> {
    ledger: &'a dyn Ledger,
    pub(super) zone: &'a TimeZone,
    filter: Filter,
    /// How many are still wanted; none: all.
    left: Option<u32>,
    /// The last page was not full.
    ended: bool,
}

impl<'a> Pages<'a> {
    fn new(list: &List, desk: &'a Desk, limit: u32) -> Self {
        let zone = desk.zone();
        let filter = Filter {
            states: list.status.clone(),
            late: list.late,
            resperr: None,
            since: list.since.map(|it| it.start(zone)),
            until: list.until.map(|it| it.end(zone)),
            after: None,
            limit: PAGE,
        };
        let left = (limit > 0).then_some(limit);
        Self { ledger: desk.payments.ledger.as_ref(), zone, filter, left, ended: false }
    }

    /// The next page; none behind the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Entry>>, LedgerError> {
        let most = self.left.unwrap_or(PAGE).min(PAGE);
        if self.ended || most == 0 {
            return Ok(None);
        }
        self.filter.limit = most;
        let page = self.ledger.list(&self.filter).await?;
        let read = u32::try_from(page.len()).unwrap_or(PAGE);
        self.ended = read < most;
        self.left = self.left.map(|it| it.saturating_sub(read));
        self.filter.after = page.last().map(Entry::place);
        Ok(Some(page).filter(|it| !it.is_empty()))
    }

    /// What stands behind what was wanted, counted as far as anybody cares.
    async fn more(mut self) -> Result<usize, LedgerError> {
        self.left = None;
        let mut more: usize = 0;
        while let Some(page) = self.next().await? {
            more = more.saturating_add(page.len());
            if more > COUNTED {
                break;
            }
        }
        Ok(more)
    }
}

pub(super) async fn run(list: &List, desk: &Desk, out: &mut Out) -> Result<u8, Failure> {
    let pages = |default: u32| Pages::new(list, desk, list.limit.unwrap_or(default));
    if list.json {
        export::json(pages(0), out).await?;
    } else if list.csv {
        export::csv(pages(0), out).await?;
    } else {
        table(list, desk, pages(IN_TABLE), out).await?;
    }
    Ok(0)
}

async fn table(
    list: &List,
    desk: &Desk,
    mut pages: Pages<'_>,
    out: &mut Out,
) -> Result<(), Failure> {
    let (style, zone) = (desk.style, desk.zone());
    let mut table = Table::new(style, style.width());
    let (mut empty, mut late) = (true, false);
    while let Some(page) = pages.next().await? {
        let lines: Vec<Line<'_>> = page.iter().map(|it| Line::new(it, zone)).collect();
        late |= page.iter().any(Entry::late);
        write!(out, "{}", table.lines(&lines, zone))?;
        empty = false;
    }
    if empty {
        let what = if list.is_narrow() { "No orders match" } else { "No orders yet" };
        writeln!(out, "{what} ({}).", desk.place)?;
        return Ok(());
    }
    if late {
        writeln!(out, "\n{}", style.bad(LATE))?;
    }
    let more = pages.more().await?;
    if more > 0 {
        writeln!(out, "\n{}", more_text(more))?;
    }
    if table.shortened {
        let hint = "Long numbers are shortened to fit; `| cat`, --json and --csv write them whole.";
        writeln!(out, "\n{}", style.dim(hint))?;
    }
    Ok(())
}

fn more_text(more: usize) -> String {
    if more > COUNTED {
        return format!("More than {COUNTED} more: --limit 0");
    }
    format!("{more} more: --limit 0")
}

impl List {
    fn is_narrow(&self) -> bool {
        !self.status.is_empty() || self.late || self.since.is_some() || self.until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{
        conformance::{open_new, scope},
        sqlite::SqliteLedger,
    };

    #[tokio::test]
    async fn all_is_read_page_by_page_each_entry_once() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::new(&folder.path().join("ledger.db"), scope("m1"));
        let all: Vec<String> = (0..PAGE + 3).map(|it| format!("A{it:04}")).rev().collect();
        for number in &all {
            open_new(&ledger, number).await.unwrap();
        }
        let utc = TimeZone::UTC;
        let pages = |left| Pages {
            ledger: &ledger,
            zone: &utc,
            filter: Filter::default(),
            left,
            ended: false,
        };
        let mut every = pages(None);
        let mut read = Vec::new();
        while let Some(page) = every.next().await.unwrap() {
            read.extend(page.iter().map(|it| it.number().to_string()));
        }
        assert_eq!(read, all);
        let mut some = pages(Some(2));
        assert_eq!(some.next().await.unwrap().unwrap().len(), 2);
        assert!(some.next().await.unwrap().is_none());
        assert_eq!(some.more().await.unwrap(), all.len() - 2);
    }

    #[test]
    fn what_is_not_shown_is_counted_as_far_as_anybody_cares() {
        assert_eq!(more_text(7), "7 more: --limit 0");
        assert_eq!(more_text(10_321), "More than 10000 more: --limit 0");
    }

    #[test]
    fn each_status_can_be_asked_for_once() {
        assert_eq!(words().len(), 10, "{:?}", words());
        assert!(RefundState::ALL.iter().all(|it| words().contains(&it.word())));
    }
}
