//! Which of QFPay's records is about which entry, and what several of them say together.
use crate::{
    client::{Kind, Trade},
    domain::{OrderNumber, PaymentEvent, RefundEvent, RefundState},
    ledger::{Payment, Refund},
    payments::Page,
};

/// The record that tells how a payment stands. One number can have several: failed tries and a
/// success, or two successes (contract §1.2). Money received wins, then what is not over yet. A
/// record of another amount is another order, whatever its number.
pub(super) fn best<'a>(trades: &'a [Trade], payment: &Payment) -> Option<&'a Trade> {
    let ours = trades.iter().filter(|it| it.kind == Kind::Payment && is_of(it, payment));
    ours.max_by_key(|it| {
        let same = payment.syssn.is_some() && it.syssn == payment.syssn;
        (rank(it.payment_event()), same)
    })
}

/// What a record means for `payment`. As long as a payer may be in the middle of its checkout page,
/// an attempt there that failed is no end: they may try again.
pub(super) fn event_in(trade: &Trade, payment: &Payment, page: Option<Page>) -> PaymentEvent {
    let event = trade.payment_event();
    let ended = matches!(event, PaymentEvent::Refused | PaymentEvent::Closed);
    let goes_on = payment.state.is_open() && page.is_some_and(|it| !it.over);
    if ended && goes_on { PaymentEvent::AttemptFailed } else { event }
}

/// Whether any record has this number, whatever else it says.
pub(super) fn is_named(trades: &[Trade], number: &OrderNumber) -> bool {
    trades.iter().any(|it| it.order.as_ref() == Some(number))
}

pub(super) fn is_of(trade: &Trade, payment: &Payment) -> bool {
    let amount = payment.terms.amount;
    let same_number = trade.order.as_ref() == Some(&payment.number);
    let same_amount = trade.amount_minor == Some(amount.minor())
        && trade.currency.is_none_or(|currency| currency == amount.currency())
        && (trade.currency.is_some() || !trade.fields.contains_key("txcurrcd"));
    if same_number && !same_amount {
        tracing::warn!(number = %payment.number, "QFPay has a record of it with another amount");
    }
    same_number && same_amount
}

/// The record that tells how a refund stands: money that went back wins.
pub(super) fn best_refund<'a>(trades: &'a [Trade], refund: &Refund) -> Option<&'a Trade> {
    let ours = trades.iter().filter(|it| {
        it.kind == Kind::Refund
            && it.order.as_ref() == Some(&refund.number)
            && it.amount_minor == Some(refund.terms.amount.minor())
            && it.original.as_ref().is_none_or(|at| *at == refund.terms.syssn)
    });
    ours.max_by_key(|it| match it.refund_event() {
        RefundEvent::Refunded => 3,
        RefundEvent::Accepted => 2,
        RefundEvent::Lost => 1,
        RefundEvent::Refused | RefundEvent::Send | RefundEvent::NotSent => 0,
    })
}

/// Whether QFPay finds refunds by their numbers: all that were made are in its answer.
pub(super) fn finds_refunds(trades: &[Trade], refunds: &[Refund]) -> bool {
    let mut made = refunds.iter().filter(|it| it.state == RefundState::Refunded).peekable();
    made.peek().is_some() && made.all(|it| best_refund(trades, it).is_some())
}

/// Whether the refunds among the records explain what the payment's own says of its money. Under one
/// number there can be several payments (contract §1.2): then nobody can tell.
pub(super) fn accounts_for(trades: &[Trade], payment: &Payment) -> bool {
    let payments: Vec<&Trade> = trades.iter().filter(|it| it.kind == Kind::Payment).collect();
    let [only] = payments.as_slice() else { return false };
    let made = trades.iter().filter(|it| {
        it.kind == Kind::Refund
            && it.original == only.syssn
            && it.refund_event() == RefundEvent::Refunded
    });
    let made = made.filter_map(|it| it.amount_minor).fold(0, u64::saturating_add);
    let least = if only.cancel == Some(5) { 1 } else { payment.terms.amount.minor() };
    least <= made
}

/// The other records of a payment's number that say that money was received: it was paid more than
/// once, in several tabs of a checkout page for instance (contract §7).
pub(super) fn paid_again<'a>(
    trades: &'a [Trade],
    payment: &Payment,
) -> impl Iterator<Item = &'a Trade> {
    let main = best(trades, payment).and_then(|it| it.syssn.clone());
    let received = |it: &&Trade| it.kind == Kind::Payment && rank(it.payment_event()) == RECEIVED;
    trades.iter().filter(received).filter(move |it| it.syssn != main)
}

/// The rank of records that say that the money was received.
pub(super) const RECEIVED: u8 = 3;

pub(super) fn rank(event: PaymentEvent) -> u8 {
    match event {
        PaymentEvent::Paid | PaymentEvent::RefundedInPart | PaymentEvent::RefundedInFull => {
            RECEIVED
        }
        PaymentEvent::Accepted => 2,
        PaymentEvent::Lost => 1,
        PaymentEvent::Refused
        | PaymentEvent::Closed
        | PaymentEvent::AttemptFailed
        | PaymentEvent::Send
        | PaymentEvent::Offer
        | PaymentEvent::NotSent => 0,
    }
}
