//! Replies: how orders and refunds look to an agent. One vocabulary of `status`, no empty fields,
//! and always a `next_step` that names a tool.
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Serialize;

use super::refusal::wait;
use crate::{
    client::Trouble,
    domain::{Amount, OrderNumber, PaymentState, RefundState, amount, time},
    ledger::Payment,
    payments::{
        cancel::Cancelled,
        create::Receipt,
        query::{OrderView, RefundView},
        refund::RefundReceipt,
    },
    spec::{
        Currency, Field, Flow, RespCode,
        fields::DEFAULT_EXPIRY_MINUTES,
        resp_codes::{self, Operation, Verdict},
    },
};

/// The status of an order that nobody knows.
const NOT_FOUND: &str = "not_found";
const LATE: &str = "This order had been taken for failed or closed, and QFPay says that it was paid after all: the payer's money is here. Deliver, or refund it.";
/// After how many seconds a payer's code is over its time (contract §6).
const CODE_SECONDS: i64 = 120;

/// A payment after it was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PaymentReply {
    /// pending (not paid), paid, failed, in_doubt (unknown: query, never pay again), intended (surely not sent), sent
    status: &'static str,
    out_trade_no: String,
    environment: &'static str,
    /// Minor units
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
    /// Draw as a QR code
    #[serde(skip_serializing_if = "Option::is_none")]
    qrcode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_params: Option<JsonObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// true: known before, nothing sent now
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    next_step: String,
}

/// A refund after it was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RefundReply {
    /// refunded, pending, failed, in_doubt (unknown: query, never refund again), intended (surely not sent), sent
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
    replayed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    next_step: String,
}

/// A payment as it stands, with its refunds. Without any, an order that nobody knows.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Order {
    /// As create_payment's, and closed, partially_refunded, refunded
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_trade_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    syssn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) amount_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    respcd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) respcd_meaning: Option<String>,
    /// Hong Kong time
    #[serde(skip_serializing_if = "Option::is_none")]
    made_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) paid_at: Option<String>,
    /// Each with status, refund_no, amount_text …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<JsonObject>")]
    refunds: Vec<OneRefund>,
    /// Still refundable
    #[serde(skip_serializing_if = "Option::is_none")]
    left_text: Option<String>,
    known_to_qfpay: bool,
    /// Tell the person
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) warning: Option<String>,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            status: NOT_FOUND,
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
            refunds: Vec::new(),
            left_text: None,
            known_to_qfpay: false,
            warning: None,
        }
    }
}

/// A refund beside its payment.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OneRefund {
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

impl PaymentReply {
    pub(super) fn new(receipt: Receipt, environment: &'static str, zone: &TimeZone) -> Self {
        let Receipt { payment, replayed, trouble } = receipt;
        let amount = payment.terms.amount;
        let open = matches!(payment.state, PaymentState::Pending | PaymentState::InDoubt);
        let shown = if open { payment.shown.clone() } else { crate::domain::Shown::default() };
        let params = shown.pay_params.and_then(|it| serde_json::from_str(&it).ok());
        Self {
            status: payment.state.word(),
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
            expires_at: expires_at(&payment).filter(|_| open).map(|it| local(it, zone)),
            replayed: replayed.then_some(true),
            problem: trouble
                .as_ref()
                .map(ToString::to_string)
                .or_else(|| payment.late.then(|| LATE.to_owned()))
                .or_else(|| caution(amount.currency())),
            next_step: after_payment(&payment, trouble.as_ref()),
            out_trade_no: payment.number.to_string(),
        }
    }
}

/// What a person should check about amounts in this currency, if anything.
fn caution(currency: &Currency) -> Option<String> {
    (!currency.caution.is_empty()).then(|| format!("{}: {}", currency.code, currency.caution))
}

/// Until when the payer can pay, for types that have a limit of ours or of QFPay's default.
fn expires_at(payment: &Payment) -> Option<Timestamp> {
    if !payment.terms.pay_type.uses(Field::ExpiredTime) {
        return None;
    }
    let given = payment.terms.extras.get(&Field::ExpiredTime);
    let minutes = given.and_then(|it| it.parse().ok()).unwrap_or(DEFAULT_EXPIRY_MINUTES);
    payment.asked_at().checked_add(jiff::SignedDuration::from_mins(minutes)).ok()
}

fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// What a code means here, with its text where that decides, then QFPay's own words.
pub(super) fn meaning(
    code: Option<&str>,
    said: Option<&str>,
    operation: Operation,
) -> Option<String> {
    let (code, said) = (code?, said.unwrap_or_default());
    let Some(row) = RespCode::find(code) else {
        return Some(format!("{code} is in no QFPay document; the result is unknown"));
    };
    // What 0000 means depends on what was asked (contract §1.1); its own text would mislead.
    let plain = match (row.reading.verdict, operation) {
        (Verdict::Done, Operation::Payment) => "processed; only `status` tells whether it is paid",
        (Verdict::Done, Operation::Refund) => row.on_refund,
        (Verdict::Done, Operation::Cancel) => "processed; only `status` tells how the order ended",
        _ => row.overload(said, operation).map_or(row.en, |it| it.meaning),
    };
    let known = said.is_empty() || [row.en, row.zh_hant, row.zh_hans].contains(&said);
    Some(if known { plain.to_owned() } else { format!("{plain} (QFPay says: {said:?})") })
}

fn query(number: &str) -> String {
    format!("query_transaction {{\"out_trade_no\":\"{number}\"}}")
}

fn after_payment(payment: &Payment, trouble: Option<&Trouble>) -> String {
    let number = payment.number.as_str();
    let query = query(number);
    match payment.state {
        PaymentState::Intended => {
            let when = trouble.and_then(wait).map_or(String::new(), |it| format!(" in {it} s"));
            format!(
                "Nothing reached QFPay. Call create_payment again{when} with the same arguments \
                 and out_trade_no \"{number}\"."
            )
        }
        PaymentState::Sent => {
            format!("It is on its way. Do not pay again. Call {query} in some seconds.")
        }
        PaymentState::InDoubt => format!(
            "Nobody knows yet whether it was carried out. Do not pay again. Call {query} until it \
             says."
        ),
        PaymentState::Pending => {
            let what = show(payment);
            format!(
                "Not paid yet. {what}Call wait_for_payment {{\"out_trade_no\":\"{number}\"}} until it is `paid`."
            )
        }
        PaymentState::Paid => "Paid. Nothing more to do.".to_owned(),
        PaymentState::Failed => failed(payment.respcd.as_deref(), payment.resperr.as_deref()),
        PaymentState::Closed => {
            "Closed unpaid. For a new try call create_payment with a new out_trade_no.".to_owned()
        }
        PaymentState::PartiallyRefunded | PaymentState::Refunded => {
            format!("Call {query} to see its refunds.")
        }
    }
}

fn failed(code: Option<&str>, said: Option<&str>) -> String {
    let Some(code) = code else {
        return "QFPay has no record of it after so long: it never arrived, and was not paid. For a new \
                try call create_payment with a new out_trade_no."
            .to_owned();
    };
    let reading = resp_codes::read(code, said.unwrap_or_default(), Operation::Payment);
    format!("Not carried out. {}", reading.next_step)
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

impl RefundReply {
    pub(super) fn new(receipt: RefundReceipt, environment: &'static str) -> Self {
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
            RefundState::Failed => match respcd {
                None => {
                    "QFPay has no record of it after so long: it never arrived, and no money went \
                         back. If the person still wants it, call refund with a new refund_no."
                        .to_owned()
                }
                Some(code) => {
                    let said = resperr.unwrap_or_default();
                    let reading = resp_codes::read(code, said, Operation::Refund);
                    format!("No money went back. {}", reading.next_step)
                }
            },
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
            replayed: replayed.then_some(true),
            problem: trouble.map(|it| it.to_string()),
            next_step,
        }
    }
}

impl Order {
    pub(super) fn new(order: OrderView) -> Self {
        let warning = late_warning(&order);
        let left = order.amount.filter(|_| order.status.was_paid()).map(|paid| {
            let all = order.status == PaymentState::Refunded;
            let gone = if all { paid.minor() } else { order.refunded_minor() };
            let left = paid.minor().saturating_sub(gone);
            amount::written(left, paid.currency())
        });
        let clear = order.refunds_complete || order.status == PaymentState::Refunded;
        // A code that QFPay gave to the payment says nothing about how it stands now.
        let operation = if order.at_qfpay { Operation::Query } else { Operation::Payment };
        Self {
            status: order.status.word(),
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
            refunds: order.refunds.into_iter().map(OneRefund::new).collect(),
            left_text: left.filter(|_| clear),
            known_to_qfpay: order.at_qfpay,
            warning,
        }
    }
}

