//! `token new`: a token for a program that is to call the HTTP server.
use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use jiff::SignedDuration;

use super::{USAGE, complain, print};
use crate::{
    clock::{Clock as _, SystemClock},
    mcp::{Scope, Scopes},
    transport::NewToken,
};

#[derive(Debug, Args)]
pub(super) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make one: prints the line for `QFPAY_TOKENS_FILE`, and, once, the token itself
    ///
    /// The line goes to stdout, so that `>> tokens` keeps it; the token to stderr. The server keeps
    /// only its SHA-256 and takes it from its next start, or SIGHUP, on.
    New(New),
}

#[derive(Debug, Args)]
struct New {
    /// The name of who is to use it, for the audit: letters, digits, `.`, `_`, `-`
    name: String,
    /// What it may do, comma-separated: qfpay:read, qfpay:pay, qfpay:refund
    #[arg(long, value_delimiter = ',', default_value = "qfpay:read", value_parser = scope)]
    scope: Vec<Scope>,
    /// For how many days it is taken; 0 for ever
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(0..=3650))]
    days: u32,
    /// The merchant profile that it is for, where there are several
    #[arg(long)]
    profile: Option<String>,
}

fn scope(name: &str) -> Result<Scope, String> {
    Scope::find(name).ok_or_else(|| format!("use {}", Scope::ALL.map(Scope::name).join(", ")))
}

pub(super) fn run(token: &Token) -> ExitCode {
    let Command::New(new) = &token.command;
    let life = SignedDuration::from_hours(i64::from(new.days).saturating_mul(24));
    let expires = SystemClock.now().checked_add(life).ok().filter(|_| new.days > 0);
    let scopes: Scopes = new.scope.iter().copied().collect();
    let Some(made) = NewToken::new(&new.name, scopes, expires, new.profile.as_deref()) else {
        complain("qfpay-mcp: a name has 1 to 64 of A-Z a-z 0-9 . _ -");
        return ExitCode::from(USAGE);
    };
    if let Err(error) = print(&made.line) {
        // A token whose line is nowhere would be taken by nobody.
        complain(&format!(
            "qfpay-mcp: the line could not be written, so there is no token: {error}"
        ));
        return ExitCode::FAILURE;
    }
    let until = expires.map_or("for ever".to_owned(), |it| format!("until {}", it.strftime("%F")));
    complain(&format!(
        "\nThe token of {}, {scopes}, {until}; it is shown only now:\n\n{}\n",
        new.name, made.word
    ));
    if io::stdout().is_terminal() {
        complain("Add the line above it to the file that QFPAY_TOKENS_FILE names.");
    }
    ExitCode::SUCCESS
}
