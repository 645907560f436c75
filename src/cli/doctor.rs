//! `doctor`: what is in force, and whether it works. Secrets are not told.
use std::{io::Write as _, path::Path, process::ExitCode};

use super::{
    desk::{self, Desk, Failure, Out},
    style::Style,
};
use crate::{
    config::{Config, LedgerAt, Vars, all_names, is_known, variables as var},
    ledger::Filter,
    transport::{Operators, Tokens},
};

pub(super) async fn run(
    config: &Config,
    vars: Vars<'_>,
    names: &[String],
    style: Style,
) -> ExitCode {
    desk::at(config, style, async |desk, out| look(config, vars, names, desk, out).await).await
}

async fn look(
    config: &Config,
    vars: Vars<'_>,
    names: &[String],
    desk: &Desk,
    out: &mut Out,
) -> Result<u8, Failure> {
    let style = desk.style;
    let row = config.environment.row();
    writeln!(out, "{}\n", style.bold(&format!("qfpay-mcp {}", env!("CARGO_PKG_VERSION"))))?;
    writeln!(out, "environment  {}: {}", row.name, row.meaning)?;
    writeln!(out, "merchant     {}", config.ledger_merchant())?;
    let ledger = desk.payments.ledger.list(&Filter { limit: 1, ..Filter::default() }).await;
    let place = &desk.ledger_at;
    let writable = match &config.ledger {
        LedgerAt::File(file) => can_be_written(file),
        LedgerAt::Postgres(_) => true,
    };
    match &ledger {
        Ok(_) if !writable => {
            writeln!(out, "ledger       {place}: {}", style.bad("cannot be written to"))?;
        }
        Ok(_) => writeln!(out, "ledger       {place}: {}", style.good("works"))?,
        Err(error) => writeln!(out, "ledger       {place}: {} ({error})", style.bad("fails"))?,
    }
    let operators = config.http.operators.as_ref().map(|it| Operators::parse(&it.text));
    let no_operators = operators.as_ref().and_then(|it| it.as_ref().err());
    match (&operators, no_operators) {
        (_, Some(error)) => {
            writeln!(out, "operators    {}: {error}", style.bad(var::OPERATORS_FILE))?;
        }
        (Some(Ok(operators)), None) => writeln!(out, "operators    {operators}")?,
        _ => {}
    }
    let tokens = config.http.tokens.as_ref().map(|it| Tokens::parse(&it.text));
    let no_tokens = matches!(tokens, Some(Err(_)));
    match tokens {
        Some(Err(error)) => writeln!(out, "tokens       {}: {error}", style.bad(var::TOKENS_FILE))?,
        Some(Ok(tokens)) => writeln!(out, "tokens       {tokens}")?,
        None => {}
    }
    writeln!(out, "\n{}", style.bold("What an agent may do"))?;
    let (policy, environment) = (&config.policy, config.environment);
    let mchid = config.merchant.mchid.as_deref();
    for sentence in policy.sentences(environment, mchid) {
        writeln!(out, "- {sentence}")?;
    }
    if policy.asks_about_anything(environment, mchid) {
        let page = matches!(operators, Some(Ok(_)));
        writeln!(
            out,
            "- A person is asked by the agent's client for up to {} s; where the client cannot ask, \
             `qfpay-mcp approve` {}, within {} min.",
            config.confirm_time.as_secs(),
            if page { "or a page of `qfpay-mcp http` does" } else { "does" },
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
    for name in names.iter().filter(|it| !is_known(it)) {
        let said = style.bad("no setting of this name");
        writeln!(out, "{name}: {said}; it changes nothing")?;
    }
    Ok(u8::from(ledger.is_err() || !writable || no_operators.is_some() || no_tokens))
}

/// Whether the file, or what has to be made first, may be written to. Nothing is made.
#[cfg(unix)]
fn can_be_written(file: &Path) -> bool {
    use nix::unistd::{AccessFlags, access};
    let nearest = file.ancestors().find(|it| it.exists()).unwrap_or(Path::new("."));
    let nearest = if nearest.as_os_str().is_empty() { Path::new(".") } else { nearest };
    access(nearest, AccessFlags::W_OK).is_ok()
}

#[cfg(not(unix))]
fn can_be_written(_: &Path) -> bool {
    true
}

/// A value as it may be told: no key, no password.
fn told(name: &str, value: &str) -> String {
    if name.ends_with("KEY") || (name == var::LEDGER && value.contains("://")) {
        return "(set, not shown)".to_owned();
    }
    crate::client::response::cleaned(value)
}
