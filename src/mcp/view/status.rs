//! What each `status` means and what to do about it: one vocabulary for replies, commands and
//! documents. What is special about one order stands in `next`.
use crate::domain::{PaymentState, RefundState};

/// The status of what a person has to approve outside the conversation; nothing was sent.
pub const NEEDS_APPROVAL: &str = "needs_approval";

/// A status as agents and people read it.
#[derive(Debug, Clone, Copy)]
pub struct Status {
    pub word: &'static str,
    /// One plain sentence.
    pub meaning: &'static str,
    /// What to do; `{n}` is the number.
    next: &'static str,
}

impl Status {
    /// The status of what neither side knows.
    pub(in crate::mcp) const NOT_FOUND: Self = row(
        "not_found",
        "Neither this ledger nor QFPay has it.",
        "Check the number, the environment and the merchant. If it was just made, make the same \
         call again in some seconds.",
    );
    /// The status of what a person has to approve.
    pub(in crate::mcp) const NEEDS_APPROVAL: Self = row(
        NEEDS_APPROVAL,
        "Nothing was sent: a person has to approve it first, and no agent can.",
        "Tell the person where to approve it; then make the same call again with the number in \
         the reply.",
    );

    /// How a payment stands.
    pub const fn of_payment(state: PaymentState) -> Self {
        let (meaning, next) = match state {
            PaymentState::Intended => (
                "It was not sent: nothing reached QFPay.",
                r#"Call create_payment again with the same arguments and {"out_trade_no":"{n}"}."#,
            ),
            PaymentState::Sent => (
                "It is on its way to QFPay, and may have arrived.",
                r#"Do not pay again. Call query_transaction {"out_trade_no":"{n}"} in some seconds."#,
            ),
            PaymentState::AwaitingPayer => (
                "It waits for a payer on QFPay's checkout page, who has to choose there first.",
                r#"Call wait_for_payment {"out_trade_no":"{n}"} until it is `paid`. Nobody can take the page back."#,
            ),
            PaymentState::Pending => (
                "QFPay has the order, and it is not paid.",
                r#"Call wait_for_payment {"out_trade_no":"{n}"} until it is `paid`; to give up, call cancel_payment {"out_trade_no":"{n}"}."#,
            ),
            PaymentState::InDoubt => (
                "Nobody knows yet whether it is paid: the answer was lost or says nothing.",
                r#"Do not pay again. Call query_transaction {"out_trade_no":"{n}"} until it says."#,
            ),
            PaymentState::Paid => (
                "QFPay says that the money was received.",
                r#"Nothing is to do. If the person wants money back, call refund {"out_trade_no":"{n}"}, with `amount` for a part of it."#,
            ),
            PaymentState::Failed => (
                "It was not carried out, by QFPay's word or because it never arrived there.",
                "A new try takes create_payment with a new out_trade_no.",
            ),
            PaymentState::Closed => (
                "It was ended unpaid.",
                "Nothing is to do. Its code or link must not be used any more; a new try takes \
                 create_payment with a new out_trade_no.",
            ),
            PaymentState::PartiallyRefunded => (
                "It was paid, and part of the money went back.",
                r#"Nothing is to do. If the person wants more back, call refund {"out_trade_no":"{n}"}, with `amount` for a part of the rest."#,
            ),
            PaymentState::Refunded => ("All of the money went back.", "Nothing is to do."),
        };
        row(state.word(), meaning, next)
    }

    /// How a refund stands.
    pub const fn of_refund(state: RefundState) -> Self {
        let (meaning, next) = match state {
            RefundState::Intended => (
                "It was not sent: nothing reached QFPay.",
                r#"Call refund again with the same arguments and {"refund_no":"{n}"}."#,
            ),
            RefundState::Sent => (
                "It is on its way to QFPay, and may have arrived.",
                r#"Do not refund again. Call query_transaction {"out_trade_no":"{n}"} in some seconds."#,
            ),
            RefundState::Pending => (
                "QFPay is working on it, which can take until the next day.",
                r#"Do not refund again. Call query_transaction {"out_trade_no":"{n}"} later."#,
            ),
            RefundState::InDoubt => (
                "Nobody knows yet whether the money went back: the answer was lost or says nothing.",
                r#"Do not refund again. Call query_transaction {"out_trade_no":"{n}"} until it says."#,
            ),
            RefundState::Refunded => ("QFPay says that the money went back.", "Nothing is to do."),
            RefundState::Failed => (
                "It was not carried out, by QFPay's word or because it never arrived there.",
                "A new try takes refund with a new refund_no.",
            ),
        };
        row(state.word(), meaning, next)
    }

    /// Every status of payments.
    pub fn payments() -> impl Iterator<Item = Self> {
        PaymentState::ALL.iter().map(|it| Self::of_payment(*it)).chain([Self::NEEDS_APPROVAL])
    }

    /// Every status of refunds.
    pub fn refunds() -> impl Iterator<Item = Self> {
        RefundState::ALL.iter().map(|it| Self::of_refund(*it)).chain([Self::NEEDS_APPROVAL])
    }

    /// What to do about what has this number.
    pub fn next(&self, number: &str) -> String {
        self.next.replace("{n}", number)
    }
}

const fn row(word: &'static str, meaning: &'static str, next: &'static str) -> Status {
    Status { word, meaning, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever may have been carried out, the next step is to ask.
    #[test]
    fn what_may_have_been_carried_out_is_asked_about_and_never_repeated() {
        let all = || Status::payments().chain(Status::refunds());
        for it in all().filter(|it| ["sent", "in_doubt"].contains(&it.word)) {
            assert!(it.next.starts_with("Do not "), "{it:?}");
            assert!(it.next.contains("Call query_transaction {"), "{it:?}");
        }
        for it in all() {
            assert!(it.meaning.ends_with('.') && it.next.ends_with('.'), "{it:?}");
            assert!(it.meaning.len() < 90, "{it:?}");
        }
    }

    #[test]
    fn a_step_names_its_tool_and_its_arguments() {
        let next = |state| Status::of_payment(state).next("A1");
        insta::assert_snapshot!(next(PaymentState::Pending), @r#"Call wait_for_payment {"out_trade_no":"A1"} until it is `paid`; to give up, call cancel_payment {"out_trade_no":"A1"}."#);
        insta::assert_snapshot!(next(PaymentState::Paid), @r#"Nothing is to do. If the person wants money back, call refund {"out_trade_no":"A1"}, with `amount` for a part of it."#);
    }
}
