//! An order as a query tells it, with its refunds.
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Serialize;

use super::{LATE, Status, meaning, written_time};
use crate::{
    domain::{Amount, PaymentState, amount, time},
    payments::query::{OrderView, RefundView},
    spec::resp_codes::Operation,
};

/// A payment as it stands, with its refunds. Without any, an order that nobody knows.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Order {
    pub(in crate::mcp) status: &'static str,
    /// Not in lists
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) meaning: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_trade_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) syssn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) amount_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    respcd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) respcd_meaning: Option<String>,
    /// Hong Kong time
    #[serde(skip_serializing_if = "Option::is_none")]
    made_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) paid_at: Option<String>,
    /// While it is not paid
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// Each with status, refund_no, amount_text …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<JsonObject>")]
    refunds: Vec<OneRefund>,
    /// Still refundable
    #[serde(skip_serializing_if = "Option::is_none")]
    left_text: Option<String>,
    /// false: only the ledger has it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) known_to_qfpay: Option<bool>,
    /// Tell the person
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) warning: Option<String>,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            status: Status::NOT_FOUND.word,
            meaning: Some(Status::NOT_FOUND.meaning),
            out_trade_no: None,
            syssn: None,
            amount: None,
            currency: None,
            amount_text: None,
            pay_type: None,
            respcd: None,
            respcd_meaning: None,
            made_at: None,
            paid_at: None,
            expires_at: None,
            refunds: Vec::new(),
            left_text: None,
            known_to_qfpay: None,
            warning: None,
        }
    }
}

/// A refund beside its payment.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct OneRefund {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    syssn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    respcd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    respcd_meaning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    made_at: Option<String>,
}

impl Order {
    /// One of several in a list.
    pub(in crate::mcp) fn listed(order: OrderView) -> Self {
        Self { meaning: None, ..Self::new(order) }
    }

    pub(in crate::mcp) fn new(order: OrderView) -> Self {
        let warning = late_warning(&order);
        let left = order.amount.filter(|_| order.status.was_paid()).map(|paid| {
            let all = order.status == PaymentState::Refunded;
            let gone = if all { paid.minor() } else { order.refunded_minor() };
            let left = paid.minor().saturating_sub(gone);
            amount::written(left, paid.currency())
        });
        let waits = order.status == PaymentState::Pending && order.page.is_none();
        let expires_at = order.expires_at.filter(|_| waits);
        let expires_at = expires_at.map(|at| at.to_zoned(time::qfpay_zone()).datetime());
        let clear = order.refunds_complete || order.status == PaymentState::Refunded;
        // A code that QFPay gave to the payment says nothing about how it stands now.
        let operation = if order.at_qfpay { Operation::Query } else { Operation::Payment };
        Self {
            status: order.status.word(),
            meaning: Some(Status::of_payment(order.status).meaning),
            out_trade_no: order.number.map(|it| it.to_string()),
            syssn: order.syssn.map(|it| it.to_string()),
            amount: order.amount.map(Amount::minor),
            currency: order.amount.map(|it| it.currency().code),
            amount_text: order.amount.map(|it| it.to_string()),
            pay_type: order.pay_type.map(|it| format!("{} {}", it.code, it.name)),
            respcd_meaning: meaning(order.respcd.as_deref(), order.resperr.as_deref(), operation),
            respcd: order.respcd,
            made_at: order.made_at.map(written_time),
            paid_at: order.paid_at.map(written_time),
            expires_at: expires_at.map(written_time),
            refunds: order.refunds.into_iter().map(OneRefund::new).collect(),
            left_text: left.filter(|_| clear),
            known_to_qfpay: (!order.at_qfpay).then_some(false),
            warning,
        }
    }
}

impl OneRefund {
    pub(in crate::mcp) fn new(refund: RefundView) -> Self {
        Self {
            status: refund.status.word(),
            refund_no: refund.number.map(|it| it.to_string()),
            syssn: refund.syssn.map(|it| it.to_string()),
            amount: refund.amount.map(Amount::minor),
            amount_text: refund.amount.map(|it| it.to_string()),
            respcd_meaning: meaning(
                refund.respcd.as_deref(),
                refund.resperr.as_deref(),
                Operation::Refund,
            ),
            respcd: refund.respcd,
            made_at: refund.made_at.map(written_time),
        }
    }
}

/// What a person must hear of an order that was carried out although it had been taken for ended.
fn late_warning(order: &OrderView) -> Option<String> {
    if order.late {
        return Some(LATE.to_owned());
    }
    let late = order.refunds.iter().find(|it| it.late)?;
    let number = late.number.as_ref().map(ToString::to_string).unwrap_or_default();
    Some(format!(
        "Refund {number} had been taken for failed, and QFPay says that it was made after all. If \
         another was made in its place, too much went back."
    ))
}
