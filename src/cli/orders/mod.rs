//! `orders`: the ledger, for a person to look at: a list, one entry, and the settling of doubts.
use std::{
    io::{self, BufWriter, Write as _},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;

use super::{ended, style::Style, wire, wrong_ledger};
use crate::{
    config::{Config, LedgerAt, variables},
    ledger::LedgerError,
    payments::Payments,
    transport::{ServeError, Shutdown},
};

mod export;
mod line;
mod list;
mod moment;
mod recover;
#[cfg(test)]
mod samples;
mod show;
mod table;

/// What it means that an entry is late.
const LATE: &str = "LATE: carried out after it had been taken for failed or closed. Money moved.";

const EXAMPLES: &str = "Examples:
  qfpay-mcp orders --status in_doubt,pending
  qfpay-mcp orders --since 2026-11-01 --until 2026-11-30 --csv > november.csv
  qfpay-mcp orders --late
  qfpay-mcp orders show order_1001
  qfpay-mcp orders recover";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub(super) struct Orders {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One payment or refund, with all that happened to it
    ///
    /// How it stands, what QFPay last said, its refunds (of a refund: its payment), and the audit:
    /// who did what when. Exit code: 0 found, 1 not found or failed, 2 wrong usage or settings.
    Show(show::Show),
    /// Ask QFPay now about everything unfinished, and write down what it says
    ///
    /// It never pays and never refunds, so it can be repeated freely, beside servers that run.
    /// Ctrl-C ends it between two questions; what was learned by then is kept.
    ///
    /// Exit code: 0 nothing is left in doubt, 1 failed (QFPay cannot be reached), 2 wrong usage or
    /// settings, 3 something is still in doubt, 130 stopped by Ctrl-C.
    Recover(recover::Recover),
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("the result could not be written: {0}")]
    Write(#[from] io::Error),
    #[error(transparent)]
    Signals(#[from] ServeError),
    #[error("the result could not be written: {0}")]
    Csv(#[from] csv::Error),
    #[error("{0}")]
    NotFound(String),
}

/// Where the commands look, and for whom they write.
struct Desk {
    payments: Payments,
    shutdown: Shutdown,
    style: Style,
    /// The scope and the place of the ledger, in words.
    place: String,
}

impl Desk {
    fn zone(&self) -> &TimeZone {
        &self.payments.settings.zone
    }
}

type Out = BufWriter<io::Stdout>;

pub(super) async fn run(config: &Config, orders: Orders, style: Style) -> ExitCode {
    let shutdown = Shutdown::new();
    let payments = match wire::payments(config, &shutdown) {
        Ok(payments) => payments,
        Err(error) => return wrong_ledger(&error),
    };
    let desk = Desk { payments, shutdown, style, place: place(config) };
    let mut out = BufWriter::new(io::stdout());
    let done = match orders.command {
        None => list::run(&orders.list, &desk, &mut out).await,
        Some(Command::Show(show)) => show::run(&show, &desk, &mut out).await,
        Some(Command::Recover(recover)) => recover::run(&recover, &desk, &mut out).await,
    };
    match done.and_then(|code| Ok(out.flush().map(|()| code)?)) {
        Ok(code) => ExitCode::from(code),
        // A reader that has seen enough is no failure.
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => ended(Err(failure)),
    }
}

impl Failure {
    fn is_closed_pipe(&self) -> bool {
        let error = match self {
            Self::Write(error) => Some(error),
            Self::Csv(error) => io_error(error),
            Self::Ledger(_) | Self::Signals(_) | Self::NotFound(_) => None,
        };
        error.is_some_and(|it| it.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn io_error(error: &csv::Error) -> Option<&io::Error> {
    if let csv::ErrorKind::Io(error) = error.kind() { Some(error) } else { None }
}

/// Whose ledger it is and where: `simulator, merchant app:X, in /home/you/ledger.db`. The address
/// of a database may hold a password and stays out.
fn place(config: &Config) -> String {
    let at = match &config.ledger {
        LedgerAt::File(file) => file.display().to_string(),
        LedgerAt::Postgres(_) => format!("the database of {}", variables::LEDGER),
    };
    format!("{}, merchant {}, in {at}", config.environment.name(), config.ledger_merchant())
}
