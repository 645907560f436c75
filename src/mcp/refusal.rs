//! How a "no" is told to an agent: as a result it can read, whose words say what to do next.
//!
//! Only text: several clients hold structured content of an error against the schema of success.
use rmcp::{
    ErrorData,
    handler::server::tool::IntoCallToolResult,
    model::{CallToolResponse, CallToolResult, ContentBlock},
};

use super::{arguments::Problem, view::not_taken_back};
use crate::{
    client::Trouble,
    payments::{NotRefundable, Refused, cancel::NotCancellable, consent::NotConfirmed},
    policy::Violation,
};

/// How a text begins whose outcome nobody knows; `call` tells it by its exit code.
pub(crate) const UNKNOWN: &str = "The result is unknown";
/// Most problems told in one reply.
const MAX_TOLD: usize = 20;

/// Why a tool did not do what it was asked for.
#[derive(Debug)]
pub(super) enum Refusal {
    /// What is wrong with the arguments of a tool. Nothing was written down or sent.
    Arguments { tool: &'static str, problems: Vec<Problem> },
    /// A use case refused.
    Refused { tool: &'static str, refused: Refused },
}

impl Refusal {
    /// The whole text an agent reads.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Arguments { tool, problems } => {
                let count = match problems.len() {
                    1 => "1 argument is".to_owned(),
                    many => format!("{many} arguments are"),
                };
                let told = problems.iter().take(MAX_TOLD);
                let mut lines: Vec<String> =
                    told.map(|it| format!("- {}: {}", it.argument, it.text)).collect();
                if let Some(more) = problems.len().checked_sub(MAX_TOLD).filter(|it| *it > 0) {
                    lines.push(format!("- and {more} more"));
                }
                format!(
                    "Refused; nothing was sent. {count} wrong:\n{}\nPut this right and call \
                     {tool} again.",
                    lines.join("\n")
                )
            }
            Self::Refused { tool, refused: Refused::Argument { argument, problem } } => format!(
                "Refused; nothing was sent. 1 argument is wrong:\n- {argument}: {problem}\nPut \
                 this right and call {tool} again."
            ),
            Self::Refused { refused: Refused::Forbidden(violations), .. } => forbidden(violations),
            Self::Refused { tool, refused } => {
                let refused_text = refused.to_string();
                let stop = if refused_text.ends_with('.') { "" } else { "." };
                format!("{}: {refused_text}{stop} {}", opening(tool, refused), next(tool, refused))
            }
        }
    }
}

/// All rules that forbid it, and who can change them.
fn forbidden(violations: &[Violation]) -> String {
    let count = match violations.len() {
        1 => "1 rule forbids".to_owned(),
        many => format!("{many} rules forbid"),
    };
    let told = violations.iter().map(|it| match it.field {
        "-" => format!("- {}: {}", it.rule, it.message),
        field => format!("- {} ({field}): {}", it.rule, it.message),
    });
    let mut variables: Vec<&str> = violations.iter().map(|it| it.variable.as_str()).collect();
    variables.dedup();
    format!(
        "Refused; nothing was sent. {count} it:\n{}\nYou cannot change this: tell the person that \
         an operator has to change {} and restart the server.",
        told.collect::<Vec<_>>().join("\n"),
        variables.join(", ")
    )
}

fn opening(tool: &str, refused: &Refused) -> &'static str {
    match refused {
        Refused::Ledger(_) if tool == "query_transaction" => "Not answered; no money moved",
        Refused::Unrecorded { .. } => UNKNOWN,
        Refused::Unanswered(_) | Refused::QueryRefused { .. } => "Not answered; no money moved",
        Refused::Forbidden(_)
        | Refused::NeedsYes(_)
        | Refused::NotConfirmed(_)
        | Refused::TooManyWait
        | Refused::Conflict { .. }
        | Refused::NotRefundable(_)
        | Refused::NotCancellable(_)
        | Refused::Repeats(_)
        | Refused::Argument { .. }
        | Refused::RefundUnderWay(_)
        | Refused::GivingBack(_)
        | Refused::Ledger(_) => "Refused; nothing was sent",
    }
}

