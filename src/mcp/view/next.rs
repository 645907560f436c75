//! What to do now that an order was looked at, waited for or to be ended, in words that name a tool.
use jiff::Timestamp;

use super::query;
use crate::{
    domain::{OrderNumber, PaymentState},
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
pub(in crate::mcp) fn after_query(orders: &[OrderView]) -> String {
    let Some(order) = orders.first() else { return String::new() };
    let number = order.number.as_ref().map(ToString::to_string).unwrap_or_default();
    let query = query(&number);
    // One whose money is back is not one too many any more.
    let holds =
        |it: &&OrderView| matches!(it.status, PaymentState::Paid | PaymentState::PartiallyRefunded);
    let held: Vec<&OrderView> = orders.iter().filter(holds).collect();
    if let [_, surplus, ..] = held.as_slice() {
        let syssn = surplus.syssn.as_ref().map(ToString::to_string).unwrap_or_default();
        return format!(
            "This number was paid more than once. Tell the person. To give the later payment back, \
             call refund {{\"syssn\":\"{syssn}\"}}, once."
        );
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
pub(in crate::mcp) fn after_wait(
    orders: &[OrderView],
    number: &OrderNumber,
    now: Timestamp,
) -> String {
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
pub(in crate::mcp) fn after_cancel(cancelled: &Cancelled, number: &OrderNumber) -> String {
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
        "Nothing was sent: a person has to approve it, and you cannot. Tell them to {how} before \
         {until}. Then call {tool} again with the same arguments and {argument} \"{number}\"."
    )
}

/// What to do after a payment that was not carried out.
pub(super) fn failed(code: Option<&str>, said: Option<&str>) -> String {
    if said == Some(NO_RECORD) {
        return "QFPay has had no record of it for so long that it cannot have arrived. Query it once \
                more before a new try, which takes a new out_trade_no."
            .to_owned();
    }
    let (code, said) = (code.unwrap_or_default(), said.unwrap_or_default());
    let reading = resp_codes::read(code, said, Operation::Payment);
    format!("Not carried out. {}", reading.next_step)
}
