//! `call`: one tool call, its result on stdout, an exit code by outcome.
use std::{
    io::{self, Read as _},
    process::ExitCode,
};

use rmcp::model::{CallToolResult, JsonObject};
use serde_json::Value;

use super::{
    USAGE, complain, print, qr,
    session::{Session, text},
    style::Style,
};
use crate::{
    domain::PaymentState,
    mcp::{self, Server},
};

/// Refused, or carried out and failed.
const REFUSED: u8 = 1;
/// Nobody knows yet.
pub(super) const UNKNOWN: u8 = 3;
/// A person has to approve it first.
const WAITS: u8 = 4;

/// `told` is how it looks beside the result, which a program may read.
pub(super) async fn run(tool: &str, json: &str, told: Style) -> ExitCode {
    let names: Vec<String> = Server::tools().iter().map(|it| it.name.to_string()).collect();
    if !names.iter().any(|it| it == tool) {
        complain(&format!("qfpay-mcp: there is no tool `{tool}`; there are {}", names.join(", ")));
        return ExitCode::from(USAGE);
    }
    let arguments = match read(json) {
        Ok(arguments) => arguments,
        Err(problem) => {
            complain(&format!(
                "qfpay-mcp: the arguments are no JSON object: {problem}; write for example \
                 '{{\"query\":\"1145\"}}'"
            ));
            return ExitCode::from(USAGE);
        }
    };
    let session = match Session::start(None).await {
        Ok(session) => session,
        Err(error) => return failed(&error),
    };
    let result = session.call(tool, arguments).await;
    session.end().await;
    match result {
        Ok(result) => {
            let shown = match &result.structured_content {
                Some(content) => serde_json::to_string_pretty(content).unwrap_or_default(),
                None => text(&result),
            };
            if let Err(error) = print(&shown) {
                complain(&format!(
                    "qfpay-mcp: the result could not be written: {error}. What was called may be \
                     done; query before you call again."
                ));
                return ExitCode::from(match code(&result) {
                    0 => UNKNOWN,
                    known => known,
                });
            }
            let reply = result.structured_content.as_ref().filter(|_| told.is_terminal());
            if let Some(scanned) = reply.and_then(|it| qr::of_reply(it, told)) {
                complain(&scanned);
            }
            ExitCode::from(code(&result))
        }
        Err(error) => failed(&error),
    }
}

/// The connection broke: whatever was asked for may have been done.
fn failed(error: &super::session::SessionError) -> ExitCode {
    complain(&format!("qfpay-mcp: {error}"));
    ExitCode::from(UNKNOWN)
}

fn read(json: &str) -> Result<JsonObject, String> {
    let mut text = json.to_owned();
    if json == "-" {
        text.clear();
        io::stdin().read_to_string(&mut text).map_err(|it| it.to_string())?;
    }
    serde_json::from_str(&text).map_err(|it| it.to_string())
}

fn code(result: &CallToolResult) -> u8 {
    if result.is_error == Some(true) {
        return if text(result).starts_with(mcp::UNKNOWN) { UNKNOWN } else { REFUSED };
    }
    let content = result.structured_content.as_ref();
    let status = content.and_then(|it| it.get("status").or_else(|| it.pointer("/orders/0/status")));
    let status = status.and_then(Value::as_str);
    if status == Some(mcp::NEEDS_APPROVAL) {
        return WAITS;
    }
    match status.and_then(PaymentState::find) {
        Some(PaymentState::Failed) => REFUSED,
        Some(PaymentState::InDoubt | PaymentState::Sent | PaymentState::Intended) => UNKNOWN,
        Some(
            PaymentState::AwaitingPayer
            | PaymentState::Pending
            | PaymentState::Paid
            | PaymentState::Closed
            | PaymentState::PartiallyRefunded
            | PaymentState::Refunded,
        )
        | None => 0,
    }
}
