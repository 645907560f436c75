//! What was written down about each payment and refund, so that none is made twice.
//!
//! The port is [`Ledger`]; every store passes the list of tests in `conformance`. Look-ups return
//! an option, because "not found" is no error. A change names the version it starts from: of two
//! racing writers one gets nothing and must look again.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]
use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    domain::{OrderNumber, PaymentState, PaymentTerms, RefundState, RefundTerms, Shown, Syssn},
    spec::Environment,
};

#[cfg(test)]
pub(crate) mod conformance;
mod rows;
pub mod sqlite;

/// Whose entries a ledger holds: numbers are unique within a scope, and scopes never mix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub environment: Environment,
    /// The merchant's id, or the app's where there is none.
    pub merchant: String,
}

/// One payment or refund as written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<Terms, State> {
    pub number: OrderNumber,
    pub terms: Terms,
    pub state: State,
    /// One more with every change.
    pub version: i64,
    /// QFPay's number, once it is known.
    pub syssn: Option<Syssn>,
    /// QFPay's last word about it.
    pub respcd: Option<String>,
    pub resperr: Option<String>,
    /// What the payer was shown; empty for refunds.
    pub shown: Shown,
    pub created_at: Timestamp,
    /// When it last left, or was about to; none before that.
    pub sent_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

pub type Payment = Record<PaymentTerms, PaymentState>;
pub type Refund = Record<RefundTerms, RefundState>;

/// What stands under a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Payment(Payment),
    Refund(Refund),
}

/// What became of an attempt to write something new down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved<T> {
    /// Ours, and on disk: nobody else may send it under this number.
    New(T),
    /// The number was used before; here is what for.
    Taken(Entry),
}

/// What is new about an entry, besides its state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    pub syssn: Option<Syssn>,
    pub respcd: Option<String>,
    pub resperr: Option<String>,
    pub shown: Option<Shown>,
}

/// Whether a refund may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Go {
    /// Written down as sent: send it.
    Sent(Refund),
    /// Another writer changed it first.
    Lost,
    /// Another refund of the same payment is on its way, in doubt, or being processed.
    Busy(OrderNumber),
    /// With the other refunds of the payment it would be more than was paid.
    TooMuch { left_minor: u64 },
}

/// Why the ledger could not do its work. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the ledger's store failed: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the ledger's entry {number} cannot be read: its {column} is damaged")]
    Damaged { number: String, column: &'static str },
}

/// The port to a store.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Writes a payment down as intended, unless its number is taken. Atomic and durable.
    async fn reserve_payment(
        &self,
        number: &OrderNumber,
        terms: &PaymentTerms,
        now: Timestamp,
    ) -> Result<Reserved<Payment>, LedgerError>;

    /// Writes a refund down as intended, unless its number is taken. Atomic and durable.
    async fn reserve_refund(
        &self,
        number: &OrderNumber,
        terms: &RefundTerms,
        now: Timestamp,
    ) -> Result<Reserved<Refund>, LedgerError>;

    /// What stands under `number`.
    async fn find(&self, number: &OrderNumber) -> Result<Option<Entry>, LedgerError>;

    /// What QFPay knows under `syssn`.
    async fn find_by_syssn(&self, syssn: &Syssn) -> Result<Option<Entry>, LedgerError>;

    /// The refunds of the payment that QFPay knows under `syssn`, oldest first.
    async fn refunds_of(&self, syssn: &Syssn) -> Result<Vec<Refund>, LedgerError>;

    /// Moves a payment on from the version given; none where another writer was first.
    async fn advance_payment(
        &self,
        payment: &Payment,
        to: PaymentState,
        news: &News,
        now: Timestamp,
    ) -> Result<Option<Payment>, LedgerError>;

    /// Moves a refund on from the version given; none where another writer was first.
    async fn advance_refund(
        &self,
        refund: &Refund,
        to: RefundState,
        news: &News,
        now: Timestamp,
    ) -> Result<Option<Refund>, LedgerError>;

    /// Writes a refund down as sent, if no other refund of its payment is on its way and all of
    /// them together stay within `paid_minor`. One transaction, so two never leave at once.
    async fn send_refund(
        &self,
        refund: &Refund,
        paid_minor: u64,
        now: Timestamp,
    ) -> Result<Go, LedgerError>;
}

impl<Terms, State> Record<Terms, State> {
    /// When it was asked for at QFPay, as far as it was: QFPay's month and expiry count from there.
    pub fn asked_at(&self) -> Timestamp {
        self.sent_at.unwrap_or(self.created_at)
    }

    /// The record after a change; `sends` if it is about to leave.
    fn changed(self, to: State, sends: bool, news: &News, now: Timestamp) -> Self {
        Self {
            state: to,
            sent_at: if sends { Some(now) } else { self.sent_at },
            version: self.version.saturating_add(1),
            syssn: news.syssn.clone().or(self.syssn),
            respcd: news.respcd.clone().or(self.respcd),
            resperr: news.resperr.clone().or(self.resperr),
            shown: news.shown.clone().unwrap_or(self.shown),
            updated_at: now,
            ..self
        }
    }
}

/// Why `refund` may not leave beside the other refunds of its payment, if it may not.
fn stands_against(refund: &Refund, others: &[Refund], paid_minor: u64) -> Option<Go> {
    let others = || others.iter().filter(|it| it.number != refund.number);
    if let Some(busy) = others().find(|it| it.state.is_open()) {
        return Some(Go::Busy(busy.number.clone()));
    }
    let taken = others().filter(|it| it.state.counts());
    let taken = taken.fold(0_u64, |sum, it| sum.saturating_add(it.terms.amount.minor()));
    let left_minor = paid_minor.saturating_sub(taken);
    (refund.terms.amount.minor() > left_minor).then_some(Go::TooMuch { left_minor })
}