/// What to do now, by name of tool and argument.
fn next(tool: &str, refused: &Refused) -> String {
    match refused {
        // Told in its own words.
        Refused::Forbidden(_) => String::new(),
        Refused::NeedsYes(_) => format!("Call {tool} again."),
        Refused::NotConfirmed(why) => not_confirmed(tool, why),
        Refused::TooManyWait => {
            "Tell the person to look at them with `qfpay-mcp approve`, and call again afterwards."
                .to_owned()
        }
        Refused::Conflict { number, .. } if tool == "refund" => format!(
            "To see what {number} is, call query_transaction {{\"out_trade_no\":\"{number}\"}}; \
             for another refund give another refund_no, or none."
        ),
        Refused::Conflict { number, .. } => format!(
            "To see how it stands, call query_transaction {{\"out_trade_no\":\"{number}\"}}; for \
             another payment give another out_trade_no, or none."
        ),
        Refused::Repeats(first) => {
            let (number, kind) = (&first.number, first.kind);
            let own = if kind == "refund" { "refund_no" } else { "out_trade_no" };
            format!(
                "If you only repeat it, call query_transaction {{\"out_trade_no\":\"{number}\"}} \
                 to see how it stands. Only if the person means a second {kind}, call {tool} again \
                 with a new {own} of your own."
            )
        }
        Refused::NotCancellable(why) => not_cancellable(why),
        Refused::NotRefundable(why) => not_refundable(why),
        Refused::Argument { argument, .. } => format!("Put {argument} right and call again."),
        Refused::RefundUnderWay(number) | Refused::GivingBack(number) => format!(
            "Wait some seconds, then call query_transaction {{\"out_trade_no\":\"{number}\"}} to \
             see how it ended, before you refund more."
        ),
        Refused::Unanswered(trouble) => match wait(trouble) {
            Some(seconds) => format!("Call {tool} again in {seconds} s."),
            None => format!("Call {tool} again in some seconds."),
        },
        Refused::QueryRefused { respcd, .. } => {
            format!("Call explain_respcd {{\"query\":\"{respcd}\"}} for what it means.")
        }
        Refused::Ledger(_) => {
            "The person should look at the server's log; when the ledger works again, call again \
             with the same number."
                .to_owned()
        }
        Refused::Unrecorded { number, .. } => format!(
            "Do not pay or refund again. Call query_transaction \
             {{\"out_trade_no\":\"{number}\"}} until it says how it stands."
        ),
    }
}

fn not_confirmed(tool: &str, why: &NotConfirmed) -> String {
    match why {
        NotConfirmed::Declined | NotConfirmed::DeclinedBy(_) => {
            "Do not ask again unless the person tells you to.".to_owned()
        }
        NotConfirmed::Enough => {
            "Stop, and tell the person so; a question can be asked again in ten minutes.".to_owned()
        }
        NotConfirmed::Cancelled | NotConfirmed::TimedOut(_) | NotConfirmed::Expired(_) => {
            format!("Ask the person whether they want it; if so, call {tool} again.")
        }
        NotConfirmed::Ending => format!(
            "Call {tool} again in some seconds, with the same arguments and, if you gave one, the \
             same number; the person is asked anew."
        ),
        NotConfirmed::Unasked
        | NotConfirmed::TooFast
        | NotConfirmed::Unfit
        | NotConfirmed::Altered
        | NotConfirmed::Used
        | NotConfirmed::OtherTerms
        | NotConfirmed::Failed(_) => format!(
            "Only a person can say yes, in the client's own question. If they want it, call {tool} \
             again, without an answer, and let them be asked."
        ),
    }
}

fn not_refundable(why: &NotRefundable) -> String {
    match why {
        NotRefundable::Unknown => {
            "Check the out_trade_no or syssn, and that it was made in this environment with this \
             merchant."
                .to_owned()
        }
        NotRefundable::LeftUnknown { .. } => {
            "Ask the person how much to give back, once they have looked in QFPay's portal at what \
             was refunded already; then give that amount."
                .to_owned()
        }
        NotRefundable::Status { number, .. } => {
            format!("Call query_transaction {{\"out_trade_no\":\"{number}\"}} to follow it.")
        }
        NotRefundable::NothingLeft { .. } => "Do not refund it again.".to_owned(),
        NotRefundable::PayType { .. } => {
            "Tell the person that the merchant has to give the money back in another way."
                .to_owned()
        }
    }
}

fn not_cancellable(why: &NotCancellable) -> String {
    match why {
        NotCancellable::Unknown => {
            "Check the out_trade_no, and that it was made in this environment with this merchant."
                .to_owned()
        }
        NotCancellable::Paid { number, .. } => format!(
            "To give the money back call refund {{\"out_trade_no\":\"{number}\"}}, if the person \
             wants that."
        ),
        NotCancellable::Page { number, page } => not_taken_back(number.as_str(), *page),
        NotCancellable::PayType { .. } | NotCancellable::Unclear(_) => {
            "Do not show its code or link any more, and call query_transaction until it is over."
                .to_owned()
        }
    }
}

/// The seconds to wait, where the other side or our pace named them.
pub(super) fn wait(trouble: &Trouble) -> Option<u64> {
    match trouble {
        Trouble::NotSent { retry_after: Some(after), .. } => Some(after.as_secs().max(1)),
        Trouble::NotSent { retry_after: None, .. } | Trouble::Lost { .. } => None,
    }
}

impl IntoCallToolResult for Refusal {
    fn into_call_tool_result(self) -> Result<CallToolResponse, ErrorData> {
        Ok(CallToolResult::error(vec![ContentBlock::text(self.text())]).into())
    }
}
