//! `reconcile`: a day of our ledger held against QFPay's records, for a person or a nightly job.
use std::{
    fs::{self, File},
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Once,
    time::Duration,
};

use clap::Args;
use futures::{FutureExt as _, future::BoxFuture};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;

use super::{
    USAGE, complain,
    demo::INTERRUPTED,
    desk::{self, Desk, Failure, Out},
    style::Style,
};
use crate::{
    config::Config,
    domain::time::parse_day,
    ledger::Caller,
    payments::{
        Refused,
        reconcile::{Outcome, Progress, Reconciled},
    },
};

mod export;
mod told;

/// It could not be asked about everything.
const FAILED: u8 = 1;
const DIFFERS: u8 = 3;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  qfpay-mcp reconcile
  qfpay-mcp reconcile --date 2026-11-23 --csv differences-2026-11-23.csv
  qfpay-mcp reconcile --json")]
pub(super) struct Reconcile {
    /// The day, by the merchant's clock: 2026-11-23 [default: yesterday]
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    date: Option<Date>,
    /// Write all differences to a new file, as CSV. A cell that a spreadsheet would take for a
    /// formula begins with '
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write one JSON object instead of the tables
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, reconcile: &Reconcile, style: Style) -> ExitCode {
    desk::at(config, style, async |desk, out| reconciled(reconcile, desk, out).await).await
}

async fn reconciled(reconcile: &Reconcile, desk: &Desk, out: &mut Out) -> Result<u8, Failure> {
    desk.shutdown.stop_on_signals()?;
    // Minutes later nobody wants to hear that it cannot be written.
    let csv = match reconcile.csv.as_deref().map(Csv::create).transpose() {
        Ok(csv) => csv,
        Err(told) => {
            complain(&format!("qfpay-mcp: --csv: {told}"));
            return Ok(USAGE);
        }
    };
    let payments = &desk.payments;
    let date = reconcile.date.unwrap_or_else(|| payments.yesterday());
    let caller = Caller::own("terminal", "reconcile");
    let teller = Teller::new(date);
    let done = payments.reconcile(&caller, date, &payments.stop, &|it| teller.tell(it)).await;
    teller.end();
    let done = match done {
        Ok(done) => done,
        Err(refused) => return Ok(refusal(&refused)),
    };
    if let Some(csv) = csv.as_ref().filter(|_| done.stopped) {
        // What it lacks would look as if it agreed.
        complain(&format!("{} was not written, since not all was compared", csv.path.display()));
    }
    let csv = csv.filter(|_| !done.stopped);
    let file = csv.map(|it| it.keep(&done)).transpose()?;
    if reconcile.json {
        writeln!(out, "{:#}", export::json(&done, &desk.place))?;
    } else {
        write!(out, "{}", told::text(&done, &desk.place, file.as_deref(), desk.style))?;
    }
    Ok(code(&done))
}

/// A new file that goes again unless it is kept.
struct Csv<'a> {
    path: &'a Path,
    file: Option<File>,
}

impl<'a> Csv<'a> {
    fn create(path: &'a Path) -> Result<Self, String> {
        let created = File::create_new(path).map_err(|error| {
            let path = path.display();
            if error.kind() == io::ErrorKind::AlreadyExists {
                return format!("{path} is there already; name a file that is not, or remove it");
            }
            format!("{path} cannot be written: {error}; name another file")
        });
        Ok(Self { path, file: Some(created?) })
    }

    fn keep(mut self, done: &Reconciled) -> Result<PathBuf, Failure> {
        if let Some(file) = &self.file {
            export::csv(done, file)?;
        }
        self.file = None;
        Ok(self.path.to_owned())
    }
}

impl Drop for Csv<'_> {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = fs::remove_file(self.path);
        }
    }
}

/// Tells a refusal; its exit code.
fn refusal(refused: &Refused) -> u8 {
    complain(&format!("qfpay-mcp: {refused}. Nothing was compared."));
    let usage = matches!(refused, Refused::Argument { .. } | Refused::Forbidden(_));
    if usage { USAGE } else { FAILED }
}

fn code(done: &Reconciled) -> u8 {
    match done.outcome() {
        Outcome::Agrees => 0,
        Outcome::Differs => DIFFERS,
        Outcome::Incomplete if done.stopped => INTERRUPTED,
        Outcome::Incomplete => FAILED,
    }
}

/// Shows how far it is: a spinner where stderr is a terminal, else a line at the start.
struct Teller {
    date: Date,
    bar: Option<ProgressBar>,
    started: Once,
}

impl Teller {
    fn new(date: Date) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = "Reading QFPay's records of {prefix} {spinner} {pos}, {elapsed}";
            let style = ProgressStyle::with_template(style);
            let bar = ProgressBar::new_spinner().with_prefix(date.to_string());
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar
        });
        Self { date, bar, started: Once::new() }
    }

    fn tell(&self, progress: Progress) -> BoxFuture<'static, ()> {
        self.started.call_once(|| match &self.bar {
            Some(bar) => bar.enable_steady_tick(Duration::from_millis(200)),
            None => complain(&format!("Reading QFPay's records of {} …", self.date)),
        });
        if let Some(bar) = &self.bar {
            bar.set_position(u64::try_from(progress.records).unwrap_or(u64::MAX));
        }
        std::future::ready(()).boxed()
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
