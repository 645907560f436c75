//! The reply to `create_payment`.
use jiff::{Timestamp, tz::TimeZone};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    LATE, Status,
    checkout::awaiting,
    meaning,
    next::{failed, out_of_time, pause},
};
use crate::{
    client::Trouble,
    domain::{PaymentState, PaymentTerms},
    ledger::Payment,
    payments::{Page, consent::Needed, create::Receipt},
    spec::{Currency, Flow, resp_codes::Operation},
};

/// A payment after it was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct PaymentReply {
    status: &'static str,
    meaning: &'static str,
    out_trade_no: String,
    environment: &'static str,
    amount: u64,
    currency: &'static str,
    amount_text: String,
    pay_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    syssn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    respcd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    respcd_meaning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) qrcode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_params: Option<JsonObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_code: Option<String>,
    /// true: known before, nothing sent now
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    next_step: String,
}

impl PaymentReply {
    pub(in crate::mcp) fn new(
        receipt: Receipt,
        environment: &'static str,
        zone: &TimeZone,
        now: Timestamp,
    ) -> Self {
        let Receipt { payment, replayed, page, trouble } = receipt;
        let amount = payment.terms.amount;
        let expires_at = payment.terms.expires_at(payment.asked_at());
        let over = expires_at.is_some_and(|it| it < now);
        let payable: &[PaymentState] = match page {
            None => &[PaymentState::Pending, PaymentState::InDoubt],
            // Where a payer has begun, nobody should begin another.
            Some(_) => &[PaymentState::AwaitingPayer],
        };
        let open = payable.contains(&payment.state) && !over;
        let status = Status::of_payment(payment.state);
        let next_step = after_payment(&payment, page, trouble.as_ref(), over);
        let shown = if open { payment.shown.clone() } else { crate::domain::Shown::default() };
        let params = shown.pay_params.and_then(|it| serde_json::from_str(&it).ok());
        Self {
            status: status.word,
            meaning: status.meaning,
            environment,
            amount: amount.minor(),
            currency: amount.currency().code,
            amount_text: amount.to_string(),
            pay_type: payment.terms.pay_type.code,
            syssn: payment.syssn.as_ref().map(ToString::to_string),
            respcd_meaning: meaning(
                payment.respcd.as_deref(),
                payment.resperr.as_deref(),
                Operation::Payment,
            ),
            respcd: payment.respcd.clone(),
            qrcode: shown.qrcode,
            pay_url: shown.pay_url,
            pay_params: params,
            expires_at: expires_at.filter(|_| open).map(|it| local(it, zone)),
            approval_code: None,
            replayed: replayed.then_some(true),
            problem: trouble
                .as_ref()
                .map(ToString::to_string)
                .or_else(|| payment.late.then(|| LATE.to_owned()))
                .or_else(|| caution(amount.currency())),
            next_step,
            out_trade_no: payment.number.to_string(),
        }
    }
}

impl PaymentReply {
    /// A payment that a person has to approve first.
    pub(in crate::mcp) fn waits(
        needed: &Needed,
        terms: &PaymentTerms,
        environment: &'static str,
        code: String,
        next_step: String,
    ) -> Self {
        let amount = needed.amount;
        Self {
            status: Status::NEEDS_APPROVAL.word,
            meaning: Status::NEEDS_APPROVAL.meaning,
            out_trade_no: needed.question.number.to_string(),
            environment,
            amount: amount.minor(),
            currency: amount.currency().code,
            amount_text: amount.to_string(),
            pay_type: terms.pay_type.code,
            syssn: None,
            respcd: None,
            respcd_meaning: None,
            qrcode: None,
            pay_url: None,
            pay_params: None,
            expires_at: None,
            approval_code: Some(code),
            replayed: None,
            problem: None,
            next_step,
        }
    }
}

/// What a person should check about amounts in this currency, if anything.
fn caution(currency: &Currency) -> Option<String> {
    (!currency.caution.is_empty()).then(|| format!("{}: {}", currency.code, currency.caution))
}

fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn after_payment(
    payment: &Payment,
    page: Option<Page>,
    trouble: Option<&Trouble>,
    over: bool,
) -> String {
    let number = payment.number.as_str();
    let next = Status::of_payment(payment.state).next(number);
    match payment.state {
        PaymentState::Intended => pause(trouble) + &next,
        PaymentState::AwaitingPayer => {
            let what = if over { "" } else { show(payment) };
            format!("{what}{}", awaiting(number, page, payment.respcd.is_some()))
        }
        // Whoever began on a page has it open, and may finish after its end.
        PaymentState::Pending if page.is_some() => next,
        PaymentState::Pending if over => out_of_time(number),
        PaymentState::Pending => format!("{}{next}", show(payment)),
        PaymentState::Failed => {
            failed(number, payment.respcd.as_deref(), payment.resperr.as_deref())
        }
        PaymentState::Sent
        | PaymentState::InDoubt
        | PaymentState::Paid
        | PaymentState::Closed
        | PaymentState::PartiallyRefunded
        | PaymentState::Refunded => next,
    }
}

fn show(payment: &Payment) -> &'static str {
    let shown = &payment.shown;
    if payment.terms.pay_type.flow == Flow::Cpm {
        "The payer confirms on the phone. "
    } else if shown.qrcode.is_some() {
        "Show the payer `qrcode` as a QR code, and as text. "
    } else if shown.pay_url.is_some() {
        "Give the payer `pay_url` to open. "
    } else if shown.pay_params.is_some() {
        "Hand `pay_params` to the wallet's SDK. "
    } else {
        ""
    }
}
