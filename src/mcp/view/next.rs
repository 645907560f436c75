//! What to do next where that hangs on more than the status.
use jiff::Timestamp;

use super::{
    Status,
    checkout::{awaiting, not_taken_back},
    query,
};
use crate::{
    client::Trouble,
    domain::{OrderNumber, PaymentState, RefundState},
    mcp::refusal::wait,
    payments::{
        cancel::Cancelled,
        query::{NO_RECORD, OrderView},
    },
    spec::{
        Flow,
        resp_codes::{self, Operation},
    },
};

/// After how many seconds a payer's code is over its time (contract §6).
const CODE_SECONDS: i64 = 120;

/// What to do now that one order was looked at; `orders` are the records under its number, the
/// one that counts first.
pub(in crate::mcp) fn after_query(orders: &[OrderView], now: Timestamp) -> String {
    let Some(order) = orders.first() else { return Status::NOT_FOUND.next("") };
    if let Some(surplus) = surplus(orders) {
        let syssn = surplus.syssn.as_ref().map(ToString::to_string).unwrap_or_default();
        return format!(
            "This number was paid more than once. Tell the person. To give the payment that is one too \
             many back, call refund {{\"syssn\":\"{syssn}\"}}, once."
        );
    }
    let number = order.number.as_ref().map(ToString::to_string).unwrap_or_default();
    if let Some(open) = order.refunds.iter().find(|it| it.status.is_open()) {
        let refund = open.number.as_ref().map(ToString::to_string).unwrap_or_default();
        return format!(
            "Refund {refund} is `{}`: do not refund again. Call {} until it is settled; if it is \
             not within an hour, a person should look in QFPay's portal.",
            open.status,
            query(&number)
        );
    }
    let next = Status::of_payment(order.status).next(&number);
    match order.status {
        PaymentState::AwaitingPayer => awaiting(&number, order.page, order.respcd.is_some()),
        // A page only says until when a payer may begin.
        PaymentState::Pending if order.page.is_none() && is_over(order, now) => {
            out_of_time(&number)
        }
        PaymentState::Sent | PaymentState::InDoubt if !order.at_qfpay => format!(
            "QFPay has no record of it so far. {next} If that stays so for some minutes, a person \
             should look in QFPay's portal."
        ),
        PaymentState::Failed => {
            let shown = order.pay_type.is_some_and(|it| it.flow != Flow::Cpm);
            let old = if shown { " The old code or link must not be used any more." } else { "" };
            let (code, said) = (order.respcd.as_deref(), order.resperr.as_deref());
            format!("{}{old}", failed(&number, code, said))
        }
        PaymentState::Intended
        | PaymentState::Sent
        | PaymentState::Pending
        | PaymentState::InDoubt
        | PaymentState::Paid
        | PaymentState::Closed
        | PaymentState::PartiallyRefunded
        | PaymentState::Refunded => next,
    }
}

/// A payment that was received beside the one that counts, and is still held. One whose money is back
/// is not one too many any more.
fn surplus(orders: &[OrderView]) -> Option<&OrderView> {
    let (first, others) = orders.split_first()?;
    let held =
        |it: &&OrderView| matches!(it.status, PaymentState::Paid | PaymentState::PartiallyRefunded);
    others.iter().find(held).filter(|_| first.status.was_paid())
}

/// What a person must hear of a number that was paid more than once.
pub(in crate::mcp) fn paid_again(orders: &[OrderView]) -> Option<String> {
    let surplus = surplus(orders)?;
    let amount = surplus.amount.map(|it| it.to_string()).unwrap_or_default();
    let syssn = surplus.syssn.as_ref().map(ToString::to_string).unwrap_or_default();
    Some(format!(
        "This number was paid more than once: another payment of {amount} (syssn {syssn}) is held."
    ))
}

/// Whether the payer cannot pay any more, as far as our clock tells.
fn is_over(order: &OrderView, now: Timestamp) -> bool {
    let scanned = order.pay_type.is_some_and(|it| it.flow == Flow::Cpm);
    let age = order.asked_at.map_or(0, |at| now.duration_since(at).as_secs());
    (scanned && CODE_SECONDS < age) || order.expires_at.is_some_and(|it| it < now)
}

/// What to do about an order that is not paid in time.
pub(super) fn out_of_time(number: &str) -> String {
    format!(
        "Its time to pay is over. Do not show its code or link any more; call cancel_payment \
         {{\"out_trade_no\":\"{number}\"}}, which says how it ended."
    )
}

/// What to do now that an order was to be ended.
pub(in crate::mcp) fn after_cancel(cancelled: &Cancelled, number: &OrderNumber) -> String {
    let number = number.as_str();
    let order = &cancelled.order;
    let next = Status::of_payment(order.status).next(number);
    match order.status {
        // Whyever it ended, what is left of it is the same.
        PaymentState::Closed | PaymentState::Failed => {
            Status::of_payment(PaymentState::Closed).next(number)
        }
        PaymentState::Refunded if !cancelled.untouched => {
            "It was paid, and the cancellation gave all of it back. Do not refund it.".to_owned()
        }
        PaymentState::Paid | PaymentState::PartiallyRefunded => {
            format!("It was not ended, since it is paid. {next}")
        }
        PaymentState::Refunded => next,
        PaymentState::AwaitingPayer => format!(
            "The payer's attempt was ended, but their checkout page cannot be taken back. {}",
            not_taken_back(number, order.page)
        ),
        PaymentState::Pending | PaymentState::Sent | PaymentState::InDoubt if cancelled.refused => {
            format!(
                "QFPay did not end it. It may still be paid until it expires by itself: do not show \
                 its code any more, and call {} until it is over.",
                query(number)
            )
        }
        PaymentState::Pending
        | PaymentState::Sent
        | PaymentState::InDoubt
        | PaymentState::Intended => {
            format!("Whether it ended is not known yet. Call {} in some seconds.", query(number))
        }
    }
}

/// What to do while a person has not approved what has this number: `how` they do, and the
/// `argument` that takes the number.
pub(in crate::mcp) fn after_asking(
    tool: &str,
    argument: &str,
    number: &OrderNumber,
    how: &str,
    until: &str,
) -> String {
    format!(
        "Tell the person to {how} before {until}. Then call {tool} again with the same arguments \
         and {{\"{argument}\":\"{number}\"}}."
    )
}

/// How long to wait first, where the other side or our pace named that.
pub(super) fn pause(trouble: Option<&Trouble>) -> String {
    trouble.and_then(wait).map_or(String::new(), |it| format!("Wait {it} s first. "))
}

/// What to do after a payment that was not carried out.
pub(super) fn failed(number: &str, code: Option<&str>, said: Option<&str>) -> String {
    let again = Status::of_payment(PaymentState::Failed).next(number);
    after_failure(Operation::Payment, number, (code, said), &again)
}

/// The same after a refund.
pub(super) fn failed_refund(number: &str, code: Option<&str>, said: Option<&str>) -> String {
    let again = Status::of_refund(RefundState::Failed).next(number);
    after_failure(Operation::Refund, number, (code, said), &again)
}

fn after_failure(
    operation: Operation,
    number: &str,
    (code, said): (Option<&str>, Option<&str>),
    again: &str,
) -> String {
    if said == Some(NO_RECORD) {
        return format!(
            "QFPay has had no record of it for so long that it cannot have arrived. Call {} once \
             more first. {again}",
            query(number)
        );
    }
    let (code, said) = (code.unwrap_or_default(), said.unwrap_or_default());
    resp_codes::read(code, said, operation).next_step.to_owned()
}