impl OneRefund {
    pub(super) fn new(refund: RefundView) -> Self {
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

/// QFPay's clock is UTC+8 all year.
fn written_time(at: DateTime) -> String {
    format!("{}+08:00", time::format_wire(at).replace(' ', "T"))
}

/// What to do now that one order was looked at; `orders` are the records under its number, the
/// one that counts first.
pub(super) fn after_query(orders: &[OrderView]) -> String {
    let Some(order) = orders.first() else { return String::new() };
    let number = order.number.as_ref().map(ToString::to_string).unwrap_or_default();
    let query = query(&number);
    if orders.iter().filter(|it| it.status.was_paid()).count() > 1 {
        return "This number was paid more than once. Tell the person; refund the one too many by \
                its syssn."
            .to_owned();
    }
    if let Some(open) = order.refunds.iter().find(|it| it.status.is_open()) {
        let refund = open.number.as_ref().map(ToString::to_string).unwrap_or_default();
        return format!(
            "Refund {refund} is `{}`: do not refund again. Call {query} until it is settled; if \
             it is not within an hour, a person should look in QFPay's portal.",
            open.status
        );
    }
    match order.status {
        PaymentState::Paid => "Paid. To give money back call refund.".to_owned(),
        PaymentState::PartiallyRefunded => {
            "Paid, and part of it went back. To give back more call refund.".to_owned()
        }
        PaymentState::Refunded => "All of it went back. Nothing more to do.".to_owned(),
        PaymentState::Pending => {
            format!("Not paid yet. Call {query} again in 3 to 10 s.")
        }
        PaymentState::Sent | PaymentState::InDoubt if order.at_qfpay => {
            format!("Nobody knows yet. Do not pay again. Call {query} again in some seconds.")
        }
        PaymentState::Sent | PaymentState::InDoubt => format!(
            "QFPay has no record of it so far. Do not pay again. Call {query} again in some \
             seconds; if that stays so for some minutes, a person should look in QFPay's portal."
        ),
        PaymentState::Intended => format!(
            "It was never sent. To pay, call create_payment with the same arguments and \
             out_trade_no \"{number}\"."
        ),
        PaymentState::Failed => {
            let shown = order.pay_type.is_some_and(|it| it.flow != Flow::Cpm);
            let old = if shown { " The old code or link must not be used any more." } else { "" };
            format!("{}{old}", failed(order.respcd.as_deref(), order.resperr.as_deref()))
        }
        PaymentState::Closed => {
            "Closed unpaid. For a new try call create_payment with a new out_trade_no.".to_owned()
        }
    }
}

/// What to do now that an order was waited for.
pub(super) fn after_wait(orders: &[OrderView], number: &OrderNumber, now: Timestamp) -> String {
    let Some(order) = orders.first() else {
        return format!(
            "Neither the ledger nor QFPay has it. Check the number; if it was just made, call {} in \
             some seconds.",
            query(number.as_str())
        );
    };
    if order.status != PaymentState::Pending {
        return after_query(orders);
    }
    let again = format!("wait_for_payment {{\"out_trade_no\":\"{number}\"}}");
    let cancel = format!("cancel_payment {{\"out_trade_no\":\"{number}\"}}");
    let scanned = order.pay_type.is_some_and(|it| it.flow == Flow::Cpm);
    let age = order.asked_at.map_or(0, |at| now.duration_since(at).as_secs());
    if scanned && age > CODE_SECONDS {
        return format!(
            "Not paid, and the payer's code is over its time. Call {cancel}, which says how it ended."
        );
    }
    format!("Not paid yet. To wait on, call {again}; to give up, call {cancel}.")
}

/// What to do now that an order was to be ended.
pub(super) fn after_cancel(cancelled: &Cancelled, number: &OrderNumber) -> String {
    let order = &cancelled.order;
    let query = query(number.as_str());
    let already = if cancelled.untouched { "Nothing was sent. " } else { "" };
    match order.status {
        PaymentState::Closed | PaymentState::Failed => format!(
            "{already}It ended unpaid, and its code or link must not be used any more. For a new \
             try call create_payment with a new out_trade_no."
        ),
        PaymentState::Refunded if cancelled.untouched => {
            "Nothing was sent. All of it had gone back already.".to_owned()
        }
        PaymentState::Refunded => {
            "It was paid, and the cancellation gave all of it back. Do not refund it.".to_owned()
        }
        PaymentState::Paid | PaymentState::PartiallyRefunded => format!(
            "It was not ended: it is paid. To give the money back call refund \
             {{\"out_trade_no\":\"{number}\"}}, if the person wants that."
        ),
        PaymentState::Pending | PaymentState::Sent | PaymentState::InDoubt if cancelled.refused => {
            format!(
                "QFPay did not end it. It may still be paid until it expires by itself: do not show \
                 its code any more, and call {query} until it is over."
            )
        }
        PaymentState::Pending
        | PaymentState::Sent
        | PaymentState::InDoubt
        | PaymentState::Intended => {
            format!("Whether it ended is not known yet. Call {query} in some seconds.")
        }
    }
}
