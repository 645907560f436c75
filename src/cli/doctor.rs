//! `doctor`: what is in force, and whether it works. Secrets are not told.
use std::{io::Write as _, process::ExitCode};

use super::{
    desk::{self, Desk, Failure, Out},
    style::Style,
};
use crate::{
    config::{Config, Vars, all_names, variables as var},
    ledger::Filter,
    transport::Operators,
};

pub(super) async fn run(config: &Config, vars: Vars<'_>, style: Style) -> ExitCode {
    desk::at(config, style, async |desk, out| look(config, vars, desk, out).await).await
}

async fn look(config: &Config, vars: Vars<'_>, desk: &Desk, out: &mut Out) -> Result<u8, Failure> {
    let style = desk.style;
    let row = config.environment.row();
    writeln!(out, "{}\n", style.bold(&format!("qfpay-mcp {}", env!("CARGO_PKG_VERSION"))))?;
    writeln!(out, "environment  {}: {}", row.name, row.meaning)?;
    writeln!(out, "merchant     {}", config.ledger_merchant())?;
    let ledger = desk.payments.ledger.list(&Filter { limit: 1, ..Filter::default() }).await;
    let place = &desk.ledger_at;
    match &ledger {
        Ok(_) => writeln!(out, "ledger       {place}: {}", style.good("works"))?,
        Err(error) => writeln!(out, "ledger       {place}: {} ({error})", style.bad("fails"))?,
    }
    let operators = config.operators.as_deref().map(Operators::parse);
    let no_operators = operators.as_ref().and_then(|it| it.as_ref().err());
    match (&operators, no_operators) {
        (_, Some(error)) => {
            writeln!(out, "operators    {}: {error}", style.bad(var::OPERATORS_FILE))?;
        }
        (Some(Ok(operators)), None) => writeln!(out, "operators    {operators}")?,
        _ => {}
    }
    writeln!(out, "\n{}", style.bold("What an agent may do"))?;
    for sentence in config.policy.sentences(config.environment) {
        writeln!(out, "- {sentence}")?;
    }
    if config.policy.asks(config.environment) {
        writeln!(
            out,
            "- A person is asked by the agent's client for up to {} s; where the client cannot ask, \
             `qfpay-mcp approve` {}, within {} min.",
            config.confirm_time.as_secs(),
            if config.operators.is_some() { "or a page of `qfpay-mcp http` does" } else { "does" },
            config.approval_time.as_mins()
        )?;
    }
    writeln!(out, "\n{}", style.bold("Set in the environment"))?;
    let mut any = false;
    for name in all_names() {
        let Some(value) = vars(&name).filter(|it| !it.trim().is_empty()) else { continue };
        any = true;
        writeln!(out, "{name} = {}", told(&name, &value))?;
    }
    if !any {
        writeln!(out, "nothing")?;
    }
    Ok(u8::from(ledger.is_err() || no_operators.is_some()))
}

/// A value as it may be told: no key, no password.
fn told(name: &str, value: &str) -> String {
    if name.ends_with("KEY") || (name == var::LEDGER && value.contains("://")) {
        return "(set, not shown)".to_owned();
    }
    crate::client::response::cleaned(value)
}
