//! The reply to `refund`.
use schemars::JsonSchema;
use serde::Serialize;

use super::{NEEDS_APPROVAL, meaning, query};
use crate::{
    domain::{RefundState, amount},
    mcp::refusal::wait,
    payments::{consent::Needed, query::NO_RECORD, refund::RefundReceipt},
    spec::resp_codes::{self, Operation},
};

/// A refund after it was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct RefundReply {
    /// refunded, pending, failed, in_doubt (unknown: query, never refund again), intended (surely not sent), sent, needs_approval
    status: &'static str,
    refund_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_trade_no: Option<String>,
    environment: &'static str,
    /// Minor units
    amount: u64,
    currency: &'static str,
    amount_text: String,
    /// Still refundable
    #[serde(skip_serializing_if = "Option::is_none")]
    left_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    syssn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    respcd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    respcd_meaning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    next_step: String,
}

impl RefundReply {
    pub(in crate::mcp) fn new(receipt: RefundReceipt, environment: &'static str) -> Self {
        let RefundReceipt { refund, replayed, left_minor, trouble } = receipt;
        let amount = refund.terms.amount;
        let (respcd, resperr) = (refund.respcd.as_deref(), refund.resperr.as_deref());
        let number = refund.number.as_str();
        let query = query(number);
        let next_step = match refund.state {
            RefundState::Refunded => "The money went back. Nothing more to do.".to_owned(),
            RefundState::Pending => format!(
                "QFPay is working on it; it can take until the next day. Call {query} later."
            ),
            RefundState::InDoubt | RefundState::Sent => format!(
                "Nobody knows yet whether it was carried out. Do not refund again. Call {query} \
                 until it says."
            ),
            RefundState::Intended => {
                let when = trouble.as_ref().and_then(wait);
                let when = when.map_or(String::new(), |it| format!(" in {it} s"));
                format!(
                    "Nothing reached QFPay. Call refund again{when} with the same arguments and \
                     refund_no \"{number}\"."
                )
            }
            RefundState::Failed if resperr == Some(NO_RECORD) => {
                "QFPay has had no record of it for so long that it cannot have arrived. Query it once \
                 more before a new one, which takes a new refund_no."
                    .to_owned()
            }
            RefundState::Failed => {
                let (code, said) = (respcd.unwrap_or_default(), resperr.unwrap_or_default());
                let reading = resp_codes::read(code, said, Operation::Refund);
                format!("No money went back. {}", reading.next_step)
            }
        };
        Self {
            status: refund.state.word(),
            refund_no: number.to_owned(),
            out_trade_no: refund.terms.order.as_ref().map(ToString::to_string),
            environment,
            amount: amount.minor(),
            currency: amount.currency().code,
            amount_text: amount.to_string(),
            left_text: left_minor.map(|it| amount::written(it, amount.currency())),
            syssn: refund.syssn.as_ref().map(ToString::to_string),
            respcd_meaning: meaning(respcd, resperr, Operation::Refund),
            respcd: refund.respcd.clone(),
            approval_code: None,
            replayed: replayed.then_some(true),
            problem: trouble.map(|it| it.to_string()),
            next_step,
        }
    }

    /// A refund that a person has to approve first.
    pub(in crate::mcp) fn waits(
        needed: &Needed,
        environment: &'static str,
        code: String,
        next_step: String,
    ) -> Self {
        let amount = needed.amount;
        Self {
            status: NEEDS_APPROVAL,
            refund_no: needed.question.number.to_string(),
            out_trade_no: needed.order.as_ref().map(ToString::to_string),
            environment,
            amount: amount.minor(),
            currency: amount.currency().code,
            amount_text: amount.to_string(),
            left_text: None,
            syssn: None,
            respcd: None,
            respcd_meaning: None,
            approval_code: Some(code),
            replayed: None,
            problem: None,
            next_step,
        }
    }
}
