//! What commands over the ledger have in common: where they look, for whom they write, how they fail.
use std::{
    io::{self, BufWriter, Write as _},
    process::ExitCode,
};

use jiff::tz::TimeZone;

use super::{ended, style::Style, wire, wrong_ledger};
use crate::{
    config::{Config, LedgerAt, variables},
    ledger::LedgerError,
    payments::Payments,
    transport::{ServeError, Shutdown},
};

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
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
    /// It takes a person at a terminal.
    #[error(
        "approving takes a person at a terminal: neither a pipe nor another program can answer; run \
         it in a terminal window"
    )]
    NoTerminal,
}

/// Where the commands look, and for whom they write.
pub(super) struct Desk {
    pub(super) payments: Payments,
    pub(super) shutdown: Shutdown,
    pub(super) style: Style,
    /// Whose ledger it is and where: `simulator, merchant app:X, in /home/you/ledger.db`.
    pub(super) place: String,
    /// The place alone.
    pub(super) ledger_at: String,
}

impl Desk {
    pub(super) fn zone(&self) -> &TimeZone {
        &self.payments.settings.zone
    }
}

pub(super) type Out = BufWriter<io::Stdout>;

/// Runs a command; its result is the exit code.
pub(super) async fn at(
    config: &Config,
    style: Style,
    command: impl AsyncFnOnce(&Desk, &mut Out) -> Result<u8, Failure>,
) -> ExitCode {
    let shutdown = Shutdown::new();
    let payments = match wire::payments(config, &shutdown) {
        Ok(payments) => payments,
        Err(error) => return wrong_ledger(&error),
    };
    let ledger_at = ledger_at(config);
    let place = format!(
        "{}, merchant {}, in {ledger_at}",
        config.environment.name(),
        config.ledger_merchant()
    );
    let desk = Desk { payments, shutdown, style, place, ledger_at };
    let mut out = BufWriter::new(io::stdout());
    let done = command(&desk, &mut out).await;
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
            Self::Ledger(_) | Self::Signals(_) | Self::NotFound(_) | Self::NoTerminal => None,
        };
        error.is_some_and(|it| it.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn io_error(error: &csv::Error) -> Option<&io::Error> {
    if let csv::ErrorKind::Io(error) = error.kind() { Some(error) } else { None }
}

/// Where the ledger is. The address of a database may hold a password and stays out.
fn ledger_at(config: &Config) -> String {
    match &config.ledger {
        LedgerAt::File(file) => file.display().to_string(),
        LedgerAt::Postgres(_) => format!("the database of {}", variables::LEDGER),
    }
}
