//! Both sides of a comparison, with no more of each entry and record than it takes: a day can have
//! a hundred thousand.
use jiff::{Timestamp, civil::DateTime};

use crate::{
    client::{self, Trade, response::cleaned},
    domain::{Amount, OrderNumber, PaymentState, RefundState, Syssn, time},
    ledger::{Entry, Kind},
    payments::query::{payment_state, refund_state},
    spec::PayType,
};

/// What `cancel` says of what was reversed (contract §1.2).
const REVERSED: [u8; 2] = [1, 2];

/// How a payment or a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Payment(PaymentState),
    Refund(RefundState),
}

impl Status {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Payment(it) => it.word(),
            Self::Refund(it) => it.word(),
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Payment(_) => Kind::Payment,
            Self::Refund(_) => Kind::Refund,
        }
    }

    /// Whether the money was received, or went back.
    pub(super) fn moved(self) -> bool {
        match self {
            Self::Payment(it) => it.was_paid(),
            Self::Refund(it) => it == RefundState::Refunded,
        }
    }

    /// Whether a payment's money was received and is still here, all or part of it.
    pub(super) fn is_held(self) -> bool {
        matches!(self, Self::Payment(PaymentState::Paid | PaymentState::PartiallyRefunded))
    }

    /// Whether QFPay has it, or may: what surely moved no money is nobody's concern.
    pub(super) fn counts(self) -> bool {
        use PaymentState as P;
        match self {
            Self::Payment(it) => it.was_paid() || matches!(it, P::Sent | P::Pending | P::InDoubt),
            Self::Refund(it) => it.counts(),
        }
    }

    /// Whether the payer has yet to choose on a checkout page: until then QFPay has no order.
    pub(super) fn awaits(self) -> bool {
        self == Self::Payment(PaymentState::AwaitingPayer)
    }

    /// The record that counts of several under one number has the highest.
    pub(super) fn rank(self) -> u8 {
        if self.is_held() {
            return 3;
        }
        if self.moved() { 2 } else { u8::from(self.counts()) }
    }
}

/// An entry of our ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ours {
    pub(super) number: OrderNumber,
    pub(super) status: Status,
    pub(super) amount: Amount,
    /// A refund has that of its payment, which it does not know.
    pub(super) pay_type: Option<&'static PayType>,
    pub(super) syssn: Option<Syssn>,
    /// A refund's payment.
    pub(super) original: Option<Syssn>,
    /// A refund's payment, by our number.
    pub(super) order: Option<OrderNumber>,
    /// When it was asked for, by QFPay's clock.
    pub(super) asked_at: DateTime,
}

impl From<Entry> for Ours {
    fn from(entry: Entry) -> Self {
        let (asked_at, amount) = (at_qfpay(entry.asked_at()), entry.amount());
        match entry {
            Entry::Payment(it) => Self {
                status: Status::Payment(it.state),
                pay_type: Some(it.terms.pay_type),
                number: it.number,
                syssn: it.syssn,
                original: None,
                order: None,
                amount,
                asked_at,
            },
            Entry::Refund(it) => Self {
                status: Status::Refund(it.state),
                pay_type: None,
                number: it.number,
                syssn: it.syssn,
                original: Some(it.terms.syssn),
                order: it.terms.order,
                amount,
                asked_at,
            },
        }
    }
}

/// A record of QFPay's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Theirs {
    /// Our number, where it can be one of ours.
    pub(super) number: Option<OrderNumber>,
    /// The number as it is shown, whatever it is.
    pub(super) label: String,
    pub(super) status: Status,
    /// None where it cannot be read.
    pub(super) amount: Option<Amount>,
    pub(super) pay_type: Option<&'static PayType>,
    pub(super) syssn: Option<Syssn>,
    /// A refund's payment.
    pub(super) original: Option<Syssn>,
    /// By QFPay's clock.
    pub(super) made_at: Option<DateTime>,
    /// QFPay marks it with what a reversal leaves behind; a refund can leave the same.
    pub(super) reversed: bool,
}

impl Theirs {
    /// What is neither a payment nor a refund has nothing to compare.
    pub(super) fn of(trade: &Trade) -> Option<Self> {
        let status = match trade.kind {
            client::Kind::Payment => Status::Payment(payment_state(trade.payment_event())),
            client::Kind::Refund => Status::Refund(refund_state(trade.refund_event())),
            client::Kind::Other => return None,
        };
        let text = || trade.fields.get("out_trade_no").and_then(|it| it.as_str()).map(cleaned);
        let named = trade.order.as_ref().map(ToString::to_string).or_else(text);
        let label = named.filter(|it| !it.is_empty());
        let amount = trade.amount_minor.zip(trade.currency);
        let gone = status == Status::Payment(PaymentState::Refunded);
        Some(Self {
            number: trade.order.clone(),
            label: label.or_else(|| trade.syssn.as_ref().map(ToString::to_string))?,
            status,
            amount: amount.and_then(|(minor, currency)| Amount::from_minor(minor, currency).ok()),
            pay_type: trade.pay_type,
            syssn: trade.syssn.clone(),
            original: trade.original.clone(),
            made_at: trade.made_at,
            reversed: gone && trade.cancel.is_some_and(|it| REVERSED.contains(&it)),
        })
    }

    /// What tells one record from another.
    pub(super) fn key(&self) -> String {
        match &self.syssn {
            Some(syssn) => syssn.to_string(),
            None => format!("{} {}", self.status.kind().word(), self.label),
        }
    }
}

/// A moment by QFPay's clock.
pub(super) fn at_qfpay(at: Timestamp) -> DateTime {
    at.to_zoned(time::qfpay_zone()).datetime()
}
