//! `audit`: who did what when, and whether the record of it is whole.
use std::{io::Write as _, process::ExitCode};

use clap::{Args, Subcommand};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    desk::{self, Desk, Failure, Out},
    moment::Moment,
    orders::{
        line::local,
        show::{event_json, who},
    },
    style::Style,
};
use crate::{
    client::response::cleaned,
    config::Config,
    ledger::{Event, EventFilter},
};

mod verify;

/// Rows read from the ledger at once.
const PAGE: u32 = 500;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  qfpay-mcp audit
  qfpay-mcp audit --day 2026-11-25 --json > audit-2026-11-25.json
  qfpay-mcp audit --since 2026-11-01 --until 2026-11-30
  qfpay-mcp audit verify"
)]
pub(super) struct Audit {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find rows that were changed, removed or slipped in
    ///
    /// Each row carries a hash over itself and the row before it. Who can write to the database
    /// could compute them all anew: note the head that this prints, elsewhere, and give it back
    /// with --head later. Exit code: 0 whole, 1 not.
    Verify(verify::Verify),
}

#[derive(Debug, Args)]
struct List {
    /// Only this day, by the merchant's clock [default: today]
    #[arg(long, value_name = "DAY", conflicts_with_all = ["since", "until"])]
    day: Option<Moment>,
    /// Only what happened then or later: 2026-11-23, or '2026-11-23 14:30:00'
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// Only what happened until then, that day or second included
    #[arg(long, value_name = "WHEN")]
    until: Option<Moment>,
    /// Write one JSON array of objects
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, audit: Audit, style: Style) -> ExitCode {
    desk::at(config, style, async |desk, out| match audit.command {
        None => list(&audit.list, desk, out).await,
        Some(Command::Verify(verify)) => verify::run(&verify, desk, out).await,
    })
    .await
}

impl List {
    /// From when to when.
    fn span(&self, today: Date, zone: &TimeZone) -> (Timestamp, Timestamp) {
        let nothing = self.since.is_none() && self.until.is_none();
        let day = self.day.or(nothing.then_some(Moment::Day(today)));
        let (since, until) = (self.since.or(day), self.until.or(day));
        let since = since.map_or(Timestamp::MIN, |it| it.start(zone));
        (since, until.map_or(Timestamp::MAX, |it| it.end(zone)))
    }
}

async fn list(list: &List, desk: &Desk, out: &mut Out) -> Result<u8, Failure> {
    let zone = desk.zone();
    let today = desk.payments.clock.now().to_zoned(zone.clone()).date();
    let (since, until) = list.span(today, zone);
    let mut filter = EventFilter { since, until, after: None, limit: PAGE };
    let mut count: u64 = 0;
    loop {
        let page = desk.payments.ledger.events(&filter).await?;
        for event in &page {
            if list.json {
                let before = if count == 0 { "[\n" } else { ",\n" };
                write!(out, "{before}{}", event_json(event, zone))?;
            } else {
                if count == 0 {
                    writeln!(out, "{}", desk.style.bold(HEAD))?;
                }
                writeln!(out, "{}", row(event, zone, desk.style))?;
            }
            count = count.saturating_add(1);
        }
        filter.after = page.last().map(|it| (it.at, it.id));
        if u32::try_from(page.len()).is_ok_and(|it| it < PAGE) {
            break;
        }
    }
    match (list.json, count) {
        (true, 0) => writeln!(out, "[]")?,
        (true, _) => writeln!(out, "\n]")?,
        (false, 0) => writeln!(out, "Nothing happened in that time ({}).", desk.place)?,
        (false, _) => {}
    }
    Ok(0)
}

const HEAD: &str =
    "TIME                 WHAT            ORDER                    STATE, WHO AND WHY";

/// One row, cut to the width of the terminal.
fn row(event: &Event, zone: &TimeZone, style: Style) -> String {
    let number = event.number.as_ref().map_or("-", |it| it.as_str());
    let moved = match (&event.from, &event.to) {
        (Some(from), Some(to)) if from != to => format!("{from} -> {to}, "),
        (None, Some(to)) => format!("-> {to}, "),
        (Some(_), Some(_) | None) | (None, None) => String::new(),
    };
    let said = [&event.respcd, &event.detail].into_iter().flatten().map(|it| cleaned(it));
    let said = said.collect::<Vec<_>>().join(" ");
    let colon = if said.is_empty() { "" } else { ": " };
    let line = format!(
        "{}  {:<14}  {number:<23}  {moved}{}{colon}{said}",
        local(event.at, zone),
        event.what.word(),
        who(event)
    );
    match style.width() {
        Some(width) => line.chars().take(width).collect(),
        None => line,
    }
}
