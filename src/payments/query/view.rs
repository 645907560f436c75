//! How orders look once they are found: the ledger and QFPay's records put together.
use jiff::{Timestamp, civil::DateTime};
use serde_json::{Map, Value};

use super::{learn::GIVEN_UP, records::best};
use crate::{
    client::{Kind, Trade, Trouble},
    domain::{
        Amount, OrderNumber, PaymentEvent, PaymentState, RefundEvent, RefundState, Syssn, time,
    },
    ledger::{Payment, Refund},
    payments::{Page, Refused},
    spec::PayType,
};

/// Most records that are told as QFPay gave them.
pub const MOST_RAW: usize = 20;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    pub orders: Vec<OrderView>,
    /// Refunds in a span whose payment stands elsewhere.
    pub loose_refunds: Vec<RefundView>,
    /// Whether a span has more pages.
    pub more: bool,
    /// QFPay's records, as it gave them.
    pub raw: Vec<Map<String, Value>>,
    /// QFPay could not be asked: this is what the ledger knows.
    pub trouble: Option<Trouble>,
    /// Why the ledger could not take QFPay's word down, if it could not.
    pub unwritten: Option<String>,
}

/// One payment as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderView {
    pub number: Option<OrderNumber>,
    pub status: PaymentState,
    pub syssn: Option<Syssn>,
    pub amount: Option<Amount>,
    pub pay_type: Option<&'static PayType>,
    pub respcd: Option<String>,
    pub resperr: Option<String>,
    /// When we asked for it.
    pub asked_at: Option<Timestamp>,
    /// Until when it can be paid, where we know that.
    pub expires_at: Option<Timestamp>,
    /// The time that was sent when it was made, as QFPay gives it back.
    pub txdtm: Option<DateTime>,
    /// By QFPay's clock, UTC+8.
    pub made_at: Option<DateTime>,
    pub paid_at: Option<DateTime>,
    /// It was carried out after it had been taken for failed or closed.
    pub late: bool,
    pub refunds: Vec<RefundView>,
    /// Whether these are all of its refunds for sure.
    pub refunds_complete: bool,
    /// Whether QFPay has a record of it.
    pub at_qfpay: bool,
    /// How its checkout page stands, where it is paid on one.
    pub page: Option<Page>,
}

/// One refund as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct RefundView {
    pub number: Option<OrderNumber>,
    pub status: RefundState,
    pub syssn: Option<Syssn>,
    pub original: Option<Syssn>,
    pub amount: Option<Amount>,
    pub respcd: Option<String>,
    pub resperr: Option<String>,
    pub made_at: Option<DateTime>,
    /// It was made after it had been taken for failed.
    pub late: bool,
}

impl OrderView {
    /// Refuses the number of a refund where that of its payment is wanted.
    pub(in crate::payments) fn must_be(&self, number: &OrderNumber) -> Result<(), Refused> {
        if self.number.as_ref() == Some(number) {
            return Ok(());
        }
        let payment = self.number.as_ref().map(ToString::to_string).unwrap_or_default();
        let problem = format!("this is the number of a refund; give the payment's, `{payment}`");
        Err(Refused::Argument { argument: "out_trade_no", problem })
    }

    /// Minor units that went back or may be on their way back.
    pub fn refunded_minor(&self) -> u64 {
        let counted = self.refunds.iter().filter(|it| it.status.counts());
        let minor = counted.filter_map(|it| it.amount.map(Amount::minor));
        minor.fold(0, u64::saturating_add)
    }
}

/// An order of the ledger, with what QFPay's record adds; `page` is its checkout page, if any.
pub(super) fn view(
    payment: Payment,
    refunds: Vec<Refund>,
    trades: &[Trade],
    page: Option<Page>,
) -> OrderView {
    let trade = best(trades, &payment);
    let under_way = trade.and_then(|it| under_way(&payment, it));
    let numbers: Vec<OrderNumber> = refunds.iter().map(|it| it.number.clone()).collect();
    let ours = refunds.into_iter().map(|it| {
        let record = trades.iter().find(|trade| trade.order.as_ref() == Some(&it.number));
        refund_view(it, record)
    });
    let others = trades.iter().filter(|it| {
        it.kind == Kind::Refund
            && it.original.is_some()
            && it.original == payment.syssn
            && it.order.as_ref().is_none_or(|at| !numbers.contains(at))
    });
    OrderView {
        number: Some(payment.number.clone()),
        status: under_way.unwrap_or(payment.state),
        amount: Some(payment.terms.amount),
        pay_type: Some(paid_with(&payment, trade)),
        asked_at: Some(payment.asked_at()),
        expires_at: payment.terms.expires_at(payment.asked_at()),
        txdtm: trade.and_then(sent_time),
        made_at: trade.and_then(|it| it.made_at),
        paid_at: trade.and_then(|it| it.paid_at),
        late: payment.late,
        refunds: ours.chain(others.map(refund_in)).collect(),
        refunds_complete: true,
        at_qfpay: trade.is_some(),
        page,
        syssn: payment.syssn,
        respcd: payment.respcd,
        // That it was given up is not so while somebody is at it.
        resperr: payment.resperr.filter(|_| under_way.is_none()),
    }
}

