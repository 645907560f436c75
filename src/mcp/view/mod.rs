//! Replies: how orders and refunds look to an agent. One vocabulary of `status`, no empty fields,
//! and always a `next_step` that names a tool.
mod checkout;
mod next;
mod order;
mod payment;
mod reconcile;
mod refund;
mod status;

use jiff::civil::DateTime;

pub use self::status::{NEEDS_APPROVAL, Status};
pub(super) use self::{
    checkout::not_taken_back,
    next::{after_asking, after_cancel, after_query, paid_again},
    order::{OneRefund, Order},
    payment::PaymentReply,
    reconcile::Reconciliation,
    refund::RefundReply,
};
use crate::{
    domain::time,
    spec::{
        RespCode,
        resp_codes::{Operation, Verdict},
    },
};

/// What a person must hear of an order that was paid after it had been taken for ended.
const LATE: &str = "This order had been taken for failed or closed, and QFPay says that it was paid after all: the payer's money is here. Deliver, or refund it.";

/// What a code means here, with its text where that decides, then QFPay's own words; none for the
/// code of success.
pub(super) fn meaning(
    code: Option<&str>,
    said: Option<&str>,
    operation: Operation,
) -> Option<String> {
    let (code, said) = (code?, said.unwrap_or_default());
    let Some(row) = RespCode::find(code) else {
        return Some(format!("{code} is in no QFPay document; the result is unknown"));
    };
    // What 0000 comes to depends on what was asked (contract §1.1): the status tells.
    if row.reading.verdict == Verdict::Done {
        return None;
    }
    let plain = row.overload(said, operation).map_or(row.en, |it| it.meaning);
    let known = said.is_empty() || [row.en, row.zh_hant, row.zh_hans].contains(&said);
    Some(if known { plain.to_owned() } else { format!("{plain} (QFPay says: {said:?})") })
}

fn query(number: &str) -> String {
    format!("query_transaction {{\"out_trade_no\":\"{number}\"}}")
}

/// QFPay's clock is UTC+8 all year.
pub(super) fn written_time(at: DateTime) -> String {
    format!("{}+08:00", time::format_wire(at).replace(' ', "T"))
}
