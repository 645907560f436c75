//! The reply to `refund`.
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Status, meaning,
    next::{failed_refund, pause},
};
use crate::{
    domain::{RefundState, amount},
    payments::{consent::Needed, refund::RefundReceipt},
    spec::resp_codes::Operation,
};

/// A refund after it was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct RefundReply {
    status: &'static str,
    meaning: &'static str,
    refund_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_trade_no: Option<String>,
    environment: &'static str,
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
        let status = Status::of_refund(refund.state);
        let next = status.next(number);
        let next_step = match refund.state {
            RefundState::Intended => pause(trouble.as_ref()) + &next,
            RefundState::Failed => failed_refund(number, respcd, resperr),
            RefundState::Sent
            | RefundState::Pending
            | RefundState::InDoubt
            | RefundState::Refunded => next,
        };
        Self {
            status: status.word,
            meaning: status.meaning,
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
            status: Status::NEEDS_APPROVAL.word,
            meaning: Status::NEEDS_APPROVAL.meaning,
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