/// How a payment stands at QFPay that we gave up ourselves, where somebody may be paying it: nobody
/// may take it for unpaid. The ledger has it late, once it is paid.
fn under_way(payment: &Payment, trade: &Trade) -> Option<PaymentState> {
    let why = payment.resperr.as_deref();
    let given_up = GIVEN_UP.iter().any(|it| (it.0, Some(it.1)) == (payment.state, why));
    let event = trade.payment_event();
    let goes_on = matches!(event, PaymentEvent::Accepted | PaymentEvent::Lost);
    (given_up && goes_on).then(|| payment_state(event))
}

/// The way that was chosen: on a checkout page the payer does, and what can be cancelled or
/// refunded depends on it.
fn paid_with(payment: &Payment, trade: Option<&Trade>) -> &'static PayType {
    let chosen = trade.filter(|_| payment.terms.on_a_page()).and_then(|it| it.pay_type);
    chosen.unwrap_or(payment.terms.pay_type)
}

fn refund_view(refund: Refund, trade: Option<&Trade>) -> RefundView {
    RefundView {
        number: Some(refund.number),
        status: refund.state,
        syssn: refund.syssn,
        original: Some(refund.terms.syssn),
        amount: Some(refund.terms.amount),
        respcd: refund.respcd,
        resperr: refund.resperr,
        made_at: trade.and_then(|it| it.made_at),
        late: refund.late,
    }
}

/// Records without a ledger: each payment with its refunds beside it.
pub(super) fn grouped(trades: &[Trade]) -> Found {
    let payments: Vec<&Trade> = trades.iter().filter(|it| it.kind == Kind::Payment).collect();
    let refunds = || trades.iter().filter(|it| it.kind == Kind::Refund);
    let orders = payments.iter().map(|payment| {
        let beside = refunds().filter(|it| it.original.is_some() && it.original == payment.syssn);
        OrderView { refunds: beside.map(refund_in).collect(), ..order_in(payment) }
    });
    let loose = refunds().filter(|it| {
        payments.iter().all(|payment| it.original.is_none() || it.original != payment.syssn)
    });
    Found {
        orders: orders.collect(),
        loose_refunds: loose.map(refund_in).collect(),
        raw: raw(trades),
        ..Found::default()
    }
}

/// The records as QFPay gave them.
pub(super) fn raw(trades: &[Trade]) -> Vec<Map<String, Value>> {
    trades.iter().take(MOST_RAW).map(Trade::told).collect()
}

fn order_in(trade: &Trade) -> OrderView {
    OrderView {
        number: trade.order.clone(),
        status: payment_state(trade.payment_event()),
        syssn: trade.syssn.clone(),
        amount: amount_in(trade),
        pay_type: trade.pay_type,
        respcd: Some(trade.respcd.clone()).filter(|it| !it.is_empty()),
        resperr: Some(trade.resperr.clone()).filter(|it| !it.is_empty()),
        asked_at: None,
        expires_at: None,
        txdtm: sent_time(trade),
        made_at: trade.made_at,
        paid_at: trade.paid_at,
        late: false,
        refunds: Vec::new(),
        refunds_complete: false,
        at_qfpay: true,
        page: None,
    }
}

fn refund_in(trade: &Trade) -> RefundView {
    RefundView {
        number: trade.order.clone(),
        status: refund_state(trade.refund_event()),
        syssn: trade.syssn.clone(),
        original: trade.original.clone(),
        amount: amount_in(trade),
        respcd: Some(trade.respcd.clone()).filter(|it| !it.is_empty()),
        resperr: Some(trade.resperr.clone()).filter(|it| !it.is_empty()),
        made_at: trade.made_at,
        late: false,
    }
}

/// How a payment stands of which nothing is known but this.
pub(in crate::payments) fn payment_state(event: PaymentEvent) -> PaymentState {
    match event {
        PaymentEvent::Paid => PaymentState::Paid,
        PaymentEvent::RefundedInPart => PaymentState::PartiallyRefunded,
        PaymentEvent::RefundedInFull => PaymentState::Refunded,
        PaymentEvent::Accepted => PaymentState::Pending,
        PaymentEvent::Refused => PaymentState::Failed,
        PaymentEvent::Closed => PaymentState::Closed,
        PaymentEvent::Lost
        | PaymentEvent::Send
        | PaymentEvent::Offer
        | PaymentEvent::AttemptFailed
        | PaymentEvent::NotSent => PaymentState::InDoubt,
    }
}

/// How a refund stands of which nothing is known but this.
pub(in crate::payments) fn refund_state(event: RefundEvent) -> RefundState {
    match event {
        RefundEvent::Refunded => RefundState::Refunded,
        RefundEvent::Accepted => RefundState::Pending,
        RefundEvent::Refused => RefundState::Failed,
        RefundEvent::Lost | RefundEvent::Send | RefundEvent::NotSent => RefundState::InDoubt,
    }
}

fn sent_time(trade: &Trade) -> Option<DateTime> {
    time::parse_wire(trade.fields.get("txdtm")?.as_str()?).ok()
}

fn amount_in(trade: &Trade) -> Option<Amount> {
    Amount::from_minor(trade.amount_minor?, trade.currency?).ok()
}
