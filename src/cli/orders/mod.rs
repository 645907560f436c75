//! `orders`: the ledger, for a person to look at: a list, one entry, and the settling of doubts.
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{
    desk::{self, Desk, Failure, Out},
    moment,
    style::Style,
};
use crate::config::Config;

pub(super) mod export;
pub(super) mod line;
mod list;
mod recover;
#[cfg(test)]
mod samples;
pub(super) mod show;
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

pub(super) async fn run(config: &Config, orders: Orders, style: Style) -> ExitCode {
    desk::at(config, style, async |desk, out| match orders.command {
        None => list::run(&orders.list, desk, out).await,
        Some(Command::Show(show)) => show::run(&show, desk, out).await,
        Some(Command::Recover(recover)) => recover::run(&recover, desk, out).await,
    })
    .await
}
