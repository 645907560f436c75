//! `approve`: a person's yes or no, outside the conversation.
use std::{io::Write as _, process::ExitCode};

use clap::Args;

use super::{
    desk::{self, Desk, Failure, Out},
    orders::line::local,
    style::Style,
    terminal::{self, Answer},
};
use crate::{
    client::response::cleaned,
    config::Config,
    ledger::{Approval, ApprovalState, Caller},
    payments::consent::Decided,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  qfpay-mcp approve
  qfpay-mcp approve K7QM2R4T")]
pub(super) struct Approve {
    /// What the agent told you; without it, what waits is listed
    code: Option<String>,
}

pub(super) async fn run(config: &Config, approve: Approve, style: Style) -> ExitCode {
    let caller =
        Caller { principal: Some(terminal::account()), ..Caller::own("terminal", "approve") };
    desk::at(config, style, async |desk, out| match approve.code {
        None => list(desk, out).await,
        Some(code) => decide(&caller, &code, desk, out).await,
    })
    .await
}

async fn list(desk: &Desk, out: &mut Out) -> Result<u8, Failure> {
    let waiting = desk.payments.waiting().await?;
    if waiting.is_empty() {
        writeln!(out, "Nothing waits for a person ({}).", desk.place)?;
        return Ok(0);
    }
    for approval in &waiting {
        let asked = local(approval.asked_at, desk.zone());
        let terms = approval.question.brief();
        let number = &approval.question.number;
        let by = cleaned(&approval.asked_by);
        writeln!(out, "{}  {terms}  {number}  {asked}  {by}", desk.style.bold(&approval.code))?;
    }
    writeln!(out, "\nTo see one whole and decide: qfpay-mcp approve CODE")?;
    Ok(0)
}

async fn decide(caller: &Caller, code: &str, desk: &Desk, out: &mut Out) -> Result<u8, Failure> {
    let Some(approval) = desk.payments.approval(code).await? else {
        let text = format!(
            "nothing waits under {code:?} here ({}); `qfpay-mcp approve` lists what does. The \
             settings must be those of the server that gave the code",
            desk.place
        );
        return Err(Failure::NotFound(text));
    };
    let now = desk.payments.clock.now();
    if !approval.waits(now) {
        writeln!(out, "{}", over(&approval, desk))?;
        return Ok(1);
    }
    if !terminal::is_there() {
        return Err(Failure::NoTerminal);
    }
    let question = format!(
        "{}\n\n{}\n\nasked by {}, {}, expires {}",
        desk.style.bold("An AI agent asks for this. Is it right?"),
        approval.question.text(),
        cleaned(&approval.asked_by),
        local(approval.asked_at, desk.zone()),
        local(approval.expires_at, desk.zone()),
    );
    let approve = match terminal::ask(&question).await {
        Answer::Yes => true,
        Answer::No => false,
        Answer::None => {
            writeln!(out, "\nNothing was decided.")?;
            return Ok(1);
        }
        Answer::TooFast => {
            writeln!(
                out,
                "Nothing was decided: nobody reads that fast. Run it again, and read it."
            )?;
            return Ok(1);
        }
    };
    match desk.payments.decide(caller, code, approve).await? {
        Decided::Done(approval) if approve => {
            let until = local(approval.expires_at, desk.zone());
            let good = desk.style.good("Approved.");
            writeln!(out, "{good} The agent may do exactly this, once, until {until}.")?;
            Ok(0)
        }
        Decided::Done(_) => {
            writeln!(out, "{} No money moves.", desk.style.bad("Declined."))?;
            Ok(1)
        }
        Decided::Over(Some(approval)) => {
            writeln!(out, "{}", over(&approval, desk))?;
            Ok(1)
        }
        Decided::Over(None) => Err(Failure::NotFound(format!("nothing waits under {code}"))),
    }
}

/// Why it cannot be decided any more.
fn over(approval: &Approval, desk: &Desk) -> String {
    let by = cleaned(approval.decided_by.as_deref().unwrap_or("somebody"));
    match approval.state {
        ApprovalState::Waiting => {
            let until = local(approval.expires_at, desk.zone());
            format!("It expired at {until}; the agent can ask again.")
        }
        ApprovalState::Approved => format!("It was approved by {by} already."),
        ApprovalState::Declined => format!("It was declined by {by} already."),
        ApprovalState::Used => "It was approved and carried out already.".to_owned(),
        ApprovalState::Lapsed => "It expired; the agent can ask again.".to_owned(),
        ApprovalState::Asked => "The agent's client asks the person itself.".to_owned(),
    }
}
