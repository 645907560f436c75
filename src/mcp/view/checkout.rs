//! What is said of a payment that awaits its payer on a checkout page.
use super::query;
use crate::{domain::time, payments::Page};

/// How it stands and what to do; `tried` says whether an attempt on the page failed.
pub(super) fn awaiting(number: &str, page: Option<Page>, tried: bool) -> String {
    let order = if tried {
        "An attempt of the payer's failed, and they may try again on the page."
    } else {
        "QFPay has no order until the payer chooses on the page."
    };
    let then = if page.is_some_and(|it| it.takes_payers) {
        format!("Call wait_for_payment {{\"out_trade_no\":\"{number}\"}} until it is `paid`.")
    } else {
        format!(
            "Do not pay again: call {} now and then until it is `paid`, `failed` or `closed`.",
            query(number)
        )
    };
    format!("{order} {}{then}", stands(page))
}

/// What to do where somebody wants an end of it.
pub(in crate::mcp) fn not_taken_back(number: &str, page: Option<Page>) -> String {
    format!(
        "{}Tell the payer not to use it, and call {} until it is over.",
        stands(page),
        query(number)
    )
}

/// Until when the page works, in a sentence and a blank.
fn stands(page: Option<Page>) -> String {
    let Some(page) = page else { return String::new() };
    let ends = super::written_time(page.ends.to_zoned(time::qfpay_zone()).datetime());
    if page.takes_payers {
        format!("It works until {ends}. ")
    } else {
        format!("It ended at {ends}, but a payer who had begun may still finish. ")
    }
}
